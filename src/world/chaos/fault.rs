//! One rule of what goes wrong: which calls it is for, when it fires, and what it does then.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::world::ids::Dice;
use crate::world::{AccountId, Ids, InstanceId};

/// The name of a fault: 1 to 64 letters, digits, `-`, `_` or `.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultId(Arc<str>);

impl FaultId {
    /// The header that names the fault on an answer that it has made or damaged.
    pub const HEADER: &'static str = "x-ecsim-fault";

    pub fn parse(text: &str) -> Option<Self> {
        let good = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        good.then(|| Self(text.into()))
    }

    pub(super) fn made(number: u64) -> Self {
        Self(format!("fault-{number}").into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of the metadata service among those of the products.
pub const METADATA: &str = "imds";

/// Which operations: one, or all whose names begin alike. Names are compared without case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    Named(Box<str>),
    /// Written with a `*` at the end.
    Beginning(Box<str>),
}

impl Operation {
    /// `*` alone is every operation, and no [`Operation`].
    pub fn read(text: &str) -> Option<Self> {
        match text.strip_suffix('*') {
            Some("") => None,
            Some(start) => Some(Self::Beginning(start.into())),
            None => Some(Self::Named(text.into())),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Named(named) => named.eq_ignore_ascii_case(name),
            Self::Beginning(start) => {
                name.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start))
            }
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Beginning(start) => write!(f, "{start}*"),
        }
    }
}

/// What a call is answered in place of what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InjectedError {
    /// 400 to 599.
    pub status: u16,
    pub code: Box<str>,
    pub message: Box<str>,
}

/// What a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// An error in place of the call, which is not performed.
    Error,
    /// An error for some instances of a batch; the others are performed. Of what is no batch, [`Effect::Error`].
    Partial,
    /// The answer breaks off in the middle of its body. Of this and the following, the call is performed.
    Truncate,
    /// The connection closes before the first byte.
    Empty,
    /// The connection is reset.
    Reset,
    /// The body comes in small pieces.
    Dribble,
    /// Nothing comes.
    Timeout,
}

impl Effect {
    pub const ALL: [Self; 7] =
        [Self::Error, Self::Partial, Self::Truncate, Self::Empty, Self::Reset, Self::Dribble, Self::Timeout];

    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Partial => "partial",
            Self::Truncate => "truncate",
            Self::Empty => "empty",
            Self::Reset => "reset",
            Self::Dribble => "dribble",
            Self::Timeout => "timeout",
        }
    }

    /// Whether a call that it meets is answered by [`Fault::error`].
    pub fn is_error(self) -> bool {
        matches!(self, Self::Error | Self::Partial)
    }
}

/// How long a body dribbles, and how long nothing comes, unless [`Fault::delay`] says so.
const DRIBBLING: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_mins(1);

/// A rule. What is `None` does not narrow it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Compared without case; the metadata service is [`METADATA`].
    pub service: Option<Box<str>>,
    /// Without a service an action: what begins like one and is an item of the metadata service is not meant.
    pub operation: Option<Operation>,
    /// That the call names.
    pub region: Option<Box<str>>,
    pub account: Option<AccountId>,
    /// One that the call names.
    pub instance: Option<InstanceId>,
    /// With or without the name of the space.
    pub key_id: Option<Box<str>>,
    /// From 0 to 1.
    pub probability: f64,
    /// Makes the draws of `probability` repeat, by themselves; without it they are those of the space's [`Ids`].
    pub seed: Option<u64>,
    /// How many matching calls pass first.
    pub after: u64,
    /// How often it fires at most.
    pub times: Option<u64>,
    /// How long the answer is held back; of [`Effect::Dribble`] and [`Effect::Timeout`], how long they take.
    pub delay: Option<Duration>,
    /// After how many milliseconds the client is told to try again, which it takes for throttling (clients.md R7).
    pub retry_after: Option<u32>,
    /// `None` only delays.
    pub effect: Option<Effect>,
    pub error: Option<Arc<InjectedError>>,
}

impl Default for Fault {
    fn default() -> Self {
        Self {
            service: None,
            operation: None,
            region: None,
            account: None,
            instance: None,
            key_id: None,
            probability: 1.0,
            seed: None,
            after: 0,
            times: None,
            delay: None,
            retry_after: None,
            effect: None,
            error: None,
        }
    }
}

/// What a rule is compared with: one call.
pub struct Target<'a> {
    pub service: &'a str,
    pub operation: &'a str,
    pub region: Option<&'a str>,
    pub account: AccountId,
    pub key_id: Option<&'a str>,
    /// Whether the call names an instance; asked only where a rule does.
    pub names: &'a dyn Fn(&str) -> bool,
}

impl fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.operation)
    }
}

