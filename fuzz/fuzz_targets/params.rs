//! Parameters: no bytes make a reader panic, what is decoded is what a plain reader decodes, and
//! what was decoded is decoded again from its own encoding.

#![no_main]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use arbitrary::Unstructured;
use ecsim::api::error::Code;
use ecsim::api::params::{Malformed, Params, Text, decode, decode_good, decode_json};
use ecsim_fuzz::by_the_book::{self, Pair};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|data: &[u8]| {
    if let Some(pairs) = check_form(data) {
        check_access(&pairs);
    }
    if let Some(pairs) = check_json(data) {
        check_access(&pairs);
    }
    if let Ok(pairs) = Unstructured::new(data).arbitrary::<Vec<Pair>>() {
        let form = by_the_book::encode_pairs(&pairs);
        assert_eq!(owned(decode(form.as_bytes()).expect("well encoded")), pairs);
        check_access(&pairs);
    }
});

fn owned(pairs: Vec<(Text<'_>, Text<'_>)>) -> Vec<Pair> {
    pairs.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn borrowed(pairs: &[Pair]) -> Vec<(Text<'_>, Text<'_>)> {
    pairs.iter().map(|(name, value)| (Cow::Borrowed(&**name), Cow::Borrowed(&**value))).collect()
}

fn check_form(data: &[u8]) -> Option<Vec<Pair>> {
    let pieces: Vec<_> = data.split(|&b| b == b'&').map(by_the_book::decode_piece).collect();
    let good: Vec<Pair> = pieces.iter().cloned().filter_map(Result::ok).flatten().collect();
    assert_eq!(owned(decode_good(data)), good);
    match decode(data) {
        Ok(pairs) => {
            assert!(pieces.iter().all(Result::is_ok), "decoded what is badly encoded");
            let pairs = owned(pairs);
            assert_eq!(pairs, good);
            let again = by_the_book::encode_pairs(&pairs);
            assert_eq!(owned(decode(again.as_bytes()).expect("well encoded")), pairs);
            Some(pairs)
        }
        Err(error) => {
            assert_eq!(error.code, Code::MalformedEncoding);
            assert!(pieces.iter().any(Result::is_err), "refused what is well encoded");
            None
        }
    }
}

fn check_json(data: &[u8]) -> Option<Vec<Pair>> {
    let members = serde_json::from_slice::<Map<String, Value>>(data).ok();
    let pairs = decode_json(data).map(owned);
    assert_eq!(pairs.is_ok(), members.is_some());
    let (pairs, members) = (pairs.ok()?, members?);
    assert_eq!(pairs.len(), members.len());
    for ((name, text), (member, value)) in pairs.iter().zip(&members) {
        assert_eq!(name, member);
        match value {
            Value::String(value) => assert_eq!(text, value),
            _ => assert!(serde_json::from_str::<Value>(text).is_ok(), "{text:?} is no JSON"),
        }
    }
    let texts: Map<_, _> = pairs.iter().map(|(name, text)| (name.clone(), Value::from(&**text))).collect();
    let again = Value::from(texts).to_string();
    assert_eq!(owned(decode_json(again.as_bytes()).expect("an object")), pairs);
    Some(pairs)
}

fn check_access(pairs: &[Pair]) {
    let params = Params::new(borrowed(pairs));
    let model: BTreeMap<&str, &str> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert!(params.pairs().eq(model.iter().map(|(name, value)| (*name, *value))));
    assert_eq!((params.len(), params.is_empty()), (model.len(), model.is_empty()));
    for name in model.keys().copied().chain(["InstanceIds"]) {
        let value = model.get(name).copied();
        let given = value.filter(|value| !value.is_empty());
        assert_eq!(params.get(name), value);
        assert_eq!(params.optional(name), given);
        assert_eq!(params.required(name), given.ok_or_else(|| Code::MissingParameter.about(name)));
        check_flag(&params, name, given);
        check_integer(&params, name, given);
        check_list(&params, name, given);
    }
    // Every name up to each of its dots is the name of a repeated parameter.
    let families: HashSet<&str> =
        model.keys().flat_map(|name| name.match_indices('.').map(|(at, _)| &name[..at])).collect();
    for family in families.into_iter().take(16).chain(["", "Tag"]) {
        assert_eq!(params.rows(family).map_err(|error| error.code), rows(&model, family), "{family:?}");
    }
}

fn check_flag(params: &Params<'_>, name: &str, given: Option<&str>) {
    let flag = match given.map(str::to_ascii_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Code::InvalidParameter.about(name)),
    };
    assert_eq!(params.flag(name), flag);
}

fn check_integer(params: &Params<'_>, name: &str, given: Option<&str>) {
    match params.integer(name, 3..=1000, 7) {
        Ok(number) => {
            let written = given.map_or("7", |text| text.trim_start_matches('+').trim_start_matches('0'));
            assert_eq!(number.to_string(), written);
            assert!((3..=1000).contains(&number));
        }
        Err(error) => {
            assert_eq!(error, Code::InvalidParameter.about(name));
            assert!(given.is_some(), "the default is refused");
            let number: Option<u32> = given.and_then(|text| text.parse().ok());
            assert!(number.is_none_or(|number| !(3..=1000).contains(&number)));
        }
    }
}

fn check_list(params: &Params<'_>, name: &str, given: Option<&str>) {
    let strings = |text: &str| serde_json::from_str::<Vec<String>>(text).ok();
    let list = given.map(|text| {
        let quoted = || if text.contains('"') { None } else { strings(&text.replace('\'', "\"")) };
        let list = strings(text).or_else(quoted).ok_or(Malformed)?;
        if list.is_empty() || list.len() > 5 || list.iter().any(String::is_empty) {
            return Err(Malformed);
        }
        let mut seen = HashSet::new();
        Ok(list.into_iter().filter(|member| seen.insert(member.clone())).collect::<Vec<_>>())
    });
    assert_eq!(params.json_list::<String>(name, 1..=5), list);
}

type Rows<'a> = Vec<Vec<(&'a str, &'a str)>>;

fn rows<'a>(model: &BTreeMap<&'a str, &'a str>, family: &str) -> Result<Rows<'a>, Code> {
    let mut rows: BTreeMap<u32, Vec<(&str, &str)>> = BTreeMap::new();
    for (name, value) in model {
        let Some(rest) = name.strip_prefix(family).and_then(|rest| rest.strip_prefix('.')) else { continue };
        let (number, field) = rest.split_once('.').unwrap_or((rest, ""));
        if !number.chars().all(|c| c.is_ascii_digit()) {
            return Err(Code::InvalidParameter);
        }
        match number.parse() {
            Ok(0) | Err(_) => return Err(Code::InvalidParameter),
            Ok(number) => rows.entry(number).or_default().push((field, value)),
        }
    }
    Ok(rows.into_values().collect())
}
