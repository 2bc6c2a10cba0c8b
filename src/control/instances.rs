//! `/_ecsim/instances`: the instances, and the roles that are attached to them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::{OfAccount, Query};
use super::scope::{InNamespace, Scope, TargetInstance};
use super::{Control, Refusal, RefusalCode};
use crate::world::{Attachment, Instance, InstanceId, KeyOwner, World};

/// All instances, by id: about 200 bytes each, and they are not paged.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Instances {
    /// The version of this form.
    schema: u32,
    instances: Vec<InstanceView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct InstanceView {
    id: String,
    account: String,
    region: &'static str,
    /// `Running`, `Stopped`, or on the way from one to the other.
    status: &'static str,
    /// `vpc` or `classic`
    network: &'static str,
    /// The name of the attached role.
    role: Option<String>,
    /// The policy that narrows the attached role, as it was given.
    policy: Option<String>,
}

impl InstanceView {
    fn of(id: &InstanceId, instance: &Instance) -> Self {
        let attachment = instance.attachment();
        Self {
            id: id.to_string(),
            account: instance.account.to_string(),
            region: instance.region.id,
            status: instance.spec.status.name(),
            network: instance.spec.network.name(),
            role: attachment.map(|attached| attached.role.to_string()),
            policy: attachment.and_then(|attached| attached.policy.as_deref()).map(str::to_owned),
        }
    }
}

/// One instance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InstanceDetails {
    /// The version of this form.
    schema: u32,
    #[serde(flatten)]
    instance: InstanceView,
    /// The ids of the keys that it was handed out for its roles and that are still known, by id.
    credentials: Vec<String>,
    #[serde(flatten)]
    history: RoleHistory,
}

/// How the role of one instance has changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InstanceHistory {
    /// The version of this form.
    schema: u32,
    id: String,
    #[serde(flatten)]
    history: RoleHistory,
}

#[derive(Debug, Serialize, ToSchema)]
struct RoleHistory {
    /// How its role has changed since the world was made, oldest first.
    role_history: Vec<RoleChangeView>,
    /// How many older changes, of all instances, were forgotten.
    role_changes_dropped: u64,
}

#[derive(Debug, Serialize, ToSchema)]
struct RoleChangeView {
    /// In the world's time, RFC 3339.
    at: String,
    /// What was attached, `null` for nothing.
    before: Option<AttachmentView>,
    after: Option<AttachmentView>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct AttachmentView {
    role: String,
    /// The policy that narrows the role, as it was given.
    policy: Option<String>,
}

impl AttachmentView {
    fn of(attachment: Option<&Attachment>) -> Option<Self> {
        let attached = attachment?;
        Some(Self { role: attached.role.to_string(), policy: attached.policy.as_deref().map(str::to_owned) })
    }
}

impl RoleHistory {
    /// From the latest back: what came after a change is what was before the next.
    fn of(world: &World, id: &InstanceId, instance: &Instance) -> Self {
        let mut after = AttachmentView::of(instance.attachment());
        let changes = world.role_changes().iter().rev().filter(|change| change.instance == *id);
        let mut history: Vec<_> = changes
            .map(|change| {
                let before = AttachmentView::of(change.before.as_ref());
                let after = std::mem::replace(&mut after, before.clone());
                RoleChangeView { at: change.at.to_string(), after, before }
            })
            .collect();
        history.reverse();
        Self { role_history: history, role_changes_dropped: world.role_changes().dropped() }
    }
}

/// The instances and their roles
#[utoipa::path(get, path = "/_ecsim/instances", params(InNamespace, OfAccount), responses((status = 200, body = Instances)))]
pub(super) async fn instances(Query(of): Query<OfAccount>, Scope(space): Scope) -> Json<Instances> {
    let mut instances: Vec<_> = space.store.read(|world| {
        let shown = world.instances().filter(|(_, instance)| of.has(instance.account));
        shown.map(|(id, instance)| InstanceView::of(id, instance)).collect()
    });
    instances.sort_unstable_by(|a: &InstanceView, b| a.id.cmp(&b.id));
    Json(Instances { schema: 1, instances })
}

/// One instance: how its role has changed, and what it was handed out
#[utoipa::path(get, path = "/_ecsim/instances/{id}", params(InNamespace, ("id" = String, Path, description = "The instance, `INSTANCE_ID[@NAMESPACE]`")),
               responses((status = 200, body = InstanceDetails)))]
pub(super) async fn instance(
    State(control): State<Arc<Control>>,
    target: TargetInstance,
) -> Result<Json<InstanceDetails>, Refusal> {
    look(&control, &target, |world, id, instance| {
        let is_its = |owner: &KeyOwner| match owner {
            KeyOwner::Session(session) => session.instance.as_ref() == Some(id),
            KeyOwner::Account | KeyOwner::User(_) => false,
        };
        let credentials = world.keys().filter(|(_, key)| is_its(&key.owner)).map(|(id, _)| id.to_owned()).collect();
        InstanceDetails {
            schema: 1,
            instance: InstanceView::of(id, instance),
            credentials,
            history: RoleHistory::of(world, id, instance),
        }
    })
}

/// How the role of an instance has changed
#[utoipa::path(get, path = "/_ecsim/instances/{id}/role-history", params(InNamespace, ("id" = String, Path, description = "The instance, `INSTANCE_ID[@NAMESPACE]`")),
               responses((status = 200, body = InstanceHistory)))]
pub(super) async fn role_history(
    State(control): State<Arc<Control>>,
    target: TargetInstance,
) -> Result<Json<InstanceHistory>, Refusal> {
    look(&control, &target, |world, id, instance| InstanceHistory {
        schema: 1,
        id: id.to_string(),
        history: RoleHistory::of(world, id, instance),
    })
}

/// What is seen of an instance that is there.
fn look<T>(
    control: &Control,
    TargetInstance(id, namespace): &TargetInstance,
    look: impl Fn(&World, &InstanceId, &Instance) -> T,
) -> Result<Json<T>, Refusal> {
    let (_, seen) = control.spaces.change(namespace, |space| {
        let seen = space.store.read(|world| world.instance_entry(id).map(|(id, instance)| look(world, id, instance)));
        seen.ok_or_else(|| {
            let hint = "GET /_ecsim/instances lists them";
            Refusal::new(RefusalCode::NoSuchInstance, format!("there is no instance {id:?}"), hint)
        })
    })?;
    Ok(Json(seen))
}
