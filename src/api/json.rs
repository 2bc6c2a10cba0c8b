//! Replies as JSON (ADR 17).
//!
//! Names of members and texts without escapes are copied here, and everything else is serde_json's.

use std::fmt;

use serde::Serialize;
use serde::ser::{Error, Impossible, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct, Serializer};

/// Writes a value, into a buffer that begins with `room` bytes.
///
/// # Errors
/// A value with what no reply has, a map or a variant with members: the same for every value of its type.
pub(super) fn written<T: Serialize>(value: &T, room: usize) -> Result<Vec<u8>, Unwritable> {
    let mut writer = Writer { text: Vec::with_capacity(room) };
    value.serialize(&mut writer)?;
    Ok(writer.text)
}

/// Why a value cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unwritable(String);

impl Error for Unwritable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl Unwritable {
    fn kind(kind: &str) -> Self {
        Self(format!("no reply has {kind}"))
    }
}

type Written = Result<(), Unwritable>;

struct Writer {
    text: Vec<u8>,
}

impl Writer {
    fn text(&mut self, text: &str) -> Written {
        if !is_plain(text.as_bytes()) {
            return self.by_library(text);
        }
        self.text.push(b'"');
        self.text.extend_from_slice(text.as_bytes());
        self.text.push(b'"');
        Ok(())
    }

    fn by_library<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        serde_json::to_writer(&mut self.text, value).map_err(Unwritable::custom)
    }

    fn open(&mut self, open: u8, close: u8) -> Members<'_> {
        self.text.push(open);
        Members { writer: self, is_first: true, close }
    }
}

/// Whether nothing in a text has to be escaped: no control character, quote or backslash. Eight bytes at a time, the last
/// eight of them perhaps twice.
fn is_plain(text: &[u8]) -> bool {
    let (words, _) = text.as_chunks();
    match text.last_chunk() {
        Some(last) => !words.iter().fold(false, |any, word| any | needs_escape(*word)) && !needs_escape(*last),
        None => !text.iter().any(|byte| matches!(byte, ..b' ' | b'"' | b'\\')),
    }
}

