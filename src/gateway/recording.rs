//! What the journal keeps of a call, and what of it nobody may read.

use std::time::Instant;

use http::HeaderName;
use http::header::USER_AGENT;
use serde::de::IgnoredAny;

use super::Trail;
use super::request::Call;
use crate::api::action::Done;
use crate::api::error::{ApiError, Facts};
use crate::api::permission::Principal;
use crate::api::render::Format;
use crate::world::journal::{Details, Entry, Refusal, Who};
use crate::world::{RequestId, Space};

const TRACE_PARENT: HeaderName = HeaderName::from_static(Entry::TRACE_PARENT);

/// What stands in the place of a secret.
pub(super) const MASK: &str = "***";

/// The value of a parameter as far as others may read it, whatever its action: what opens something is masked, and so is
/// JSON that holds such a thing.
pub(super) fn shown<'v>(name: &str, value: &'v str) -> &'v str {
    let is_secret = is_secret(name) && !value.is_empty();
    // An object, or lists with one first. Values of most calls are told by their first character or two.
    let may_hold = || value.trim_start_matches(|c: char| c == '[' || c.is_whitespace()).starts_with('{');
    if is_secret || (may_hold() && holds_secret(value)) { MASK } else { value }
}

/// Whether a member has the name of what opens something. Of what is not quite JSON, any word counts.
fn holds_secret(text: &str) -> bool {
    names_secret(text).unwrap_or_else(|_| text.split(|c: char| !c.is_alphanumeric()).any(is_secret))
}

/// The same of JSON. Its texts are looked at one by one: read as a whole, of two members of one name the last would be left.
fn names_secret(json: &str) -> serde_json::Result<bool> {
    serde_json::from_str::<IgnoredAny>(json)?;
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        let mut texts = serde_json::Deserializer::from_str(&rest[start..]).into_iter::<String>();
        let Some(text) = texts.next().transpose()? else { break };
        rest = &rest[start + texts.byte_offset()..];
        if rest.trim_start().starts_with(':') && is_secret(&text) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Told by how a name ends, in any case: `SecurityToken`, `Password`, `LoginPassword`, `AccessKeySecret`. The last two
/// letters alone rule out the names of most calls.
fn is_secret(name: &str) -> bool {
    let name = name.as_bytes();
    let ends = |end: &str| {
        let start = name.len().checked_sub(end.len());
        start.is_some_and(|start| name[start..].eq_ignore_ascii_case(end.as_bytes()))
    };
    let [.., before, last] = name else { return false };
    match [before | 0x20, last | 0x20] {
        // Of tokens, ClientToken and NextToken alone open nothing.
        [b'e', b'n'] => ends("Token") && !ends("ClientToken") && !ends("NextToken"),
        // Of SAML, and of a second factor.
        [b'o', b'n'] => ends("Assertion"),
        [b'd', b'e'] => ends("AuthenticationCode"),
        [b'r', b'd'] => ends("Password"),
        [b'w', b'd'] => ends("Passwd"),
        [b'e', b't'] => ends("Secret"),
        [b'e', b'y'] => ends("PrivateKey") || ends("SecretKey"),
        _ => false,
    }
}

/// All but the signature, which is no use to anybody.
fn parameters<'c>(call: &'c Call<'_>) -> impl Iterator<Item = (&'c str, &'c str)> {
    let pairs = call.params.pairs().filter(|(name, _)| !name.eq_ignore_ascii_case("Signature"));
    pairs.map(|(name, value)| (name, shown(name, value)))
}

/// How a call ended.
#[derive(Clone, Copy)]
pub(super) struct End<'a> {
    pub(super) outcome: &'a Result<Done, ApiError>,
    pub(super) request_id: RequestId,
    pub(super) format: Format,
    pub(super) started: Instant,
}

