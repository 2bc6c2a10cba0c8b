//! What is kept on disk: files written whole, seeds, the init folder, the state file, and named snapshots. Knows spaces,
//! whose text they hold.

mod init;
mod seeds;
mod snapshots;
mod state;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;

pub use init::InitFolder;
pub use seeds::read_seeds;
pub use snapshots::{SavedSnapshot, SnapshotDir, SnapshotError, SnapshotName};
pub use state::{SaveError, StateError, StateFile};

/// Does what waits for a disk, or takes as long as a large world does, beside the calls.
pub async fn beside_calls<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// Work beside the calls that is done one by one. Each thread takes memory from a place of its own: many threads that each make a
/// world now and then, and none for long, would hold the room of many.
#[derive(Clone, Debug)]
pub struct OneByOne(Arc<Semaphore>);

impl OneByOne {
    pub async fn beside_calls<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        // Nobody closes it. The turn is the work's own, which goes on where nobody waits for it any more.
        let turn = Arc::clone(&self.0).acquire_owned().await.ok();
        beside_calls(move || {
            let _turn = turn;
            work()
        })
        .await
    }
}

impl Default for OneByOne {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Nobody but its owner: it holds secrets.
    Owner,
    /// Whoever the process lets.
    Others,
}

/// Writes a file whole or not at all: whoever reads it at any time, or after a crash, finds the old one or the new one. Where
/// a link is named, that file is what it leads to.
///
/// # Errors
/// Those of the file system, and that what is there is no file, such as a device; all is as it was then. Only if the folder
/// cannot be made durable, the new file may be there.
pub fn write_whole(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let path = &*replaceable(path)?;
    let (temporary, mut file) = begin(path, readers)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    File::open(folder_of(path))?.sync_all()
}

/// Writes to a device or a pipe, which stays and may wait for somebody to read it; or else a file whole.
///
/// # Errors
/// Those of [`write_whole`].
pub fn write_out(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    if is_no_file(path) { fs::write(path, bytes) } else { write_whole(path, bytes, readers) }
}

/// Finds out whether a file could be written whole, and leaves everything as it is.
fn try_to_write(path: &Path, readers: Readers) -> io::Result<()> {
    let (temporary, _file) = begin(&replaceable(path)?, readers)?;
    fs::remove_file(temporary)
}

/// The path of the file that a path leads to, and that may be replaced or made.
fn replaceable(path: &Path) -> io::Result<PathBuf> {
    if is_no_file(path) {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "what is there is no file"));
    }
    followed(path)
}

/// Whether something else than a regular file is there.
fn is_no_file(path: &Path) -> bool {
    // Not where the path leads by its words: standard output has no such place when it is a pipe.
    fs::metadata(path).is_ok_and(|there| !there.is_file())
}

/// The temporary file that is to become a file, in place of those that are left over.
fn begin(path: &Path, readers: Readers) -> io::Result<(PathBuf, File)> {
    let (folder, name) = (folder_of(path), path.file_name().ok_or(io::ErrorKind::InvalidFilename)?);
    remove_left_over(folder, |of| of == name);
    create_beside(folder, name, readers)
}

/// The folder that a file or folder is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where a path leads: every link of it is followed, one to what is not there yet among them.
///
/// # Errors
/// Those of the file system, such as links that go round. What is not there has nothing above it either, as whoever reads
/// the path is told: by its words alone, `..` would lead to another file than it does once that is there.
fn followed(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Ok(target) = fs::read_link(path) {
                return followed(&folder_of(path).join(target));
            }
            match path.file_name() {
                Some(name) => Ok(followed(folder_of(path))?.join(name)),
                None => Err(error),
            }
        }
        found => found,
    }
}

/// The name of the file that a temporary file, which `create_beside` has named so, is to become.
fn becomes(temporary: &OsStr) -> Option<&OsStr> {
    let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let own = temporary.as_bytes().strip_prefix(b".")?.strip_suffix(b".tmp")?;
    let (name, numbers) = own.split_at(own.iter().rposition(|byte| *byte == b'.')?);
    let mut numbers = numbers[1..].splitn(2, |byte| *byte == b'-');
    (is_number(numbers.next()?) && is_number(numbers.next()?)).then(|| OsStr::from_bytes(name))
}

