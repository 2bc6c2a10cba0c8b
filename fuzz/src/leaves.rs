//! What stands in an answer, whichever format it has: each leaf's path and text, in order.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

/// The path of a leaf, and its text. What holds nothing is a leaf without text.
pub type Leaf = (String, String);

/// The text with U+FFFD in place of what XML 1.0 cannot hold (its production `Char`).
pub fn legal(text: &str) -> String {
    let legal = |c: char| match u32::from(c) {
        0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x1_0000..=0x10_FFFF => c,
        _ => '\u{FFFD}',
    };
    text.chars().map(legal).collect()
}

/// The leaves of a JSON document.
pub fn of_json(text: &str) -> Vec<Leaf> {
    let document = serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON: {error} in {text:?}"));
    let mut leaves = Vec::new();
    of_value(&document, "", &mut leaves);
    leaves
}

fn of_value(value: &Value, path: &str, leaves: &mut Vec<Leaf>) {
    match value {
        Value::Array(list) => list.iter().for_each(|member| of_value(member, path, leaves)),
        Value::Object(object) => {
            let before = leaves.len();
            for (name, member) in object {
                of_value(member, &format!("{path}/{name}"), leaves);
            }
            if leaves.len() == before {
                leaves.push((path.to_owned(), String::new()));
            }
        }
        Value::String(text) => leaves.push((path.to_owned(), text.clone())),
        other => leaves.push((path.to_owned(), other.to_string())),
    }
}

/// The name of the root of an XML document, and the leaves below it. Two readers have to agree on
/// them: one that is strict about what is XML, and one that hands on what it finds.
pub fn of_xml(text: &str) -> (String, Vec<Leaf>) {
    let strict = strictly_of_xml(text);
    assert_eq!(strict, plainly_of_xml(text), "two readers see different things in {text:?}");
    strict
}

fn strictly_of_xml(text: &str) -> (String, Vec<Leaf>) {
    fn walk(element: roxmltree::Node<'_, '_>, path: &str, leaves: &mut Vec<Leaf>) {
        let elements: Vec<_> = element.children().filter(roxmltree::Node::is_element).collect();
        let texts = element.children().filter(roxmltree::Node::is_text).filter_map(|child| child.text());
        let text: String = texts.collect();
        if elements.is_empty() {
            leaves.push((path.to_owned(), text));
        } else {
            assert_eq!(text, "", "text beside elements");
            for child in elements {
                walk(child, &format!("{path}/{}", child.tag_name().name()), leaves);
            }
        }
    }
    let document = roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("no XML: {error} in {text:?}"));
    let mut leaves = Vec::new();
    walk(document.root_element(), "", &mut leaves);
    (document.root_element().tag_name().name().to_owned(), leaves)
}

/// An element that has begun and not ended.
struct Open {
    path: String,
    text: String,
    has_elements: bool,
}

fn plainly_of_xml(document: &str) -> (String, Vec<Leaf>) {
    let mut reader = Reader::from_str(document);
    let (mut root, mut leaves) = (None, Vec::new());
    let mut open: Vec<Open> = Vec::new();
    let end = |open: &mut Vec<Open>, leaves: &mut Vec<Leaf>| {
        let Open { path, text, has_elements } = open.pop().expect("an element is open");
        if has_elements {
            assert_eq!(text, "", "text beside elements");
        } else {
            leaves.push((path, text));
        }
    };
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("no XML: {error} in {document:?}"));
        let found = match &event {
            Event::Start(start) | Event::Empty(start) => {
                let name = start.name().as_ref().to_owned();
                let path = if let Some(parent) = open.last_mut() {
                    parent.has_elements = true;
                    format!("{}/{name}", parent.path)
                } else {
                    assert_eq!(root.replace(name), None, "two roots");
                    String::new()
                };
                open.push(Open { path, text: String::new(), has_elements: false });
                if matches!(event, Event::Empty(_)) {
                    end(&mut open, &mut leaves);
                }
                continue;
            }
            Event::End(_) => {
                end(&mut open, &mut leaves);
                continue;
            }
            Event::Decl(_) => continue,
            Event::Eof => break,
            Event::Text(part) => part.xml10_content().into_owned(),
            Event::CData(part) => part.xml10_content().into_owned(),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().expect("a character reference") {
                Some(c) => c.to_string(),
                None => match &*reference.xml10_content() {
                    "lt" => "<".to_owned(),
                    "gt" => ">".to_owned(),
                    "amp" => "&".to_owned(),
                    other => panic!("the entity {other} is not expected in {document:?}"),
                },
            },
            other => panic!("{other:?} has no place in an answer"),
        };
        match open.last_mut() {
            Some(element) => element.text.push_str(&found),
            None => assert_eq!(found, "", "outside the root"),
        }
    }
    assert!(open.is_empty(), "an element does not end in {document:?}");
    (root.expect("a root"), leaves)
}
