//! `/_ecsim/snapshots`: worlds that are kept on disk, by name.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::extract::Named;
use super::namespaces::OneNamespace;
use super::scope::{ForAll, InNamespace, Target};
use super::{Control, Refusal, RefusalCode, Refused, seed};
use crate::files::{SavedSnapshot, SnapshotDir, SnapshotError, SnapshotName, beside_calls};
use crate::world::seed::Mistake;
use crate::world::utc_seconds;

/// The snapshots that there are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Snapshots {
    /// The version of this form.
    schema: u32,
    /// By name.
    snapshots: Vec<OfSnapshot>,
}

/// One snapshot.
#[derive(Debug, Serialize, ToSchema)]
struct OfSnapshot {
    name: String,
    bytes: u64,
    /// By the machine's clock, `YYYY-MM-DDThh:mm:ssZ`.
    saved: String,
}

impl From<SavedSnapshot> for OfSnapshot {
    fn from(SavedSnapshot { name, bytes, saved }: SavedSnapshot) -> Self {
        Self { name: name.to_string(), bytes, saved: utc_seconds(saved) }
    }
}

/// One snapshot by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneSnapshot {
    /// The version of this form.
    schema: u32,
    #[serde(flatten)]
    of: OfSnapshot,
}

/// What has been saved.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Saved {
    /// The version of this form.
    schema: u32,
    name: String,
    bytes: u64,
    namespace: String,
    generation: u64,
}

/// The folder of the snapshots.
#[derive(Debug)]
pub(super) struct Folder(SnapshotDir);

impl FromRequestParts<Arc<Control>> for Folder {
    type Rejection = Refusal;

    async fn from_request_parts(_: &mut Parts, control: &Arc<Control>) -> Result<Self, Refusal> {
        control.snapshots.clone().map(Self).ok_or_else(|| {
            let hint = "start ecsim with --snapshot-dir DIR; GET and PUT /_ecsim/snapshot need no folder";
            let message = "there is no folder for named snapshots";
            Refusal::new(RefusalCode::NoSnapshotDir, message, hint)
        })
    }
}

/// The name of a snapshot in a path.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path, names("name"))]
pub(super) struct OfName(
    /// 1 to 64 letters, digits, `-`, `_` or `.`, the first no `.`
    #[param(value_type = String)]
    SnapshotName,
);

impl FromRequestParts<Arc<Control>> for OfName {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, control: &Arc<Control>) -> Result<Self, Refusal> {
        let Named(name) = Named::from_request_parts(head, control).await?;
        SnapshotName::parse(&name).map(Self).ok_or_else(|| {
            let message = format!("{name:?} is no name of a snapshot");
            let hint = "a name is 1 to 64 letters, digits, '-', '_' or '.', the first no '.'";
            Refusal::new(RefusalCode::InvalidSnapshotName, message, hint)
        })
    }
}

impl From<SnapshotError> for Refusal {
    fn from(error: SnapshotError) -> Self {
        let (code, hint) = match &error {
            SnapshotError::Unknown(_) => (RefusalCode::NoSnapshot, "GET /_ecsim/snapshots lists them"),
            SnapshotError::Io { .. } => {
                let hint =
                    "--snapshot-dir names a folder that ecsim may write, or that it can make in one that is there";
                (RefusalCode::SnapshotDirFailed, hint)
            }
        };
        Self::new(code, error.to_string(), hint)
    }
}

/// The snapshots that are kept
///
/// Those of `--snapshot-dir`, by name; of a file it is not known whether it can be loaded.
#[utoipa::path(get, path = "/_ecsim/snapshots", operation_id = "list_snapshots", responses((status = 200, body = Snapshots)))]
pub(super) async fn list(Folder(folder): Folder) -> Result<Json<Snapshots>, Refusal> {
    let snapshots = beside_calls(move || folder.list()).await?;
    Ok(Json(Snapshots { schema: 1, snapshots: snapshots.into_iter().map(OfSnapshot::from).collect() }))
}

/// The text of a snapshot
#[utoipa::path(get, path = "/_ecsim/snapshots/{name}", operation_id = "show_snapshot", params(OfName),
               responses((status = 200, body = Object, content_type = "application/json")))]
pub(super) async fn show(Folder(folder): Folder, OfName(name): OfName) -> Result<impl IntoResponse, Refusal> {
    let (_, bytes) = beside_calls(move || folder.read(&name)).await?;
    Ok(([(CONTENT_TYPE, "application/json")], bytes))
}

/// Deletes a snapshot
///
/// For all namespaces, which share them.
#[utoipa::path(delete, path = "/_ecsim/snapshots/{name}", operation_id = "delete_snapshot", params(OfName),
               responses((status = 200, body = OneSnapshot, description = "What it was")))]
pub(super) async fn delete(
    ForAll: ForAll,
    Folder(folder): Folder,
    OfName(name): OfName,
) -> Result<Json<OneSnapshot>, Refusal> {
    let deleted = beside_calls(move || folder.delete(&name)).await?;
    Ok(Json(OneSnapshot { schema: 1, of: deleted.into() }))
}

/// Saves the world of a namespace under a name
///
/// In place of the snapshot that had the name. The file is what GET /_ecsim/snapshot answers.
#[utoipa::path(post, path = "/_ecsim/snapshots/{name}/save", operation_id = "save_snapshot", params(OfName, InNamespace),
               responses((status = 200, body = Saved)))]
pub(super) async fn save(
    State(control): State<Arc<Control>>,
    Folder(folder): Folder,
    OfName(name): OfName,
    Target(namespace): Target,
) -> Result<Json<Saved>, Refusal> {
    let saved = beside_calls(move || {
        // What cannot be a file is found before a namespace is made. The file is written after: nobody waits for the disk
        // then, and what is refused has replaced nothing. The namespace stays where the disk fails nevertheless.
        folder.try_to_save(&name)?;
        let (space, text) = control.spaces.change(&namespace, |space| Ok::<_, Refusal>(space.snapshot()))?;
        folder.save(&name, &text)?;
        let (namespace, generation, bytes) = (namespace.to_string(), space.generation, text.len() as u64);
        Ok::<_, Refusal>(Saved { schema: 1, name: name.to_string(), bytes, namespace, generation })
    });
    Ok(Json(saved.await?))
}

/// Puts the world of a snapshot in the place of the one that is there
///
/// As PUT /_ecsim/snapshot does, in whatever namespace: a newer schema, or any mistake, is refused and changes nothing.
#[utoipa::path(post, path = "/_ecsim/snapshots/{name}/load", operation_id = "load_snapshot", params(OfName, InNamespace),
               responses((status = 200, body = OneNamespace), (status = 422, body = Refused, description = "Mistakes")))]
pub(super) async fn load(
    State(control): State<Arc<Control>>,
    Folder(folder): Folder,
    OfName(name): OfName,
    Target(namespace): Target,
) -> Result<Json<OneNamespace>, Refusal> {
    let worlds = control.worlds.clone();
    let loaded = worlds.beside_calls(move || {
        let (path, bytes) = folder.read(&name)?;
        let file = path.display().to_string();
        let text = String::from_utf8(bytes).map_err(|error| {
            let (place, reason) = ("file".to_owned(), format!("is no text: {error}"));
            seed::refused(&[Mistake { file: file.clone(), place, reason }])
        })?;
        seed::replace(&control, &namespace, &[(file, text)]).map(|space| OneNamespace::of(&space))
    });
    loaded.await
}