impl Fault {
    fn matches(&self, target: &Target<'_>, ids: &Ids) -> bool {
        let may_name = self.service.is_some() || target.service != METADATA;
        self.service.as_deref().is_none_or(|service| service.eq_ignore_ascii_case(target.service))
            && self.operation.as_ref().is_none_or(|operation| may_name && operation.has(target.operation))
            && self.region.as_deref().is_none_or(|region| target.region == Some(region))
            && self.account.is_none_or(|account| account == target.account)
            && self.key_id.as_deref().is_none_or(|id| target.key_id.is_some_and(|of| ids.key_id(of) == ids.key_id(id)))
            && self.instance.as_ref().is_none_or(|id| (target.names)(id.as_str()))
    }
}

/// A rule with what it has done.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    pub id: FaultId,
    pub fault: Arc<Fault>,
    /// How many calls it was for.
    pub matched: u64,
    pub fired: u64,
}

/// A rule that is in force.
#[derive(Debug)]
pub(super) struct Armed {
    counted: Counted,
    dice: Option<Dice>,
}

impl Armed {
    pub(super) fn new(id: FaultId, fault: Fault) -> Self {
        let dice = fault.seed.map(Dice::seeded);
        Self { counted: Counted { id, fault: Arc::new(fault), matched: 0, fired: 0 }, dice }
    }

    pub(super) fn id(&self) -> &FaultId {
        &self.counted.id
    }

    pub(super) fn counted(&self) -> Counted {
        self.counted.clone()
    }

    /// Whether it is the one that is described: by its id, or without one by all that the rule says.
    pub(super) fn is(&self, id: Option<&FaultId>, fault: &Fault) -> bool {
        id.map_or(*self.counted.fault == *fault, |id| self.counted.id == *id)
    }

    pub(super) fn strike(&mut self, target: &Target<'_>, ids: &Ids) -> Option<Fired> {
        let Counted { id, fault, matched, fired } = &mut self.counted;
        if !fault.matches(target, ids) {
            return None;
        }
        *matched += 1;
        if *matched <= fault.after || fault.times.is_some_and(|times| *fired >= times) {
            return None;
        }
        if fault.probability < 1.0 {
            let drawn = self.dice.as_mut().map_or_else(|| ids.fraction(), Dice::fraction);
            if drawn >= fault.probability {
                return None;
            }
        }
        *fired += 1;
        Some(Fired { id: id.clone(), fault: Arc::clone(fault) })
    }
}

/// A rule that has fired on a call.
#[derive(Clone, Debug)]
pub struct Fired {
    pub id: FaultId,
    pub fault: Arc<Fault>,
}

impl Fired {
    /// The error that the call, or a part of it, is answered.
    pub fn error(&self) -> Option<&Arc<InjectedError>> {
        self.fault.error.as_ref().filter(|_| self.fault.effect.is_some_and(Effect::is_error))
    }

    /// What becomes of the answer.
    pub fn treatment(&self) -> Treatment {
        let delay = self.fault.delay;
        let damage = match self.fault.effect {
            None | Some(Effect::Error | Effect::Partial) => None,
            Some(Effect::Truncate) => Some(Damage::Truncate),
            Some(Effect::Empty) => Some(Damage::Empty),
            Some(Effect::Reset) => Some(Damage::Reset),
            Some(Effect::Dribble) => Some(Damage::Dribble(delay.unwrap_or(DRIBBLING))),
            Some(Effect::Timeout) => Some(Damage::Timeout(delay.unwrap_or(SILENCE))),
        };
        let waits = !matches!(damage, Some(Damage::Dribble(_) | Damage::Timeout(_)));
        Treatment { delay: delay.filter(|_| waits).unwrap_or_default(), damage }
    }
}

/// What becomes of an answer on its way to the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Treatment {
    /// How long it is held back.
    pub delay: Duration,
    pub damage: Option<Damage>,
}

impl Treatment {
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// How an answer does not arrive as it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    Truncate,
    Empty,
    Reset,
    /// Over how long the body comes.
    Dribble(Duration),
    /// For how long nothing comes, until the connection closes.
    Timeout(Duration),
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTANCE: &str = "i-1";

