//! Resource Access Management, 2015-05-01.

mod attach_policy_to_role;
mod attach_policy_to_user;
mod attachment;
mod create_access_key;
mod create_policy;
mod create_policy_version;
mod create_role;
mod create_user;
mod delete_access_key;
mod delete_policy;
mod delete_policy_version;
mod delete_role;
mod delete_user;
mod detach_policy_from_role;
mod detach_policy_from_user;
mod fields;
mod get_access_key_last_used;
mod get_policy;
mod get_policy_version;
mod get_role;
mod get_user;
mod holder;
mod key_model;
mod list_access_keys;
mod list_entities_for_policy;
mod list_policies;
mod list_policies_for_role;
mod list_policies_for_user;
mod list_policy_versions;
mod list_roles;
mod list_tag_resources;
mod list_users;
mod page;
mod policy_model;
mod role_model;
mod set_default_policy_version;
mod tag_resources;
mod tags;
mod untag_resources;
mod update_access_key;
mod update_policy_description;
mod update_role;
mod user_model;

use serde::Serialize;

use crate::api::action::{Ctx, Entry, Permission, Reply, reads, writes};
use crate::world::RequestId;

/// The actions that are emulated, by name.
pub(crate) static ACTIONS: &[Entry] = &[
    writes::<attach_policy_to_role::AttachPolicyToRole>(),
    writes::<attach_policy_to_user::AttachPolicyToUser>(),
    writes::<create_access_key::CreateAccessKey>(),
    writes::<create_policy::CreatePolicy>(),
    writes::<create_policy_version::CreatePolicyVersion>(),
    writes::<create_role::CreateRole>(),
    writes::<create_user::CreateUser>(),
    writes::<delete_access_key::DeleteAccessKey>(),
    writes::<delete_policy::DeletePolicy>(),
    writes::<delete_policy_version::DeletePolicyVersion>(),
    writes::<delete_role::DeleteRole>(),
    writes::<delete_user::DeleteUser>(),
    writes::<detach_policy_from_role::DetachPolicyFromRole>(),
    writes::<detach_policy_from_user::DetachPolicyFromUser>(),
    reads::<get_access_key_last_used::GetAccessKeyLastUsed>(),
    reads::<get_policy::GetPolicy>(),
    reads::<get_policy_version::GetPolicyVersion>(),
    reads::<get_role::GetRole>(),
    reads::<get_user::GetUser>(),
    reads::<list_access_keys::ListAccessKeys>(),
    reads::<list_entities_for_policy::ListEntitiesForPolicy>(),
    reads::<list_policies::ListPolicies>(),
    reads::<list_policies_for_role::ListPoliciesForRole>(),
    reads::<list_policies_for_user::ListPoliciesForUser>(),
    reads::<list_policy_versions::ListPolicyVersions>(),
    reads::<list_roles::ListRoles>(),
    reads::<list_tag_resources::ListTagResources>(),
    reads::<list_users::ListUsers>(),
    writes::<set_default_policy_version::SetDefaultPolicyVersion>(),
    writes::<tag_resources::TagResources>(),
    writes::<untag_resources::UntagResources>(),
    writes::<update_access_key::UpdateAccessKey>(),
    writes::<update_policy_description::UpdatePolicyDescription>(),
    writes::<update_role::UpdateRole>(),
];

/// An answer that says nothing but that it is done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Empty {
    request_id: RequestId,
}

impl Empty {
    fn new(ctx: &Ctx<'_>) -> Self {
        Self { request_id: ctx.request_id }
    }
}

impl Reply for Empty {}

/// The action on `acs:ram:*:<account>:<kind>/<name>` (ram.md 4, documented).
fn one(action: &'static str, ctx: &Ctx<'_>, kind: &str, name: &str) -> Permission {
    Permission::new(action, format!("acs:ram:*:{}:{kind}/{name}", ctx.caller.account))
}

/// The action on everything of a kind (ram.md 4, documented).
fn all(action: &'static str, ctx: &Ctx<'_>, kind: &str) -> Permission {
    one(action, ctx, kind, "*")
}
