//! What can be set, and changed while the emulator runs: by flags, and under `/_ecsim/config`.
//!
//! A text is read by the argument parser wherever it comes from.

use std::collections::BTreeMap;

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Args, FromArgMatches, ValueEnum};
use jiff::SignedDuration;
use parking_lot::RwLock;
use serde::Serialize;
use utoipa::ToSchema;

pub use crate::api::permission::RamMode;
use crate::world::Propagation;

/// How much of a call's signature is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Everything that the real gateway checks
    Strict,
    /// All but the time window and the nonce
    Lenient,
    /// Nothing: any key is the owner of the default account
    Off,
}

/// Which codes ECS uses for what the gateway refuses (decision 22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum GatewayCodes {
    /// The older family that was recorded on ECS, for V1 signatures
    Ecs,
    /// The general family of the other products
    General,
}

/// The settings that can change, as flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub struct Settings {
    /// How much of a call's signature is checked
    #[arg(long, env = "ECSIM_AUTH", value_name = "MODE", default_value = "strict")]
    pub auth: AuthMode,

    /// How far the time of a signature may be off, either way
    #[arg(long, env = "ECSIM_CLOCK_SKEW", value_name = "DURATION", default_value = "15m", value_parser = duration)]
    pub clock_skew: SignedDuration,

    /// Which codes ECS uses for what the gateway refuses
    #[arg(long = "gateway-codes", env = "ECSIM_GATEWAY_CODES", value_name = "FAMILY", default_value = "ecs")]
    pub codes: GatewayCodes,

    /// What becomes of a call that RAM policies do not allow
    #[arg(long, env = "ECSIM_RAM", value_name = "MODE", default_value = "strict")]
    pub ram: RamMode,

    /// Whether DetachInstanceRamRole needs ram:PassRole too
    // Sources disagree: decision 6.
    #[arg(long, env = "ECSIM_DETACH_PASS_ROLE", value_name = "on|off", default_value = "on",
          action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub detach_pass_role: bool,

    /// End an instance's credentials when its role is detached, and not only when they expire
    // Decision 19.
    #[arg(long, env = "ECSIM_DETACH_REVOKES", value_name = "on|off", default_value = "off",
          action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub detach_revokes: bool,

    /// When the metadata service learns of a role that was attached or detached: 0s, 30s, 3reads
    #[arg(long, env = "ECSIM_METADATA_PROPAGATION", value_name = "DURATION|COUNTreads", default_value = "0s", value_parser = propagation)]
    pub metadata_propagation: Propagation,

    /// When DescribeInstanceRamRole learns of it
    #[arg(long, env = "ECSIM_DESCRIBE_PROPAGATION", value_name = "DURATION|COUNTreads", default_value = "0s", value_parser = propagation)]
    pub describe_propagation: Propagation,

    /// Most parameters of a request
    // Repeats included.
    #[arg(long, env = "ECSIM_MAX_PARAMS", value_name = "COUNT", default_value_t = 1000)]
    pub max_params: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            auth: AuthMode::Strict,
            clock_skew: SignedDuration::from_mins(15),
            codes: GatewayCodes::Ecs,
            ram: RamMode::Strict,
            detach_pass_role: true,
            detach_revokes: false,
            metadata_propagation: Propagation::IMMEDIATE,
            describe_propagation: Propagation::IMMEDIATE,
            max_params: 1000,
        }
    }
}

