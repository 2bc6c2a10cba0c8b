//! `ModifyInstanceMetadataOptions`.

use serde::Serialize;

use super::input;
use crate::api::action::{Action, Ctx, FromParams, Permission, Reply, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::{InstanceId, MetadataOptions, Region, RequestId, World};

/// Says whether, and to whom, the metadata service answers an instance.
///
/// What is left out stays as it is (inferred: the page calls `optional` the default of `HttpTokens`, but a call that
/// only enables would then weaken an instance in silence).
/// Source: imds.md 1. The page says that `InstanceId` may be left out, but not what is modified then: it is required here.
pub(super) struct ModifyInstanceMetadataOptions;

#[derive(Debug)]
pub(super) struct Input {
    region: &'static Region,
    instance_id: InstanceId,
    enabled: bool,
    tokens_required: Option<bool>,
    hop_limit: Option<u8>,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        params.required("RegionId")?;
        let instance_id = InstanceId::new(params.required("InstanceId")?);
        let endpoint = params.required("HttpEndpoint")?;
        let region = input::region(params)?;
        // Tags are not among the metadata here.
        if params.optional("InstanceMetadataTags").is_some_and(|tags| tags != "disabled") {
            return Err(Code::MetadataTagsNotSupported.into());
        }
        Ok(Self {
            region,
            instance_id,
            enabled: choice(endpoint, MetadataOptions::ENDPOINT, Code::HttpEndpointNotSupported)? == 0,
            tokens_required: params
                .optional("HttpTokens")
                .map(|tokens| {
                    Ok::<_, ApiError>(choice(tokens, MetadataOptions::TOKENS, Code::HttpTokensNotSupported)? == 1)
                })
                .transpose()?,
            hop_limit: params.optional("HttpPutResponseHopLimit").map(hop_limit).transpose()?,
        })
    }
}

/// Which of the names a value is.
fn choice(value: &str, among: [&str; 2], refusal: Code) -> Result<usize, ApiError> {
    among.iter().position(|name| *name == value).ok_or_else(|| refusal.into())
}

fn hop_limit(text: &str) -> Result<u8, ApiError> {
    let hops = text.parse().ok().filter(|hops| MetadataOptions::HOPS.contains(hops));
    hops.ok_or_else(|| Code::HopLimitNotSupported.into())
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
}

impl Reply for Output {}

impl Action for ModifyInstanceMetadataOptions {
    const NAME: &'static str = "ModifyInstanceMetadataOptions";
    type Input = Input;
    type Reply = Output;

    /// On the instance (imds.md 1, documented).
    fn needs(ctx: &Ctx<'_>, input: &Input, _world: &World) -> Vec<Permission> {
        vec![Permission::on_instance(ctx, "ecs:ModifyInstanceMetadataOptions", input.region, &input.instance_id)]
    }
}

impl Write for ModifyInstanceMetadataOptions {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<Output, ApiError> {
        let id = input.instance_id.as_str();
        let options = world
            .instance_in(ctx.caller.account, input.region, id)
            .map(|instance| instance.spec.metadata_options)
            .ok_or(Code::MetadataInstanceNotFound)?;
        if let Some(instance) = world.instance_mut(id) {
            instance.set_metadata_options(MetadataOptions {
                enabled: input.enabled,
                tokens_required: input.tokens_required.unwrap_or(options.tokens_required),
                hop_limit: input.hop_limit.unwrap_or(options.hop_limit),
            });
        }
        Ok(Output { request_id: ctx.request_id })
    }
}
