//! Who calls: common parameters, key, time, signature, nonce, token, in this order
//! (protocol.md 12, steps 4 to 10).

use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use super::codes::{Family, TokenFault};
use super::recording;
use super::request::{self, Call, Style};
use super::signature::{Mismatch, acs3, rpc_v1};
use crate::api::action::{Caller, Identity, Signer};
use crate::api::error::{ApiError, Code};
use crate::api::station::{Station, Stations};
use crate::settings::{AuthMode, Settings};
use crate::world::{AccessKey, AccountId, KeyOwner, Namespace, SecurityToken, Space, parse_utc, utc_seconds};

/// The prefix of the vendor's live keys.
const LIVE_PREFIX: &str = "LTAI";

/// A call that is asked who makes it.
pub(super) struct Asked<'c, 'a, 's> {
    pub(super) call: &'c Call<'a>,
    pub(super) space: &'c Space,
    pub(super) settings: &'c Settings,
    pub(super) family: Family,
    /// The world's time.
    pub(super) now: Timestamp,
    pub(super) stations: &'s Stations,
}

/// The headers that an ACS3 signature must cover where they are sent (protocol.md 5.2, inferred):
/// what is not signed could be exchanged on the way. `host` is not among them, against that
/// section: aliyun-java-sdk-core 4.7.10 does not sign it (client).
const COVERED: [HeaderName; 4] = [request::ACTION, request::VERSION, request::DATE, request::CONTENT_SHA256];

impl<'c> Asked<'c, '_, '_> {
    /// The caller, and the key that it has signed with, unless signatures do not count.
    ///
    /// # Errors
    /// The first check that fails.
    pub(super) fn authenticate(&self) -> Result<(Caller, Option<Signer<'c>>), ApiError> {
        if self.settings.auth == AuthMode::Off {
            self.stations.enter(Station::Key);
            return Ok((self.unsigned_caller()?, None));
        }
        self.stations.enter(Station::CommonParameters);
        let signer = match self.call.style {
            Style::RpcV1 => self.rpc_v1_signer(),
            Style::Acs3 => self.acs3_signer(),
            Style::Anonymous => Err(self.family.missing("AccessKeyId")),
            Style::Bearer => Err(Code::InvalidBearerToken.into()),
            Style::Acs4 => Err(Code::InvalidSignatureMethod.into()),
            Style::Roa => Err(Code::ActionNotFound.into()),
        }?;
        signer.key.used(self.now);
        Ok((caller(&signer.key), Some(signer)))
    }

    /// With `--auth off`: a key id of 16 digits is the account, any other the default one. A key that
    /// looks like a live one is refused, so that nobody sends real keys here unawares.
    fn unsigned_caller(&self) -> Result<Caller, ApiError> {
        let (id, space) = (self.call.access_key_id().unwrap_or_default(), self.space);
        if id.starts_with(LIVE_PREFIX) && space.store.read(|world| world.key(&space.ids.key_id(id)).is_none()) {
            tracing::warn!("refused a key that looks like a live one of the vendor's ({LIVE_PREFIX}…)");
            return Err(Code::AccessKeyNotFound.into());
        }
        let account = AccountId::parse(Namespace::split(id).0).unwrap_or(AccountId::DEFAULT);
        Ok(Caller { account, identity: Identity::Owner })
    }

    fn rpc_v1_signer(&self) -> Result<Signer<'c>, ApiError> {
        let call = self.call;
        let required = |name| call.params.optional(name).ok_or_else(|| self.family.missing(name));
        let id = required("AccessKeyId")?;
        let signature = required("Signature")?;
        let method = required("SignatureMethod")?;
        let version = required("SignatureVersion")?;
        let nonce = required("SignatureNonce")?;
        let timestamp = required("Timestamp")?;

