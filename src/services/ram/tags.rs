//! Tags of roles and policies, as calls and answers write them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::holder::{HolderKind, RoleKind};
use super::policy_model;
use crate::api::action::{Ctx, Permission};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{PolicyType, Tags, World};

/// How many tags a call names at most (documented by the SDK's model), and how many a resource has (inferred from
/// ecs-supporting.md 14).
pub(super) const MOST: usize = 20;

/// Of a key and of a value, in characters (inferred).
const LONGEST: usize = 128;

/// How many resources a call names at most (documented by the SDK's model).
const MOST_NAMES: usize = 50;

/// A tag of a call; a filter may leave out the value.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Given {
    key: String,
    value: Option<String>,
}

/// `Tag`: one JSON list as the SDK sends it (ram.md 1), or `Tag.1.Key` (inferred).
///
/// # Errors
/// `InvalidParameter.Tag` for what is no list of tags, and for keys that repeat.
pub(super) fn read(params: &Params<'_>) -> Result<Vec<Given>, ApiError> {
    let tags = match params.optional("Tag") {
        Some(text) => serde_json::from_str(text).ok(),
        None => params.rows("Tag").ok().and_then(|rows| rows.iter().map(|row| from_row(row)).collect()),
    };
    let fits = |tag: &Given| {
        (1..=LONGEST).contains(&tag.key.chars().count())
            && tag.value.as_ref().is_none_or(|value| value.chars().count() <= LONGEST)
    };
    let tags: Vec<Given> = tags.ok_or(Code::TagIncorrect)?;
    let keys: BTreeSet<_> = tags.iter().map(|tag| &tag.key).collect();
    if keys.len() == tags.len() && tags.len() <= MOST && tags.iter().all(fits) {
        Ok(tags)
    } else {
        Err(Code::TagIncorrect.into())
    }
}

fn from_row(row: &[(&str, &str)]) -> Option<Given> {
    let field = |name| row.iter().find(|(field, _)| *field == name).map(|(_, value)| (*value).to_owned());
    Some(Given { key: field("Key")?, value: field("Value") })
}

/// Puts the tags on; a key that is there gets the new value.
pub(super) fn put(tags: &mut Tags, given: &[Given]) {
    tags.extend(given.iter().map(|tag| (tag.key.as_str().into(), tag.value.as_deref().unwrap_or_default().into())));
}

/// How many tags there would be.
pub(super) fn count_with(tags: &Tags, given: &[Given]) -> usize {
    tags.len() + given.iter().filter(|tag| !tags.contains_key(tag.key.as_str())).count()
}

/// Whether a resource has all the asked tags.
pub(super) fn matches(tags: &Tags, asked: &[Given]) -> bool {
    asked.iter().all(|tag| {
        let value = tags.get(tag.key.as_str());
        value.is_some_and(|value| tag.value.as_deref().is_none_or(|asked| *asked == **value))
    })
}

/// Whether a tag is one of those that are asked for; without any, all are.
pub(super) fn is_among((key, value): &(&str, &str), asked: &[Given]) -> bool {
    let is_it = |tag: &Given| tag.key == *key && tag.value.as_deref().is_none_or(|asked| asked == *value);
    asked.is_empty() || asked.iter().any(is_it)
}

/// A tag of an answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shown {
    tag_key: String,
    tag_value: String,
}

impl Item for Shown {
    const ELEMENT: &'static str = "Tag";
}

pub(super) fn shown(tags: &Tags) -> Items<Shown> {
    Items(tags.iter().map(|(key, value)| Shown { tag_key: key.to_string(), tag_value: value.to_string() }).collect())
}

/// What can have tags here.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Role,
    Policy,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Role, Self::Policy];

    /// As clients write it (clients.md 4.1, 4.4).
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Policy => "policy",
        }
    }
}

/// The resources that a call is about.
#[derive(Debug)]
pub(super) struct Resources {
    pub(super) kind: Kind,
    pub(super) names: Vec<String>,
}

impl Resources {
    /// `ResourceType` and `ResourceNames`, a JSON list.
    ///
    /// # Errors
    /// That one is missing or incorrect.
    pub(super) fn required(params: &Params<'_>) -> Result<Self, ApiError> {
        let resources = Self::read(params)?;
        if resources.names.is_empty() { Err(Code::MissingResourceNames.into()) } else { Ok(resources) }
    }

