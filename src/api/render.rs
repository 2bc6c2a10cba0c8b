//! One reply model, two renderings.

use std::borrow::Cow;
use std::fmt;
use std::io;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use quick_xml::Writer;
use quick_xml::events::{BytesCData, BytesText};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::error::ApiError;
use super::json;
use super::permission::Denial;
use crate::world::RequestId;

/// The format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Xml,
}

impl Format {
    /// As parameter `Format` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Xml => "XML",
        }
    }

    /// The exact text that the real service sends and that v2 SDKs compare with (protocol.md 9.3).
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json;charset=utf-8",
            Self::Xml => "text/xml;charset=utf-8",
        }
    }
}

/// With single quotes, as the real gateway writes it (protocol.md 9.2, recorded).
const DECLARATION: &str = "<?xml version='1.0' encoding='UTF-8'?>";

/// The member name of a wrapped list.
pub trait Item {
    const ELEMENT: &'static str;
}

/// A list as the vendor wraps it: `"Regions":{"Region":[..]}`, `<Regions><Region>..</Region></Regions>`.
#[derive(Clone, Debug)]
pub struct Items<T>(pub Vec<T>);

/// A list of at most one member, wrapped alike.
#[derive(Clone, Debug)]
pub struct AtMostOne<T>(pub Option<T>);

impl<T: Item + Serialize> Serialize for Items<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        wrapped(&self.0, serializer)
    }
}

impl<T: Item + Serialize> Serialize for AtMostOne<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        wrapped(self.0.as_slice(), serializer)
    }
}

fn wrapped<T: Item + Serialize, S: Serializer>(list: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    let mut wrapper = serializer.serialize_struct("Items", 1)?;
    wrapper.serialize_field(T::ELEMENT, list)?;
    wrapper.end()
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// UTF-8.
    pub text: Vec<u8>,
    /// The MD5 of the text, for the ETag, unless it has [`LONG`] or more bytes: that of several such costs much less when
    /// it is taken at once.
    pub md5: Option<[u8; 16]>,
}

/// From how many bytes on a text is long.
pub const LONG: usize = 4096;

impl Rendered {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    fn of(text: Vec<u8>) -> Self {
        Self { md5: (text.len() < LONG).then(|| md5_many::md5(&text)), text }
    }
}

/// Renders a reply, into a buffer that begins with `room` bytes.
///
/// # Errors
/// A reply that a writer refuses: a mistake of ours, the same for every value of its type.
pub fn success<R: Serialize>(format: Format, action: &str, reply: &R, room: usize) -> Result<Rendered, String> {
    match format {
        Format::Json => json::written(reply, room).map(Rendered::of).map_err(|error| error.to_string()),
        Format::Xml => {
            let mut text = Legal(String::with_capacity(room));
            text.0.push_str(DECLARATION);
            let root = format!("{action}Response");
            let mut writer =
                quick_xml::se::Serializer::with_root(&mut text, Some(&root)).map_err(|error| error.to_string())?;
            writer.set_quote_level(quick_xml::se::QuoteLevel::Partial);
            reply.serialize(writer).map_err(|error| error.to_string())?;
            Ok(Rendered::of(text.0.into_bytes()))
        }
    }
}

/// Renders a refusal: the members and their order of protocol.md 10.1 and 10.2 (order inferred). `Recommend`
/// is of the first form there; that a space in a code becomes `+` is inferred.
pub fn failure(format: Format, error: &ApiError, request_id: RequestId, host_id: &str, product: &str) -> Rendered {
    let query = [("q", error.wire()), ("product", product), ("requestId", request_id.as_str())];
    // Pairs of text cannot fail to become a query.
    let query = serde_urlencoded::to_string(query).unwrap_or_default();
    let recommend = format!("https://api.aliyun.com/troubleshoot?{query}");
    let detail = error.denial.as_deref().map(|denial| AccessDeniedDetail::of(denial, request_id));
    let body = ErrorBody {
        request_id,
        host_id,
        code: error.wire(),
        message: &error.message,
        recommend,
        access_denied_detail: detail,
    };
    match format {
        // A struct of text members cannot fail to become JSON.
        Format::Json => Rendered::of(json::written(&body, USUAL_REFUSAL).unwrap_or_default()),
        Format::Xml => Rendered::of(body.to_xml().into_bytes()),
    }
}

