//! `/_ecsim/info`: what to paste into a report of a mistake.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::clock::Mode;
use super::scope::{InNamespace, Scope};
use super::{AdminMode, Control, Version};
use crate::settings::{AuthMode, GatewayCodes, RamMode};
use crate::world::SpaceLimits;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Info {
    /// The version of this form.
    schema: u32,
    #[serde(flatten)]
    version: Version,
    modes: Modes,
    limits: AllLimits,
}

/// The modes that are on.
#[derive(Debug, Serialize, ToSchema)]
struct Modes {
    auth: AuthMode,
    ram: RamMode,
    gateway_codes: GatewayCodes,
    detach_pass_role: bool,
    detach_revokes: bool,
    /// Such as `30s` or `3reads`.
    metadata_propagation: String,
    /// Such as `30s` or `3reads`.
    describe_propagation: String,
    /// Such as `15m`.
    clock_skew: String,
    clock: Mode,
    admin: AdminMode,
    /// Whether the control API wants a token.
    admin_token: bool,
}

/// What a request may not go beyond.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct Limits {
    /// Bytes.
    pub max_body_size: usize,
    /// Bytes.
    pub max_header_size: usize,
    pub max_params: usize,
    pub max_connections: u32,
    pub header_timeout_ms: u64,
    pub body_timeout_ms: u64,
}

/// What there may be at most: of requests, and in a namespace.
#[derive(Debug, Serialize, ToSchema)]
struct AllLimits {
    #[serde(flatten)]
    requests: Limits,
    /// Beside `default`.
    max_namespaces: usize,
    /// How long one that nobody uses stays.
    namespace_ttl_ms: u64,
    /// Requests in the journal of a namespace.
    journal_max: usize,
    /// Nonces that a namespace remembers.
    nonce_max: u32,
}

/// Version, modes and limits
#[utoipa::path(get, path = "/_ecsim/info", params(InNamespace), responses((status = 200, body = Info)))]
pub(super) async fn info(State(control): State<Arc<Control>>, Scope(space): Scope) -> Json<Info> {
    let settings = control.configuration.settings();
    let modes = Modes {
        auth: settings.auth,
        ram: settings.ram,
        gateway_codes: settings.codes,
        detach_pass_role: settings.detach_pass_role,
        detach_revokes: settings.detach_revokes,
        metadata_propagation: settings.metadata_propagation.to_string(),
        describe_propagation: settings.describe_propagation.to_string(),
        clock_skew: format!("{:#}", settings.clock_skew),
        clock: Mode::of(&space.clock),
        admin: control.access.mode,
        admin_token: control.access.token.is_some(),
    };
    let SpaceLimits { most, idle } = control.spaces.limits();
    let limits = AllLimits {
        requests: Limits { max_params: settings.max_params, ..control.limits },
        max_namespaces: most,
        namespace_ttl_ms: u64::try_from(idle.as_millis()).unwrap_or(u64::MAX),
        journal_max: space.journal.most(),
        nonce_max: control.spaces.nonces().0,
    };
    Json(Info { schema: 1, version: Version::THIS, modes, limits })
}