    /// The same, where no names mean all.
    ///
    /// # Errors
    /// That the type is missing, or one is incorrect.
    pub(super) fn read(params: &Params<'_>) -> Result<Self, ApiError> {
        let kind = params.optional("ResourceType").ok_or(Code::MissingResourceType)?;
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).ok_or(Code::ResourceTypeIncorrect)?;
        let names = params.json_list("ResourceNames", 1..=MOST_NAMES).transpose();
        let names = names.map_err(|_| Code::ResourceNamesIncorrect)?.unwrap_or_default();
        Ok(Self { kind, names })
    }

    /// Each resource, or all of the type.
    pub(super) fn needs(&self, action: &'static str, ctx: &Ctx<'_>, world: &World) -> Vec<Permission> {
        let one = |name: &String| match self.kind {
            Kind::Role => RoleKind::permission(action, ctx, world, name),
            Kind::Policy => policy_model::permission(action, ctx, world, PolicyType::Custom, name),
        };
        if self.names.is_empty() {
            return vec![super::all(action, ctx, self.kind.name())];
        }
        self.names.iter().map(one).collect()
    }

    /// # Errors
    /// `EntityNotExist.Role`, `EntityNotExist.Policy` for the first that is not there.
    pub(super) fn exist(&self, ctx: &Ctx<'_>, world: &World) -> Result<(), ApiError> {
        self.names.iter().try_for_each(|name| self.tags(ctx, world, name).map(|_| ()))
    }

    /// The name in its stored spelling, and the tags.
    pub(super) fn tags<'w>(
        &self,
        ctx: &Ctx<'_>,
        world: &'w World,
        name: &str,
    ) -> Result<(&'w str, &'w Tags), ApiError> {
        match self.kind {
            Kind::Role => super::role_model::find(ctx, world, name).map(|role| (role.name().as_str(), &role.tags)),
            Kind::Policy => policy_model::custom(ctx, world, name).map(|policy| (policy.name(), &policy.tags)),
        }
    }

    /// The tags of each that is named, or of all of the type.
    ///
    /// # Errors
    /// `EntityNotExist.Role`, `EntityNotExist.Policy`.
    pub(super) fn tagged<'w>(&self, ctx: &Ctx<'_>, world: &'w World) -> Result<Vec<(&'w str, &'w Tags)>, ApiError> {
        let account = ctx.caller.account;
        if !self.names.is_empty() {
            return self.names.iter().map(|name| self.tags(ctx, world, name)).collect();
        }
        Ok(match self.kind {
            Kind::Role => world.roles(account).map(|role| (role.name().as_str(), &role.tags)).collect(),
            Kind::Policy => world.custom_policies(account).map(|policy| (policy.name(), &policy.tags)).collect(),
        })
    }

    /// Changes the tags of each.
    pub(super) fn change(&self, ctx: &Ctx<'_>, world: &mut World, change: impl Fn(&mut Tags)) {
        let account = ctx.caller.account;
        for name in &self.names {
            let tags = match self.kind {
                Kind::Role => world.role_mut(account, name).map(|role| &mut role.tags),
                Kind::Policy => world.custom_policy_mut(account, name).map(|policy| &mut policy.tags),
            };
            if let Some(tags) = tags {
                change(tags);
            }
        }
    }
}

/// `TagKeys`: one JSON list, as the SDK sends it, or `TagKey.1` (clients.md 4.1); empty if absent.
///
/// # Errors
/// `InvalidParameter.TagKeys`.
pub(super) fn keys(params: &Params<'_>) -> Result<Vec<String>, ApiError> {
    let keys = match params.json_list("TagKeys", 1..=MOST) {
        Some(keys) => keys.ok(),
        None => {
            params.rows("TagKey").ok().map(|rows| rows.iter().flatten().map(|(_, key)| (*key).to_owned()).collect())
        }
    };
    keys.filter(|keys: &Vec<String>| keys.len() <= MOST).ok_or_else(|| Code::TagKeysIncorrect.into())
}
