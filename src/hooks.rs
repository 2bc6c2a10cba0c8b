//! Hooks: the scripts of the init folder, run one after the other by the system's shell.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::process::{Child, Command};

use crate::control::{HookState, Init, Stage};
use crate::files::beside_calls;

/// What runs hooks, where there is one.
pub const SHELL: &str = "/bin/sh";

/// What becomes of a hook's failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// The emulator does not start, or has not stopped well
    Fail,
    /// It is logged
    Warn,
}

/// How hooks are run.
pub struct Hooks {
    /// [`SHELL`], but for tests.
    pub shell: PathBuf,
    /// How long one may run; then it is killed with what it has started.
    pub limit: Duration,
    pub on_error: OnError,
    /// What is set in their environment beside the emulator's own, or taken out of it.
    pub variables: Vec<(String, Option<String>)>,
}

/// A hook that failed.
#[derive(Debug, thiserror::Error)]
#[error("the hook {} {end}", .path.display())]
pub struct HookError {
    path: PathBuf,
    end: End,
}

/// How a hook failed.
#[derive(Debug)]
enum End {
    Unreadable(io::Error),
    /// A folder, a pipe or another thing that is no script.
    NoFile,
    NotStarted(io::Error),
    Ended(ExitStatus),
    TooSlow(Duration),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot be read: {error}"),
            Self::NoFile => f.write_str("is no regular file"),
            Self::NotStarted(error) => write!(f, "cannot be started: {error}"),
            Self::Ended(status) => match (status.code(), status.signal()) {
                (Some(code), _) => write!(f, "ended with exit status {code}"),
                (None, Some(signal)) => write!(f, "was killed by signal {signal}"),
                (None, None) => write!(f, "ended with {status}"),
            },
            Self::TooSlow(limit) => write!(f, "had not ended after {limit:?} and was killed"),
        }
    }
}

/// Without the variables, of which one may be a token.
impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").field("limit", &self.limit).field("on_error", &self.on_error).finish_non_exhaustive()
    }
}

impl Hooks {
    /// Runs the hooks of a stage and notes how they are. Before the emulator is ready, the first that fails is the last;
    /// at a stop, the others have their turn. One that fails takes along what it has started, and so does the one that runs
    /// if this is dropped.
    ///
    /// # Errors
    /// The first that failed, if a failure is more than logged.
    pub async fn run(&self, init: &Init, stage: Stage) -> Result<(), HookError> {
        let hooks = init.hooks(stage);
        if !hooks.is_empty() && !self.shell.exists() {
            tracing::warn!("there is no {}: the hooks of the init folder are skipped", self.shell.display());
            for (number, _) in hooks {
                init.note(number, HookState::Skipped, None, None);
            }
            init.ready();
            return Ok(());
        }
        let mut first = Ok(());
        for (number, path) in hooks {
            init.note(number, HookState::Running, None, None);
            let began = Instant::now();
            let end = self.run_one(&path).await;
            let took = began.elapsed();
            let Err(end) = end else {
                init.note(number, HookState::Done, Some(took), None);
                tracing::info!(path = %path.display(), ms = took.as_millis() as u64, "a hook has run");
                continue;
            };
            init.note(number, HookState::Failed, Some(took), Some(end.to_string()));
            let error = HookError { path, end };
            match (self.on_error, stage) {
                (OnError::Warn, _) => tracing::warn!("{error}"),
                (OnError::Fail, Stage::Ready) => return Err(error),
                (OnError::Fail, Stage::Stop) => {
                    tracing::error!("{error}");
                    first = first.and(Err(error));
                }
            }
        }
        init.ready();
        first
    }

    async fn run_one(&self, script: &Path) -> Result<(), End> {
        // What is too slow is dropped, which kills it.
        tokio::time::timeout(self.limit, self.end_of(script)).await.unwrap_or(Err(End::TooSlow(self.limit)))
    }

    async fn end_of(&self, script: &Path) -> Result<(), End> {
        readable(script.to_owned()).await?;
        let mut group = Group(self.command(script).and_then(|mut command| command.spawn()).map_err(End::NotStarted)?);
        if !group.has_succeeded().await.map_err(End::NotStarted)? {
            group.kill();
        }
        let status = group.0.wait().await.map_err(End::NotStarted)?;
        if status.success() { Ok(()) } else { Err(End::Ended(status)) }
    }

    fn command(&self, script: &Path) -> io::Result<Command> {
        let mut command = Command::new(&self.shell);
        command.args([OsStr::new("--"), script.as_os_str()]).process_group(0);
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        // Whoever reads the emulator's stdout looks for the ready lines.
        let stdout = io::stderr().as_fd().try_clone_to_owned()?;
        command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::inherit());
        Ok(command)
    }
}

/// Whether a script is a file that can be read. Shells would say so too, but each in its own way, and of a folder not all do.
async fn readable(script: PathBuf) -> Result<(), End> {
    // To open a pipe, and to ask a disk that is far away, may take for ever.
    let is_file = beside_calls(move || {
        let is_file = script.metadata()?.is_file();
        if is_file { File::open(script).map(|_| true) } else { Ok(false) }
    });
    if is_file.await.map_err(End::Unreadable)? { Ok(()) } else { Err(End::NoFile) }
}

/// A process at the head of a group of its own, which goes with this. What has left its group stays.
struct Group(Child);

impl Group {
    /// Waits for the end of the leader, and leaves its number to it: as long as nobody has taken its status, the group is
    /// nobody else's.
    async fn has_succeeded(&self) -> io::Result<bool> {
        let Some(leader) = self.leader() else { return Ok(false) };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let ended = beside_calls(move || retry_on_intr(|| waitid(WaitId::Pid(leader), options))).await?;
        Ok(ended.and_then(|status| status.exit_status()) == Some(0))
    }

    /// None once its status has been taken: then its number may be another's.
    fn leader(&self) -> Option<Pid> {
        self.0.id().and_then(|id| Pid::from_raw(id.cast_signed()))
    }

    fn kill(&self) {
        if let Some(leader) = self.leader() {
            // Gone already is as good.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::InitFolder;

    #[tokio::test]
    async fn without_a_shell_hooks_are_skipped_and_nobody_waits_for_them() {
        let folder = InitFolder { at_ready: vec!["/none/ready.d/1.sh".into()], ..InitFolder::default() };
        let hooks = |shell: &str| Hooks {
            shell: shell.into(),
            limit: Duration::from_secs(30),
            on_error: OnError::Fail,
            variables: Vec::new(),
        };
        let init = Init::new(&folder);
        assert_eq!(init.awaited().as_deref(), Some("the hook /none/ready.d/1.sh has not run yet"));
        hooks("/none/sh").run(&init, Stage::Ready).await.expect("no failure");
        assert_eq!((init.awaited(), init.state(0)), (None, Some(HookState::Skipped)));

        let init = Init::new(&folder);
        let error = hooks(SHELL).run(&init, Stage::Ready).await.expect_err("there is a shell, and no such script");
        let text = "the hook /none/ready.d/1.sh cannot be read: No such file or directory (os error 2)";
        assert_eq!(error.to_string(), text);
        assert_eq!(init.awaited().as_deref(), Some("the hook /none/ready.d/1.sh failed"));
    }
}
