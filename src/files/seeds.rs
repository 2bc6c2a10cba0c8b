//! Seed files, and what a folder of files holds.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::world::seed::Mistake;

/// Reads seed files: the name of each, and its text; of a folder, its `*.json` by name, but no hidden ones.
///
/// # Errors
/// Every file that cannot be read.
pub fn read_seeds(paths: &[PathBuf]) -> Result<Vec<(String, String)>, Vec<Mistake>> {
    let (mut texts, mut mistakes) = (Vec::new(), Vec::new());
    for path in paths {
        let files = if path.is_dir() { with_extension(path, "json") } else { Ok(vec![path.clone()]) };
        match files {
            Ok(files) if files.is_empty() => mistakes.push(mistake(path, "the folder holds no *.json")),
            Ok(files) => {
                for file in files {
                    match std::fs::read_to_string(&file) {
                        Ok(text) => texts.push((file.display().to_string(), text)),
                        Err(error) => mistakes.push(unreadable(&file, &error)),
                    }
                }
            }
            Err(error) => mistakes.push(unreadable(path, &error)),
        }
    }
    if mistakes.is_empty() { Ok(texts) } else { Err(mistakes) }
}

/// The files of a folder whose names end in that, by name. Hidden ones are not meant: editors and archives leave such.
pub(super) fn with_extension(folder: &Path, wanted: &str) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| {
        let is_hidden = path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"."));
        !is_hidden && path.extension().is_some_and(|extension| extension == wanted)
    });
    files.sort();
    Ok(files)
}

/// A file or folder that is not what it has to be.
pub(super) fn mistake(path: &Path, reason: impl Into<String>) -> Mistake {
    Mistake { file: path.display().to_string(), place: "file".to_owned(), reason: reason.into() }
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Mistake {
    mistake(path, format!("cannot be read: {error}"))
}