/// Whether one of eight bytes has to be escaped, by the usual tricks for a zero and for a lesser byte in a word.
fn needs_escape(word: [u8; 8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let word = u64::from_le_bytes(word);
    let has_less = |than: u8| word.wrapping_sub(ONES * u64::from(than)) & !word;
    let has = |byte: u8| {
        let zero = word ^ (ONES * u64::from(byte));
        zero.wrapping_sub(ONES) & !zero
    };
    (has_less(b' ') | has(b'"') | has(b'\\')) & HIGH != 0
}

macro_rules! by_library {
    ($($method:ident($type:ty),)*) => {
        $(fn $method(self, value: $type) -> Written {
            self.by_library(&value)
        })*
    };
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Members<'w>;
    type SerializeTuple = Members<'w>;
    type SerializeTupleStruct = Members<'w>;
    type SerializeTupleVariant = Impossible<(), Unwritable>;
    type SerializeMap = Impossible<(), Unwritable>;
    type SerializeStruct = Members<'w>;
    type SerializeStructVariant = Impossible<(), Unwritable>;

    by_library! {
        serialize_bool(bool), serialize_char(char), serialize_bytes(&[u8]), serialize_f32(f32), serialize_f64(f64),
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Written {
        self.text(text)
    }

    fn serialize_none(self) -> Written {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.text.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.text(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Written {
        Err(Unwritable::kind("a variant with a value"))
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'w>, Unwritable> {
        Ok(self.open(b'[', b']'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Members<'w>, Unwritable> {
        Ok(self.open(b'[', b']'))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Members<'w>, Unwritable> {
        Ok(self.open(b'[', b']'))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unwritable> {
        Err(Unwritable::kind("a variant with members"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unwritable> {
        Err(Unwritable::kind("a map"))
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'w>, Unwritable> {
        Ok(self.open(b'{', b'}'))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unwritable> {
        Err(Unwritable::kind("a variant with members"))
    }
}

/// An array or object whose members are being written.
struct Members<'w> {
    writer: &'w mut Writer,
    is_first: bool,
    close: u8,
}

impl Members<'_> {
    #[inline]
    fn member<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        if !self.is_first {
            self.writer.text.push(b',');
        }
        self.is_first = false;
        value.serialize(&mut *self.writer)
    }

    #[inline]
    fn close(self) {
        self.writer.text.push(self.close);
    }
}

impl SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Unwritable;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
        debug_assert!(is_plain(name.as_bytes()), "{name:?}");
        self.writer.text.extend_from_slice(if self.is_first { b"\"" } else { b",\"" });
        self.is_first = false;
        self.writer.text.extend_from_slice(name.as_bytes());
        self.writer.text.extend_from_slice(b"\":");
        value.serialize(&mut *self.writer)
    }

    #[inline]
    fn end(self) -> Written {
        self.close();
        Ok(())
    }
}

macro_rules! members_without_names {
    ($($kind:ident::$method:ident,)*) => {
        $(impl $kind for Members<'_> {
            type Ok = ();
            type Error = Unwritable;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.member(value)
            }

            #[inline]
            fn end(self) -> Written {
                self.close();
                Ok(())
            }
        })*
    };
}

members_without_names! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Serialize)]
    enum Kind {
        Unit,
        #[serde(rename = "quo\"ted")]
        Quoted,
    }

    #[derive(Debug, Serialize)]
    struct Everything {
        text: String,
        texts: Vec<String>,
        numbers: (u8, i16, u32, i64, usize, f32),
        float: f64,
        flag: bool,
        letter: char,
        maybe: Option<Box<Everything>>,
        unit: (),
        kinds: [Kind; 2],
        pair: Pair,
        wrapped: Wrapped,
    }

    #[derive(Debug, Serialize)]
    struct Pair(bool, String);

    #[derive(Debug, Serialize)]
    struct Wrapped(String);

    prop_compose! {
        /// Texts of every length about a word's, most of which need an escape somewhere or nowhere.
        fn text()(text in "[a-z北\u{7f}]{0,20}([\"\\\\\\x00-\\x1f]|)[a-z]{0,12}") -> String {
            text
        }
    }

    fn everything() -> impl Strategy<Value = Everything> {
        let one = (
            proptest::collection::vec(text(), 0..6),
            any::<(u8, i16, u32, i64, usize, f32)>(),
            any::<(f64, bool, char)>(),
        );
        let one = one.prop_map(|(texts, numbers, (float, flag, letter))| {
            let text = texts.concat();
            let (pair, wrapped) = (Pair(flag, text.clone()), Wrapped(text.clone()));
            let kinds = [Kind::Unit, Kind::Quoted];
            Everything { text, texts, numbers, float, flag, letter, maybe: None, unit: (), kinds, pair, wrapped }
        });
        proptest::collection::vec(one, 1..8).prop_map(|all| {
            let nest = |inner, outer| Everything { maybe: Some(Box::new(inner)), ..outer };
            all.into_iter().reduce(nest).expect("one at least")
        })
    }

    proptest! {
        #[test]
        fn it_is_what_the_library_writes(value in everything()) {
            let text = written(&value, 0).expect("it can be written");
            prop_assert_eq!(String::from_utf8_lossy(&text), serde_json::to_string(&value).expect("JSON"));
        }

        #[test]
        fn plain_is_what_the_library_does_not_escape(text in text()) {
            let whole = serde_json::to_string(&text).expect("JSON");
            prop_assert_eq!(is_plain(text.as_bytes()), whole.len() == text.len() + 2);
        }
    }

    #[test]
    fn every_byte_is_plain_or_not_in_every_place() {
        for (place, byte) in (0..24).flat_map(|place| (0..128).map(move |byte| (place, byte))) {
            let mut text = [b'a'; 24];
            text[place] = byte;
            for length in place + 1..=24 {
                let expected = !matches!(byte, ..b' ' | b'"' | b'\\');
                assert_eq!(is_plain(&text[..length]), expected, "{byte} at {place} of {length}");
            }
        }
    }

    #[test]
    fn what_no_reply_has_is_an_error() {
        assert_eq!(
            written(&BTreeMap::from([(1, 2)]), 0).err().map(|error| error.to_string()),
            Some("no reply has a map".into())
        );
    }
}