impl Settings {
    /// Names and values, as the flags have and take them.
    pub fn texts(&self) -> [(&'static str, String); 9] {
        let switch = |on| if on { "on" } else { "off" }.to_owned();
        [
            ("auth", named(&self.auth)),
            ("clock-skew", format!("{:#}", self.clock_skew)),
            ("gateway-codes", named(&self.codes)),
            ("ram", named(&self.ram)),
            ("detach-pass-role", switch(self.detach_pass_role)),
            ("detach-revokes", switch(self.detach_revokes)),
            ("metadata-propagation", self.metadata_propagation.to_string()),
            ("describe-propagation", self.describe_propagation.to_string()),
            ("max-params", self.max_params.to_string()),
        ]
    }

    /// These settings but for some, which are read as the flags are.
    ///
    /// # Errors
    /// The first name that is no setting's here, or the first value that the flag does not take.
    pub fn changed(&self, changes: &BTreeMap<String, String>) -> Result<Self, UsageError> {
        let current = self.texts();
        let names = current.each_ref().map(|(name, _)| *name);
        if let Some(name) = changes.keys().find(|name| !names.contains(&name.as_str())) {
            let message = format!("`{name}` is no setting that can change while ecsim runs");
            return Err(UsageError { message, hint: format!("there are {}", names.join(", ")) });
        }
        let flags = Self::augment_args(clap::Command::new("settings").no_binary_name(true).disable_help_flag(true));
        let flags = flags.mut_args(|flag| {
            let text = current.iter().find(|(name, _)| flag.get_long() == Some(name)).map(|(_, text)| text.clone());
            flag.env(None::<&str>).default_values(text)
        });
        let given = changes.iter().map(|(name, text)| format!("--{name}={text}"));
        let read = flags.try_get_matches_from(given).and_then(|matches| Self::from_arg_matches(&matches));
        read.map_err(|error| UsageError::from(&error))
    }
}

fn named(mode: &impl ValueEnum) -> String {
    mode.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Settings that can be exchanged under a running gateway.
#[derive(Debug, Default)]
pub struct SettingsCell(RwLock<Settings>);

impl SettingsCell {
    pub fn new(settings: Settings) -> Self {
        Self(RwLock::new(settings))
    }

    pub fn get(&self) -> Settings {
        *self.0.read()
    }

    pub fn set(&self, settings: Settings) {
        *self.0.write() = settings;
    }
}

/// A mistake on the command line, in a variable or in the file.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct UsageError {
    pub message: String,
    pub hint: String,
}

/// One line and a hint out of the parser's paragraph.
impl From<&clap::Error> for UsageError {
    fn from(error: &clap::Error) -> Self {
        let text = error.to_string();
        let message =
            text.lines().next().unwrap_or_default().trim_start_matches("error: ").trim_end_matches(':').to_owned();
        let suggested = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
        let nearest = suggested.into_iter().find_map(|kind| match error.get(kind)? {
            ContextValue::String(one) => Some(one.clone()),
            ContextValue::Strings(many) => many.first().cloned(),
            _ => None,
        });
        let valid = error.get(ContextKind::ValidValue).or_else(|| error.get(ContextKind::ValidSubcommand));
        let valid = match valid {
            Some(ContextValue::Strings(values)) if !values.is_empty() => Some(values.join(", ")),
            _ => None,
        };
        let missing = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::Strings(names)) if error.kind() == ErrorKind::MissingRequiredArgument => {
                names.join(", ")
            }
            _ => String::new(),
        };
        let hint = match (nearest, valid) {
            (Some(nearest), _) => format!("did you mean `{nearest}`?"),
            (None, Some(valid)) => format!("it is one of {valid}"),
            (None, None) => "`ecsim --help` lists the flags and sub-commands".to_owned(),
        };
        let message = if missing.is_empty() { message } else { format!("{message}: {missing}") };
        Self { message, hint }
    }
}

/// `250ms`, `5s`, `15m`; nothing negative.
pub(crate) fn duration(text: &str) -> Result<SignedDuration, String> {
    let duration: SignedDuration = text.parse().map_err(|_| "a duration is such as 250ms, 5s or 15m".to_owned())?;
    if duration.is_negative() { Err("a duration cannot be negative".to_owned()) } else { Ok(duration) }
}

/// `0s` for at once, `30s`, `3reads`.
fn propagation(text: &str) -> Result<Propagation, String> {
    let reads = text.strip_suffix("reads").or_else(|| text.strip_suffix("read"));
    let read = match reads {
        Some(count) => count.trim_end().parse().ok().map(Propagation::Reads),
        None => duration(text).ok().map(Propagation::Time),
    };
    read.ok_or_else(|| "a delay is a duration such as 30s, or a number of reads such as 3reads".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_those_of_the_flags_and_read_again_they_are_the_settings() {
        let command = Settings::augment_args(clap::Command::new("settings"));
        let flags: Vec<_> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
        let defaults = Settings::from_arg_matches(&command.clone().get_matches_from(["settings"])).expect("defaults");
        assert_eq!(defaults, Settings::default());
        let other = Settings {
            auth: AuthMode::Lenient,
            clock_skew: SignedDuration::from_millis(90_250),
            codes: GatewayCodes::General,
            ram: RamMode::Soft,
            detach_pass_role: false,
            detach_revokes: true,
            metadata_propagation: Propagation::Reads(3),
            describe_propagation: Propagation::Time(SignedDuration::from_millis(90_250)),
            max_params: 7,
        };
        assert_eq!(other.texts().map(|(name, _)| name).as_slice(), flags);
        let texts = other.texts().map(|(name, text)| (name.to_owned(), text)).into();
        assert_eq!(defaults.changed(&texts).map_err(|error| error.message), Ok(other));
        assert_eq!(other.changed(&BTreeMap::new()).map_err(|error| error.message), Ok(other), "what is not said stays");
    }
}
