//! What can be told from a request before anybody is asked: its style, product, action and format.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::recording::{MASK, masked};
use super::signature::acs3::{self, Authorization};
use crate::api::error::{ApiError, Code};
use crate::api::params::{self, Params, Text};
use crate::api::render::Format;
use crate::world::{InstanceId, Namespace, NotOneNamespace};

pub(super) const ACTION: HeaderName = HeaderName::from_static("x-acs-action");
pub(super) const VERSION: HeaderName = HeaderName::from_static("x-acs-version");
pub(super) const DATE: HeaderName = HeaderName::from_static("x-acs-date");
pub(super) const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-acs-content-sha256");
pub(super) const NONCE: HeaderName = HeaderName::from_static("x-acs-signature-nonce");
pub(super) const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-acs-security-token");
pub(super) const BEARER_TOKEN: HeaderName = HeaderName::from_static("x-acs-bearer-token");

/// How a call is signed, in the order in which it is told (protocol.md 2, inferred).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `Authorization: ACS3-…`
    Acs3,
    /// `Authorization: acs …`: the REST style, which ECS does not have
    Roa,
    /// `Authorization: ACS4-…`
    Acs4,
    Bearer,
    /// Parameters `Signature` or `AccessKeyId`
    RpcV1,
    Anonymous,
}

/// A request, read as far as possible: reading never fails, mistakes are reported in their turn.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) head: &'a Parts,
    pub(super) body: &'a [u8],
    pub(super) style: Style,
    /// The parts of an ACS3 signature, if it has them all.
    pub(super) authorization: Option<Authorization<'a>>,
    /// Query and body, merged.
    pub(super) params: Params<'a>,
    /// The query alone, as ACS3 signs it; empty for other styles.
    pub(super) canonical_query: String,
    /// Whether action, version and token stand in headers, not in parameters.
    in_headers: bool,
    malformed: Option<ApiError>,
    pair_count: usize,
}

impl<'a> Call<'a> {
    pub(super) fn read(head: &'a Parts, body: &'a [u8]) -> Self {
        let mut malformed = None;
        let mut pairs = Vec::new();
        if let Some(query) = head.uri.query() {
            collect(
                params::decode(query.as_bytes()),
                || params::decode_good(query.as_bytes()),
                &mut pairs,
                &mut malformed,
            );
        }
        let authorization = header(head, &AUTHORIZATION).unwrap_or_default();
        let signed_by_header = Style::by_authorization(authorization);
        let (authorization, canonical_query) = if signed_by_header == Some(Style::Acs3) {
            (acs3::parse_authorization(authorization), acs3::canonical_query(&pairs))
        } else {
            (None, String::new())
        };
        if !body.is_empty() {
            match media_type(head) {
                Some(MediaType::Form) => {
                    collect(params::decode(body), || params::decode_good(body), &mut pairs, &mut malformed);
                }
                Some(MediaType::Json) => collect(params::decode_json(body), Vec::new, &mut pairs, &mut malformed),
                None => {}
            }
        }
        let pair_count = pairs.len();
        let params = Params::new(pairs);
        let style = signed_by_header.unwrap_or_else(|| Style::by_params(head, &params));
        let in_headers = match style {
            Style::Acs3 | Style::Acs4 => true,
            Style::RpcV1 | Style::Roa => false,
            Style::Bearer | Style::Anonymous => params.get("Action").is_none() && head.headers.contains_key(ACTION),
        };
        Self { head, body, style, authorization, params, canonical_query, in_headers, malformed, pair_count }
    }

    /// # Errors
    /// The first thing that could not be read, or too many parameters (decision 24).
    pub(super) fn well_formed(&self, max_params: usize) -> Result<(), ApiError> {
        if self.pair_count > max_params {
            let text = format!("The request has {} parameters; {max_params} are allowed.", self.pair_count);
            return Err(Code::InvalidParameter.with(text));
        }
        self.malformed.clone().map_or(Ok(()), Err)
    }

    /// The action's name as the client wrote it. An ACS3 call without the header falls back to the
    /// parameter; a V1 call never looks at the header, which is not signed (protocol.md 2, inferred).
    pub(super) fn action(&self) -> Option<&str> {
        self.named(&ACTION, "Action")
    }

    pub(super) fn version(&self) -> Option<&str> {
        self.named(&VERSION, "Version")
    }

    fn named(&self, in_header: &HeaderName, in_params: &str) -> Option<&str> {
        let by_header = self.in_headers.then(|| header(self.head, in_header)).flatten();
        by_header.or_else(|| self.params.get(in_params)).filter(|text| !text.is_empty())
    }

    /// Whether action and version stand in headers.
    pub(super) fn is_in_headers(&self) -> bool {
        self.in_headers
    }

    /// The key id that the call names, which picks its space.
    pub(super) fn access_key_id(&self) -> Option<&str> {
        match self.style {
            Style::Acs3 => self.authorization.as_ref().map(|parsed| parsed.credential),
            _ => self.params.get("AccessKeyId"),
        }
    }

    /// Whether one of the parameters by which calls name instances names this one.
    pub(super) fn names_instance(&self, id: &str) -> bool {
        self.params.pairs().any(|(name, value)| match name {
            "InstanceId" => value == id,
            "InstanceIds" => {
                // Whatever takes more of them refuses the call.
                let ids = self.params.json_list::<InstanceId>(name, 0..=100);
                ids.and_then(Result::ok).is_some_and(|ids| ids.iter().any(|listed| listed.as_str() == id))
            }
            _ => name.starts_with("InstanceId.") && value == id,
        })
    }

