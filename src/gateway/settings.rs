//! What can be set about the gateway, and changed while it runs.

use jiff::SignedDuration;
use parking_lot::RwLock;

pub use crate::api::permission::RamMode;

/// How much of a call's signature is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AuthMode {
    /// Everything that the real gateway checks
    Strict,
    /// All but the time window and the nonce
    Lenient,
    /// Nothing: any key is the owner of the default account
    Off,
}

/// Which codes ECS uses for what the gateway refuses (decision 22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum GatewayCodes {
    /// The older family that was recorded on ECS, for V1 signatures
    Ecs,
    /// The general family of the other products
    General,
}

/// The settings of a gateway.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub auth: AuthMode,
    /// How far a signature's time may be off, either way.
    pub clock_skew: SignedDuration,
    pub codes: GatewayCodes,
    pub ram: RamMode,
    /// Whether DetachInstanceRamRole needs `ram:PassRole` too (decision 6).
    pub detach_pass_role: bool,
    /// Whether credentials of an instance end when its role is detached (decision 19).
    pub detach_revokes: bool,
    /// How many parameters a call may have, repeats included.
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
            max_params: 1000,
        }
    }
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
