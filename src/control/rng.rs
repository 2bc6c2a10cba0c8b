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
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Seed {
    seed: u64,
}

/// What it begins with from now on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Begun {
    /// The version of this form.
    schema: u32,
    namespace: String,
    seed: u64,
}

impl FromBody for Seed {
    const CODE: RefusalCode = RefusalCode::InvalidRng;
    const HINT: &'static str = r#"a body is such as {"seed":42}"#;
}

/// Makes ids repeat
///
/// From now on the same calls in the namespace draw the same request ids, keys and tokens, if its world is the same too, as after a reset: what is
/// taken is not drawn. A reset returns to what the emulator was started with.
#[utoipa::path(post, path = "/_ecsim/rng", operation_id = "seed_rng", params(InNamespace), request_body = Seed,
               responses((status = 200, body = Begun)))]
pub(super) async fn begin_again(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Body(Seed { seed }): Body<Seed>,
) -> Result<Json<Begun>, Refusal> {
    control.spaces.of(&name)?.ids.begin_again(seed);
    Ok(Json(Begun { schema: 1, namespace: name.to_string(), seed }))
}
