//! Every random thing that the emulator hands out, drawn from one generator a space.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, RngExt, SeedableRng, TryRng};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Namespace;
use super::sync::Mutex;

const MIXED: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The generator of one space. With a seed, the same calls draw the same ids.
pub struct Ids {
    drawn: Mutex<Drawn>,
    /// What the ids of keys end in.
    suffix: Box<str>,
}

struct Drawn {
    rng: StdRng,
    /// What generators of their own begin with, and how many there were.
    apart: (Seed, u64),
}

type Seed = [u8; 32];

impl Drawn {
    fn beginning(seed: Seed) -> Self {
        Self { rng: StdRng::from_seed(seed), apart: (seed, 0) }
    }
}

impl Ids {
    /// Those of the space `default`; they repeat exactly for the same `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self::of(Some(seed), &Namespace::DEFAULT)
    }

    /// With a seed they repeat exactly, in each space otherwise. Without one, nobody can guess what comes next.
    pub fn of(seed: Option<u64>, namespace: &Namespace) -> Self {
        let suffix = if namespace.is_default() { String::new() } else { format!("@{namespace}") };
        Self::ending_in(suffix.into(), seed)
    }

    /// Those of what is in no space. They repeat as others do, and are not the ids of any space.
    pub(super) fn of_none(seed: Option<u64>) -> Self {
        // No name is empty.
        Self::ending_in("@".into(), seed)
    }

    fn ending_in(suffix: Box<str>, seed: Option<u64>) -> Self {
        Self::beginning(seed.map_or_else(random, |seed| seed_of(seed, &suffix)), suffix)
    }

    fn beginning(seed: Seed, suffix: Box<str>) -> Self {
        Self { drawn: Mutex::new(Drawn::beginning(seed)), suffix }
    }

    /// Begins again with a seed.
    pub fn begin_again(&self, seed: u64) {
        *self.drawn.lock() = Drawn::beginning(seed_of(seed, &self.suffix));
    }

    /// Makes something with ids that are drawn apart from all others. What fails leaves no trace: the same ids are drawn
    /// afterwards as without it. Nothing else waits meanwhile; whoever calls sees to it that only one does.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn apart<T, E>(&self, make: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        let before = self.drawn.lock().apart;
        let (seed, number) = before;
        let seed = Sha256::new().chain_update(seed).chain_update(number.to_le_bytes()).finalize().into();
        let made = make(&Self::beginning(seed, self.suffix.clone()))?;
        let mut drawn = self.drawn.lock();
        // It may have begun again since.
        if drawn.apart == before {
            drawn.apart.1 += 1;
        }
        Ok(made)
    }

    /// The id that a key of this space has: outside `default` it ends in the space's name, which a client may leave out
    /// that names the space otherwise.
    pub fn key_id<'a>(&self, id: &'a str) -> Cow<'a, str> {
        match &*self.suffix {
            "" => Cow::Borrowed(id.strip_suffix("@default").unwrap_or(id)),
            suffix if id.ends_with(suffix) => Cow::Borrowed(id),
            suffix => Cow::Owned(format!("{id}{suffix}")),
        }
    }

    /// The id without the space's name, as seeds and snapshots have it.
    pub fn bare_key_id<'a>(&self, id: &'a str) -> &'a str {
        id.strip_suffix(&*self.suffix).unwrap_or(id)
    }

    /// The ids of one call: its RequestId and its trace id, in one draw.
    pub fn call(&self) -> (RequestId, TraceId) {
        let mut bytes = [0; 32];
        self.drawn.lock().rng.fill_bytes(&mut bytes);
        let (request, trace) = bytes.split_at(16);
        (RequestId::from_bytes(request.try_into().unwrap_or_default()), TraceId(trace.try_into().unwrap_or_default()))
    }

    /// `count` lower-case letters and digits.
    pub fn letters(&self, count: usize) -> String {
        self.draw(b"abcdefghijklmnopqrstuvwxyz0123456789", count)
    }

    /// An id for a user, role or policy; whether it is free, the world knows ([`super::World::new_ram_id`]).
    pub fn ram_id(&self) -> RamId {
        RamId(self.drawn.lock().rng.random_range(100_000_000_000_000_000..1_000_000_000_000_000_000))
    }

    /// An id for an access key: 24 characters that start with `LTAI` (ram.md 2, recorded).
    pub fn access_key_id(&self) -> String {
        format!("LTAI{}{}", self.draw(MIXED, 20), self.suffix)
    }

    /// The secret of a new access key: 30 characters (ram.md 2, documented).
    pub fn access_key_secret(&self) -> String {
        self.draw(MIXED, 30)
    }

    /// An id for a temporary key (sts.md 5, documented).
    pub fn temporary_key_id(&self) -> String {
        format!("STS.{}{}", self.draw(MIXED, 20), self.suffix)
    }

    /// The secret of a new temporary key: 44 characters (sts.md 5, inferred).
    pub fn temporary_key_secret(&self) -> String {
        self.draw(MIXED, 44)
    }

    /// A new security token: base64 that begins with `CAIS`, as real ones do (sts.md 5, documented).
    pub fn security_token(&self) -> String {
        let mut bytes = [0; 192];
        self.drawn.lock().rng.fill_bytes(&mut bytes);
        bytes[..3].copy_from_slice(&[8, 2, 18]);
        BASE64_STANDARD.encode(bytes)
    }

    /// A new token of the metadata service. Clients send it back as it is, in a header (imds.md 2; the form inferred).
    pub fn metadata_token(&self) -> String {
        self.draw(MIXED, 56)
    }

    /// From 0 up to, and without, 1.
    pub(super) fn fraction(&self) -> f64 {
        self.drawn.lock().rng.random()
    }

    fn draw(&self, alphabet: &[u8], count: usize) -> String {
        let mut drawn = self.drawn.lock();
        (0..count).map(|_| char::from(alphabet[drawn.rng.random_range(0..alphabet.len())])).collect()
    }
}

