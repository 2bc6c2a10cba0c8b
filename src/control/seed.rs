//! `/_ecsim/seed`: more in the world, or another world.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Query, Text};
use super::scope::{InNamespace, Target};
use super::{Control, Refusal, RefusalCode};
use crate::world::seed::{Files, Mistake};
use crate::world::{Namespace, NoSpace, Space, World};

/// How a seed is taken.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct How {
    #[serde(default)]
    mode: Mode,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// Adds what the seed says to what is there; what is there already is a mistake
    #[default]
    Merge,
    /// Puts the seed's world in the place of the one that is there, in a new generation
    Replace,
}

/// How much there is more, or in a new world, in all.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Seeded {
    /// The version of this form.
    schema: u32,
    namespace: String,
    generation: u64,
    keys: usize,
    users: usize,
    roles: usize,
    policies: usize,
    instances: usize,
}

const HINT: &str = "nothing was changed; fixtures/seed/seed.schema.json in the sources describes the form";

/// Takes a seed
///
/// The body is what a seed file is. It is taken whole or, with every mistake reported, not at all.
#[utoipa::path(post, path = "/_ecsim/seed", params(InNamespace, How), request_body = Object,
               responses((status = 200, body = Seeded), (status = 422, body = super::Refused, description = "Mistakes")))]
pub(super) async fn seed(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Query(How { mode }): Query<How>,
    Text(body): Text,
) -> Result<Json<Seeded>, Refusal> {
    let worlds = control.worlds.clone();
    let seeded = worlds.beside_calls(move || match mode {
        Mode::Merge => {
            let files = in_body(body);
            control.spaces.change(&name, |space| space.add(&files).map_err(|mistakes| refused(&mistakes)))
        }
        Mode::Replace => replace(&control, &name, &in_body(body)).map(|space| {
            let all = space.store.read(World::counts);
            (space, all)
        }),
    });
    let (space, more) = seeded.await?;
    Ok(Json(Seeded {
        schema: 1,
        namespace: space.namespace.to_string(),
        generation: space.generation,
        keys: more.keys,
        users: more.users,
        roles: more.roles,
        policies: more.policies,
        instances: more.instances,
    }))
}

pub(super) fn in_body(text: String) -> [(String, String); 1] {
    [("the body".to_owned(), text)]
}

pub(super) fn refused(mistakes: &[Mistake]) -> Refusal {
    Refusal::mistakes(RefusalCode::InvalidSeed, mistakes, HINT)
}

/// Puts the world of a seed or snapshot in the place of the one that is there.
pub(super) fn replace(control: &Control, name: &Namespace, files: &Files) -> Result<Arc<Space>, Refusal> {
    control.spaces.replace(name, Some(files)).map_err(|none| match none {
        NoSpace::Seed(mistakes) => refused(&mistakes),
        NoSpace::TooMany(_) => none.into(),
    })
}