    /// The value of a header, if it is text.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&'a str> {
        header(self.head, name)
    }

    /// The namespace that the headers say.
    pub(super) fn namespace(&self) -> Result<Option<Namespace>, NotOneNamespace> {
        Namespace::in_headers(self.head.headers.get_all(Namespace::HEADER).iter().map(HeaderValue::as_bytes))
    }

    /// The wanted format, or the one to refuse in and the code (protocol.md 8).
    pub(super) fn format(&self) -> Result<Format, (Format, Code)> {
        // `None` is what an old Python client writes for "not set".
        let wanted = self.params.optional("Format").filter(|wanted| *wanted != "None");
        match wanted {
            Some(wanted) if wanted.eq_ignore_ascii_case("json") => Ok(Format::Json),
            Some(wanted) if wanted.eq_ignore_ascii_case("xml") => Ok(Format::Xml),
            Some(_) if self.in_headers => Err((Format::Json, Code::InvalidFormat)),
            Some(_) => Err((Format::Xml, Code::InvalidFormat)),
            None if self.in_headers => self.accepted(),
            None => Ok(Format::Xml),
        }
    }

    /// What header `Accept` asks for: JSON unless only XML will do (protocol.md 8, inferred).
    fn accepted(&self) -> Result<Format, (Format, Code)> {
        let Some(accept) = header(self.head, &ACCEPT).filter(|accept| !accept.trim().is_empty()) else {
            return Ok(Format::Json);
        };
        let accept = accept.to_ascii_lowercase();
        if accept.contains("json") || accept.contains("*/*") || accept.contains("application/*") {
            Ok(Format::Json)
        } else if accept.contains("/xml") {
            Ok(Format::Xml)
        } else {
            Err((Format::Json, Code::InvalidAccept))
        }
    }

    /// The query as ACS3 signs it, without what nobody may read.
    pub(super) fn masked_query(&self) -> String {
        let pairs = params::decode(self.head.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
        let pairs: Vec<_> = masked(pairs.iter().map(|(name, value)| (&**name, &**value))).collect();
        acs3::canonical_query(&pairs)
    }

    /// The headers without what nobody may read.
    pub(super) fn masked_headers(&self) -> HeaderMap {
        let mut headers = self.head.headers.clone();
        for name in [SECURITY_TOKEN, BEARER_TOKEN, AUTHORIZATION] {
            if let http::header::Entry::Occupied(mut there) = headers.entry(name) {
                there.insert(HeaderValue::from_static(MASK));
            }
        }
        headers
    }

    /// The address that the client called: the Host header without the scheme that some clients
    /// leave in it (protocol.md 0, item 4), else the target's authority.
    pub(super) fn authority(&self) -> &'a str {
        let host = header(self.head, &HOST).filter(|host| !host.is_empty());
        let text = host.or_else(|| self.head.uri.authority().map(http::uri::Authority::as_str)).unwrap_or("localhost");
        if !text.contains('/') {
            return text;
        }
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        text.split_once('/').map_or(text, |(authority, _)| authority)
    }

    /// The authority without its port (protocol.md 10.1, inferred).
    pub(super) fn host_id(&self) -> &'a str {
        let authority = self.authority();
        match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        }
    }
}

impl Style {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Acs3 => "ACS3",
            Self::Roa => "ROA",
            Self::Acs4 => "ACS4",
            Self::Bearer => "Bearer",
            Self::RpcV1 => "V1",
            Self::Anonymous => "anonymous",
        }
    }

    fn by_authorization(value: &str) -> Option<Self> {
        let starts = |prefix: &str| value.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        if starts("ACS3-") {
            Some(Self::Acs3)
        } else if starts("acs ") {
            Some(Self::Roa)
        } else if starts("ACS4-") {
            Some(Self::Acs4)
        } else {
            None
        }
    }

    fn by_params(head: &Parts, params: &Params<'_>) -> Self {
        let bearer = head.headers.contains_key(BEARER_TOKEN) || params.get("SignatureType") == Some("BEARERTOKEN");
        if bearer {
            Self::Bearer
        } else if params.get("Signature").is_some() || params.get("AccessKeyId").is_some() {
            Self::RpcV1
        } else {
            Self::Anonymous
        }
    }
}

enum MediaType {
    Form,
    Json,
}

/// The kinds of body that hold parameters (protocol.md 1.2): compared without case and charset.
fn media_type(head: &Parts) -> Option<MediaType> {
    let essence = header(head, &CONTENT_TYPE)?.split(';').next()?.trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Some(MediaType::Form)
    } else if essence.eq_ignore_ascii_case("application/json") {
        Some(MediaType::Json)
    } else {
        None
    }
}

fn header<'h>(head: &'h Parts, name: &HeaderName) -> Option<&'h str> {
    std::str::from_utf8(head.headers.get(name)?.as_bytes()).ok()
}

/// Adds what was decoded; after a mistake, what can be read all the same, so that the refusal
/// comes in the asked format.
fn collect<'a>(
    decoded: Result<Vec<(Text<'a>, Text<'a>)>, ApiError>,
    good: impl FnOnce() -> Vec<(Text<'a>, Text<'a>)>,
    pairs: &mut Vec<(Text<'a>, Text<'a>)>,
    malformed: &mut Option<ApiError>,
) {
    let decoded = decoded.unwrap_or_else(|error| {
        malformed.get_or_insert(error);
        good()
    });
    if pairs.is_empty() {
        *pairs = decoded;
    } else {
        pairs.extend(decoded);
    }
}