/// A generator of its own, for what repeats by itself.
pub(super) struct Dice(StdRng);

impl Dice {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(StdRng::from_seed(seed_of(seed, "")))
    }

    /// From 0 up to, and without, 1.
    pub(super) fn fraction(&mut self) -> f64 {
        self.0.random()
    }
}

impl fmt::Debug for Dice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dice")
    }
}

/// Draws until what is drawn is free.
pub(super) fn until<T>(mut draw: impl FnMut() -> T, is_free: impl Fn(&T) -> bool) -> T {
    loop {
        let drawn = draw();
        if is_free(&drawn) {
            return drawn;
        }
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

fn seed_of(seed: u64, suffix: &str) -> Seed {
    Sha256::new().chain_update(seed.to_le_bytes()).chain_update(suffix).finalize().into()
}

/// By the operating system.
fn random() -> Seed {
    let mut seed = [0; 32];
    // Without entropy the ids are only unpredictable as far as the zero seed is; the emulator still works.
    let _ = SysRng.try_fill_bytes(&mut seed);
    seed
}

/// The id of a user or role: 18 decimal digits (ram.md 2, recorded), so that two are not the same by chance.
/// A custom policy has one too, which is never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RamId(u64);

impl RamId {
    /// Reads exactly 18 decimal digits, the first of them no zero.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 18 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        digits.then(|| text.parse().ok().map(Self)).flatten()
    }
}

impl fmt::Display for RamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for RamId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An upper-case UUID of version 5, as recent real ones are (protocol.md 9.3, recorded).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 36]);

impl RequestId {
    fn from_bytes(bytes: [u8; 16]) -> Self {
        let mut text = [0; 36];
        uuid::Builder::from_sha1_bytes(bytes).into_uuid().hyphenated().encode_upper(&mut text);
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for RequestId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The id of header `x-acs-trace-id`: 32 lower-case hex digits (protocol.md 9.3, recorded).
#[derive(Clone, Copy, Debug)]
pub struct TraceId([u8; 16]);

impl TraceId {
    pub fn to_hex(self) -> [u8; 32] {
        let mut text = [0; 32];
        Uuid::from_bytes(self.0).simple().encode_lower(&mut text);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_ids_and_another_seed_others() {
        let draw = |seed| {
            let ids = Ids::seeded(seed);
            (ids.call().0, ids.letters(8), ids.call().0)
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn what_is_drawn_apart_moves_nothing_and_is_drawn_again_only_where_it_has_failed() {
        let (ids, other) = (Ids::seeded(7), Ids::seeded(7));
        let failed = ids.apart(|ids| Err::<(), _>(ids.letters(8))).expect_err("it fails");
        let drawn = || ids.apart(|ids| Ok::<_, ()>(ids.letters(8))).expect("it is made");
        let (first, second) = (drawn(), drawn());
        assert_eq!(first, failed);
        assert_ne!(first, second);
        assert_eq!(ids.letters(8), other.letters(8));
        ids.begin_again(7);
        assert_eq!(drawn(), first);
    }

    #[test]
    fn nothing_waits_for_what_is_drawn_apart_and_it_counts_nothing_where_ids_have_begun_again_since() {
        let (ids, other) = (Ids::seeded(7), Ids::seeded(8));
        let drawn = |ids: &Ids| ids.apart(|ids| Ok::<_, ()>(ids.letters(8))).expect("it is made");
        let made = ids.apart(|_| {
            ids.begin_again(8);
            Ok::<_, ()>(ids.call().0)
        });
        assert_eq!(made, Ok(other.call().0));
        assert_eq!(drawn(&ids), drawn(&other));
    }

    #[test]
    fn what_is_in_no_space_has_ids_of_its_own_that_repeat() {
        let drawn = || Ids::of_none(Some(7)).call().0;
        assert_eq!(drawn(), drawn());
        assert_ne!(drawn(), Ids::seeded(7).call().0);
    }

    #[test]
    fn the_ids_of_keys_end_in_the_name_of_their_space() {
        let space = |name| Ids::of(Some(7), &Namespace::parse(name).expect("a name"));
        let (default, t, u) = (space("default"), space("t"), space("u"));
        assert_eq!(t.access_key_id(), space("t").access_key_id());
        let [of_default, of_t, of_u] = [&default, &t, &u].map(Ids::temporary_key_id);
        assert!(
            !of_default.contains('@') && of_t.ends_with("@t") && of_u.ends_with("@u"),
            "{of_default} {of_t} {of_u}"
        );
        assert_ne!(of_t.trim_end_matches("@t"), of_u.trim_end_matches("@u"));
        assert_eq!([t.key_id("k"), t.key_id("k@t"), t.key_id("k@u")], ["k@t", "k@t", "k@u@t"]);
        assert_eq!([default.key_id("k"), default.key_id("k@default"), default.key_id("k@u")], ["k", "k", "k@u"]);
    }

    #[test]
    fn a_request_id_is_an_upper_case_uuid_of_version_5() {
        let text = Ids::of(None, &Namespace::DEFAULT).call().0.to_string();
        assert_eq!(text, text.to_uppercase());
        let uuid = Uuid::parse_str(&text).expect("a UUID");
        assert_eq!(uuid.get_version_num(), 5, "{text}");
    }
}
