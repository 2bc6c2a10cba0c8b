//! Both renderings of an answer carry the same: the same members in the same order, with the same
//! texts in them.

use ecsim::api::error::{ApiError, Code};
use ecsim::api::render::{Format, Item, Items, LONG, Rendered, failure, success};
use ecsim::world::Ids;
use md5::{Digest, Md5};
use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value;

/// A reply as any action could have it.
#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Number(i64),
    Flag(bool),
    Object(Vec<Node>),
    List(Vec<Node>),
}

/// The members of an object, in order.
const NAMES: [&str; 6] = ["RequestId", "Name", "TotalCount", "A", "Inner.Part", "Z-1"];

impl Item for Node {
    const ELEMENT: &'static str = "Member";
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_i64(*number),
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

/// Any text, more often than by chance with what JSON or XML could stumble over.
fn text() -> impl Strategy<Value = String> {
    let awkward = [
        "]]>",
        "<![CDATA[",
        "<!--",
        "-->",
        "<?",
        "<",
        ">",
        "&",
        "&amp;",
        "&#0;",
        "\"",
        "'",
        "\0",
        "\u{8}",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\u{b}",
        "\u{1f}",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{fffe}",
        "\u{ffff}",
        "\u{10ffff}",
        " ",
        "\\",
        "{}",
    ];
    let piece = prop_oneof![
        prop::sample::select(awkward.to_vec()).prop_map(str::to_owned),
        any::<char>().prop_map(String::from)
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        3 => text().prop_map(Node::Text),
        1 => any::<i64>().prop_map(Node::Number),
        1 => any::<bool>().prop_map(Node::Flag),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..NAMES.len()).prop_map(Node::Object),
            prop::collection::vec(inner, 0..4).prop_map(Node::List),
        ]
    })
}

/// What XML can hold of a text.
fn legal(text: &str) -> String {
    let legal = |c: char| match c {
        '\t' | '\n' | '\r' => c,
        '\0'..=' ' if c != ' ' => char::REPLACEMENT_CHARACTER,
        '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(legal).collect()
}

/// The path of a leaf, and its text.
type Leaf = (String, String);

/// The leaves of a JSON document in order. What holds nothing is a leaf without text, as in XML.
fn json_leaves(text: &str) -> Vec<Leaf> {
    fn walk(value: &Value, path: &str, leaves: &mut Vec<Leaf>) {
        match value {
            Value::Array(list) => list.iter().for_each(|member| walk(member, path, leaves)),
            Value::Object(object) => {
                let before = leaves.len();
                for (name, member) in object {
                    walk(member, &format!("{path}/{name}"), leaves);
                }
                if leaves.len() == before {
                    leaves.push((path.to_owned(), String::new()));
                }
            }
            Value::String(text) => leaves.push((path.to_owned(), legal(text))),
            other => leaves.push((path.to_owned(), other.to_string())),
        }
    }
    let mut leaves = Vec::new();
    walk(&serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}")), "", &mut leaves);
    leaves
}

/// The leaves of an XML document in order, below its root, whose name is told too. Line ends come
/// out as XML parsers hand them on: a bare carriage return as a line feed.
fn xml_leaves(text: &str) -> (String, Vec<Leaf>) {
    let mut reader = Reader::from_str(text);
    let (mut root, mut leaves) = (String::new(), Vec::new());
    // Name, text so far, and whether there are elements inside.
    let mut open: Vec<(String, String, bool)> = Vec::new();
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("{error} in {text:?}"));
        let (name, empty) = match &event {
            Event::Start(start) => (start.name().as_ref().to_owned(), false),
            Event::Empty(start) => (start.name().as_ref().to_owned(), true),
            Event::End(_) => (String::new(), true),
            Event::Text(part) => {
                assert!(!part.contains("]]>"), "XML forbids it: {text:?}");
                match open.last_mut() {
                    Some((_, text, _)) => text.push_str(&part.xml10_content()),
                    None => assert_eq!(part.xml10_content(), "", "outside the root"),
                }
                continue;
            }
            Event::CData(part) => {
                open.last_mut().expect("inside").1.push_str(&part.xml10_content());
                continue;
            }
            Event::GeneralRef(reference) => {
                let c = match (reference.resolve_char_ref().expect("a reference"), &*reference.xml10_content()) {
                    (Some(c), _) => c,
                    (None, "lt") => '<',
                    (None, "gt") => '>',
                    (None, "amp") => '&',
                    (None, "apos") => '\'',
                    (None, "quot") => '"',
                    (None, other) => panic!("unknown entity {other}"),
                };
                open.last_mut().expect("inside").1.push(c);
                continue;
            }
            Event::Decl(_) => continue,
            Event::Eof => break,
            other => panic!("{other:?} has no place in an answer"),
        };
        if !matches!(event, Event::End(_)) {
            match open.last_mut() {
                Some((_, _, parent)) => *parent = true,
                None => root.push_str(&name),
            }
            open.push((name, String::new(), false));
        }
        if empty {
            let path = open[1..].iter().map(|(name, _, _)| format!("/{name}")).collect::<Vec<_>>().concat();
            let (_, text, parent) = open.pop().expect("open");
            if parent {
                assert_eq!(text, "", "text beside elements");
            } else {
                leaves.push((path, text));
            }
        }
    }
    assert!(open.is_empty(), "{text}");
    (root, leaves)
}

