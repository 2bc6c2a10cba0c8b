//! Who calls: common parameters, key, time, signature, nonce, token, in this order
//! (protocol.md 12, steps 4 to 10).

use std::sync::Arc;

use http::HeaderName;

use super::codes::{Family, TokenFault};
use super::request::{self, Call, Style};
use super::settings::{AuthMode, Settings};
use super::signature::{Mismatch, acs3, rpc_v1};
use crate::api::action::{Caller, Identity};
use crate::api::error::{ApiError, Code};
use crate::world::{AccessKey, AccountId, KeyOwner, KeyStatus, SecurityToken, Space, parse_utc};

/// The prefix of the vendor's live keys.
const LIVE_PREFIX: &str = "LTAI";

/// # Errors
/// The first check that fails.
pub(super) fn authenticate(
    call: &Call<'_>,
    space: &Space,
    settings: &Settings,
    family: Family,
) -> Result<Caller, ApiError> {
    if settings.auth == AuthMode::Off {
        return unsigned_caller(call, space);
    }
    match call.style {
        Style::RpcV1 => rpc_v1_caller(call, space, settings, family),
        Style::Acs3 => acs3_caller(call, space, settings),
        Style::Anonymous => Err(family.missing("AccessKeyId")),
        Style::Bearer => Err(Code::InvalidBearerToken.into()),
        Style::Acs4 => Err(Code::InvalidSignatureMethod.into()),
        Style::Roa => Err(Code::ActionNotFound.into()),
    }
}

/// With `--auth off`: a key id of 16 digits is the account, any other the default one. A key that
/// looks like a live one is refused, so that nobody sends real keys here unawares.
fn unsigned_caller(call: &Call<'_>, space: &Space) -> Result<Caller, ApiError> {
    let id = call.access_key_id().unwrap_or_default();
    if id.starts_with(LIVE_PREFIX) && space.store.read(|world| world.key(id).is_none()) {
        tracing::warn!("refused a key that looks like a live one of the vendor's ({LIVE_PREFIX}…)");
        return Err(Code::AccessKeyNotFound.into());
    }
    let account = AccountId::parse(id).unwrap_or(AccountId::DEFAULT);
    Ok(Caller { account, identity: Identity::Owner })
}

fn rpc_v1_caller(call: &Call<'_>, space: &Space, settings: &Settings, family: Family) -> Result<Caller, ApiError> {
    let required = |name| call.params.optional(name).ok_or_else(|| family.missing(name));
    let id = required("AccessKeyId")?;
    let signature = required("Signature")?;
    let method = required("SignatureMethod")?;
    let version = required("SignatureVersion")?;
    let nonce = required("SignatureNonce")?;
    let timestamp = required("Timestamp")?;

    let key = active_key(space, id)?;
    in_time(space, settings, timestamp, family)?;
    let algorithm = rpc_v1::Algorithm::parse(method).ok_or(Code::InvalidSignatureMethod)?;
    if version != "1.0" {
        return Err(Code::InvalidParameter.about("SignatureVersion"));
    }
    let text = rpc_v1::string_to_sign(call.head.method.as_str(), call.params.pairs());
    rpc_v1::verify(&key.secret, algorithm, &text, signature).map_err(|Mismatch| family.mismatch(&text))?;
    unused(space, settings, id, nonce)?;
    token(space, &key, id, call.params.get("SecurityToken"), family)?;
    Ok(caller(space, &key))
}

/// The headers that an ACS3 signature must cover where they are sent (protocol.md 5.2, inferred):
/// what is not signed could be exchanged on the way. `host` is not among them, against that
/// section: aliyun-java-sdk-core 4.7.10 does not sign it (client).
const COVERED: [HeaderName; 4] = [request::ACTION, request::VERSION, request::DATE, request::CONTENT_SHA256];

