//! JSON as policies are read from: members in order, repeats kept, and every mistake with its place.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    pub fault: Fault,
    /// A JSON path such as `$.Statement[0].Effect`; `$` is the document as a whole.
    pub place: String,
    pub reason: String,
}

/// The kinds of mistake that the vendor has different codes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too many characters, or none.
    Length,
    /// Anything else.
    Grammar,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for PolicyError {}

/// Where in a document a value stands; printed only when something is wrong there.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Root,
    Member(&'a Place<'a>, &'a str),
    Element(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("$"),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl Place<'_> {
    pub(super) fn wrong(&self, reason: impl Into<String>) -> PolicyError {
        PolicyError { fault: Fault::Grammar, place: self.to_string(), reason: reason.into() }
    }
}

/// A JSON value. Scalars other than texts keep only their text, as JSON prints it: the language writes every value as
/// a string, and takes bare numbers and booleans for their text (ram.md 5, inferred).
#[derive(Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Text(String),
    Bare(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Reads a document of 1 to `longest` characters.
    pub(super) fn parse(text: &str, longest: usize) -> Result<Self, PolicyError> {
        let length = text.chars().count();
        if !(1..=longest).contains(&length) {
            let reason = format!("a document of {length} characters; it may have 1 to {longest}");
            return Err(PolicyError { fault: Fault::Length, place: Place::Root.to_string(), reason });
        }
        serde_json::from_str(text).map_err(|error| Place::Root.wrong(format!("not JSON: {error}")))
    }

    /// The members of an object, all of them known and none of them twice.
    pub(super) fn members<'n>(&'n self, at: &Place<'_>, known: &[&str]) -> Result<Members<'n>, PolicyError> {
        let members = self.any_members(at)?;
        for (name, _) in members.0 {
            if !known.contains(&name.as_str()) {
                return Err(
                    Place::Member(at, name).wrong(format!("no such element here; there are {}", known.join(", ")))
                );
            }
        }
        Ok(members)
    }

    /// The members of an object, none of them twice: with a repeat, what is read is not what was meant (inferred).
    pub(super) fn any_members(&self, at: &Place<'_>) -> Result<Members<'_>, PolicyError> {
        let Self::Object(members) = self else { return Err(at.wrong("must be an object")) };
        for (index, (name, _)) in members.iter().enumerate() {
            if members[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Place::Member(at, name).wrong("is there twice"));
            }
        }
        Ok(Members(members))
    }

    /// A value, or a list with at least one: both mean the same (ram.md 5, documented). That a list
    /// cannot be empty is inferred: an empty `NotAction` would mean everything.
    pub(super) fn one_or_many(&self, at: &Place<'_>) -> Result<&[Self], PolicyError> {
        match self {
            Self::List(many) if many.is_empty() => Err(at.wrong("cannot be empty")),
            Self::List(many) => Ok(many),
            one => Ok(std::slice::from_ref(one)),
        }
    }

    /// Reads each of one or many values, telling `read` where it stands.
    pub(super) fn each<T>(
        &self,
        at: &Place<'_>,
        mut read: impl FnMut(&Self, &Place<'_>) -> Result<T, PolicyError>,
    ) -> Result<Box<[T]>, PolicyError> {
        let nodes = self.one_or_many(at)?;
        let listed = matches!(self, Self::List(_));
        let place = |index| if listed { Place::Element(at, index) } else { *at };
        nodes.iter().enumerate().map(|(index, node)| read(node, &place(index))).collect()
    }

    pub(super) fn text(&self, at: &Place<'_>) -> Result<&str, PolicyError> {
        if let Self::Text(text) = self { Ok(text) } else { Err(at.wrong("must be a string")) }
    }

    /// A text, or the text of a bare number or boolean.
    pub(super) fn scalar(&self, at: &Place<'_>) -> Result<&str, PolicyError> {
        if let Self::Text(text) | Self::Bare(text) = self { Ok(text) } else { Err(at.wrong("must be a string")) }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Members<'n>(&'n [(String, Node)]);

impl<'n> Members<'n> {
    pub(super) fn get(self, name: &str) -> Option<&'n Node> {
        self.iter().find_map(|(known, node)| (known == name).then_some(node))
    }

    pub(super) fn required(self, at: &Place<'_>, name: &str) -> Result<&'n Node, PolicyError> {
        self.get(name).ok_or_else(|| at.wrong(format!("needs {name}")))
    }

    pub(super) fn iter(self) -> impl Iterator<Item = (&'n str, &'n Node)> {
        self.0.iter().map(|(name, node)| (name.as_str(), node))
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_repeats_are_refused_with_their_place() {
        let node = Node::parse(r#"{"b":{"x/y~":1,"x/y~":true},"a":null}"#, 100).expect("JSON");
        let members = node.members(&Place::Root, &["a", "b"]).expect("members");
        assert_eq!(members.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["b", "a"]);
        let place = Place::Member(&Place::Root, "b");
        let repeat = members.get("b").expect("b").any_members(&place).err().expect("a repeat");
        assert_eq!(repeat.to_string(), "$.b.x/y~: is there twice");
    }

    #[test]
    fn one_value_and_a_list_of_one_are_the_same_and_no_value_is_neither() {
        let read = |text: &str| Node::parse(text, 100).expect("JSON");
        let texts = |node: &Node| node.each(&Place::Root, |node, at| node.scalar(at).map(str::to_owned));
        assert_eq!(texts(&read(r#""a""#)), texts(&read(r#"["a"]"#)));
        assert_eq!(texts(&read("true")).expect("a text"), ["true".to_owned()].into());
        assert_eq!(texts(&read("[1, -2, 0.5]")).expect("texts").join(" "), "1 -2 0.5");
        assert_eq!(texts(&read("[]")).expect_err("empty").to_string(), "$: cannot be empty");
        assert_eq!(texts(&read(r#"["a", null]"#)).expect_err("null").to_string(), "$[1]: must be a string");
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!(Node::parse("\"北\"", 3), Ok(Node::Text("北".to_owned())));
        for text in ["\"北北\"", ""] {
            assert_eq!(Node::parse(text, 3).expect_err("a length").fault, Fault::Length);
        }
    }
}
