//! Who calls: common parameters, key, time, signature, nonce, token, in this order
//! (protocol.md 12, steps 4 to 10).

use std::sync::Arc;

use http::HeaderName;
use jiff::Timestamp;

use super::codes::{Family, TokenFault};
use super::request::{self, Call, Style};
use super::signature::{Mismatch, acs3, rpc_v1};
use crate::api::action::{Caller, Identity, Signer};
use crate::api::error::{ApiError, Code};
use crate::settings::{AuthMode, Settings};
use crate::world::{AccessKey, AccountId, KeyOwner, Namespace, SecurityToken, Space, parse_utc};

/// The prefix of the vendor's live keys.
const LIVE_PREFIX: &str = "LTAI";

/// The caller, and the key that it has signed with, unless signatures do not count. `now` is the world's time.
///
/// # Errors
/// The first check that fails.
pub(super) fn authenticate<'c>(
    call: &'c Call<'_>,
    space: &Space,
    settings: &Settings,
    family: Family,
    now: Timestamp,
) -> Result<(Caller, Option<Signer<'c>>), ApiError> {
    if settings.auth == AuthMode::Off {
        return Ok((unsigned_caller(call, space)?, None));
    }
    let signer = match call.style {
        Style::RpcV1 => rpc_v1_signer(call, space, settings, family, now),
        Style::Acs3 => acs3_signer(call, space, settings, now),
        Style::Anonymous => Err(family.missing("AccessKeyId")),
        Style::Bearer => Err(Code::InvalidBearerToken.into()),
        Style::Acs4 => Err(Code::InvalidSignatureMethod.into()),
        Style::Roa => Err(Code::ActionNotFound.into()),
    }?;
    signer.key.used(now);
    Ok((caller(&signer.key), Some(signer)))
}

/// With `--auth off`: a key id of 16 digits is the account, any other the default one. A key that
/// looks like a live one is refused, so that nobody sends real keys here unawares.
fn unsigned_caller(call: &Call<'_>, space: &Space) -> Result<Caller, ApiError> {
    let id = call.access_key_id().unwrap_or_default();
    if id.starts_with(LIVE_PREFIX) && space.store.read(|world| world.key(&space.ids.key_id(id)).is_none()) {
        tracing::warn!("refused a key that looks like a live one of the vendor's ({LIVE_PREFIX}…)");
        return Err(Code::AccessKeyNotFound.into());
    }
    let account = AccountId::parse(Namespace::split(id).0).unwrap_or(AccountId::DEFAULT);
    Ok(Caller { account, identity: Identity::Owner })
}

fn rpc_v1_signer<'c>(
    call: &'c Call<'_>,
    space: &Space,
    settings: &Settings,
    family: Family,
    now: Timestamp,
) -> Result<Signer<'c>, ApiError> {
    let required = |name| call.params.optional(name).ok_or_else(|| family.missing(name));
    let id = required("AccessKeyId")?;
    let signature = required("Signature")?;
    let method = required("SignatureMethod")?;
    let version = required("SignatureVersion")?;
    let nonce = required("SignatureNonce")?;
    let timestamp = required("Timestamp")?;

    let signer = space.store.read(|world| Signer::find(world, space.ids.key_id(id)))?;
    let key = &*signer.key;
    in_time(space, settings, timestamp, family, now)?;
    let algorithm = rpc_v1::Algorithm::parse(method).ok_or(Code::InvalidSignatureMethod)?;
    if version != "1.0" {
        return Err(Code::InvalidParameter.about("SignatureVersion"));
    }
    let text = rpc_v1::string_to_sign(call.head.method.as_str(), call.params.pairs());
    rpc_v1::verify(&key.secret, algorithm, &text, signature).map_err(|Mismatch| family.mismatch(&text))?;
    unused(space, settings, &signer.id, nonce)?;
    token(space, key, &signer.id, call.params.get("SecurityToken"), family, now)?;
    Ok(signer)
}

/// The headers that an ACS3 signature must cover where they are sent (protocol.md 5.2, inferred):
/// what is not signed could be exchanged on the way. `host` is not among them, against that
/// section: aliyun-java-sdk-core 4.7.10 does not sign it (client).
const COVERED: [HeaderName; 4] = [request::ACTION, request::VERSION, request::DATE, request::CONTENT_SHA256];

fn acs3_signer<'c>(
    call: &'c Call<'_>,
    space: &Space,
    settings: &Settings,
    now: Timestamp,
) -> Result<Signer<'c>, ApiError> {
    let family = Family::General;
    let authorization = call.authorization.as_ref().ok_or(Code::SignatureIncomplete)?;
    let date = call.header(&request::DATE).filter(|date| !date.is_empty());
    let date = date.ok_or_else(|| family.missing("Timestamp"))?;
    let must_be_covered = |name: &HeaderName| call.head.headers.contains_key(name) || *name == request::CONTENT_SHA256;
    if !COVERED.iter().filter(|name| must_be_covered(name)).all(|name| authorization.covers(name.as_str())) {
        return Err(Code::SignatureIncomplete.into());
    }

    let id = authorization.credential;
    let signer = space.store.read(|world| Signer::find(world, space.ids.key_id(id)))?;
    let key = &*signer.key;
    in_time(space, settings, date, family, now)?;
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
        unused(space, settings, &signer.id, nonce)?;
    }
    token(space, key, &signer.id, call.header(&request::SECURITY_TOKEN), family, now)?;
    Ok(signer)
}

/// Whom the key that has signed speaks for.
fn caller(key: &AccessKey) -> Caller {
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

/// Within the skew of the world's clock or of the wall clock (decision 23).
fn in_time(space: &Space, settings: &Settings, text: &str, family: Family, now: Timestamp) -> Result<(), ApiError> {
    let at = parse_utc(text).ok_or(Code::TimestampFormat)?;
    let near = |time| at.duration_since(time).abs() <= settings.clock_skew;
    if settings.auth == AuthMode::Lenient || near(now) || near(space.clock.wall()) {
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
fn token(
    space: &Space,
    key: &AccessKey,
    id: &str,
    given: Option<&str>,
    family: Family,
    now: Timestamp,
) -> Result<(), ApiError> {
    let Some(SecurityToken { value, expires }) = key.token.as_deref() else { return Ok(()) };
    let given = given.filter(|given| !given.is_empty()).ok_or_else(|| family.missing("SecurityToken"))?;
    if **value != *given {
        let of_another = |(other, key): (&str, &AccessKey)| {
            other != id && key.token.as_ref().is_some_and(|token| *token.value == *given)
        };
        let foreign = space.store.read(|world| world.keys().any(of_another));
        return Err(family.token(if foreign { TokenFault::Mismatch } else { TokenFault::Malformed }));
    }
    if *expires <= now { Err(family.token(TokenFault::Expired)) } else { Ok(()) }
}