    fn call(operation: &'static str) -> Target<'static> {
        Target {
            service: "Ecs",
            operation,
            region: Some("cn-hangzhou"),
            account: AccountId::DEFAULT,
            key_id: Some("test"),
            names: &|id| id == INSTANCE,
        }
    }

    /// On which of so many calls it fires.
    fn fired(fault: Fault, ids: &Ids, calls: u64) -> Vec<u64> {
        let mut armed = Armed::new(FaultId::made(1), fault);
        let fired = (0..calls).filter(|_| armed.strike(&call("DescribeRegions"), ids).is_some()).collect();
        assert_eq!(armed.counted().matched, calls);
        fired
    }

    #[test]
    fn a_rule_matches_only_what_all_that_it_says_is_true_of() {
        let ids = Ids::seeded(1);
        let some = |set: fn(&mut Fault)| {
            let mut fault = Fault::default();
            set(&mut fault);
            fault
        };
        let matching: [fn(&mut Fault); 9] = [
            |_| {},
            |fault| fault.service = Some("ecs".into()),
            |fault| fault.operation = Operation::read("detachinstanceramrole"),
            |fault| fault.operation = Operation::read("Detach*"),
            |fault| fault.operation = Operation::read("*"),
            |fault| fault.region = Some("cn-hangzhou".into()),
            |fault| fault.account = Some(AccountId::DEFAULT),
            |fault| fault.instance = Some(InstanceId::new(INSTANCE)),
            |fault| fault.key_id = Some("test@default".into()),
        ];
        let other: [fn(&mut Fault); 8] = [
            |fault| fault.service = Some("sts".into()),
            |fault| fault.operation = Operation::read("DetachInstanceRamRoles"),
            |fault| fault.operation = Operation::read("DetachInstanceRamRoles*"),
            |fault| fault.operation = Operation::read("Attach*"),
            |fault| fault.region = Some("cn-beijing".into()),
            |fault| fault.account = AccountId::parse("1000000000000002"),
            |fault| fault.instance = Some(InstanceId::new("i-2")),
            |fault| fault.key_id = Some("other".into()),
        ];
        let detach = call("DetachInstanceRamRole");
        for (number, set) in matching.into_iter().enumerate() {
            assert!(some(set).matches(&detach, &ids), "{number}");
        }
        for (number, set) in other.into_iter().enumerate() {
            assert!(!some(set).matches(&detach, &ids), "{number}");
        }
    }

    #[test]
    fn without_a_service_an_operation_is_an_action_and_no_item_that_begins_alike() {
        let ids = Ids::seeded(1);
        let item = Target { service: METADATA, ..call("dns-conf/nameservers") };
        let rule = |service: Option<&str>, operation| Fault {
            service: service.map(Into::into),
            operation: Operation::read(operation),
            ..Fault::default()
        };
        for (service, operation, expected) in
            [(None, "D*", false), (Some(METADATA), "D*", true), (None, "*", true), (Some("ecs"), "*", false)]
        {
            assert_eq!(rule(service, operation).matches(&item, &ids), expected, "{service:?} {operation}");
        }
        assert!(rule(None, "D*").matches(&call("DescribeRegions"), &ids));
    }

    #[test]
    fn it_lets_the_first_pass_and_fires_so_often() {
        let ids = Ids::seeded(1);
        assert_eq!(fired(Fault { after: 2, times: Some(3), ..Fault::default() }, &ids, 9), [2, 3, 4]);
        assert_eq!(fired(Fault { probability: 0.0, ..Fault::default() }, &ids, 9), [0_u64; 0]);
    }

    #[test]
    fn by_a_seed_it_fires_on_the_same_calls_whatever_else_is_drawn_and_without_one_by_the_ids() {
        let draw = |seed, ids: &Ids| fired(Fault { probability: 0.5, seed, ..Fault::default() }, ids, 64);
        assert_eq!(draw(Some(7), &Ids::seeded(1)), draw(Some(7), &Ids::seeded(2)));
        assert_ne!(draw(Some(7), &Ids::seeded(1)), draw(Some(8), &Ids::seeded(1)));
        assert_eq!(draw(None, &Ids::seeded(1)), draw(None, &Ids::seeded(1)));
        assert_ne!(draw(None, &Ids::seeded(1)), draw(None, &Ids::seeded(2)));
        let count = draw(Some(7), &Ids::seeded(1)).len();
        assert!((16..=48).contains(&count), "{count} of 64 by halves");
    }

    #[test]
    fn what_takes_its_time_is_not_held_back_besides() {
        let fired = |effect, delay| {
            let fault = Fault { delay, effect, ..Fault::default() };
            Fired { id: FaultId::made(1), fault: fault.into() }.treatment()
        };
        let second = Duration::from_secs(1);
        let held = Treatment { delay: second, damage: None };
        assert_eq!(fired(None, Some(second)), held);
        assert_eq!(fired(Some(Effect::Error), Some(second)), held);
        assert_eq!(fired(Some(Effect::Reset), Some(second)), Treatment { damage: Some(Damage::Reset), ..held });
        let slow = Treatment { delay: Duration::ZERO, damage: Some(Damage::Dribble(3 * second)) };
        assert_eq!(fired(Some(Effect::Dribble), Some(3 * second)), slow);
        assert_eq!(fired(Some(Effect::Timeout), None).damage, Some(Damage::Timeout(SILENCE)));
    }

    #[test]
    fn an_id_is_what_a_header_and_a_path_can_hold() {
        assert!(FaultId::parse("slow.Describe_1-b").is_some() && FaultId::parse(&"a".repeat(64)).is_some());
        for bad in ["", "a b", "a:b", "ä", &"a".repeat(65)] {
            assert_eq!(FaultId::parse(bad), None, "{bad}");
        }
    }
}
