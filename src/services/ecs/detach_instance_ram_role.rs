//! `DetachInstanceRamRole`: the action that this emulator was made for.

use serde::{Serialize, Serializer};

use super::batch::{Checked, Failure, check, fail_count};
use super::input;
use crate::api::action::{Action, Batch, Ctx, FromParams, Permission, Reply, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::{AtMostOne, Item, Items};
use crate::world::{ECS_SERVICE, InstanceId, InstanceIndex, Region, RequestId, Role, RoleName, World};

/// Takes a role off each listed instance.
///
/// An instance without a role counts as done, so a repeat succeeds (decision 2, inferred). A role
/// that is not the named one stays (decision 3, inferred). Without `RamRoleName` each instance
/// loses whatever it has (ecs-instance-ram-role.md 5.1).
/// Source: ecs-instance-ram-role.md 2, 5 and 7 (D1 to D16); decisions 1 to 6.
pub(super) struct DetachInstanceRamRole;

#[derive(Debug)]
pub(super) struct Input {
    region: &'static Region,
    instance_ids: Vec<InstanceId>,
    ram_role_name: Option<String>,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        params.required("RegionId")?;
        params.required("InstanceIds")?;
        Ok(Self {
            region: input::region(params)?,
            instance_ids: input::role_instance_ids(params)?.unwrap_or_default(),
            ram_role_name: params.optional("RamRoleName").map(str::to_owned),
        })
    }
}

/// Members in the order of the source page (decision 25).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    ram_role_name: String,
    request_id: RequestId,
    total_count: usize,
    fail_count: usize,
    detach_instance_ram_role_results: Items<Checked<Found>>,
}

/// An instance, and the role that comes off it if it has one.
#[derive(Debug)]
struct Found {
    index: InstanceIndex,
    role: Option<RoleName>,
}

impl Item for Checked<Found> {
    const ELEMENT: &'static str = "DetachInstanceRamRoleResult";
}

impl Serialize for Checked<Found> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Entry<'a> {
            code: &'a str,
            message: &'a str,
            instance_id: &'a InstanceId,
            success: bool,
            instance_ram_role_sets: AtMostOne<Pair<'a>>,
        }
        let (code, message) = self.texts("Success");
        let shown = match &self.result {
            Ok(found) => found.role.as_ref(),
            Err(failure) => failure.still_attached.as_ref(),
        };
        let instance_id = &self.id;
        let pair = shown.map(|ram_role_name| Pair { ram_role_name, instance_id });
        let (success, instance_ram_role_sets) = (self.result.is_ok(), AtMostOne(pair));
        Entry { code, message, instance_id, success, instance_ram_role_sets }.serialize(serializer)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pair<'a> {
    ram_role_name: &'a RoleName,
    instance_id: &'a InstanceId,
}

impl Item for Pair<'_> {
    const ELEMENT: &'static str = "InstanceRamRoleSet";
}

impl Reply for Output {
    fn batch(&self) -> Option<Batch> {
        Some(Batch { total: self.total_count, fail: self.fail_count })
    }
}

impl Action for DetachInstanceRamRole {
    const NAME: &'static str = "DetachInstanceRamRole";
    const IS_BATCH: bool = true;
    type Input = Input;
    type Reply = Output;

    /// Instances and role, both required; without a name, the role that each instance carries
    /// (ecs-instance-ram-role.md 5.8, documented; the last part inferred).
    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        let action = "ecs:DetachInstanceRamRole";
        let instances = input.instance_ids.iter().map(|id| Permission::on_instance(ctx, action, input.region, id));
        let on_role = |name: &str| Permission::on_role(ctx, action, input.region, name, world);
        match &input.ram_role_name {
            Some(name) => instances.chain([on_role(name)]).collect(),
            None => instances.chain(attached_roles(ctx, world, input).map(|role| on_role(role.as_str()))).collect(),
        }
    }
}

