//! `/_ecsim/init`: what the init folder holds, and what became of it.

use std::path::PathBuf;
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
    /// A seed has been read, for what begins of seeds; a hook has ended with exit status 0.
    Done,
    Failed,
    /// A hook where there is no shell.
    Skipped,
}

/// What has become of the init folder, the one place of it: whether calls are welcome is told from here too.
#[derive(Debug, Default)]
pub struct Init {
    /// Whose seeds are in force.
    folder: RwLock<InitFolder>,
    hooks: RwLock<Vec<Hook>>,
    /// Whether there is no ready hook to wait for.
    is_ready: AtomicBool,
}

#[derive(Clone, Debug)]
struct Hook {
    path: PathBuf,
    stage: Stage,
    state: State,
    error: Option<String>,
    took: Option<Duration>,
}

impl Init {
    /// The seeds are taken in, the hooks wait.
    pub fn new(folder: &InitFolder) -> Self {
        let hook =
            |path: &PathBuf, stage| Hook { path: path.clone(), stage, state: State::Waiting, error: None, took: None };
        let at_ready = folder.at_ready.iter().map(|path| hook(path, Stage::Ready));
        let at_stop = folder.at_stop.iter().map(|path| hook(path, Stage::Stop));
        Self {
            folder: RwLock::new(folder.clone()),
            hooks: RwLock::new(at_ready.chain(at_stop).collect()),
            is_ready: AtomicBool::new(folder.at_ready.is_empty()),
        }
    }

    /// The seeds of this folder are those that are in force now. The hooks stay those of the start.
    pub fn take_seeds(&self, folder: &InitFolder) {
        self.folder.write().clone_from(folder);
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
        let name = |hook: &Hook| self.folder.read().name_of(&hook.path);
        Some(match (hook(State::Failed), hook(State::Running), hook(State::Waiting)) {
            (_, Some(running), _) => format!("the hook {} runs", name(running)),
            (Some(failed), None, _) => format!("the hook {} failed", name(failed)),
            (None, None, Some(waiting)) => format!("the hook {} has not run yet", name(waiting)),
            (None, None, None) => "the hooks have just ended".to_owned(),
        })
    }

    #[cfg(test)]
    pub(crate) fn state(&self, number: usize) -> Option<State> {
        self.hooks.read().get(number).map(|hook| hook.state)
    }
}

/// The init folder.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listing {
    /// The version of this form.
    schema: u32,
    /// `--init-dir`, as it was when the seeds were read; null if there is none.
    folder: Option<String>,
    /// Seeds, then hooks in the order in which they run.
    files: Vec<File>,
}

#[derive(Debug, Serialize, ToSchema)]
struct File {
    /// Within the folder; a hook of another one, which was in force at the start, with its whole path.
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
    let folder = init.folder.read().clone();
    let seed = |path: &PathBuf| File {
        file: folder.name_of(path),
        kind: Kind::Seed,
        state: State::Done,
        error: None,
        ms: None,
    };
    let hook = |hook: &Hook| File {
        file: folder.name_of(&hook.path),
        kind: match hook.stage {
            Stage::Ready => Kind::Ready,
            Stage::Stop => Kind::Stop,
        },
        state: hook.state,
        error: hook.error.clone(),
        ms: hook.took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
    };
    let mut files: Vec<_> = folder.seeds.iter().map(seed).collect();
    files.extend(init.hooks.read().iter().map(hook));
    let path = folder.path.as_deref().map(|path| path.display().to_string());
    Json(Listing { schema: 1, folder: path, files })
}
