//! The state file: the spaces that outlive their process.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::seeds::unreadable;
use super::{Readers, try_to_write, write_whole};
use crate::world::seed::{Mistake, too_new};
use crate::world::sync::Mutex;
use crate::world::{Namespace, NotKept, Origin, SpaceLimits, Spaces};

/// A file that holds the snapshots of all spaces, read at the start of a process and written at its end and in between.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// What was written last. Who writes holds it, so that no older state follows a newer one.
    written: Mutex<Option<[u8; 32]>>,
}

/// Why a state was not written; the file is the old one, or, where only its folder was not made durable, the new one.
#[derive(Debug, thiserror::Error)]
#[error("cannot save the state to {}: {error}", path.display())]
pub struct SaveError {
    /// The state file.
    pub path: PathBuf,
    /// What the file system said.
    #[source]
    pub error: io::Error,
}

/// Why a state is not gone on with; the file is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateError {
    /// Beside `default`, it holds more namespaces than there may be.
    TooMany(Mistake),
    /// It cannot be read, or every mistake in it.
    Mistakes(Vec<Mistake>),
}

/// The version of the form that this ecsim reads and writes. The snapshots in it have one of their own.
const SCHEMA_VERSION: u64 = 1;

const MEMBERS: [&str; 3] = ["schema_version", "ecsim", "namespaces"];

/// The members of a JSON object in their order, whose values have not been read yet; a name may stand twice.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'t> Deserialize<'t> for Members<'t> {
    fn deserialize<D: Deserializer<'t>>(object: D) -> Result<Self, D::Error> {
        struct OfObject;

        impl<'t> Visitor<'t> for OfObject {
            type Value = Members<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut object: A) -> Result<Members<'t>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = object.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        object.deserialize_map(OfObject)
    }
}

impl StateFile {
    /// The state file of a path, which is not looked at yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, written: Mutex::new(None) }
    }

    /// Whether there is a state to go on with.
    pub fn is_there(&self) -> bool {
        // What cannot be looked at is there, and is then told as what cannot be read.
        self.path.try_exists().unwrap_or(true)
    }

    /// Finds out whether it can be saved; what processes that were killed while they saved have left is removed.
    ///
    /// # Errors
    /// [`SaveError`], such as of a folder that is not there.
    pub fn try_to_save(&self) -> Result<(), SaveError> {
        try_to_write(&self.path, Readers::Owner).map_err(|error| self.unsaved(error))
    }

    fn unsaved(&self, error: io::Error) -> SaveError {
        SaveError { path: self.path.clone(), error }
    }

    /// Makes the spaces that the file holds, or none if it has a mistake.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn begin(&self, origin: Origin, limits: SpaceLimits) -> Result<Spaces, StateError> {
        let text = fs::read_to_string(&self.path)
            .map_err(|error| StateError::Mistakes(vec![unreadable(&self.path, &error)]))?;
        let kept = self.spaces_in(&text).map_err(StateError::Mistakes)?;
        let kept = kept.into_iter().map(|(name, snapshot)| (name, snapshot.get().to_owned()));
        Spaces::of_kept(origin, limits, kept).map_err(|not_kept| match not_kept {
            NotKept::TooMany(most) => {
                let reason = format!("there are more than {most} beside default, which is what --max-namespaces says");
                StateError::TooMany(self.mistake("$.namespaces", reason))
            }
            NotKept::Mistakes(mistakes) => {
                let within = |(name, Mistake { place, reason, .. })| self.mistake(&within(&name, &place), reason);
                StateError::Mistakes(mistakes.into_iter().map(within).collect())
            }
        })
    }

    /// The texts of the snapshots in a state, by name.
    fn spaces_in<'t>(&self, text: &'t str) -> Result<BTreeMap<Namespace, &'t RawValue>, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let state: Members<'t> = serde_json::from_str(text).map_err(|error| {
            vec![if error.is_data() {
                self.mistake("$", "must be an object")
            } else {
                self.mistake(&format!("line {} column {}", error.line(), error.column()), format!("not JSON: {error}"))
            }]
        })?;
        let state = self.by_name(state, "$", &mut mistakes);
        let version = state.get("schema_version").and_then(|version| version.get().parse::<u64>().ok());
        if let Some(newer) = version.filter(|version| *version > SCHEMA_VERSION) {
            let maker = state.get("ecsim").and_then(|maker| serde_json::from_str::<String>(maker.get()).ok());
            let reason = too_new(maker.as_deref(), newer, SCHEMA_VERSION);
            return Err(vec![self.mistake("$.schema_version", reason)]);
        }
        let Some(namespaces) = state.get("namespaces") else {
            let reason = "this is a seed, or a snapshot of one namespace, and no state, which has `namespaces`: \
                          move it away, and start from it with --seed FILE";
            return Err(vec![self.mistake("$", reason)]);
        };
        if version != Some(SCHEMA_VERSION) {
            mistakes.push(self.mistake("$.schema_version", format!("must be {SCHEMA_VERSION}")));
        }
        for name in state.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
            let reason = format!("no such member here; there are {}", MEMBERS.join(", "));
            mistakes.push(self.mistake(&format!("$.{name}"), reason));
        }
        let mut kept = BTreeMap::new();
        match serde_json::from_str::<Members<'t>>(namespaces.get()) {
            Ok(namespaces) => {
                for (name, snapshot) in self.by_name(namespaces, "$.namespaces", &mut mistakes) {
                    match Namespace::parse(&name) {
                        Some(name) => drop(kept.insert(name, snapshot)),
                        None => mistakes.push(self.mistake("$.namespaces", format!("{name:?} is no namespace"))),
                    }
                }
            }
            Err(_) => mistakes.push(self.mistake("$.namespaces", "must be an object")),
        }
        if mistakes.is_empty() { Ok(kept) } else { Err(mistakes) }
    }

    /// The members of the object at a place by name. That one stands twice is a mistake: what the first says would be lost.
    fn by_name<'t>(
        &self,
        Members(members): Members<'t>,
        place: &str,
        mistakes: &mut Vec<Mistake>,
    ) -> BTreeMap<String, &'t RawValue> {
        let mut by_name = BTreeMap::new();
        for (name, value) in members {
            let reason = format!("{name:?} is there twice");
            if by_name.insert(name, value).is_some() {
                mistakes.push(self.mistake(place, reason));
            }
        }
        by_name
    }

    fn mistake(&self, place: &str, reason: impl Into<String>) -> Mistake {
        Mistake { file: self.path.display().to_string(), place: place.to_owned(), reason: reason.into() }
    }

    /// Writes all spaces, each as it is, unless that is what the file holds. A world is locked while its text is made, and not
    /// while that is written: each space is as it was at one moment, and two may be of different ones.
    ///
    /// # Errors
    /// [`SaveError`].
    pub fn save(&self, spaces: &Spaces) -> Result<(), SaveError> {
        let mut written = self.written.lock();
        let text = text(spaces);
        let digest = Sha256::digest(&text).into();
        if *written == Some(digest) && self.path.exists() {
            return Ok(());
        }
        write_whole(&self.path, text.as_bytes(), Readers::Owner).map_err(|error| self.unsaved(error))?;
        *written = Some(digest);
        Ok(())
    }
}

