//! The init folder: what to start with, and what to run when.

use std::io;
use std::path::{Path, PathBuf};

use super::seeds::{mistake, unreadable, with_extension};
use crate::world::seed::Mistake;

/// Looked into without `--init-dir`, if it is there.
const DEFAULT_PLACE: &str = "/etc/ecsim/init";
/// Seeds, and hooks that run before the emulator is ready.
const READY: &str = "ready.d";
/// Hooks that run before the emulator stops.
const STOP: &str = "stop.d";

/// The files of an init folder, each list by name. Other files are nobody's.
#[derive(Clone, Debug, Default)]
pub struct InitFolder {
    /// None if there is no such folder.
    pub path: Option<PathBuf>,
    /// `ready.d/*.json`
    pub seeds: Vec<PathBuf>,
    /// `ready.d/*.sh`
    pub at_ready: Vec<PathBuf>,
    /// `stop.d/*.sh`
    pub at_stop: Vec<PathBuf>,
}

impl InitFolder {
    /// Looks into the folder that was named, which has to be there, or else into that of the default place, which need
    /// not.
    ///
    /// # Errors
    /// It is no folder, cannot be looked into, or has neither of its two folders: a folder that was mounted amiss is
    /// such. Or a seed is no file.
    pub fn find(named: Option<&Path>) -> Result<Self, Vec<Mistake>> {
        let default = Path::new(DEFAULT_PLACE);
        match named {
            Some(path) => Self::read(path),
            None if matches!(default.try_exists(), Ok(false)) => Ok(Self::default()),
            None => Self::read(default),
        }
    }

    fn read(path: &Path) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut has = |folder: &Path| match folder.metadata() {
            Ok(metadata) if metadata.is_dir() => true,
            Ok(_) => {
                mistakes.push(mistake(folder, "is no folder"));
                false
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && folder != path => false,
            Err(error) => {
                mistakes.push(unreadable(folder, &error));
                false
            }
        };
        let (ready, stop) = (path.join(READY), path.join(STOP));
        let (has_ready, has_stop) = if has(path) { (has(&ready), has(&stop)) } else { (false, false) };
        if mistakes.is_empty() && !has_ready && !has_stop {
            mistakes.push(mistake(path, format!("holds neither {READY} nor {STOP}")));
        }
        let mut list = |there: bool, folder: &Path, extension: &str| {
            let files = if there { with_extension(folder, extension) } else { Ok(Vec::new()) };
            files.unwrap_or_else(|error| {
                mistakes.push(unreadable(folder, &error));
                Vec::new()
            })
        };
        let found = Self {
            path: Some(path.to_owned()),
            seeds: list(has_ready, &ready, "json"),
            at_ready: list(has_ready, &ready, "sh"),
            at_stop: list(has_stop, &stop, "sh"),
        };
        mistakes.dedup();
        // What cannot be looked at is told when it is read.
        let odd = found.seeds.iter().filter(|seed| seed.metadata().is_ok_and(|metadata| !metadata.is_file()));
        mistakes.extend(
            odd.map(|seed| mistake(seed, format!("is no regular file, and {READY} holds no folders of seeds"))),
        );
        if mistakes.is_empty() { Ok(found) } else { Err(mistakes) }
    }

    /// A file as it is called within the folder, such as `ready.d/10-roles.sh`.
    pub fn name_of(&self, file: &Path) -> String {
        self.path.as_ref().and_then(|path| file.strip_prefix(path).ok()).unwrap_or(file).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tests::Folder;
    use super::*;

    fn mistakes(path: &Path) -> Vec<String> {
        InitFolder::find(Some(path)).expect_err("mistakes").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_list_is_by_name_and_other_and_hidden_files_are_nobody_s() {
        let folder = Folder::new("init");
        let init = &folder.0;
        for name in ["ready.d", "stop.d", "start.d"] {
            fs::create_dir(init.join(name)).expect("a folder");
        }
        for name in ["ready.d/20-b.sh", "ready.d/3-c.sh", "ready.d/10-a.sh", "ready.d/2.json", "ready.d/10.json"] {
            fs::write(init.join(name), "").expect("writes");
        }
        for name in ["stop.d/a.sh", "stop.d/a.json", "ready.d/a.sh.bak", "ready.d/sh", "start.d/a.sh", "a.sh"] {
            fs::write(init.join(name), "").expect("writes");
        }
        for name in ["ready.d/.#1.sh", "ready.d/._1.json", "stop.d/.sh"] {
            fs::write(init.join(name), "").expect("writes");
        }
        let found = InitFolder::find(Some(init)).expect("reads");
        let names = |files: &[PathBuf]| files.iter().map(|file| found.name_of(file)).collect::<Vec<_>>();
        assert_eq!(names(&found.seeds), ["ready.d/10.json", "ready.d/2.json"]);
        assert_eq!(names(&found.at_ready), ["ready.d/10-a.sh", "ready.d/20-b.sh", "ready.d/3-c.sh"]);
        assert_eq!(names(&found.at_stop), ["stop.d/a.sh"]);
    }

    #[test]
    fn what_is_no_init_folder_is_a_mistake() {
        let folder = Folder::new("init-none");
        let path = |name: &str| folder.0.join(name);
        let at = |name: &str, reason: &str| [format!("{}: file: {reason}", path(name).display())];
        fs::write(path("file"), "").expect("writes");
        fs::create_dir_all(path("empty")).expect("a folder");
        fs::create_dir_all(path("odd")).expect("a folder");
        fs::write(path("odd/stop.d"), "").expect("writes");
        fs::create_dir_all(path("nested/ready.d/1.json")).expect("a folder");
        assert_eq!(mistakes(&path("none")), at("none", "cannot be read: No such file or directory (os error 2)"));
        assert_eq!(mistakes(&path("file")), at("file", "is no folder"));
        assert_eq!(mistakes(&path("empty")), at("empty", "holds neither ready.d nor stop.d"));
        assert_eq!(mistakes(&path("odd")), at("odd/stop.d", "is no folder"));
        let reason = "is no regular file, and ready.d holds no folders of seeds";
        assert_eq!(mistakes(&path("nested")), at("nested/ready.d/1.json", reason));
    }
}
