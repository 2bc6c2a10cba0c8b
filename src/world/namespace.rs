//! Names of spaces, and how an id says which one it is of.

use std::fmt;

use compact_str::CompactString;
use serde::Serialize;

use super::InstanceId;

/// The name of a space: [`Namespace::FORM`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Namespace(CompactString);

/// Why headers name no namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOneNamespace {
    /// This is the name of none.
    None(String),
    /// They differ.
    Several,
}

impl Namespace {
    /// Where whoever names no space is.
    pub const DEFAULT: Self = Self(CompactString::const_new("default"));

    /// What a name looks like, for people. Clients take a segment `.` or `..` out of a path, and then would name nothing.
    pub const FORM: &str = "1 to 63 letters, digits, '-', '_' or '.', the first no '.'";

    /// Header of requests that says the same as the end of an id.
    pub const HEADER: &str = "x-ecsim-namespace";

    pub fn parse(name: &str) -> Option<Self> {
        let good = (1..=63).contains(&name.len())
            && !name.starts_with('.')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        good.then(|| Self(name.into()))
    }

    /// The one that a request's headers of this name say.
    ///
    /// # Errors
    /// [`NotOneNamespace`].
    pub fn in_headers<'h>(values: impl IntoIterator<Item = &'h [u8]>) -> Result<Option<Self>, NotOneNamespace> {
        let mut values = values.into_iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.any(|other| other != value) {
            return Err(NotOneNamespace::Several);
        }
        let name = std::str::from_utf8(value).ok().and_then(Self::parse);
        name.map(Some).ok_or_else(|| NotOneNamespace::None(String::from_utf8_lossy(value).into_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_default(&self) -> bool {
        *self == Self::DEFAULT
    }

    /// Divides `<id>@<namespace>`: what follows the last `@`, if it can be a name.
    pub fn split(text: &str) -> (&str, Option<Self>) {
        let parts = text.rsplit_once('@').and_then(|(id, name)| Some((id, Some(Self::parse(name)?))));
        parts.unwrap_or((text, None))
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An instance, and the space that it is in: `INSTANCE_ID[@NAMESPACE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedInstance {
    pub id: InstanceId,
    /// `None`: `default`, unless something else says which.
    pub namespace: Option<Namespace>,
}

impl NamedInstance {
    /// `None` for an empty id.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, namespace) = Namespace::split(text);
        (!id.is_empty()).then(|| Self { id: InstanceId::new(id), namespace })
    }

    /// The space that it is in where nothing else says which.
    pub fn namespace(&self) -> Namespace {
        self.namespace.clone().unwrap_or(Namespace::DEFAULT)
    }
}

impl fmt::Display for NamedInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, namespace) = (&self.id, self.namespace());
        if namespace.is_default() { id.fmt(f) } else { write!(f, "{id}@{namespace}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_last_at_sign_names_a_space_if_it_can_be_a_name() {
        let split = |text| {
            let (id, namespace) = Namespace::split(text);
            (id, namespace.map(|name| name.to_string()))
        };
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(split("test"), ("test", None));
        assert_eq!(split("test@gw0"), ("test", named("gw0")));
        assert_eq!(split("a@b@c-1_2.3"), ("a@b", named("c-1_2.3")));
        let long = format!("test@{}", "n".repeat(64));
        for text in ["test@", "test@a b", "test@ü", "test@.", "test@..", "test@.a", &long] {
            assert_eq!(split(text), (text, None));
        }
    }

    #[test]
    fn an_instance_is_printed_as_it_is_read() {
        for (text, printed) in [("i-1", "i-1"), ("i-1@t", "i-1@t"), ("i-1@default", "i-1")] {
            assert_eq!(NamedInstance::parse(text).map(|named| named.to_string()).as_deref(), Some(printed));
        }
        assert_eq!(NamedInstance::parse("@t"), None);
    }
}
