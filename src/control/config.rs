//! `/_ecsim/config`: the settings in force, and changing those that can change.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Body, FromBody};
use super::scope::ForAll;
use super::{Control, Refusal, RefusalCode};
use crate::settings::{Settings, SettingsCell, UsageError};
use crate::world::{Propagation, Spaces, View};

/// A setting in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Setting {
    pub value: Value,
    pub source: Source,
}

/// What a setting is, as its flag takes it; `***` for a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Value {
    One(String),
    /// Of a flag that can be repeated.
    Many(Vec<String>),
}

/// Where a setting is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    Flag,
    Variable,
    File,
    Default,
    /// `PATCH /_ecsim/config`
    Control,
    /// The program that the emulator is part of
    Program,
}

impl Source {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Variable => "variable",
            Self::File => "file",
            Self::Default => "default",
            Self::Control => "control",
            Self::Program => "program",
        }
    }
}

/// Settings by the names of their flags.
pub type Listed = BTreeMap<String, Setting>;

/// The settings in force, and where each is from.
#[derive(Debug)]
pub struct Configuration {
    cell: Arc<SettingsCell>,
    /// Whose worlds go by them.
    spaces: Arc<Spaces>,
    /// Locked before the cell is changed, so that both change together.
    listed: RwLock<Listed>,
}

impl Configuration {
    /// `listed` are all settings that are known by name: none of a program's that embeds the emulator.
    pub fn new(cell: Arc<SettingsCell>, spaces: Arc<Spaces>, mut listed: Listed) -> Self {
        for (name, text) in cell.get().texts() {
            listed.entry(name.to_owned()).or_insert(Setting { value: Value::One(text), source: Source::Program });
        }
        Self { cell, spaces, listed: RwLock::new(listed) }
    }

    pub(super) fn settings(&self) -> Settings {
        self.cell.get()
    }

    fn listed(&self) -> Listed {
        self.listed.read().clone()
    }

    /// Takes other settings; of `listed`, what a reload reads again.
    pub fn reload(&self, settings: Settings, listed: Listed) {
        let mut now = self.listed.write();
        let changeable = settings.texts().map(|(name, _)| name);
        let is_read_again = |name: &str| name == "seed" || changeable.contains(&name);
        now.retain(|name, _| !is_read_again(name));
        now.extend(listed.into_iter().filter(|(name, _)| is_read_again(name)));
        self.set(settings);
    }

    /// Changes some settings, or none.
    fn change(&self, changes: &BTreeMap<String, String>) -> Result<(), UsageError> {
        let mut listed = self.listed.write();
        let settings = self.cell.get().changed(changes)?;
        for (name, text) in settings.texts().into_iter().filter(|(name, _)| changes.contains_key(*name)) {
            listed.insert(name.to_owned(), Setting { value: Value::One(text), source: Source::Control });
        }
        self.set(settings);
        Ok(())
    }

    /// A view that goes by reads from now on has learned of all that was before.
    fn set(&self, settings: Settings) {
        let before = self.cell.get();
        for (view, before, now) in [
            (View::Metadata, before.metadata_propagation, settings.metadata_propagation),
            (View::Describe, before.describe_propagation, settings.describe_propagation),
        ] {
            if before != now && matches!(now, Propagation::Reads(_)) {
                for space in self.spaces.all() {
                    space.store.write(|world| world.show_changes(view));
                }
            }
        }
        self.cell.set(settings);
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Config {
    /// The version of this form.
    schema: u32,
    settings: Listed,
}

/// New values by the names of flags, as the flags take them.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct ConfigChange(BTreeMap<String, Plain>);

/// Numbers and truth values may be written as such.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged, expecting = "a value is a text, a number, true or false")]
enum Plain {
    Text(String),
    Number(u64),
    Flag(bool),
}

impl Plain {
    fn into_string(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }
}

impl FromBody for ConfigChange {
    const CODE: RefusalCode = RefusalCode::InvalidSetting;
    const HINT: &'static str = r#"a body is such as {"auth":"lenient","max-params":50}"#;
}

/// The settings in force, and where each is from
///
/// Of an emulator that is part of another program, those that can change.
#[utoipa::path(get, path = "/_ecsim/config", operation_id = "show_config", responses((status = 200, body = Config)))]
pub(super) async fn show(State(control): State<Arc<Control>>) -> Json<Config> {
    Json(Config { schema: 1, settings: control.configuration.listed() })
}

/// Changes settings while the emulator runs
///
/// These are `auth`, `clock-skew`, `gateway-codes`, `ram`, `detach-pass-role`, `detach-revokes`, `metadata-propagation`,
/// `describe-propagation` and `max-params`.
/// All of a body changes, for all namespaces, or nothing.
#[utoipa::path(patch, path = "/_ecsim/config", operation_id = "change_config", request_body = ConfigChange,
               responses((status = 200, body = Config)))]
pub(super) async fn change(
    State(control): State<Arc<Control>>,
    ForAll: ForAll,
    Body(ConfigChange(changes)): Body<ConfigChange>,
) -> Result<Json<Config>, Refusal> {
    let changes = changes.into_iter().map(|(name, text)| (name, text.into_string())).collect();
    control
        .configuration
        .change(&changes)
        .map_err(|UsageError { message, hint }| Refusal::new(RefusalCode::InvalidSetting, message, hint))?;
    Ok(Json(Config { schema: 1, settings: control.configuration.listed() }))
}
