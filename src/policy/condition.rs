//! Conditions of statements: operators, keys, and the values that a request brings.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use jiff::Timestamp;

use super::json::{Node, Place, PolicyError};
use super::pattern::{Case, Pattern};
use super::resource::Tag;

/// The documented keys that a request here can bring (ram.md 5 and 7). A condition may name any
/// key; one that the request does not bring is missing. Keys are compared with case (inferred).
pub mod key {
    pub const CURRENT_TIME: &str = "acs:CurrentTime";
    pub const SECURE_TRANSPORT: &str = "acs:SecureTransport";
    pub const SOURCE_IP: &str = "acs:SourceIp";
    pub const MFA_PRESENT: &str = "acs:MFAPresent";
    /// The service that a role is passed to, with `ram:PassRole`.
    pub const SERVICE: &str = "acs:Service";
    /// `ExternalId` of AssumeRole, in trust policies (inferred: the sources have the parameter, not the key).
    pub const EXTERNAL_ID: &str = "sts:ExternalId";
    /// Before the key of a tag of the resource.
    pub const RESOURCE_TAG: &str = "acs:ResourceTag/";
    /// The same for instances.
    pub const ECS_TAG: &str = "ecs:tag/";
}

/// A plain value of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Text(Cow<'a, str>),
    Time(Timestamp),
    Flag(bool),
    Address(IpAddr),
}

impl Value<'_> {
    /// The value as string operators see it.
    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            // Whole seconds, as the pages write times; the service's text is not known (inferred).
            Self::Time(time) => Cow::Owned(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            Self::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Self::Address(address) => Cow::Owned(address.to_string()),
        }
    }

    fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Text(text) => parse_time(text),
            _ => None,
        }
    }

    fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Text(text) => parse_flag(text),
            _ => None,
        }
    }

    fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Text(text) => text.parse().ok().map(|address: IpAddr| address.to_canonical()),
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        if let Self::Text(text) = self { parse_number(text) } else { None }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<IpAddr> for Value<'_> {
    /// An IPv4 address that a listener for both gives as IPv6 is the IPv4 address.
    fn from(address: IpAddr) -> Self {
        Self::Address(address.to_canonical())
    }
}

/// Room for the values of every request here.
const USUAL_VALUES: usize = 6;

/// What is known about a request beside its action and resource, key by key.
#[derive(Clone, Debug, Default)]
pub struct Context<'a> {
    values: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Context<'a> {
    /// Adds a value; a key may have several, of which one is enough (inferred: the pages speak of one).
    #[must_use]
    pub fn with(mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Self {
        if self.values.is_empty() {
            self.values.reserve(USUAL_VALUES);
        }
        self.values.push((key.into(), value.into()));
        self
    }

    /// Every value, in the order in which they were added.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.values.iter().map(|(key, value)| (key.as_ref(), value))
    }
}

/// The first of two things: the second compared with what the policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn fits(self, order: Option<Ordering>) -> bool {
        order.is_some_and(|order| match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Text,
    TextIgnoringCase,
    TextLike,
    Number(Order),
    Date(Order),
    Bool,
    Address,
}

/// A row of the operators.
#[derive(Debug, PartialEq, Eq)]
struct Operator {
    name: &'static str,
    family: Family,
    /// Holds where the family's comparison does not.
    negated: bool,
}

const fn holds(name: &'static str, family: Family) -> Operator {
    Operator { name, family, negated: false }
}

const fn fails(name: &'static str, family: Family) -> Operator {
    Operator { name, family, negated: true }
}

/// Every operator of the language, spelled with this case (ram.md 5, documented; the case inferred).
/// No `...IfExists` and no `ForAnyValue` or `ForAllValues` is documented.
static OPERATORS: [Operator; 21] = [
    holds("StringEquals", Family::Text),
    fails("StringNotEquals", Family::Text),
    holds("StringEqualsIgnoreCase", Family::TextIgnoringCase),
    fails("StringNotEqualsIgnoreCase", Family::TextIgnoringCase),
    holds("StringLike", Family::TextLike),
    fails("StringNotLike", Family::TextLike),
    holds("NumericEquals", Family::Number(Order::Equal)),
    fails("NumericNotEquals", Family::Number(Order::Equal)),
    holds("NumericLessThan", Family::Number(Order::Less)),
    holds("NumericLessThanEquals", Family::Number(Order::LessOrEqual)),
    holds("NumericGreaterThan", Family::Number(Order::Greater)),
    holds("NumericGreaterThanEquals", Family::Number(Order::GreaterOrEqual)),
    holds("DateEquals", Family::Date(Order::Equal)),
    fails("DateNotEquals", Family::Date(Order::Equal)),
    holds("DateLessThan", Family::Date(Order::Less)),
    holds("DateLessThanEquals", Family::Date(Order::LessOrEqual)),
    holds("DateGreaterThan", Family::Date(Order::Greater)),
    holds("DateGreaterThanEquals", Family::Date(Order::GreaterOrEqual)),
    holds("Bool", Family::Bool),
    holds("IpAddress", Family::Address),
    fails("NotIpAddress", Family::Address),
];

