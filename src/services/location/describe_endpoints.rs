//! `DescribeEndpoints`.

use serde::Serialize;

use crate::api::action::{Action, Ctx, FromParams, Permission, Read, Reply};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{Region, RequestId, World};

/// Answers with the address that the client called, whatever the product, so that one setting
/// leads a client to all of them (clients.md 9).
///
/// Source: protocol.md 13.1; the protocols are what ecsim speaks, HTTP alone (inferred).
pub(super) struct DescribeEndpoints;

#[derive(Debug)]
pub(super) struct Input {
    region: &'static Region,
    service_code: String,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let (Some(id), Some(service_code)) = (params.optional("Id"), params.optional("ServiceCode")) else {
            return Err(Code::LocationParameter.into());
        };
        if !matches!(params.optional("Type"), None | Some("openAPI")) {
            return Err(Code::LocationParameter.into());
        }
        let region = Region::find(id).ok_or(Code::LocationRegion)?;
        Ok(Self { region, service_code: service_code.to_owned() })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    success: bool,
    endpoints: Items<Endpoint>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    protocols: Items<Protocol>,
    r#type: &'static str,
    namespace: &'static str,
    id: &'static str,
    /// The vendor's spelling (protocol.md 13.1, recorded).
    #[serde(rename = "SerivceCode")]
    service_code: String,
    endpoint: String,
}

impl Item for Endpoint {
    const ELEMENT: &'static str = "Endpoint";
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Protocol(&'static str);

impl Item for Protocol {
    const ELEMENT: &'static str = "Protocols";
}

impl Reply for Output {}

impl Action for DescribeEndpoints {
    const NAME: &'static str = "DescribeEndpoints";
    type Input = Input;
    type Reply = Output;

    fn needs(_ctx: &Ctx<'_>, _input: &Input, _world: &World) -> Vec<Permission> {
        Vec::new()
    }
}

impl Read for DescribeEndpoints {
    fn call(ctx: &Ctx<'_>, _world: &World, input: Input) -> Result<Output, ApiError> {
        let endpoint = Endpoint {
            protocols: Items(vec![Protocol("HTTP")]),
            r#type: "openAPI",
            namespace: "26842",
            id: input.region.id,
            service_code: input.service_code,
            endpoint: ctx.authority.to_owned(),
        };
        Ok(Output { request_id: ctx.request_id, success: true, endpoints: Items(vec![endpoint]) })
    }
}
