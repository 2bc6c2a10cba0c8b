//! The policy language by the book (ram.md 5), on plain JSON and without a thought for speed; and documents, requests
//! and contexts that are put together.

use std::cmp::Ordering;
use std::net::IpAddr;

use arbitrary::{Arbitrary, Unstructured};
use ecsim::policy::{Context, Effect};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A value that a request brings.
#[derive(Clone, Debug)]
pub enum Fact {
    Text(String),
    Time(Timestamp),
    Flag(bool),
    Address(IpAddr),
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    pub action: String,
    pub resource: String,
    pub facts: Vec<(String, Fact)>,
}

impl Question {
    pub fn context(&self) -> Context<'_> {
        self.facts.iter().fold(Context::default(), |context, (key, fact)| match fact {
            Fact::Text(text) => context.with(key.as_str(), text.as_str()),
            Fact::Time(time) => context.with(key.as_str(), *time),
            Fact::Flag(flag) => context.with(key.as_str(), *flag),
            Fact::Address(address) => context.with(key.as_str(), *address),
        })
    }
}

/// What one document, which must be well-formed, says to a question; `None` if nothing.
pub fn answer(document: &Value, question: &Question) -> Option<Effect> {
    let covering: Vec<_> = each(&document["Statement"]).filter(|statement| covers(statement, question)).collect();
    let has = |effect: &str| covering.iter().any(|statement| statement["Effect"] == effect);
    if has("Deny") { Some(Effect::Deny) } else { has("Allow").then_some(Effect::Allow) }
}

/// A value, or each of a list.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter()
}

/// The text of a string, a number or a boolean.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn covers(statement: &Value, question: &Question) -> bool {
    let action = question.action.to_ascii_lowercase();
    let among = |patterns| each(patterns).any(|pattern| fits(&text(pattern).to_ascii_lowercase(), &action));
    let acts = statement.get("Action").map_or_else(|| !among(&statement["NotAction"]), among);
    let mut resources = each(&statement["Resource"]);
    let conditions = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    acts && resources.any(|pattern| spellings(&question.resource).any(|arn| fits(&text(pattern), &arn)))
        && conditions.into_iter().all(|(operator, keys)| {
            let mut keys = keys.as_object().expect("keys").iter();
            keys.all(|(key, values)| holds(operator, key, values, question))
        })
}

/// RAM's resources are known with and without the region.
fn spellings(arn: &str) -> impl Iterator<Item = String> {
    let parts: Vec<_> = arn.splitn(4, ':').collect();
    let without = match parts[..] {
        ["acs", "ram", region, rest] if !region.is_empty() => Some(format!("acs:ram::{rest}")),
        _ => None,
    };
    [arn.to_owned()].into_iter().chain(without)
}

/// Whether a text fits a pattern, by a table of how far each part of one fits each part of the other.
fn fits(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for wanted in pattern.chars() {
        let before = reached.clone();
        for at in 0..=text.len() {
            reached[at] = match wanted {
                '*' => before[..=at].contains(&true),
                _ => at > 0 && before[at - 1] && (wanted == '?' || wanted == text[at - 1]),
            };
        }
    }
    reached[text.len()]
}

fn holds(operator: &str, key: &str, values: &Value, question: &Question) -> bool {
    let (family, negated) = match operator.split_once("Not") {
        // `NotIpAddress`, `StringNotEquals`.
        Some((start, end)) => (format!("{start}{end}"), true),
        None => (operator.to_owned(), false),
    };
    let brought = question.facts.iter().filter(|(known, _)| known == key);
    let fits = brought.into_iter().any(|(_, fact)| each(values).any(|value| compare(&family, fact, &text(value))));
    fits != negated
}

fn compare(family: &str, fact: &Fact, wanted: &str) -> bool {
    if let Some(order) = family.strip_prefix("Numeric") {
        let Fact::Text(text) = fact else { return false };
        let number = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite());
        return number(text).zip(number(wanted)).is_some_and(|(a, b)| ordered(order, a.partial_cmp(&b)));
    }
    if let Some(order) = family.strip_prefix("Date") {
        let time = match fact {
            Fact::Time(time) => Some(*time),
            Fact::Text(text) => text.parse().ok(),
            _ => None,
        };
        return time
            .zip(wanted.parse().ok())
            .is_some_and(|(a, b): (Timestamp, Timestamp)| ordered(order, Some(a.cmp(&b))));
    }
    match family {
        "Bool" => {
            let shown = shown(fact).to_ascii_lowercase();
            matches!(fact, Fact::Flag(_) | Fact::Text(_)) && shown == wanted.to_ascii_lowercase()
        }
        "IpAddress" => {
            let address = match fact {
                Fact::Address(address) => Some(*address),
                Fact::Text(text) => text.parse().ok(),
                _ => None,
            };
            address.is_some_and(|address| in_range(address, wanted))
        }
        "StringEquals" => shown(fact) == wanted,
        "StringEqualsIgnoreCase" => lower(&shown(fact)) == lower(wanted),
        "StringLike" => fits(wanted, &shown(fact)),
        other => panic!("no operator {other}"),
    }
}