        let signer = self.signer(id)?;
        let key = &*signer.key;
        self.in_time(timestamp)?;
        self.stations.enter(Station::Signature);
        let algorithm = rpc_v1::Algorithm::parse(method).ok_or_else(|| unknown_method(method))?;
        if version != "1.0" {
            return Err(Code::InvalidParameter.about("SignatureVersion"));
        }
        let (head, pairs) = (call.head.method.as_str(), call.params.pairs());
        let text = rpc_v1::string_to_sign(head, pairs.clone());
        rpc_v1::verify(&key.secret, algorithm, &text, signature).map_err(|Mismatch| {
            let shown = rpc_v1::string_to_sign(head, recording::masked(pairs));
            self.family.mismatch(&text).because([("string_to_sign", shown)])
        })?;
        self.unused(&signer.id, nonce)?;
        self.token(key, &signer.id, call.params.get("SecurityToken"))?;
        Ok(signer)
    }

    fn acs3_signer(&self) -> Result<Signer<'c>, ApiError> {
        let call = self.call;
        let authorization = call.authorization.as_ref().ok_or(Code::SignatureIncomplete)?;
        let date = call.header(&request::DATE).filter(|date| !date.is_empty());
        let date = date.ok_or_else(|| self.family.missing("Timestamp"))?;
        let must_be_covered =
            |name: &HeaderName| call.head.headers.contains_key(name) || *name == request::CONTENT_SHA256;
        if !COVERED.iter().filter(|name| must_be_covered(name)).all(|name| authorization.covers(name.as_str())) {
            return Err(Code::SignatureIncomplete.into());
        }

        let signer = self.signer(authorization.credential)?;
        let key = &*signer.key;
        self.in_time(date)?;
        self.stations.enter(Station::Signature);
        let algorithm =
            acs3::Algorithm::parse(authorization.algorithm).ok_or_else(|| unknown_method(authorization.algorithm))?;
        let canonical_request = |query: &str, headers: &HeaderMap| {
            let method = call.head.method.as_str();
            acs3::canonical_request(algorithm, method, query, headers, &authorization.signed_headers, call.body)
        };
        let canonical = canonical_request(&call.canonical_query, &call.head.headers);
        let text = acs3::string_to_sign(algorithm, &canonical);
        acs3::verify(&key.secret, algorithm, &text, authorization.signature).map_err(|Mismatch| {
            let shown = canonical_request(&call.masked_query(), &call.masked_headers());
            let shown = String::from_utf8_lossy(&shown).into_owned();
            acs3_mismatch(&text, &canonical).because([("string_to_sign", text), ("canonical_request", shown)])
        })?;
        if let Some(nonce) = call.header(&request::NONCE) {
            self.unused(&signer.id, nonce)?;
        }
        self.token(key, &signer.id, call.header(&request::SECURITY_TOKEN))?;
        Ok(signer)
    }

    fn signer(&self, id: &'c str) -> Result<Signer<'c>, ApiError> {
        self.stations.enter(Station::Key);
        Ok(self.space.store.read(|world| Signer::find(world, self.space.ids.key_id(id)))?)
    }

    /// Within the skew of the world's clock or of the wall clock (decision 23).
    fn in_time(&self, text: &str) -> Result<(), ApiError> {
        self.stations.enter(Station::Time);
        let signed_at = || ("signed_at", text.to_owned());
        let at = parse_utc(text).ok_or_else(|| ApiError::from(Code::TimestampFormat).because([signed_at()]))?;
        let (skew, wall) = (self.settings.clock_skew, || self.space.clock.wall());
        let near = |time| at.duration_since(time).abs() <= skew;
        if self.settings.auth == AuthMode::Lenient || near(self.now) || near(wall()) {
            return Ok(());
        }
        let times = [
            signed_at(),
            ("world_time", utc_seconds(self.now)),
            ("machine_time", utc_seconds(wall())),
            ("allowed_skew", format!("{skew:#}")),
        ];
        Err(self.family.out_of_time().because(times))
    }

    /// After the signature, so that a stranger cannot use up nonces (protocol.md 12, inferred).
    fn unused(&self, id: &str, nonce: &str) -> Result<(), ApiError> {
        if self.settings.auth == AuthMode::Lenient {
            return Ok(());
        }
        self.stations.enter(Station::Nonce);
        let remembered = self.space.nonces.lock().remember(id, nonce, self.space.clock.wall());
        remembered.map_err(|_| ApiError::from(Code::NonceUsed).because([("nonce", nonce.to_owned())]))
    }

    /// The token of a temporary key. One that rides along with a permanent key is ignored (decision 29).
    fn token(&self, key: &AccessKey, id: &str, given: Option<&str>) -> Result<(), ApiError> {
        let Some(SecurityToken { value, expires }) = key.token.as_deref() else { return Ok(()) };
        self.stations.enter(Station::Token);
        let fault = |text: &str| [("token_fault", text.to_owned())];
        let Some(given) = given.filter(|given| !given.is_empty()) else {
            return Err(self.family.missing("SecurityToken").because(fault("is absent")));
        };
        if **value != *given {
            let of_another = |(other, key): (&str, &AccessKey)| {
                other != id && key.token.as_ref().is_some_and(|token| *token.value == *given)
            };
            let foreign = self.space.store.read(|world| world.keys().any(of_another));
            return Err(if foreign {
                self.family.token(TokenFault::Mismatch).because(fault("is that of another key"))
            } else {
                self.family.token(TokenFault::Malformed).because(fault("is none of this namespace"))
            });
        }
        if *expires > self.now {
            return Ok(());
        }
        let fault = fault(&format!("expired at {} (it is {})", utc_seconds(*expires), utc_seconds(self.now)));
        Err(self.family.token(TokenFault::Expired).because(fault))
    }
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

fn unknown_method(method: &str) -> ApiError {
    ApiError::from(Code::InvalidSignatureMethod).because([("signature_method", method.to_owned())])
}

fn acs3_mismatch(text: &str, canonical: &[u8]) -> ApiError {
    let wording = Code::SignatureMismatchAcs3.row().text;
    let [start, middle, end] = wording.splitn(3, "{}").collect::<Vec<_>>()[..] else {
        return Code::SignatureMismatchAcs3.with(wording);
    };
    let canonical = String::from_utf8_lossy(canonical);
    Code::SignatureMismatchAcs3.with(format!("{start}{text}{middle}{canonical}{end}"))
}