/// What a condition compares with, in the type of its operator.
#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Text(Box<[Box<str>]>),
    TextIgnoringCase(Box<[Box<str>]>),
    TextLike(Box<[Pattern]>),
    Number(Order, Box<[f64]>),
    Date(Order, Box<[Timestamp]>),
    Bool(Box<[bool]>),
    Address(Box<[Range]>),
}

/// One key under one operator.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    operator: &'static Operator,
    key: Box<str>,
    wanted: Wanted,
}

impl Condition {
    /// Reads the element `Condition`.
    pub(super) fn read_all(node: &Node, at: &Place<'_>) -> Result<Box<[Self]>, PolicyError> {
        let mut conditions = Vec::new();
        for (name, keys) in node.any_members(at)?.iter() {
            let at = Place::Member(at, name);
            let operator = OPERATORS.iter().find(|operator| operator.name == name);
            let operator = operator.ok_or_else(|| at.wrong("no such operator"))?;
            let keys = keys.any_members(&at)?;
            if keys.is_empty() {
                // It would hold always, which nobody means (inferred).
                return Err(at.wrong("cannot be empty"));
            }
            for (key, values) in keys.iter() {
                let wanted = Wanted::read(operator.family, values, &Place::Member(&at, key))?;
                conditions.push(Self { operator, key: key.into(), wanted });
            }
        }
        Ok(conditions.into())
    }

    /// Whether the request meets the condition: its value must fit one of those wanted (documented). A `Not` operator
    /// holds when none fits, also where the request brings no value; the others do not hold then, nor where a value has
    /// another type (inferred).
    pub(super) fn holds(&self, context: &Context<'_>, tags: &[Tag]) -> bool {
        let fits = context.values().any(|(key, value)| key == &*self.key && self.wanted.has(value))
            || !tags.is_empty() && self.asks_for_one_of(tags);
        fits != self.operator.negated
    }

    fn asks_for_one_of(&self, tags: &[Tag]) -> bool {
        let name = self.key.strip_prefix(key::RESOURCE_TAG).or_else(|| self.key.strip_prefix(key::ECS_TAG));
        let has = |name: &str, (known, value): &Tag| **known == *name && self.wanted.has(&Value::from(&**value));
        name.is_some_and(|name| tags.iter().any(|tag| has(name, tag)))
    }
}

impl Wanted {
    fn read(family: Family, node: &Node, at: &Place<'_>) -> Result<Self, PolicyError> {
        let texts = || node.each(at, |node, at| node.scalar(at).map(Into::into));
        Ok(match family {
            Family::Text => Self::Text(texts()?),
            Family::TextIgnoringCase => Self::TextIgnoringCase(texts()?),
            Family::TextLike => {
                Self::TextLike(node.each(at, |node, at| node.scalar(at).map(|text| Pattern::new(text, Case::Kept)))?)
            }
            Family::Number(order) => Self::Number(order, typed(node, at, parse_number, "must be a number")?),
            Family::Date(order) => {
                Self::Date(order, typed(node, at, parse_time, "must be a time such as 2026-01-05T08:00:00Z")?)
            }
            Family::Bool => Self::Bool(typed(node, at, parse_flag, "must be true or false")?),
            Family::Address => {
                Self::Address(typed(node, at, Range::parse, "must be an IP address or a range such as 10.0.0.0/8")?)
            }
        })
    }

    fn has(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Text(texts) => {
                let text = value.text();
                texts.iter().any(|wanted| **wanted == *text)
            }
            Self::TextIgnoringCase(texts) => {
                let text = value.text();
                texts.iter().any(|wanted| lower(wanted).eq(lower(&text)))
            }
            Self::TextLike(patterns) => {
                let text = value.text();
                patterns.iter().any(|pattern| pattern.matches(&text))
            }
            Self::Number(order, numbers) => {
                value.number().is_some_and(|number| numbers.iter().any(|to| order.fits(number.partial_cmp(to))))
            }
            Self::Date(order, times) => {
                value.time().is_some_and(|time| times.iter().any(|to| order.fits(Some(time.cmp(to)))))
            }
            Self::Bool(flags) => value.flag().is_some_and(|flag| flags.contains(&flag)),
            Self::Address(ranges) => {
                value.address().is_some_and(|address| ranges.iter().any(|range| range.contains(address)))
            }
        }
    }
}