fn ordered(order: &str, is: Option<Ordering>) -> bool {
    let Some(is) = is else { return false };
    match order {
        "Equals" => is == Ordering::Equal,
        "LessThan" => is == Ordering::Less,
        "LessThanEquals" => is != Ordering::Greater,
        "GreaterThan" => is == Ordering::Greater,
        "GreaterThanEquals" => is != Ordering::Less,
        other => panic!("no order {other}"),
    }
}

fn shown(fact: &Fact) -> String {
    match fact {
        Fact::Text(text) => text.clone(),
        Fact::Time(time) => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Fact::Flag(flag) => flag.to_string(),
        Fact::Address(address) => address.to_canonical().to_string(),
    }
}

fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Bit by bit.
fn in_range(address: IpAddr, range: &str) -> bool {
    let (first, length) = range.split_once('/').map_or((range, None), |(first, length)| (first, Some(length)));
    let first: IpAddr = first.parse().expect("an address");
    let width = bits(first).len();
    let length = length.map_or(width, |length| length.parse().expect("a length"));
    // What is written as IPv6 for IPv4 is IPv4, if the range is of such addresses alone.
    let (first, length) = match first.to_canonical() {
        short @ IpAddr::V4(_) if width == 128 && length >= 96 => (short, length - 96),
        _ => (first, length),
    };
    let address = address.to_canonical();
    address.is_ipv4() == first.is_ipv4() && bits(address)[..length] == bits(first)[..length]
}

fn bits(address: IpAddr) -> Vec<bool> {
    let octets = match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    octets.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1)).collect()
}

/// A question about a document, and a statement to add to it.
#[derive(Debug)]
pub struct Case {
    pub statements: Vec<Value>,
    pub more: Value,
    pub question: Question,
}

const ACTIONS: [&str; 8] = [
    "*",
    "ecs:*",
    "ECS:Detach*Role",
    "ecs:DetachInstanceRamRol?",
    "ram:PassRole",
    "*:*Role",
    "ecs:Describe*",
    "ram:??ss*",
];
const RESOURCES: [&str; 9] = [
    "*",
    "acs:*",
    "acs:ecs:*:*:instance/i-?",
    "acs:ecs:cn-hangzhou:*:instance/i-1",
    "acs:ram:*:*:role/w*",
    "acs:ram::1000000000000001:role/web",
    "acs:ram:*:system:policy/*",
    "acs:ram:cn-*:role/web",
    "acs:e*:*1*",
];
const ASKED: [(&str, &str); 5] = [
    ("ecs:DetachInstanceRamRole", "acs:ecs:cn-hangzhou:1000000000000001:instance/i-1"),
    ("ecs:DetachInstanceRamRole", "acs:ram:cn-hangzhou:1000000000000001:role/web"),
    ("ram:PassRole", "acs:ram:cn-hangzhou:1000000000000001:role/web"),
    ("ecs:DescribeInstances", "acs:ecs:cn-beijing:1000000000000001:instance/*"),
    ("ram:GetPolicy", "acs:ram:*:system:policy/ReadOnlyAccess"),
];
const KEYS: [&str; 7] =
    ["acs:SourceIp", "acs:CurrentTime", "acs:SecureTransport", "acs:Service", "ecs:tag/tier", "n", ""];