const DECLARATION: &str = "<?xml version='1.0' encoding='UTF-8'?>";

/// What is rendered, as text.
fn body(rendered: Rendered) -> String {
    let is_digested = rendered.text.len() < LONG;
    assert_eq!(rendered.md5, is_digested.then(|| Md5::digest(&rendered.text).into()));
    String::from_utf8(rendered.text).expect("text")
}

#[test]
fn what_is_short_is_digested_and_what_is_long_is_not() {
    for format in [Format::Json, Format::Xml] {
        for room in [0, LONG] {
            let of_length = |length: usize| {
                let rendered = |padding| {
                    let reply = Padded { text: "a".repeat(padding) };
                    success(format, "DetachInstanceRamRole", &reply, room).expect("a reply can be rendered")
                };
                let around = rendered(1).text.len() - 1;
                rendered(length - around)
            };
            for length in [LONG - 65, LONG - 1, LONG, LONG + 1] {
                let rendered = of_length(length);
                assert_eq!((rendered.text.len(), rendered.md5.is_some()), (length, length < LONG));
                body(rendered);
            }
        }
    }
}

#[derive(serde::Serialize)]
struct Padded {
    text: String,
}

fn both<R: Serialize>(reply: &R) -> (Vec<Leaf>, String, Vec<Leaf>) {
    let render = |format| body(success(format, "DetachInstanceRamRole", reply, 0).expect("a reply can be rendered"));
    let [json, xml] = [Format::Json, Format::Xml].map(render);
    assert_eq!(json, serde_json::to_string(reply).expect("JSON"));
    assert!(xml.starts_with(&format!("{DECLARATION}<")), "{xml}");
    let (root, leaves) = xml_leaves(&xml);
    (json_leaves(&json), root, leaves)
}

fn refusal(error: &ApiError, host: &str) -> (Vec<Leaf>, String, Vec<Leaf>) {
    let (request_id, _) = Ids::seeded(1).call();
    let render = |format| body(failure(format, error, request_id, host, "Ecs"));
    let xml = render(Format::Xml);
    assert!(xml.starts_with(&format!("{DECLARATION}<")), "{xml}");
    let (root, leaves) = xml_leaves(&xml);
    (json_leaves(&render(Format::Json)), root, leaves)
}

proptest! {
    #[test]
    fn both_renderings_of_a_reply_carry_the_same(members in prop::collection::vec(node(), 1..NAMES.len())) {
        let (json, root, xml) = both(&Node::Object(members));
        prop_assert_eq!(root, "DetachInstanceRamRoleResponse");
        prop_assert_eq!(json, xml);
    }

    #[test]
    fn both_renderings_of_a_refusal_carry_the_same(
        code in prop::sample::select(Code::ALL.to_vec()),
        message in text(),
        host in text(),
    ) {
        let (json, root, xml) = refusal(&code.with(message.clone()), &host);
        prop_assert_eq!(root, "Error");
        prop_assert_eq!(&json, &xml);
        let names: Vec<_> = xml.iter().map(|(path, _)| path.as_str()).collect();
        prop_assert_eq!(names, ["/RequestId", "/HostId", "/Code", "/Message", "/Recommend"]);
        prop_assert_eq!(&xml[3].1, &legal(&message));
    }
}

#[test]
fn the_leaves_of_a_wrapped_list_stand_below_its_element() {
    let reply = Node::Object(vec![
        Node::Text("R".to_owned()),
        Node::List(vec![Node::Text(" a<&]]>\u{1}".to_owned()), Node::Object(vec![Node::Flag(true)])]),
        Node::List(Vec::new()),
        Node::Text(String::new()),
    ]);
    let (json, _, xml) = both(&reply);
    let expected = [
        ("/RequestId", "R"),
        ("/Name/Member", " a<&]]>\u{fffd}"),
        ("/Name/Member/RequestId", "true"),
        ("/TotalCount", ""),
        ("/A", ""),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(json, expected);
    assert_eq!(xml, expected);
}
