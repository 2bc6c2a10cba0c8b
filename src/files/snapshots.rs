//! Named snapshots: a folder of files, one a snapshot.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Readers, write_whole};
use crate::world::Space;
use crate::world::seed::Mistake;

/// The name of a snapshot: 1 to 64 letters, digits, `-`, `_` or `.`, the first no `.`. So it is no path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotName(Box<str>);

impl SnapshotName {
    pub fn parse(text: &str) -> Option<Self> {
        let takes = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let good = (1..=64).contains(&text.len()) && text.bytes().all(takes) && !text.starts_with('.');
        good.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why something was not done with a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("there is no snapshot {0}")]
    Unknown(SnapshotName),
    /// Every mistake of the file; the space is as it was.
    #[error("the snapshot {0} cannot be used")]
    Refused(SnapshotName, Vec<Mistake>),
    #[error("{}: {error}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        error: io::Error,
    },
}

/// A folder of snapshots. It is made when the first one is saved.
#[derive(Clone, Debug)]
pub struct SnapshotDir(PathBuf);

impl SnapshotDir {
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Saves a space under a name, in place of what had it.
    ///
    /// # Errors
    /// [`SnapshotError::Io`]
    pub fn save(&self, name: &SnapshotName, space: &Space) -> Result<(), SnapshotError> {
        let path = self.path(name);
        fs::create_dir_all(&self.0).map_err(|error| io_error(&self.0, error))?;
        write_whole(&path, space.snapshot().as_bytes(), Readers::Owner).map_err(|error| io_error(&path, error))
    }

    /// Sets a space to what a snapshot holds.
    ///
    /// # Errors
    /// [`SnapshotError`]; the space is as it was then.
    pub fn load(&self, name: &SnapshotName, space: &Space) -> Result<(), SnapshotError> {
        let path = self.path(name);
        let text = fs::read_to_string(&path).map_err(|error| of_one(name, &path, error))?;
        let file = (path.display().to_string(), text);
        space.restore(&[file]).map_err(|mistakes| SnapshotError::Refused(name.clone(), mistakes))
    }

    /// The snapshots that there are, by name.
    ///
    /// # Errors
    /// [`SnapshotError::Io`]; a folder that is not there yet holds none.
    pub fn list(&self) -> Result<Vec<SnapshotName>, SnapshotError> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error(&self.0, error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let file = entry.map_err(|error| io_error(&self.0, error))?.file_name();
            names.extend(file.to_str().and_then(|file| SnapshotName::parse(file.strip_suffix(SUFFIX)?)));
        }
        names.sort();
        Ok(names)
    }

    /// # Errors
    /// [`SnapshotError`]
    pub fn delete(&self, name: &SnapshotName) -> Result<(), SnapshotError> {
        let path = self.path(name);
        fs::remove_file(&path).map_err(|error| of_one(name, &path, error))
    }

    fn path(&self, name: &SnapshotName) -> PathBuf {
        self.0.join(format!("{name}{SUFFIX}"))
    }
}

const SUFFIX: &str = ".json";

fn io_error(path: &Path, error: io::Error) -> SnapshotError {
    SnapshotError::Io { path: path.to_owned(), error }
}

fn of_one(name: &SnapshotName, path: &Path, error: io::Error) -> SnapshotError {
    match error.kind() {
        io::ErrorKind::NotFound => SnapshotError::Unknown(name.clone()),
        _ => io_error(path, error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;

    use super::super::tests::Folder;
    use super::*;
    use crate::world::{Ids, SystemClock, World, seed};

    fn name(text: &str) -> SnapshotName {
        SnapshotName::parse(text).expect(text)
    }

    #[test]
    fn a_name_is_no_path() {
        for good in ["a", "0", "_", "-", "a.b", "A-1_b.c", "a..", &"x".repeat(64)] {
            assert_eq!(name(good).as_str(), good);
        }
        for bad in ["", ".", "..", ".a", "a/b", "../a", "/a", "a\\b", "a b", "a\0", "ä", "a\n", "%2e", &"x".repeat(65)]
        {
            assert_eq!(SnapshotName::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_space_goes_back_to_what_was_saved_under_a_name() {
        let folder = Folder::new("snapshots");
        let snapshots = SnapshotDir::new(folder.0.join("not/yet"));
        let clock = Arc::new(SystemClock);
        let space = Space::new("default", World::default(), clock, Ids::seeded(1), (1, SignedDuration::from_mins(1)));
        let names = || snapshots.list().expect("a list").iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(), Vec::<String>::new());
        assert!(matches!(snapshots.load(&name("a"), &space), Err(SnapshotError::Unknown(_))));
        let empty = space.snapshot();
        snapshots.save(&name("b"), &space).expect("saves");
        space.restore(&[("default".to_owned(), seed::DEFAULT.to_owned())]).expect("a world");
        snapshots.save(&name("a.1"), &space).expect("saves");
        let full = space.snapshot();
        assert_eq!(names(), ["a.1", "b"]);
        snapshots.load(&name("b"), &space).expect("loads");
        assert_eq!(space.snapshot(), empty);
        snapshots.load(&name("a.1"), &space).expect("loads");
        assert_eq!(space.snapshot(), full);
        fs::write(folder.0.join("not/yet/bad.json"), r#"{"schema_version":2,"accounts":1}"#).expect("writes");
        fs::write(folder.0.join("not/yet/no-snapshot.txt"), "").expect("writes");
        fs::write(folder.0.join("not/yet/.hidden.json"), "").expect("writes");
        assert_eq!(names(), ["a.1", "b", "bad"]);
        let refused = snapshots.load(&name("bad"), &space).expect_err("mistakes");
        assert!(matches!(&refused, SnapshotError::Refused(_, mistakes) if mistakes.len() == 1), "{refused:?}");
        assert_eq!(space.snapshot(), full);
        snapshots.delete(&name("b")).expect("deletes");
        assert!(matches!(snapshots.delete(&name("b")), Err(SnapshotError::Unknown(_))));
        assert_eq!(names(), ["a.1", "bad"]);
        fs::create_dir(folder.0.join("not/yet/folder.json")).expect("a folder");
        let is_a_folder = snapshots.save(&name("folder"), &space);
        assert!(matches!(is_a_folder, Err(SnapshotError::Io { .. })), "{is_a_folder:?}");
    }
}
