//! `/_ecsim/rng`: making ids repeat.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Body, FromBody};
use super::scope::{InNamespace, Target};
use super::{Control, Refusal, RefusalCode};

/// What the generator of a namespace begins with.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Seed {
    seed: u64,
}

impl FromBody for Seed {
    const CODE: RefusalCode = RefusalCode::InvalidRng;
    const HINT: &'static str = r#"a body is such as {"seed":42}"#;
}

/// Makes ids repeat
///
/// From now on the same calls in the namespace draw the same request ids, keys and tokens. A reset returns to what the emulator was started with.
#[utoipa::path(post, path = "/_ecsim/rng", operation_id = "seed_rng", params(InNamespace), request_body = Seed,
               responses((status = 200, body = Seed)))]
pub(super) async fn begin_again(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Body(body): Body<Seed>,
) -> Result<Json<Seed>, Refusal> {
    control.spaces.of(&name)?.ids.begin_again(body.seed);
    Ok(Json(body))
}
