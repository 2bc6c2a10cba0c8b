//! Named snapshots: a folder of files, one a snapshot.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Readers, folder_of, followed, remove_left_over, try_to_write, write_whole};

/// The name of a snapshot: 1 to 64 letters, digits, `-`, `_` or `.`, the first no `.`. So it leads out of no folder, and
/// is the name of no file that is being written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotName(Box<str>);

impl SnapshotName {
    /// The name that a text is; none if it is no such name.
    pub fn parse(text: &str) -> Option<Self> {
        let takes = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let good = (1..=64).contains(&text.len()) && text.bytes().all(takes) && !text.starts_with('.');
        good.then(|| Self(text.into()))
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A snapshot that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSnapshot {
    /// The name that it is found by.
    pub name: SnapshotName,
    /// The length of its file.
    pub bytes: u64,
    /// When it was saved, by the machine's clock.
    pub saved: Timestamp,
}

/// Why something was not done with a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// No file has its name.
    #[error("there is no snapshot {0}")]
    Unknown(SnapshotName),
    /// The file system refused.
    #[error("cannot {what} {}: {error}", path.display())]
    Io {
        /// What is done with a path: `read`, `write` or `delete`.
        what: &'static str,
        /// The file of the snapshot, or the folder.
        path: PathBuf,
        /// What the file system said.
        #[source]
        error: io::Error,
    },
}

const SUFFIX: &str = ".json";

/// A folder of snapshots, which is made when the first one is saved. Whatever else is in it is left alone.
#[derive(Clone, Debug)]
pub struct SnapshotDir(PathBuf);

impl SnapshotDir {
    /// The snapshots of a folder, which is not looked at yet.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Removes what processes that were killed while they saved have left: it holds secrets, and nobody sees it in the list.
    pub fn remove_left_over(&self) {
        remove_left_over(&self.0, |of| name_of(of).is_some());
    }

    /// The snapshots that there are, by name.
    ///
    /// # Errors
    /// [`SnapshotError::Io`]; a folder that is not there yet holds none.
    pub fn list(&self) -> Result<Vec<SavedSnapshot>, SnapshotError> {
        let failed = |error| io_error("read", &self.0, error);
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut snapshots = Vec::new();
        for entry in entries {
            let file = entry.map_err(failed)?.file_name();
            // What has gone meanwhile is not there.
            if let Some(name) = name_of(&file)
                && let Ok(found) = self.find(&name)
            {
                snapshots.push(saved(name, &found));
            }
        }
        snapshots.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(snapshots)
    }

    /// Finds out whether a snapshot could be saved under a name, and makes the folder for it.
    ///
    /// # Errors
    /// [`SnapshotError::Io`]
    pub fn try_to_save(&self, name: &SnapshotName) -> Result<(), SnapshotError> {
        let path = self.path(name);
        self.make_folder().map_err(|error| io_error("write", &self.0, error))?;
        try_to_write(&path, Readers::Owner).map_err(|error| io_error("write", &path, error))
    }

    /// Saves a snapshot's text under a name, in place of the one that had it; the folder has to be there.
    ///
    /// # Errors
    /// [`SnapshotError::Io`]
    pub fn save(&self, name: &SnapshotName, text: &str) -> Result<(), SnapshotError> {
        let path = self.path(name);
        write_whole(&path, text.as_bytes(), Readers::Owner).map_err(|error| io_error("write", &path, error))
    }

    /// What the file of a snapshot holds, and its path.
    ///
    /// # Errors
    /// [`SnapshotError`]
    pub fn read(&self, name: &SnapshotName) -> Result<(PathBuf, Vec<u8>), SnapshotError> {
        self.find(name)?;
        let path = self.path(name);
        let bytes = fs::read(&path).map_err(|error| of_one("read", name, &path, error))?;
        Ok((path, bytes))
    }

    /// Removes a snapshot with what was left of its saves, and answers what it was.
    ///
    /// # Errors
    /// [`SnapshotError`]
    pub fn delete(&self, name: &SnapshotName) -> Result<SavedSnapshot, SnapshotError> {
        let path = self.path(name);
        remove_left_over(&self.0, |of| Some(of) == path.file_name());
        let found = self.find(name)?;
        fs::remove_file(&path).map_err(|error| of_one("delete", name, &path, error))?;
        Ok(saved(name.clone(), &found))
    }

    /// Whether a file, or the one that a link leads to, is where a snapshot of some name would be, and so could be written over
    /// and deleted as one.
    pub fn takes(&self, file: &Path) -> bool {
        // What cannot be looked at has no more than its words.
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let real = |path: &Path| followed(path).unwrap_or_else(|_| absolute(path));
        let is_one =
            |file: &Path| file.file_name().and_then(name_of).is_some() && real(folder_of(file)) == real(&self.0);
        is_one(file) || is_one(&real(file))
    }

