//! A reply as any action could have it.

use arbitrary::{Arbitrary, Result, Unstructured};
use ecsim::api::render::{Item, Items};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::leaves::Leaf;

/// A value of a reply.
#[derive(Clone, Debug)]
pub enum Node {
    Text(String),
    Number(i64),
    Count(u64),
    Flag(bool),
    Object(Vec<Node>),
    List(Vec<Node>),
}

/// The members of an object, in order.
const NAMES: [&str; 8] = ["RequestId", "Name", "TotalCount", "A", "Inner.Part", "Z-1", "_", "OSName"];

/// Deeper than any reply of the vendor's, and within what JSON readers take.
const DEEPEST: usize = 12;

/// The most members of an object or a list.
const MOST: usize = 6;

impl Node {
    fn at_depth(u: &mut Unstructured<'_>, depth: usize) -> Result<Self> {
        let kinds = if depth < DEEPEST { 8 } else { 5 };
        Ok(match u.int_in_range(0..=kinds - 1)? {
            0 | 1 => Self::Text(u.arbitrary()?),
            2 => Self::Number(u.arbitrary()?),
            3 => Self::Count(u.arbitrary()?),
            4 => Self::Flag(u.arbitrary()?),
            5 => Self::List(Self::members(u, depth)?),
            _ => Self::Object(Self::members(u, depth)?),
        })
    }

    fn members(u: &mut Unstructured<'_>, depth: usize) -> Result<Vec<Self>> {
        (0..u.int_in_range(0..=MOST)?).map(|_| Self::at_depth(u, depth + 1)).collect()
    }

    /// The leaves that every rendering has to carry.
    pub fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        self.leaves_at("", &mut leaves);
        leaves
    }

    fn leaves_at(&self, path: &str, leaves: &mut Vec<Leaf>) {
        let mut leaf = |text: String| leaves.push((path.to_owned(), text));
        match self {
            Self::Text(text) => leaf(text.clone()),
            Self::Number(number) => leaf(number.to_string()),
            Self::Count(number) => leaf(number.to_string()),
            Self::Flag(flag) => leaf(flag.to_string()),
            Self::Object(members) | Self::List(members) if members.is_empty() => leaf(String::new()),
            Self::Object(members) => {
                for (name, member) in NAMES.into_iter().zip(members) {
                    member.leaves_at(&format!("{path}/{name}"), leaves);
                }
            }
            Self::List(members) => {
                let path = format!("{path}/{}", Self::ELEMENT);
                for member in members {
                    member.leaves_at(&path, leaves);
                }
            }
        }
    }
}

/// At the top a reply is an object.
impl<'a> Arbitrary<'a> for Node {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Self::members(u, 0).map(Self::Object)
    }
}

impl Item for Node {
    const ELEMENT: &'static str = "Member";
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Count(number) => serializer.serialize_u64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::List(members) => Items(members.clone()).serialize(serializer),
            Self::Object(members) => {
                let mut object = serializer.serialize_struct("Object", members.len())?;
                for (name, member) in NAMES.into_iter().zip(members) {
                    object.serialize_field(name, member)?;
                }
                object.end()
            }
        }
    }
}
