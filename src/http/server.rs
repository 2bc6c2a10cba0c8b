//! Accepting connections, and stopping.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;

use super::{App, Listener, connection, router};

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
    max_connections: u32,
}

/// How many requests are being answered.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    count: AtomicUsize,
    none_left: Notify,
}

/// A request being answered, counted for the server and for its connection.
#[derive(Debug)]
pub(super) struct Guard {
    in_flight: Arc<InFlight>,
    connection: Arc<AtomicUsize>,
}

impl InFlight {
    pub(super) fn enter(self: &Arc<Self>, connection: &Arc<AtomicUsize>) -> Guard {
        self.count.fetch_add(1, Ordering::AcqRel);
        connection.fetch_add(1, Ordering::AcqRel);
        Guard { in_flight: Arc::clone(self), connection: Arc::clone(connection) }
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
        self.connection.fetch_sub(1, Ordering::AcqRel);
        if self.in_flight.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.in_flight.none_left.notify_waiters();
        }
    }
}

/// A running server. Dropping it stops it at once.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    closing: watch::Sender<bool>,
    accepting: Vec<JoinHandle<()>>,
}

impl Server {
    /// Serves on sockets that listen already.
    pub fn start(app: Arc<App>, listeners: Vec<Listener>) -> Self {
        let max_connections = app.limits.max_connections;
        let shared = Arc::new(Shared {
            router: router(Arc::clone(&app)),
            app,
            in_flight: Arc::default(),
            permits: Arc::new(Semaphore::new(max_connections as usize)),
            max_connections,
        });
        let (closing, closed) = watch::channel(false);
        let accepting = listeners
            .into_iter()
            .map(|listener| tokio::spawn(accept(listener, Arc::clone(&shared), closed.clone())))
            .collect();
        Self { shared, closing, accepting }
    }

    /// Stops: `ready` says so at once, connections close after the request they are in, new ones
    /// are still answered while one is in flight, and what is not done after `patience` is cut off.
    /// Answers whether all was done.
    pub async fn stop(mut self, patience: Duration) -> bool {
        self.shared.app.control.drain();
        self.closing.send_replace(true);
        let drained = tokio::time::timeout(patience, async {
            self.shared.in_flight.none_left().await;
            for task in &self.accepting {
                task.abort();
            }
            // Every permit back means every connection gone.
            let _ = self.shared.permits.acquire_many(self.shared.max_connections).await;
        });
        let done = drained.await.is_ok();
        // A listener goes with its task, and the file of a Unix socket with its listener.
        for task in std::mem::take(&mut self.accepting) {
            task.abort();
            let _ = task.await;
        }
        done
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.accepting {
            task.abort();
        }
        self.closing.send_replace(true);
    }
}

async fn accept(listener: Listener, shared: Arc<Shared>, closing: watch::Receiver<bool>) {
    loop {
        // At the cap, new connections wait in the backlog.
        let Ok(permit) = Arc::clone(&shared.permits).acquire_owned().await else { return pending().await };
        let (shared, closing) = (Arc::clone(&shared), closing.clone());
        let accepted = match &listener {
            Listener::Tcp(tcp) => tcp.accept().await.map(|(stream, _)| {
                // Answers are written whole: waiting for more to send would only delay them.
                let _ = stream.set_nodelay(true);
                tokio::spawn(async move {
                    connection::serve(stream, shared, closing).await;
                    drop(permit);
                });
            }),
            Listener::Unix(unix, _) => unix.accept().await.map(|(stream, _)| {
                tokio::spawn(async move {
                    connection::serve(stream, shared, closing).await;
                    drop(permit);
                });
            }),
        };
        if let Err(error) = accepted {
            tracing::debug!(%error, "a connection could not be accepted");
            tokio::time::sleep(EXHAUSTED).await;
        }
    }
}
