//! One connection, from its first byte to its last.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use bytes::BytesMut;
use http::{Method, Request};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tower::Service;

use super::damage::{self, Cut, Resets};
use super::head_timer::HeadTimer;
use super::server::{Phase, Shared, reached};
use super::{GATEWAY, call, marked, metadata_of_whoever_asks};
use crate::api::error::Code;
use crate::control::Peer;
use crate::metadata;
use crate::world::NamedInstance;

/// How long a connection that has asked for nothing may take to close.
const CLOSING: Duration = Duration::from_millis(50);

/// How long a client that has its last answer may go on sending. One that reads it has closed long before.
const LINGERING: Duration = Duration::from_millis(250);

/// Serves a connection until it ends or the server closes; a Unix socket's has no peer.
pub(super) async fn serve<I>(
    io: I,
    peer: Option<IpAddr>,
    instance: Option<NamedInstance>,
    shared: Arc<Shared>,
    mut phase: watch::Receiver<Phase>,
) where
    I: AsyncRead + AsyncWrite + Resets + Unpin + Send + 'static,
{
    let limits = shared.app.limits;
    let peer = peer.map(Peer);
    let (shared, begun, watched) = (&*shared, AtomicUsize::new(0), phase.clone());
    let service = service_fn(|request: Request<Incoming>| {
        begun.fetch_add(1, Ordering::AcqRel);
        let guard = shared.in_flight.enter();
        let mut request = request.map(Body::new);
        let (instance, watched) = (instance.as_ref(), &watched);
        async move {
            let answered = if request.uri().path() == GATEWAY {
                call(State(Arc::clone(&shared.app)), peer.map(Extension), request).await
            } else {
                if let Some(peer) = peer {
                    request.extensions_mut().insert(peer);
                }
                if let Some(instance) = instance {
                    request.extensions_mut().insert(instance.clone());
                }
                if metadata::is_path(request.uri().path()) && request.method() != Method::HEAD {
                    Ok(metadata_of_whoever_asks(State(Arc::clone(&shared.app)), request).await)
                } else {
                    // A router is always ready.
                    shared.router.clone().call(request).await
                }
            };
            let Ok(answer) = answered;
            let mut answer = marked(answer);
            let answer = match answer.extensions_mut().remove() {
                None => Ok(answer),
                // On the heap, so that the calls that nothing happens to do not carry the room for it.
                Some(treatment) => Box::pin(damage::treat(answer, treatment, Some(watched.clone()))).await,
            };
            drop(guard);
            answer
        }
    });
    // A connection that comes while the server closes is still answered, once.
    let late = *phase.borrow() >= Phase::Closing;
    let mut http = http1::Builder::new();
    http.timer(HeadTimer::new(limits.header_timeout))
        .header_read_timeout(limits.header_timeout)
        // Answers are small: copying them behind their head costs less than handing over two buffers.
        .writev(false)
        // A client that has sent all and closed its half still reads.
        .half_close(true)
        // Past our own limit, so that a head that is somewhat too large is refused in the envelope.
        .max_buf_size(limits.max_header_size.saturating_mul(4).max(256 << 10))
        .keep_alive(!late);
    let mut connection = http.serve_connection(TokioIo::new(io), service);
    let ended = tokio::select! {
        biased;
        ended = &mut connection => ended,
        () = reached(&mut phase, Phase::Closing) => {
            // A late connection has its keep-alive off already; shutting it down would close it before its first byte.
            if !late {
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
            match tokio::time::timeout(CLOSING, &mut connection).await {
                Ok(ended) => ended,
                // Whoever has asked for something may still be reading the answer.
                Err(_) if begun.load(Ordering::Acquire) > 0 => (&mut connection).await,
                Err(_) => Ok(()),
            }
        }
    };
    let parts = connection.into_parts();
    let mut io = parts.io.into_inner();
    match ended {
        Ok(()) => {}
        Err(error) if error.is_timeout() => {
            // A connection that was idle ends in silence; one that stopped inside a head gets an answer.
            if !parts.read_buf.is_empty() {
                let _ = tokio::time::timeout(CLOSING, too_slow(&mut io, shared)).await;
            }
        }
        Err(error) => match Cut::of(&error) {
            None => tracing::debug!(%error, "a connection ended early"),
            Some(Cut::Reset) => return io.reset_at_close(),
            Some(cut) => {
                if let Cut::Silent(time) = cut {
                    // Until then at most: a client that gives up closes its half.
                    tokio::select! {
                        () = discard(&mut io) => {}
                        () = damage::hold(time, Some(phase.clone())) => {}
                    }
                }
                let _ = io.shutdown().await;
            }
        },
    }
    if *phase.borrow() == Phase::Open {
        let _ = tokio::time::timeout(LINGERING, discard(io)).await;
    }
}

/// Reads what the client still sends after the last answer. Closing before it has come would make the system answer
/// it with a reset, and a reset takes the answer away from a client that has not read it yet.
async fn discard<I: AsyncRead + Unpin>(mut io: I) {
    let mut scrap = BytesMut::with_capacity(16 << 10);
    while io.read_buf(&mut scrap).await.is_ok_and(|count| count > 0) {
        scrap.clear();
    }
}

/// Answers a head that never became whole. The HTTP library only closes, so this writes the
/// envelope itself (decision 24).
async fn too_slow<I: AsyncWrite + Unpin>(io: &mut I, shared: &Shared) {
    let (head, ()) = Request::new(()).into_parts();
    let (head, body) = marked(shared.app.gateway.refuse(head, &Code::TooSlow.into()).whole()).into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else { return };
    let mut text = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
    for (name, value) in &head.headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()).as_bytes());
    text.extend_from_slice(&body);
    let _ = io.write_all(&text).await;
    let _ = io.shutdown().await;
}