/// A place in a snapshot as a place in the state that holds it.
fn within(name: &Namespace, place: &str) -> String {
    match place.strip_prefix('$') {
        Some(below) => format!("$.namespaces.{name}{below}"),
        None => format!("$.namespaces.{name}: {place}"),
    }
}

/// A state: `default` first, the others by name.
fn text(spaces: &Spaces) -> String {
    let maker = env!("CARGO_PKG_VERSION");
    let mut text =
        format!("{{\n  \"schema_version\": {SCHEMA_VERSION},\n  \"ecsim\": \"{maker}\",\n  \"namespaces\": {{");
    for (index, space) in spaces.all().iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Line feeds stand between the members of a snapshot and in no text, where they are escaped.
        let snapshot = space.snapshot().trim_end().replace('\n', "\n    ");
        let _ = write!(text, "{comma}\n    \"{}\": {snapshot}", space.namespace);
    }
    text.push_str("\n  }\n}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::Folder;
    use super::*;

    fn spaces() -> Spaces {
        let seeds = vec![("empty".to_owned(), "{}".to_owned())];
        Spaces::new(Origin { seeds, ..Origin::default() }, SpaceLimits::default()).expect("a world")
    }

    #[test]
    fn what_has_not_changed_is_not_written_again_unless_the_file_is_gone() {
        let folder = Folder::new("state");
        let path = folder.0.join("state.json");
        let (spaces, state) = (spaces(), StateFile::new(path.clone()));
        let save_and_read = || {
            state.save(&spaces).expect("saves");
            fs::read_to_string(&path).expect("reads")
        };
        assert!(!state.is_there());
        let saved = save_and_read();
        assert!(state.is_there());
        fs::write(&path, "marked").expect("writes");
        assert_eq!(save_and_read(), "marked");
        fs::remove_file(&path).expect("removes");
        assert_eq!(save_and_read(), saved);
        let default = [("default".to_owned(), crate::world::seed::DEFAULT.to_owned())];
        spaces.replace(&Namespace::DEFAULT, Some(&default)).expect("a world");
        let of_one = save_and_read();
        assert_ne!(of_one, saved);
        let name = Namespace::parse("a.b").expect("a name");
        spaces.of(&name).expect("a world");
        assert_ne!(save_and_read(), of_one);
        spaces.remove(&name).expect("it was there");
        assert_eq!(save_and_read(), of_one);
    }

    #[test]
    fn a_state_is_json_as_it_is_printed_and_makes_the_same_spaces_again() {
        let folder = Folder::new("state-text");
        let (spaces, state) = (spaces(), StateFile::new(folder.0.join("state.json")));
        let awkward = r#"{"accounts":[{"users":[{"name":"u","comments":"a\nb\r\n \u2028}\n    {"}]}]}"#.to_owned();
        for name in ["gw1", "gw0", "default"] {
            let name = Namespace::parse(name).expect("a name");
            spaces.replace(&name, Some(&[("awkward".to_owned(), awkward.clone())])).expect("a world");
        }
        let (saved, value) = (text(&spaces), serde_json::from_str::<serde_json::Value>(&text(&spaces)).expect("JSON"));
        assert_eq!(format!("{value:#}\n"), saved);
        let names: Vec<_> = value["namespaces"].as_object().expect("an object").keys().collect();
        assert_eq!(names, ["default", "gw0", "gw1"]);
        state.save(&spaces).expect("saves");
        let again = state.begin(Origin::default(), SpaceLimits::default()).expect("a state");
        assert_eq!(text(&again), saved);
        let generations: Vec<_> = again.all().iter().map(|space| space.generation).collect();
        assert_eq!(generations, [1, 2, 3]);
    }
}