impl Write for DetachInstanceRamRole {
    fn call(ctx: &Ctx<'_>, world: &mut World, mut input: Input) -> Result<Output, ApiError> {
        let named = named_role(ctx, world, &input)?;
        if ctx.guard.detach_passes_role {
            let may_pass = |role: &RoleName| ctx.may_pass(world, input.region, role, ECS_SERVICE);
            match &named {
                Some(role) => may_pass(role)?,
                None => attached_roles(ctx, world, &input)
                    .try_for_each(|role| may_pass(spelled_by_ram(ctx, world, role)))?,
            }
        }
        let ids = std::mem::take(&mut input.instance_ids);
        let checked = check(ctx, ids, |id| find(ctx, world, input.region, id, named.as_ref()))?;
        for Checked { id, result } in &checked {
            if let Ok(found) = result
                && world.detach_role_at(ctx.now, found.index)
                && ctx.detach_revokes
            {
                world.end_role_credentials(id);
            }
        }
        Ok(output(ctx, named.as_ref(), checked))
    }
}

/// The named role in its stored spelling: as RAM has it, or, once RAM has it no more, as a listed
/// instance still carries it (decision 4).
fn named_role(ctx: &Ctx<'_>, world: &World, input: &Input) -> Result<Option<RoleName>, ApiError> {
    let Some(name) = &input.ram_role_name else { return Ok(None) };
    let role = world
        .role(ctx.caller.account, name)
        .map(Role::name)
        .or_else(|| attached_roles(ctx, world, input).find(|role| role.is(name)))
        .ok_or(Code::RoleNotFound)?;
    Ok(Some(role.clone()))
}

/// A role's name as RAM spells it, which may have made it again in another case; of one that it has no more, as it was.
fn spelled_by_ram<'w>(ctx: &Ctx<'_>, world: &'w World, role: &'w RoleName) -> &'w RoleName {
    world.role(ctx.caller.account, role.as_str()).map_or(role, Role::name)
}

/// The roles on those of the listed instances that the caller has in this region.
fn attached_roles<'w>(ctx: &Ctx<'w>, world: &'w World, input: &'w Input) -> impl Iterator<Item = &'w RoleName> {
    let account = ctx.caller.account;
    input
        .instance_ids
        .iter()
        .filter_map(move |id| world.instance_in(account, input.region, id.as_str()).and_then(|found| found.role()))
}

/// One instance, and the role that will come off it.
fn find(
    ctx: &Ctx<'_>,
    world: &World,
    region: &Region,
    id: &InstanceId,
    named: Option<&RoleName>,
) -> Result<Found, Failure> {
    let found = world.instance_index_in(ctx.caller.account, region, id.as_str());
    let (index, instance) = found.ok_or(Code::RoleInstanceNotFound)?;
    if instance.is_classic() {
        return Err(Code::ClassicNetwork.into());
    }
    match (instance.role(), named) {
        (Some(attached), Some(named)) if !attached.is(named.as_str()) => {
            Err(Failure { error: Code::RoleNotFound.into(), still_attached: Some(attached.clone()) })
        }
        (attached, _) => Ok(Found { index, role: attached.cloned() }),
    }
}

fn output(ctx: &Ctx<'_>, named: Option<&RoleName>, checked: Vec<Checked<Found>>) -> Output {
    Output {
        ram_role_name: named.map_or_else(|| common_role(&checked), ToString::to_string),
        request_id: ctx.request_id,
        total_count: checked.len(),
        fail_count: fail_count(&checked),
        detach_instance_ram_role_results: Items(checked),
    }
}

