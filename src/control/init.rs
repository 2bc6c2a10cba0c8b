//! `/_ecsim/init`: what the init folder holds, and what became of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use parking_lot::RwLock;
use serde::Serialize;
use utoipa::ToSchema;

use super::Control;
use crate::files::InitFolder;

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Once the emulator answers, before calls are welcome.
    Ready,
    /// Once it is told to stop, while it still answers.
    Stop,
}

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Waiting,
    Running,
    /// A seed was taken in; a hook has ended with exit status 0.
    Done,
    Failed,
    /// A hook where there is no shell.
    Skipped,
}

/// What has become of the init folder, the one place of it: whether calls are welcome is told from here too.
#[derive(Debug, Default)]
pub struct Init {
    folder: Option<PathBuf>,
    seeds: RwLock<Vec<String>>,
    hooks: RwLock<Vec<Hook>>,
    /// Whether there is no ready hook to wait for.
    is_ready: AtomicBool,
}

#[derive(Clone, Debug)]
struct Hook {
    path: PathBuf,
    name: String,
    stage: Stage,
    state: State,
    error: Option<String>,
    took: Option<Duration>,
}

impl Init {
    /// The seeds are taken in, the hooks wait.
    pub fn new(folder: &InitFolder) -> Self {
        let hook = |path: &PathBuf, stage| {
            let (path, name) = (path.clone(), folder.name_of(path));
            Hook { path, name, stage, state: State::Waiting, error: None, took: None }
        };
        let at_ready = folder.at_ready.iter().map(|path| hook(path, Stage::Ready));
        let at_stop = folder.at_stop.iter().map(|path| hook(path, Stage::Stop));
        let init = Self {
            folder: folder.path.clone(),
            hooks: RwLock::new(at_ready.chain(at_stop).collect()),
            is_ready: AtomicBool::new(folder.at_ready.is_empty()),
            ..Self::default()
        };
        init.take_seeds(folder);
        init
    }

    /// These are the seeds that are in force now.
    pub fn take_seeds(&self, folder: &InitFolder) {
        *self.seeds.write() = folder.seeds.iter().map(|seed| folder.name_of(seed)).collect();
    }

    /// The hooks of a stage in the order in which they run, each with the number that it is known by.
    pub fn hooks(&self, stage: Stage) -> Vec<(usize, PathBuf)> {
        let hooks = self.hooks.read();
        hooks
            .iter()
            .enumerate()
            .filter(|(_, hook)| hook.stage == stage)
            .map(|(n, hook)| (n, hook.path.clone()))
            .collect()
    }

    /// Notes how far a hook is; once it has ended, how long it took and what is wrong.
    pub fn note(&self, number: usize, state: State, took: Option<Duration>, error: Option<String>) {
        if let Some(hook) = self.hooks.write().get_mut(number) {
            (hook.state, hook.took, hook.error) = (state, took, error);
        }
    }

    /// No ready hook is waited for any more.
    pub fn ready(&self) {
        self.is_ready.store(true, Ordering::Release);
    }

    /// What calls have to wait for, if they are not welcome yet.
    pub fn awaited(&self) -> Option<String> {
        if self.is_ready.load(Ordering::Acquire) {
            return None;
        }
        let hooks = self.hooks.read();
        let hook = |state| hooks.iter().find(|hook| hook.stage == Stage::Ready && hook.state == state);
        Some(match (hook(State::Failed), hook(State::Running), hook(State::Waiting)) {
            (_, Some(running), _) => format!("the hook {} runs", running.name),
            (Some(failed), None, _) => format!("the hook {} failed", failed.name),
            (None, None, Some(waiting)) => format!("the hook {} has not run yet", waiting.name),
            (None, None, None) => "the hooks have just ended".to_owned(),
        })
    }

    #[cfg(test)]
    pub(crate) fn state(&self, number: usize) -> Option<State> {
        self.hooks.read().get(number).map(|hook| hook.state)
    }

    fn folder(&self) -> Option<String> {
        self.folder.as_deref().map(Path::display).map(|path| path.to_string())
    }
}

/// The init folder.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listing {
    /// The version of this form.
    schema: u32,
    /// `--init-dir`; null if there is none.
    folder: Option<String>,
    /// Seeds, then hooks in the order in which they run.
    files: Vec<File>,
}

#[derive(Debug, Serialize, ToSchema)]
struct File {
    /// Within the folder.
    file: String,
    kind: Kind,
    state: State,
    /// What is wrong, of one that failed.
    error: Option<String>,
    /// Milliseconds that a hook took.
    ms: Option<u64>,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// The world begins with it
    Seed,
    /// A hook that runs before calls are welcome
    Ready,
    /// A hook that runs before the emulator stops
    Stop,
}

/// What the init folder holds, and what became of it
#[utoipa::path(get, path = "/_ecsim/init", responses((status = 200, body = Listing)))]
pub(super) async fn init(Shared(control): Shared<Arc<Control>>) -> Json<Listing> {
    let init = &control.init;
    let seed = |name: &String| File { file: name.clone(), kind: Kind::Seed, state: State::Done, error: None, ms: None };
    let hook = |hook: &Hook| File {
        file: hook.name.clone(),
        kind: match hook.stage {
            Stage::Ready => Kind::Ready,
            Stage::Stop => Kind::Stop,
        },
        state: hook.state,
        error: hook.error.clone(),
        ms: hook.took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
    };
    let mut files: Vec<_> = init.seeds.read().iter().map(seed).collect();
    files.extend(init.hooks.read().iter().map(hook));
    Json(Listing { schema: 1, folder: init.folder(), files })
}