/// About as long as the text of most refusals is.
const USUAL_REFUSAL: usize = 512;

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorBody<'a> {
    request_id: RequestId,
    host_id: &'a str,
    code: &'a str,
    message: &'a str,
    recommend: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_denied_detail: Option<AccessDeniedDetail<'a>>,
}

/// Who was denied what, and by which kind of policy: all texts (ram.md 6).
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccessDeniedDetail<'a> {
    auth_action: &'a str,
    auth_principal_type: &'a str,
    auth_principal_owner_id: String,
    auth_principal_display_name: &'a str,
    no_permission_type: &'a str,
    policy_type: &'a str,
    encoded_diagnostic_message: String,
}

impl<'a> AccessDeniedDetail<'a> {
    fn of(denial: &'a Denial, request_id: RequestId) -> Self {
        let principal = &denial.principal;
        // Begins as the real ones do (`AQE`), and is as opaque; it names the call (inferred).
        let message = [&[1, 1, 0], request_id.as_str().as_bytes()].concat();
        Self {
            auth_action: denial.action,
            auth_principal_type: principal.kind,
            auth_principal_owner_id: principal.account.to_string(),
            auth_principal_display_name: &principal.display_name,
            no_permission_type: denial.no_permission_type(),
            policy_type: denial.policy_type(),
            encoded_diagnostic_message: BASE64_STANDARD.encode(message),
        }
    }

    fn members(&self) -> [(&'static str, &str); 7] {
        [
            ("AuthAction", self.auth_action),
            ("AuthPrincipalType", self.auth_principal_type),
            ("AuthPrincipalOwnerId", &self.auth_principal_owner_id),
            ("AuthPrincipalDisplayName", self.auth_principal_display_name),
            ("NoPermissionType", self.no_permission_type),
            ("PolicyType", self.policy_type),
            ("EncodedDiagnosticMessage", &self.encoded_diagnostic_message),
        ]
    }
}

impl ErrorBody<'_> {
    /// By hand, because the serializer has no CDATA, in which the real gateway wraps `Recommend`.
    fn to_xml(&self) -> String {
        let mut writer = Writer::new(DECLARATION.as_bytes().to_vec());
        let written = writer.create_element("Error").write_inner_content(|inner| {
            let members = [
                ("RequestId", self.request_id.as_str()),
                ("HostId", self.host_id),
                ("Code", self.code),
                ("Message", self.message),
            ];
            write_texts(inner, &members)?;
            inner.create_element("Recommend").write_cdata_content(BytesCData::new(&*self.recommend))?;
            if let Some(detail) = &self.access_denied_detail {
                let element = inner.create_element("AccessDeniedDetail");
                element.write_inner_content(|inner| write_texts(inner, &detail.members()))?;
            }
            Ok(())
        });
        // Writing to a vector does not fail.
        written.map(|writer| String::from_utf8_lossy(writer.get_ref()).into_owned()).unwrap_or_default()
    }
}

fn write_texts(writer: &mut Writer<Vec<u8>>, members: &[(&str, &str)]) -> io::Result<()> {
    for (name, text) in members {
        let text = legal(text);
        let escaped = BytesText::from_escaped(quick_xml::escape::partial_escape(&*text));
        writer.create_element(*name).write_text_content(escaped)?;
    }
    Ok(())
}

/// Whether XML 1.0 can hold the character at all, escaped or not.
fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The text with U+FFFD in place of what XML cannot hold.
fn legal(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_legal) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(|c| if is_legal(c) { c } else { char::REPLACEMENT_CHARACTER }).collect())
    }
}

/// A text that takes only what XML can hold.
struct Legal(String);

impl fmt::Write for Legal {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(&legal(text));
        Ok(())
    }
}