/// The role that came off, if it was the same everywhere; else the empty text (decision 5).
fn common_role(checked: &[Checked<Found>]) -> String {
    let mut roles = checked.iter().filter_map(|one| one.result.as_ref().ok()?.role.as_ref());
    match roles.next() {
        Some(first) if roles.all(|role| role.is(first.as_str())) => first.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::action::{by_owner, writes};
    use crate::api::render::Format;
    use crate::world::{Ids, Store, parse_utc, seed};

    /// A world in which `i-1` carries a role that RAM has deleted, and `i-2` one that it has.
    fn store() -> Store {
        let text = json!({ "accounts": [{
            "roles": [{ "name": "web" }],
            "instances": [{ "id": "i-1" }, { "id": "i-2", "role": "web" }],
        }] });
        let now = parse_utc("2026-11-24T02:07:22Z").expect("a time");
        let mut world = seed::build(&[("seed".to_owned(), text.to_string())], &Ids::seeded(1), now).expect("a world");
        world.attach_role(now, "i-1", RoleName::new("gone"), None);
        Store::new(world)
    }

    fn detach(store: &Store, instance_ids: &str, role: Option<&str>) -> Result<Value, ApiError> {
        let mut pairs = vec![("RegionId".into(), "cn-hangzhou".into()), ("InstanceIds".into(), instance_ids.into())];
        pairs.extend(role.map(|role| ("RamRoleName".into(), role.into())));
        let entry = writes::<DetachInstanceRamRole>();
        let done = by_owner(None, |ctx| entry.perform(ctx, store, &Params::new(pairs), Format::Json))?;
        Ok(serde_json::from_slice(&done.body.text).expect("JSON"))
    }

    fn role_of(store: &Store, id: &str) -> Option<String> {
        store.read(|world| world.instance(id)?.role().map(ToString::to_string))
    }

    #[test]
    fn d14_a_role_that_ram_has_deleted_can_be_cleared_by_name_and_without() {
        for (name, shown) in [(Some("GONE"), "gone"), (None, "gone")] {
            let store = store();
            let body = detach(&store, r#"["i-1"]"#, name).expect("a success");
            assert_eq!((&body["RamRoleName"], &body["FailCount"]), (&json!(shown), &json!(0)));
            assert_eq!(role_of(&store, "i-1"), None);
        }
    }

    #[test]
    fn d14_where_one_listed_instance_carries_the_deleted_role_only_that_one_loses_it() {
        let store = store();
        let body = detach(&store, r#"["i-2","i-1"]"#, Some("gone")).expect("a mixed batch");
        let results = &body["DetachInstanceRamRoleResults"]["DetachInstanceRamRoleResult"];
        assert_eq!((&results[0]["Code"], &results[1]["Code"]), (&json!("InvalidRamRole.NotFound"), &json!("200")));
        assert_eq!((role_of(&store, "i-1"), role_of(&store, "i-2").as_deref()), (None, Some("web")));
    }

    #[test]
    fn it_needs_each_instance_and_the_role_named_or_carried() {
        let store = store();
        for (named, role) in [(Some("any"), "any"), (None, "web")] {
            let input = Input {
                region: Region::find("cn-hangzhou").expect("a region"),
                instance_ids: vec![InstanceId::new("i-2"), InstanceId::new("i-none")],
                ram_role_name: named.map(str::to_owned),
            };
            let needs = by_owner(None, |ctx| store.read(|world| DetachInstanceRamRole::needs(ctx, &input, world)));
            assert!(needs.iter().all(|permission| permission.action == "ecs:DetachInstanceRamRole"));
            let expected = [
                "acs:ecs:cn-hangzhou:1000000000000001:instance/i-2".to_owned(),
                "acs:ecs:cn-hangzhou:1000000000000001:instance/i-none".to_owned(),
                format!("acs:ram:cn-hangzhou:1000000000000001:role/{role}"),
            ];
            assert_eq!(needs.into_iter().map(|permission| permission.resource).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_deleted_role_that_no_listed_instance_carries_is_not_found() {
        let store = store();
        assert_eq!(detach(&store, r#"["i-2"]"#, Some("gone")).err(), Some(Code::RoleNotFound.into()));
        assert_eq!(role_of(&store, "i-1").as_deref(), Some("gone"));
    }
}