    fn path(&self, name: &SnapshotName) -> PathBuf {
        self.0.join(format!("{name}{SUFFIX}"))
    }

    /// A file of a name: a folder or a pipe is no snapshot.
    fn find(&self, name: &SnapshotName) -> Result<Metadata, SnapshotError> {
        let path = self.path(name);
        let found = fs::metadata(&path).map_err(|error| of_one("read", name, &path, error))?;
        if found.is_file() { Ok(found) } else { Err(SnapshotError::Unknown(name.clone())) }
    }

    /// The folder alone, and not those above it: they are more likely a mistake.
    fn make_folder(&self) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(&self.0) {
            Ok(()) => File::open(folder_of(&self.0))?.sync_all(),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The name of the snapshot whose file is called so.
fn name_of(file: &OsStr) -> Option<SnapshotName> {
    SnapshotName::parse(file.to_str()?.strip_suffix(SUFFIX)?)
}

fn saved(name: SnapshotName, found: &Metadata) -> SavedSnapshot {
    let saved = found.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
    SavedSnapshot { name, bytes: found.len(), saved: saved.unwrap_or_default() }
}

fn io_error(what: &'static str, path: &Path, error: io::Error) -> SnapshotError {
    SnapshotError::Io { what, path: path.to_owned(), error }
}

fn of_one(what: &'static str, name: &SnapshotName, path: &Path, error: io::Error) -> SnapshotError {
    match error.kind() {
        io::ErrorKind::NotFound => SnapshotError::Unknown(name.clone()),
        _ => io_error(what, path, error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::tests::Folder;
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for good in ["a", "0", "_", "-", "a.b", "A-1_b.c", "a..", &"x".repeat(64)] {
            assert_eq!(SnapshotName::parse(good).expect(good).to_string(), good);
        }
        for bad in ["", ".", "..", ".a", "a/b", "../a", "/a", "a\\b", "a b", "a\0", "ä", "a\n", "%2e", &"x".repeat(65)]
        {
            assert_eq!(SnapshotName::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_a_killed_process_left_goes_with_its_snapshot_and_at_the_start() {
        let folder = Folder::new("left");
        let names = [
            "a.json",
            "b.json",
            ".a.json.1-0.tmp",
            ".b.json.1-0.tmp",
            ".c.json.1-0.tmp",
            ".c.1-0.tmp",
            ".d e.json.1-0.tmp",
        ];
        for name in names {
            fs::write(folder.0.join(name), "half").expect("writes");
        }
        let snapshots = SnapshotDir::new(folder.0.clone());
        let name = |text: &str| SnapshotName::parse(text).expect("a name");
        snapshots.delete(&name("a")).expect("it was there");
        assert_eq!(folder.names(), [".b.json.1-0.tmp", ".c.1-0.tmp", ".c.json.1-0.tmp", ".d e.json.1-0.tmp", "b.json"]);
        assert!(matches!(snapshots.delete(&name("c")), Err(SnapshotError::Unknown(_))), "it has never been whole");
        assert_eq!(folder.names(), [".b.json.1-0.tmp", ".c.1-0.tmp", ".d e.json.1-0.tmp", "b.json"]);
        snapshots.remove_left_over();
        assert_eq!(folder.names(), [".c.1-0.tmp", ".d e.json.1-0.tmp", "b.json"]);
        SnapshotDir::new(folder.0.join("none")).remove_left_over();
    }

    #[test]
    fn a_file_is_among_snapshots_by_whatever_words_and_links() {
        let folder = Folder::new("takes");
        let at = |path: &str| folder.0.join(path);
        fs::create_dir(at("sub")).expect("a folder");
        for (to, link) in [(".", "here"), ("kept", "to-kept"), ("kept/s.json", "s.json"), ("sub/s", "linked.json")] {
            symlink(to, at(link)).expect("a link");
        }
        let takes = |kept: &str, file: &str| SnapshotDir::new(at(kept)).takes(&at(file));
        // Before the folder is there, and once it is.
        for _ in 0..2 {
            for kept in ["kept", "sub/../kept", "here/kept", "here/sub/../kept/", "to-kept"] {
                for file in
                    ["kept/s.json", "sub/../kept/s.json", "here/kept/s.json", "to-kept/s.json", "sub/../to-kept/s.json"]
                {
                    assert!(takes(kept, file), "{kept} {file}");
                }
                assert!(takes(kept, "s.json"), "where a link leads");
                for file in ["kept/s", "kept/sub/s.json", "sub/s.json", "kept/../s2.json", "linked.json"] {
                    assert!(!takes(kept, file), "{kept} {file}");
                }
            }
            assert!(takes(".", "linked.json"), "where the link is");
            fs::create_dir_all(at("kept")).expect("a folder");
        }
    }
}