fn typed<T>(node: &Node, at: &Place<'_>, parse: fn(&str) -> Option<T>, reason: &str) -> Result<Box<[T]>, PolicyError> {
    node.each(at, |node, at| parse(node.scalar(at)?).ok_or_else(|| at.wrong(reason)))
}

fn lower(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Numbers are compared as 64-bit floating point (inferred: no documented key is a number).
fn parse_number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// ISO 8601 (documented), with `Z` or an offset (inferred).
fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// `true` or `false`, in any case (inferred).
fn parse_flag(text: &str) -> Option<bool> {
    [true, false].into_iter().find(|flag| text.eq_ignore_ascii_case(if *flag { "true" } else { "false" }))
}

/// The addresses that begin with the same bits. IPv6 is not mentioned by the sources (inferred).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    first: IpAddr,
    /// How many bits all have in common.
    bits: u8,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width {
            return None;
        }
        // An IPv4 address may be written as an IPv6 one; requests bring it as IPv4.
        let (address, bits) = match address.to_canonical() {
            IpAddr::V4(short) if width == 128 && bits >= 96 => (IpAddr::V4(short), bits - 96),
            _ => (address, bits),
        };
        Some(Self { first: masked(address, bits), bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && masked(address, self.bits) == self.first
    }
}

fn masked(address: IpAddr, bits: u8) -> IpAddr {
    let bits = u32::from(bits);
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(32 - bits).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(128 - bits).unwrap_or(0)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `{operator: {key: values}}` holds.
    fn holds(operator: &str, key: &str, values: &str, context: &Context<'_>) -> bool {
        let text = format!(r#"{{"{operator}":{{"{key}":{values}}}}}"#);
        let node = Node::parse(&text, 1000).expect("JSON");
        Condition::read_all(&node, &Place::Root)
            .expect("conditions")
            .iter()
            .all(|condition| condition.holds(context, &[]))
    }

    /// Every operator of ram.md 5: values, what the request has, and whether it holds then.
    #[test]
    fn each_operator_of_the_table() {
        let rows = [
            ("StringEquals", r#""a*""#, "a*", true),
            ("StringEquals", r#""a*""#, "ab", false),
            ("StringEquals", r#""a""#, "A", false),
            ("StringNotEquals", r#""a""#, "A", true),
            ("StringNotEquals", r#""a""#, "a", false),
            ("StringEqualsIgnoreCase", r#""aÉ""#, "Aé", true),
            ("StringEqualsIgnoreCase", r#""a""#, "ab", false),
            ("StringNotEqualsIgnoreCase", r#""a""#, "A", false),
            ("StringNotEqualsIgnoreCase", r#""a""#, "b", true),
            ("StringLike", r#""i-?*""#, "i-1", true),
            ("StringLike", r#""i-?*""#, "i-", false),
            ("StringLike", r#""I-*""#, "i-1", false),
            ("StringNotLike", r#""i-*""#, "i-1", false),
            ("StringNotLike", r#""i-*""#, "d-1", true),
            ("NumericEquals", r#""5""#, "5.0", true),
            ("NumericEquals", "5", "5", true),
            ("NumericEquals", r#""5""#, "6", false),
            ("NumericNotEquals", r#""5""#, "5", false),
            ("NumericNotEquals", r#""5""#, "6", true),
            ("NumericLessThan", r#""5""#, "4.9", true),
            ("NumericLessThan", r#""5""#, "5", false),
            ("NumericLessThanEquals", r#""5""#, "5", true),
            ("NumericLessThanEquals", r#""5""#, "10", false),
            ("NumericGreaterThan", r#""5""#, "10", true),
            ("NumericGreaterThan", r#""5""#, "5", false),
            ("NumericGreaterThanEquals", r#""5""#, "5", true),
            ("NumericGreaterThanEquals", r#""5""#, "-10", false),
            ("DateEquals", r#""2026-01-05T08:00:00Z""#, "2026-01-05T08:00:00Z", true),
            ("DateEquals", r#""2026-01-05T16:00:00+08:00""#, "2026-01-05T08:00:00Z", true),
            ("DateEquals", r#""2026-01-05T08:00:00Z""#, "2026-01-05T08:00:01Z", false),
            ("DateNotEquals", r#""2026-01-05T08:00:00Z""#, "2026-01-05T08:00:00Z", false),
            ("DateNotEquals", r#""2026-01-05T08:00:00Z""#, "2026-01-05T08:00:01Z", true),
            ("DateLessThan", r#""2026-01-05T08:00:00Z""#, "2026-01-05T07:59:59Z", true),
            ("DateLessThan", r#""2026-01-05T08:00:00Z""#, "2026-01-05T08:00:00Z", false),
            ("DateLessThanEquals", r#""2026-01-05T08:00:00Z""#, "2026-01-05T08:00:00Z", true),
            ("DateLessThanEquals", r#""2026-01-05T08:00:00Z""#, "2026-01-05T08:00:01Z", false),
            ("DateGreaterThan", r#""2026-01-05T08:00:00Z""#, "2026-01-05T08:00:01Z", true),
            ("DateGreaterThan", r#""2026-01-05T08:00:00Z""#, "2026-01-05T08:00:00Z", false),
            ("DateGreaterThanEquals", r#""2026-01-05T08:00:00Z""#, "2026-01-05T08:00:00Z", true),
            ("DateGreaterThanEquals", r#""2026-01-05T08:00:00Z""#, "2026-01-05T07:59:59Z", false),
            ("Bool", r#""true""#, "true", true),
            ("Bool", "true", "true", true),
            ("Bool", r#""True""#, "false", false),
            ("IpAddress", r#""10.1.2.3""#, "10.1.2.3", true),
            ("IpAddress", r#""10.1.2.3/8""#, "10.255.0.1", true),
            ("IpAddress", r#""10.0.0.0/8""#, "11.0.0.1", false),
            ("IpAddress", r#""0.0.0.0/0""#, "11.0.0.1", true),
            ("IpAddress", r#""0.0.0.0/0""#, "::1", false),
            ("IpAddress", r#""::ffff:10.0.0.0/104""#, "10.0.0.1", true),
            ("IpAddress", r#""10.0.0.0/8""#, "::ffff:10.0.0.1", true),
            ("IpAddress", r#""2001:db8::/32""#, "2001:db8:1::1", true),
            ("IpAddress", r#""2001:db8::/32""#, "2001:db9::1", false),
            ("NotIpAddress", r#""10.0.0.0/8""#, "10.0.0.1", false),
            ("NotIpAddress", r#""10.0.0.0/8""#, "11.0.0.1", true),
        ];
        for (operator, values, given, expected) in rows {
            let context = Context::default().with("k", given);
            assert_eq!(holds(operator, "k", values, &context), expected, "{operator} {values} on {given}");
        }
        for operator in &OPERATORS {
            for expected in [true, false] {
                assert!(
                    rows.iter().any(|(name, .., found)| *name == operator.name && *found == expected),
                    "{} {expected}",
                    operator.name
                );
            }
        }
    }

    #[test]
    fn each_documented_key_in_the_type_that_the_caller_has() {
        let time: Timestamp = "2026-01-05T08:00:00Z".parse().expect("a time");
        let address: IpAddr = "203.0.113.7".parse().expect("an address");
        let context = Context::default()
            .with(key::CURRENT_TIME, time)
            .with(key::SECURE_TRANSPORT, false)
            .with(key::SOURCE_IP, address)
            .with(key::MFA_PRESENT, true)
            .with(key::SERVICE, "ecs.aliyuncs.com")
            .with(format!("{}env", key::RESOURCE_TAG), "test")
            .with(format!("{}env", key::ECS_TAG), "test".to_owned());
        for (operator, key, values) in [
            ("DateGreaterThan", "acs:CurrentTime", r#""2026-01-05T07:00:00Z""#),
            ("StringLike", "acs:CurrentTime", r#""2026-01-05T*""#),
            ("Bool", "acs:SecureTransport", r#""false""#),
            ("StringEquals", "acs:SecureTransport", r#""false""#),
            ("IpAddress", "acs:SourceIp", r#"["10.0.0.0/8","203.0.113.0/24"]"#),
            ("StringEquals", "acs:SourceIp", r#""203.0.113.7""#),
            ("Bool", "acs:MFAPresent", r#""true""#),
            ("StringEquals", "acs:Service", r#""ecs.aliyuncs.com""#),
            ("StringEquals", "acs:ResourceTag/env", r#"["prod","test"]"#),
            ("StringEquals", "ecs:tag/env", r#""test""#),
        ] {
            assert!(holds(operator, key, values, &context), "{operator} {key}");
        }
        let mapped: IpAddr = "::ffff:203.0.113.7".parse().expect("an address");
        let late: Timestamp = "2026-01-05T08:00:00.5Z".parse().expect("a time");
        let context_of_a_server = Context::default().with(key::SOURCE_IP, mapped).with(key::CURRENT_TIME, late);
        for (operator, key, values) in [
            ("IpAddress", "acs:SourceIp", r#""203.0.113.7""#),
            ("StringEquals", "acs:SourceIp", r#""203.0.113.7""#),
            ("StringEquals", "acs:CurrentTime", r#""2026-01-05T08:00:00Z""#),
        ] {
            assert!(holds(operator, key, values, &context_of_a_server), "{operator} {key}");
        }
        assert!(!holds("StringEquals", "acs:service", r#""ecs.aliyuncs.com""#, &context));
        assert!(!holds("NumericEquals", "acs:MFAPresent", "1", &context));
    }

    #[test]
    fn values_are_alternatives_and_keys_and_operators_are_not() {
        let context = Context::default().with("a", "1").with("b", "2");
        let holds = |text: &str| {
            let conditions = Condition::read_all(&Node::parse(text, 1000).expect("JSON"), &Place::Root);
            conditions.expect("conditions").iter().all(|condition| condition.holds(&context, &[]))
        };
        assert!(holds(r#"{"StringEquals":{"a":["0","1"],"b":"2"}}"#));
        assert!(!holds(r#"{"StringEquals":{"a":["0","1"],"b":"3"}}"#));
        assert!(!holds(r#"{"StringEquals":{"a":"1"},"StringLike":{"b":"3*"}}"#));
        assert!(!holds(r#"{"StringNotEquals":{"a":["0","1"]}}"#));
        assert!(holds(r#"{"StringNotEquals":{"a":["0","2"]}}"#));
        assert!(holds("{}"));
    }

    #[test]
    fn without_the_key_only_not_operators_hold() {
        let context = Context::default();
        for operator in &OPERATORS {
            let values = match operator.family {
                Family::Date(_) => r#""2026-01-05T08:00:00Z""#,
                Family::Bool => "true",
                Family::Address => r#""10.0.0.1""#,
                _ => "1",
            };
            assert_eq!(holds(operator.name, "k", values, &context), operator.negated, "{}", operator.name);
            let strange = Context::default().with("k", "strange");
            assert_eq!(holds(operator.name, "k", values, &strange), operator.negated, "{}", operator.name);
        }
    }

    #[test]
    fn one_of_several_values_of_the_request_is_enough() {
        let context = Context::default().with("k", "1").with("k", "2");
        assert!(holds("StringEquals", "k", r#""2""#, &context));
        assert!(!holds("StringNotEquals", "k", r#""2""#, &context));
    }

    #[test]
    fn mistakes_say_where() {
        for (text, message) in [
            ("[]", "$.C: must be an object"),
            (r#"{"StringEqualsIfExists":{}}"#, "$.C.StringEqualsIfExists: no such operator"),
            (r#"{"stringEquals":{}}"#, "$.C.stringEquals: no such operator"),
            (r#"{"Bool":[]}"#, "$.C.Bool: must be an object"),
            (r#"{"Bool":{}}"#, "$.C.Bool: cannot be empty"),
            (r#"{"Bool":{"a/b":"yes"}}"#, "$.C.Bool.a/b: must be true or false"),
            (r#"{"Bool":{"k":["true",{}]}}"#, "$.C.Bool.k[1]: must be a string"),
            (r#"{"StringEquals":{"k":null}}"#, "$.C.StringEquals.k: must be a string"),
            (r#"{"StringEquals":{"k":[]}}"#, "$.C.StringEquals.k: cannot be empty"),
            (r#"{"NumericEquals":{"k":"NaN"}}"#, "$.C.NumericEquals.k: must be a number"),
            (r#"{"DateEquals":{"k":"2026-01-05"}}"#, "$.C.DateEquals.k: must be a time such as 2026-01-05T08:00:00Z"),
            (
                r#"{"IpAddress":{"k":["10.0.0.0/33"]}}"#,
                "$.C.IpAddress.k[0]: must be an IP address or a range such as 10.0.0.0/8",
            ),
            (r#"{"Bool":{"k":"true"},"Bool":{}}"#, "$.C.Bool: is there twice"),
        ] {
            let node = Node::parse(text, 1000).expect("JSON");
            let error = Condition::read_all(&node, &Place::Member(&Place::Root, "C")).expect_err(text);
            assert_eq!(error.to_string(), message);
        }
    }
}