const OPERATORS: [(&str, &[&str]); 21] = [
    ("StringEquals", TEXTS),
    ("StringNotEquals", TEXTS),
    ("StringEqualsIgnoreCase", TEXTS),
    ("StringNotEqualsIgnoreCase", TEXTS),
    ("StringLike", TEXTS),
    ("StringNotLike", TEXTS),
    ("NumericEquals", NUMBERS),
    ("NumericNotEquals", NUMBERS),
    ("NumericLessThan", NUMBERS),
    ("NumericLessThanEquals", NUMBERS),
    ("NumericGreaterThan", NUMBERS),
    ("NumericGreaterThanEquals", NUMBERS),
    ("DateEquals", TIMES),
    ("DateNotEquals", TIMES),
    ("DateLessThan", TIMES),
    ("DateLessThanEquals", TIMES),
    ("DateGreaterThan", TIMES),
    ("DateGreaterThanEquals", TIMES),
    ("Bool", FLAGS),
    ("IpAddress", RANGES),
    ("NotIpAddress", RANGES),
];
const TEXTS: &[&str] =
    &["ecs.aliyuncs.com", "ECS.aliyuncs.com", "*.aliyuncs.com", "?eb", "web", "true", "1", "10.0.0.1", "É"];
const NUMBERS: &[&str] = &["0", "-1.5", "1", "1e3", "007"];
const TIMES: &[&str] =
    &["2026-01-05T08:00:00Z", "2026-01-05T16:00:00+08:00", "2026-01-05T08:00:00.5Z", "1970-01-01T00:00:00Z"];
const FLAGS: &[&str] = &["true", "false", "TRUE"];
const RANGES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.0/8",
    "0.0.0.0/0",
    "::1",
    "::/0",
    "::ffff:10.0.0.0/104",
    "::ffff:0:0/95",
    "fd00::/8",
    "10.1.2.3/31",
];

fn pick<T: Copy>(u: &mut Unstructured<'_>, from: &[T]) -> arbitrary::Result<T> {
    u.choose(from).copied()
}

/// One of the list, or seldom any text that passes for one.
fn pick_text(u: &mut Unstructured<'_>, from: &[&str], before: &str) -> arbitrary::Result<String> {
    if u.ratio(1, 8)? { Ok(format!("{before}{}", u.arbitrary::<String>()?)) } else { pick(u, from).map(str::to_owned) }
}

fn list<'a, T>(
    u: &mut Unstructured<'a>,
    least: usize,
    mut one: impl FnMut(&mut Unstructured<'a>) -> arbitrary::Result<T>,
) -> arbitrary::Result<Vec<T>> {
    (0..u.int_in_range(least..=3)?).map(|_| one(u)).collect()
}

fn statement(u: &mut Unstructured<'_>) -> arbitrary::Result<Value> {
    let effect = pick(u, &["Allow", "Deny"])?;
    let action = pick(u, &["Action", "Action", "NotAction"])?;
    let actions = list(u, 1, |u| pick_text(u, &ACTIONS, "ecs:a"))?;
    let resources = list(u, 1, |u| pick_text(u, &RESOURCES, "acs:"))?;
    let mut conditions = Map::new();
    for _ in 0..u.int_in_range(0..=2)? {
        let (operator, values) = pick(u, &OPERATORS)?;
        let keys = list(u, 1, |u| {
            let values = list(u, 1, |u| pick(u, values))?;
            Ok((pick_text(u, &KEYS, "")?, json!(values)))
        })?;
        conditions.insert(operator.to_owned(), Value::Object(keys.into_iter().collect()));
    }
    Ok(json!({ "Effect": effect, action: actions, "Resource": resources, "Condition": conditions }))
}

fn fact(u: &mut Unstructured<'_>) -> arbitrary::Result<Fact> {
    Ok(match u.int_in_range(0..=4)? {
        0 => Fact::Time(pick(u, TIMES)?.parse().expect("a time")),
        1 => Fact::Flag(u.arbitrary()?),
        2 => Fact::Address(
            pick(u, &["10.0.0.1", "10.1.2.2", "::1", "::ffff:10.0.0.1", "1.1.1.1"])?.parse().expect("an address"),
        ),
        3 => Fact::Text(u.arbitrary()?),
        _ => {
            let texts = pick(u, &[TEXTS, NUMBERS, TIMES, FLAGS, &["10.0.0.1", "::ffff:10.0.0.1"]])?;
            Fact::Text(pick(u, texts)?.to_owned())
        }
    })
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (action, resource) = pick(u, &ASKED)?;
        let facts = list(u, 0, |u| Ok((pick_text(u, &KEYS, "")?, fact(u)?)))?;
        let question = Question { action: action.to_owned(), resource: resource.to_owned(), facts };
        Ok(Self { statements: list(u, 1, statement)?, more: statement(u)?, question })
    }
}

/// A document of statements.
pub fn document(statements: &[Value]) -> Value {
    json!({ "Version": "1", "Statement": statements })
}
