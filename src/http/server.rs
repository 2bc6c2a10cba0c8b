//! Accepting connections, and stopping.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::listener::Stream;
use super::{App, Listener, connection, router};
use crate::world::NamedInstance;

/// How long to wait before accepting again when the system has no more descriptors.
const EXHAUSTED: Duration = Duration::from_millis(20);

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) app: Arc<App>,
    pub(super) router: Router,
    pub(super) in_flight: Arc<InFlight>,
    /// One permit a connection.
    permits: Arc<Semaphore>,
}

/// How far the server is on its way to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Open,
    /// Connections close after the request that they are in; new ones are answered once.
    Closing,
    /// Nobody is accepted any more.
    Finishing,
}

/// Waits until the server has come that far. A server that is gone has come all the way.
pub(super) async fn reached(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    let _ = phase.wait_for(|phase| *phase >= wanted).await;
}

/// How many requests are being answered.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    count: AtomicUsize,
    none_left: Notify,
}

/// A request being answered.
#[derive(Debug)]
pub(super) struct Guard(Arc<InFlight>);

impl InFlight {
    pub(super) fn enter(self: &Arc<Self>) -> Guard {
        self.count.fetch_add(1, Ordering::AcqRel);
        Guard(Arc::clone(self))
    }

    async fn none_left(&self) {
        loop {
            let notified = self.none_left.notified();
            if self.count.load(Ordering::Acquire) == 0 {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none_left.notify_waiters();
        }
    }
}

/// A socket that listens, and who comes by it.
#[derive(Debug)]
pub struct Door {
    pub listener: Listener,
    /// The instance that every request there is from, for the metadata service.
    pub instance: Option<NamedInstance>,
}

/// A running server. Dropping it cuts off every connection.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    phase: watch::Sender<Phase>,
    /// One task a listener, which owns its connections: they end with it.
    accepting: Vec<JoinHandle<()>>,
}

impl Server {
    /// Serves on sockets that listen already.
    pub fn start(app: Arc<App>, doors: Vec<Door>) -> Self {
        let shared = Arc::new(Shared {
            router: router(Arc::clone(&app)),
            permits: Arc::new(Semaphore::new(app.limits.max_connections as usize)),
            app,
            in_flight: Arc::default(),
        });
        let (phase, watched) = watch::channel(Phase::Open);
        let accepting =
            doors.into_iter().map(|door| tokio::spawn(accept(door, Arc::clone(&shared), watched.clone()))).collect();
        Self { shared, phase, accepting }
    }

    /// Stops: `ready` says so at once, connections close after the request they are in, new ones
    /// are still answered while one is in flight, and what is not done after `patience` is cut off.
    /// Answers whether all was done. One that was not waited for can be told again.
    pub async fn stop(&mut self, patience: Duration) -> bool {
        self.shared.app.control.drain();
        self.phase.send_replace(Phase::Closing);
        let done = tokio::time::timeout(patience, async {
            self.shared.in_flight.none_left().await;
            self.phase.send_replace(Phase::Finishing);
            // One that has ended may have been waited for before, and that can be done only once.
            for task in self.accepting.iter_mut().filter(|task| !task.is_finished()) {
                let _ = task.await;
            }
        })
        .await
        .is_ok();
        if !done {
            // Waited for too: a listener goes with its task, and the file of a Unix socket with its listener.
            for task in std::mem::take(&mut self.accepting) {
                task.abort();
                if !task.is_finished() {
                    let _ = task.await;
                }
            }
        }
        done
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.accepting {
            task.abort();
        }
    }
}

/// Accepts until the server finishes, then waits for its connections.
async fn accept(door: Door, shared: Arc<Shared>, mut phase: watch::Receiver<Phase>) {
    let Door { listener, instance } = door;
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = reached(&mut phase, Phase::Finishing) => break,
        };
        match accepted {
            Ok(stream) => {
                // At the cap, this connection waits for a place, and those behind it in the backlog.
                let permit = tokio::select! {
                    permit = Arc::clone(&shared.permits).acquire_owned() => permit,
                    () = reached(&mut phase, Phase::Finishing) => break,
                };
                let (shared, phase, instance) = (Arc::clone(&shared), phase.clone(), instance.clone());
                connections.spawn(async move {
                    let _permit = permit;
                    match stream {
                        Stream::Tcp(stream, peer) => {
                            connection::serve(stream, Some(peer), instance, shared, phase).await;
                        }
                        Stream::Unix(stream) => connection::serve(stream, None, instance, shared, phase).await,
                    }
                });
            }
            Err(error) => exhausted(&error).await,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn exhausted(error: &io::Error) {
    tracing::debug!(%error, "a connection could not be accepted");
    tokio::time::sleep(EXHAUSTED).await;
}