fn acs3_caller(call: &Call<'_>, space: &Space, settings: &Settings) -> Result<Caller, ApiError> {
    let family = Family::General;
    let authorization = call.authorization.as_ref().ok_or(Code::SignatureIncomplete)?;
    let date = call.header(&request::DATE).filter(|date| !date.is_empty());
    let date = date.ok_or_else(|| family.missing("Timestamp"))?;
    let must_be_covered = |name: &HeaderName| call.head.headers.contains_key(name) || *name == request::CONTENT_SHA256;
    if !COVERED.iter().filter(|name| must_be_covered(name)).all(|name| authorization.covers(name.as_str())) {
        return Err(Code::SignatureIncomplete.into());
    }

    let id = authorization.credential;
    let key = active_key(space, id)?;
    in_time(space, settings, date, family)?;
    let algorithm = acs3::Algorithm::parse(authorization.algorithm).ok_or(Code::InvalidSignatureMethod)?;
    let canonical = acs3::canonical_request(
        algorithm,
        call.head.method.as_str(),
        &call.canonical_query,
        &call.head.headers,
        &authorization.signed_headers,
        call.body,
    );
    let text = acs3::string_to_sign(algorithm, &canonical);
    acs3::verify(&key.secret, algorithm, &text, authorization.signature)
        .map_err(|Mismatch| acs3_mismatch(&text, &canonical))?;
    if let Some(nonce) = call.header(&request::NONCE) {
        unused(space, settings, id, nonce)?;
    }
    token(space, &key, id, call.header(&request::SECURITY_TOKEN), family)?;
    Ok(caller(space, &key))
}

/// Whom the key that has signed speaks for.
fn caller(space: &Space, key: &AccessKey) -> Caller {
    key.used(space.clock.now());
    let identity = match &key.owner {
        KeyOwner::Account => Identity::Owner,
        KeyOwner::User(user) => Identity::User(*user),
        KeyOwner::Session(session) => Identity::RoleSession(Arc::clone(session)),
    };
    Caller { account: key.account, identity }
}

fn acs3_mismatch(text: &str, canonical: &[u8]) -> ApiError {
    let wording = Code::SignatureMismatchAcs3.row().text;
    let [start, middle, end] = wording.splitn(3, "{}").collect::<Vec<_>>()[..] else {
        return Code::SignatureMismatchAcs3.with(wording);
    };
    let canonical = String::from_utf8_lossy(canonical);
    Code::SignatureMismatchAcs3.with(format!("{start}{text}{middle}{canonical}{end}"))
}

fn active_key(space: &Space, id: &str) -> Result<Arc<AccessKey>, ApiError> {
    let key = space.store.read(|world| world.key(id).cloned()).ok_or(Code::AccessKeyNotFound)?;
    match key.status {
        KeyStatus::Active => Ok(key),
        KeyStatus::Inactive => Err(Code::AccessKeyInactive.into()),
    }
}

/// Within the skew of the world's clock or of the wall clock (decision 23).
fn in_time(space: &Space, settings: &Settings, text: &str, family: Family) -> Result<(), ApiError> {
    let at = parse_utc(text).ok_or(Code::TimestampFormat)?;
    let near = |now| at.duration_since(now).abs() <= settings.clock_skew;
    if settings.auth == AuthMode::Lenient || near(space.clock.now()) || near(space.clock.wall()) {
        Ok(())
    } else {
        Err(family.out_of_time())
    }
}

/// After the signature, so that a stranger cannot use up nonces (protocol.md 12, inferred).
fn unused(space: &Space, settings: &Settings, id: &str, nonce: &str) -> Result<(), ApiError> {
    if settings.auth == AuthMode::Lenient {
        return Ok(());
    }
    let remembered = space.nonces.lock().remember(id, nonce, space.clock.wall());
    remembered.map_err(|_| Code::NonceUsed.into())
}

/// The token of a temporary key. One that rides along with a permanent key is ignored (decision 29).
fn token(space: &Space, key: &AccessKey, id: &str, given: Option<&str>, family: Family) -> Result<(), ApiError> {
    let Some(SecurityToken { value, expires }) = key.token.as_deref() else { return Ok(()) };
    let given = given.filter(|given| !given.is_empty()).ok_or_else(|| family.missing("SecurityToken"))?;
    if **value != *given {
        let of_another = |(other, key): (&str, &AccessKey)| {
            other != id && key.token.as_ref().is_some_and(|token| *token.value == *given)
        };
        let foreign = space.store.read(|world| world.keys().any(of_another));
        return Err(family.token(if foreign { TokenFault::Mismatch } else { TokenFault::Malformed }));
    }
    if *expires <= space.clock.now() { Err(family.token(TokenFault::Expired)) } else { Ok(()) }
}