/// A new file of a name that nobody else writes to. It is locked until it is closed, which says that somebody does.
fn create_beside(folder: &Path, name: &OsStr, readers: Readers) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mode = if readers == Readers::Owner { 0o600 } else { 0o666 };
    loop {
        let mut own = OsString::from(".");
        own.push(name);
        own.push(format!(".{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let path = folder.join(own);
        match OpenOptions::new().write(true).create_new(true).mode(mode).open(&path) {
            Ok(file) => {
                // Where there are no locks, nothing that is left over is removed either.
                let _ = file.lock();
                // Before the lock, it could be taken for left over.
                if file.metadata()?.nlink() > 0 {
                    return Ok((path, file));
                }
            }
            // Of a process with the same id, as the first of a container has.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Removes the temporary files of the files of these names, that processes which were killed have left.
fn remove_left_over(folder: &Path, of: impl Fn(&OsStr) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if becomes(&entry.file_name()).is_some_and(&of)
            // To open a pipe would wait for somebody to write to it.
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder of its own for a test, removed at the end.
    pub(super) struct Folder(pub(super) PathBuf);

    impl Folder {
        pub(super) fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("ecsim-files-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }

        pub(super) fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).expect("a folder");
            let mut names: Vec<_> =
                entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_replaced_whole_and_secrets_are_its_owner_s() {
        let folder = Folder::new("whole");
        let path = folder.0.join("f");
        fs::write(&path, "old").expect("writes");
        write_whole(&path, b"new", Readers::Owner).expect("writes");
        assert_eq!(fs::read(&path).expect("reads"), b"new");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(folder.names(), ["f"]);
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced_or_made() {
        let folder = Folder::new("links");
        fs::create_dir(folder.0.join("g")).expect("a folder");
        fs::write(folder.0.join("g/old"), "old").expect("writes");
        for (to, link) in [("g/old", "a"), ("a", "b"), ("g/new", "c"), ("d", "d")] {
            std::os::unix::fs::symlink(to, folder.0.join(link)).expect("a link");
        }
        for (link, file) in [("a", "g/old"), ("b", "g/old"), ("c", "g/new")] {
            write_whole(&folder.0.join(link), link.as_bytes(), Readers::Owner).expect("writes");
            assert_eq!(fs::read_to_string(folder.0.join(file)).expect("reads"), link);
        }
        assert!(write_whole(&folder.0.join("d"), b"round", Readers::Owner).is_err());
        assert!(["a", "b", "c", "d"].iter().all(|link| folder.0.join(link).is_symlink()));
        assert_eq!(folder.names(), ["a", "b", "c", "d", "g"]);
        assert_eq!(fs::read_dir(folder.0.join("g")).expect("a folder").count(), 2, "nothing is left over");
    }

    #[test]
    fn what_is_no_file_is_written_to_or_refused_and_never_replaced() {
        let folder = Folder::new("no-file");
        let pipe = folder.0.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        std::os::unix::fs::symlink("pipe", folder.0.join("link")).expect("a link");
        for name in ["pipe", "link", "."] {
            let path = folder.0.join(name);
            for refused in [write_whole(&path, b"new", Readers::Owner), try_to_write(&path, Readers::Owner)] {
                assert_eq!(refused.expect_err(name).to_string(), "what is there is no file");
            }
        }
        for name in ["pipe", "link"] {
            // Held open for reading too, so that the write does not wait.
            let mut held = OpenOptions::new().read(true).write(true).open(&pipe).expect("a pipe");
            write_out(&folder.0.join(name), name.as_bytes(), Readers::Owner).expect("writes");
            let mut read = [0; 4];
            io::Read::read_exact(&mut held, &mut read).expect("reads");
            assert_eq!(read, name.as_bytes());
        }
        assert!(write_out(&folder.0, b"new", Readers::Owner).is_err());
        write_out(&folder.0.join("f"), b"new", Readers::Owner).expect("writes");
        assert_eq!(folder.names(), ["f", "link", "pipe"]);
        assert!(is_no_file(&pipe) && folder.0.join("link").is_symlink());
    }

    #[test]
    fn a_path_is_followed_as_far_as_it_is_there() {
        let folder = Folder::new("followed");
        let real = fs::canonicalize(&folder.0).expect("a folder");
        fs::create_dir(folder.0.join("there")).expect("a folder");
        let links = [
            ("none/f", "to-none"),
            ("round", "round"),
            ("to-none", "twice"),
            ("there", "to-there"),
            ("none/../f", "out-of-none"),
        ];
        for (to, link) in links {
            std::os::unix::fs::symlink(to, folder.0.join(link)).expect("a link");
        }
        let at = |path: &str| followed(&folder.0.join(path));
        for (path, leads) in [
            ("a", "a"),
            ("b/./c", "b/c"),
            ("to-none", "none/f"),
            ("twice/g", "none/f/g"),
            ("there/../a", "a"),
            ("to-there/../to-none", "none/f"),
        ] {
            assert_eq!(at(path).expect("a path"), real.join(leads), "{path}");
        }
        assert!(at("round").is_err() && followed(Path::new("")).is_err());
        for path in ["none/../a", "none/..", "none/../there/a", "to-none/../a", "out-of-none", "/none/../../.."] {
            assert_eq!(at(path).expect_err(path).kind(), io::ErrorKind::NotFound, "{path}");
            assert!(fs::File::create(folder.0.join(path)).is_err(), "{path}");
            assert!(write_whole(&folder.0.join(path), b"lost", Readers::Owner).is_err(), "{path}");
        }
        assert_eq!(folder.names(), ["out-of-none", "round", "there", "to-none", "to-there", "twice"]);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_somebody_writes_is_not() {
        let folder = Folder::new("left-over");
        let not_ours =
            [".f..tmp", ".f.-1.tmp", ".f.1-.tmp", ".f.1.tmp", ".f.a-0.tmp", ".f.tmp", ".f.tmp.tmp", ".f.x.1-0.tmp"];
        let others = [".f.txt", ".g.1-0.tmp", "f.1-0.tmp"];
        for name in not_ours.iter().chain(&others).chain(&[".f.1-0.tmp", ".f.4294967295-10.tmp"]) {
            fs::write(folder.0.join(name), "half").expect("writes");
        }
        fs::create_dir(folder.0.join(".f.1-1.tmp")).expect("a folder");
        let pipe = std::process::Command::new("mkfifo").arg(folder.0.join(".f.1-2.tmp")).status();
        assert!(pipe.expect("mkfifo runs").success());
        let stay: Vec<_> = not_ours.iter().chain(&others).chain(&[".f.1-1.tmp", ".f.1-2.tmp"]).copied().collect();
        let with = |more: &[&str]| {
            let mut names: Vec<_> = stay.iter().chain(more).map(ToString::to_string).collect();
            names.sort();
            names
        };
        let (written, file) = create_beside(&folder.0, OsStr::new("f"), Readers::Owner).expect("a file");
        write_whole(&folder.0.join("f"), b"new", Readers::Owner).expect("writes");
        let written = written.file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(folder.names(), with(&["f", &written]));
        drop(file);
        write_whole(&folder.0.join("f"), b"newer", Readers::Owner).expect("writes");
        assert_eq!(folder.names(), with(&["f"]));
    }

    #[test]
    fn many_at_once_do_not_disturb_each_other() {
        let folder = Folder::new("at-once");
        let path = &folder.0.join("f");
        std::thread::scope(|scope| {
            for number in 0..4_u8 {
                scope.spawn(move || {
                    for _ in 0..20 {
                        write_whole(path, &[number; 10_000], Readers::Others).expect("writes");
                        let read = fs::read(path).expect("reads");
                        assert!(read.len() == 10_000 && read.iter().all(|byte| *byte == read[0]));
                    }
                });
            }
        });
        assert_eq!(folder.names(), ["f"]);
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = Folder::new("failure");
        // A folder that is not empty cannot be replaced by a file.
        fs::create_dir_all(folder.0.join("f/g")).expect("a folder");
        assert!(write_whole(&folder.0.join("f"), b"new", Readers::Owner).is_err());
        assert_eq!(folder.names(), ["f"]);
        assert!(write_whole(&folder.0.join("none/f"), b"new", Readers::Owner).is_err());
        assert!(write_whole(Path::new("/"), b"new", Readers::Owner).is_err());
    }
}