/// Writes a call into the journal of its space.
pub(super) fn record(space: &Space, call: &Call<'_>, trail: &Trail, end: &End<'_>) {
    let (code, status, batch, passed) = match end.outcome {
        Ok(done) => ("OK", 200, done.batch, trail.stations.all_passed()),
        Err(error) => (error.wire(), error.status(), None, trail.stations.passed()),
    };
    let (mut user_agent, mut trace_parent) = (None, None);
    // There are a few: to look at each costs less than to look for two.
    for (name, value) in &call.head.headers {
        let told = match *name {
            USER_AGENT => &mut user_agent,
            _ if *name == TRACE_PARENT => &mut trace_parent,
            _ => continue,
        };
        *told = told.or_else(|| std::str::from_utf8(value.as_bytes()).ok());
    }
    let entry = Entry {
        at: trail.now.unwrap_or_else(|| space.clock.now()),
        duration: end.started.elapsed(),
        request_id: Some(end.request_id),
        method: call.head.method.as_str(),
        path: call.head.uri.path(),
        style: Some(call.style.name()),
        product: trail.product.map(|product| product.name),
        version: call.version(),
        action: trail.action.or_else(|| call.action()),
        format: Some(end.format.name()),
        access_key_id: call.access_key_id(),
        caller: trail.caller.as_ref().map(|caller| {
            let Principal { kind, account, display_name } = Principal::of(caller);
            Who { account, kind, name: display_name }
        }),
        instance: None,
        status,
        code,
        fault: trail.disturbance.as_ref().map(|disturbance| &*disturbance.fault),
        batch: batch.map(|batch| (batch.total as u32, batch.fail as u32)),
        peer: trail.peer,
        user_agent,
        trace_parent,
        passed,
    };
    let refusal = end.outcome.as_ref().err().map(|error| Refusal {
        station: trail.stations.at() as u8,
        row: (!error.is_injected()).then_some(error.code as u16),
        message: error.loggable().replace("{}", "…"),
        facts: facts(error, &entry),
    });
    let waived = trail.waived.iter().map(ToString::to_string).collect::<Vec<_>>();
    let details = (refusal.is_some() || !waived.is_empty()).then(|| Box::new(Details { refusal, waived }));
    space.journal.record(&entry, parameters(call), details);
}

/// What explains a refusal: what was compared where it was decided, and what the call says of itself.
fn facts(error: &ApiError, entry: &Entry<'_>) -> Facts {
    let of_denial = error.denial.iter().flat_map(|denial| denial.facts());
    let mut facts: Facts = error.facts.iter().cloned().chain(of_denial).collect();
    let told = [
        ("product", entry.product),
        ("version", entry.version),
        ("action", entry.action),
        ("access_key_id", entry.access_key_id),
        ("fault", entry.fault),
    ];
    for (name, value) in told {
        if let Some(value) = value.filter(|_| facts.iter().all(|(known, _)| *known != name)) {
            facts.push((name, value.to_owned()));
        }
    }
    facts
}

/// Pairs with their secrets masked, as a signature would be made over them.
pub(super) fn masked<'p>(
    pairs: impl Iterator<Item = (&'p str, &'p str)> + Clone,
) -> impl Iterator<Item = (&'p str, &'p str)> + Clone {
    pairs.map(|(name, value)| (name, if name.eq_ignore_ascii_case("Signature") { MASK } else { shown(name, value) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_something_is_masked_by_its_name_in_any_case() {
        let secret = [
            "SecurityToken",
            "OIDCToken",
            "BearerToken",
            "token",
            "SAMLAssertion",
            "AuthenticationCode",
            "LoginPassword",
            "NewPasswd",
            "AccessKeySecret",
            "PRIVATEKEY",
        ];
        for name in secret {
            assert_eq!((shown(name, "v"), shown(name, "")), (MASK, ""), "{name}");
        }
        for name in ["ClientToken", "NextToken", "Action", "RegionId", "Format", "KeyPairName", "n", ""] {
            assert_eq!(shown(name, "v"), "v", "{name}");
        }
        let inside = [
            r#"{"a":1,"Password":"v"}"#,
            r#"[{"a":{"b":["",{"dbpassword":7}]}}]"#,
            r#"{"Token":{}}"#,
            "[\n  {\n    \"Password\" : \"v\"\n  }\n]",
            r#"[ [ {"Password":"v"}]]"#,
            r#" {"Password":"v"}"#,
            r#"{"Password":"v","Password":""}"#,
            r#"{"a":{"Password":"v"},"a":1}"#,
            r#"{"a\\":"\"","Pass\u0077ord":"v"}"#,
            // Not quite JSON.
            r#"{"Password":"v""#,
            r#"[{"a":1,"Password":"v",}]"#,
            "{'Password':'v'}",
            "{dbPassword:v}",
            &format!(r#"{}{{"Password":"v"}}{}"#, "[".repeat(200), "]".repeat(200)),
        ];
        for value in inside {
            assert_eq!(shown("Attributes", value), MASK, "{value}");
        }
        for value in [
            r#"{"a":"Password"}"#,
            r#"{"a":"{\"Password\":1}","ClientToken":""}"#,
            r#"["Password"]"#,
            r#"["i-1","i-2"]"#,
            r#"{"a":1,}"#,
            "{",
            "[",
            " ",
        ] {
            assert_eq!(shown("Attributes", value), value);
        }
        let pairs = [("signature", "v"), ("A", "v")];
        assert_eq!(masked(pairs.into_iter()).collect::<Vec<_>>(), [("signature", MASK), ("A", "v")]);
    }
}
