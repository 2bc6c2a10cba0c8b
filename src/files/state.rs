//! The state file: a space that outlives its process.

use std::fs;
use std::io;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::{Readers, write_whole};
use crate::world::Spaces;
use crate::world::seed::Mistake;
use crate::world::sync::Mutex;

/// A file that holds the snapshot of a space, taken at the start of a process and written at its end and in between.
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
    pub path: PathBuf,
    #[source]
    pub error: io::Error,
}

impl StateFile {
    pub fn new(path: PathBuf) -> Self {
        Self { path, written: Mutex::new(None) }
    }

    /// Name and text of the file, as seeds are read from; `None` if there is none yet.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(&self) -> Result<Option<(String, String)>, Mistake> {
        let file = self.path.display().to_string();
        match fs::read_to_string(&self.path) {
            Ok(text) => Ok(Some((file, text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Mistake { file, place: "file".to_owned(), reason: format!("cannot be read: {error}") }),
        }
    }

    /// Writes the space `default` as it is, unless that is what the file holds. The world is locked while its text is made, and not
    /// while that is written.
    ///
    /// # Errors
    /// [`SaveError`].
    pub fn save(&self, spaces: &Spaces) -> Result<(), SaveError> {
        let mut written = self.written.lock();
        let text = spaces.default_space().snapshot();
        let digest = Sha256::digest(&text).into();
        if *written == Some(digest) && self.path.exists() {
            return Ok(());
        }
        write_whole(&self.path, text.as_bytes(), Readers::Owner)
            .map_err(|error| SaveError { path: self.path.clone(), error })?;
        *written = Some(digest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Folder;
    use super::*;
    use crate::world::{Namespace, Origin, SpaceLimits};

    #[test]
    fn what_has_not_changed_is_not_written_again_unless_the_file_is_gone() {
        let folder = Folder::new("state");
        let path = folder.0.join("state.json");
        let empty = [("empty".to_owned(), "{}".to_owned())];
        let spaces = Spaces::new(Origin::default(), SpaceLimits::default(), Some(&empty)).expect("a world");
        let state = StateFile::new(path.clone());
        assert_eq!(state.read(), Ok(None));
        state.save(&spaces).expect("saves");
        let saved = fs::read_to_string(&path).expect("reads");
        assert_eq!(state.read().expect("reads").map(|(_, text)| text), Some(saved.clone()));
        fs::write(&path, "marked").expect("writes");
        state.save(&spaces).expect("saves");
        assert_eq!(fs::read_to_string(&path).expect("reads"), "marked");
        fs::remove_file(&path).expect("removes");
        state.save(&spaces).expect("saves");
        assert_eq!(fs::read_to_string(&path).expect("reads"), saved);
        spaces.replace(&Namespace::DEFAULT, None).expect("a world");
        state.save(&spaces).expect("saves");
        assert_ne!(fs::read_to_string(&path).expect("reads"), saved);
    }
}
