//! Answers that do not arrive as they were made, since a fault has it so: held back, broken off, or never sent.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;

use super::server::{Phase, reached};
use crate::world::chaos::{Damage, Treatment};

/// How the connection goes on in place of the answer, or of the rest of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Cut {
    /// It closes.
    #[error("a fault closes the connection")]
    Closed,
    /// It is reset.
    #[error("a fault resets the connection")]
    Reset,
    /// Nothing comes for so long; then it closes.
    #[error("a fault leaves the client without an answer")]
    Silent(Duration),
}

impl Cut {
    /// The cut that has made a connection fail, if one has.
    pub(super) fn of(error: &hyper::Error) -> Option<Self> {
        let mut source = error.source();
        while let Some(cause) = source {
            if let Some(cut) = cause.downcast_ref() {
                return Some(*cut);
            }
            source = cause.source();
        }
        None
    }
}

/// What can be reset.
pub(super) trait Resets {
    /// Closing resets it from now on.
    fn reset_at_close(&self);
}

impl Resets for TcpStream {
    fn reset_at_close(&self) {
        // Where it fails the other end has gone already.
        let _ = self.set_zero_linger();
    }
}

/// A Unix socket has no resets: it closes.
impl Resets for UnixStream {
    fn reset_at_close(&self) {}
}

/// Waits; where there is a server, not after it begins to close.
pub(super) async fn hold(time: Duration, phase: Option<watch::Receiver<Phase>>) {
    let sleep = tokio::time::sleep(time);
    match phase {
        None => sleep.await,
        Some(mut phase) => tokio::select! {
            () = sleep => {}
            () = reached(&mut phase, Phase::Closing) => {}
        },
    }
}

/// Does to an answer what a fault has become of it.
///
/// # Errors
/// The connection ends in place of an answer.
pub(super) async fn treat(
    answer: Response<Body>,
    Treatment { delay, damage }: Treatment,
    phase: Option<watch::Receiver<Phase>>,
) -> Result<Response<Body>, Cut> {
    if !delay.is_zero() {
        hold(delay, phase.clone()).await;
    }
    let (head, body) = answer.into_parts();
    let pieces = match damage {
        None => return Ok(Response::from_parts(head, body)),
        Some(Damage::Empty) => return Err(Cut::Closed),
        Some(Damage::Reset) => return Err(Cut::Reset),
        Some(Damage::Timeout(time)) => return Err(Cut::Silent(time)),
        // Of nothing there is no half: it ends before its first byte.
        Some(Damage::Truncate) if hyper::body::Body::size_hint(&body).exact() == Some(0) => return Err(Cut::Closed),
        Some(Damage::Truncate) => Pieces::half(&whole(body).await),
        Some(Damage::Dribble(time)) => Pieces::over(whole(body).await, time, phase),
    };
    Ok(Response::from_parts(head, Body::new(pieces)))
}

/// Answers are in memory, so that nothing can fail here.
async fn whole(body: Body) -> Bytes {
    body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}

/// Where there is no connection: what would close it in place of an answer breaks the body off before its first byte.
pub(super) async fn without_connection(request: Request, next: Next) -> Response<Body> {
    let mut answer = next.run(request).await;
    let Some(treatment) = answer.extensions_mut().remove() else { return answer };
    match treat(answer, treatment, None).await {
        Ok(answer) => answer,
        Err(cut) => {
            if let Cut::Silent(time) = cut {
                hold(time, None).await;
            }
            Response::new(Body::new(Pieces::half(&Bytes::new())))
        }
    }
}

/// For the last piece before a break to be on its way. What waits in one write with the break goes with it.
const FLUSHING: Duration = Duration::from_millis(10);

/// How many pieces a body dribbles in at most.
const MOST_PIECES: usize = 32;

/// A body in pieces, which may break off.
struct Pieces {
    rest: Bytes,
    size: usize,
    /// Between two pieces, and before the break.
    pause: Duration,
    wait: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    breaks: bool,
    /// The length that is announced while nothing has been sent.
    announced: u64,
    phase: Option<watch::Receiver<Phase>>,
}

impl Pieces {
    /// The first half of a body whose whole length is announced.
    fn half(body: &Bytes) -> Self {
        let announced = body.len() as u64;
        let rest = body.slice(..body.len() / 2);
        let wait: Option<Pin<Box<dyn Future<Output = ()> + Send>>> = Some(Box::pin(hold(FLUSHING, None)));
        let wait = wait.filter(|_| rest.is_empty());
        Self { size: rest.len(), rest, pause: FLUSHING, wait, breaks: true, announced, phase: None }
    }

    /// A body piece by piece, the last one at the end of `time`.
    fn over(body: Bytes, time: Duration, phase: Option<watch::Receiver<Phase>>) -> Self {
        let announced = body.len() as u64;
        let size = body.len().div_ceil(MOST_PIECES).max(1);
        let pauses = body.len().div_ceil(size).saturating_sub(1).max(1);
        let pause = time / u32::try_from(pauses).unwrap_or(u32::MAX);
        Self { rest: body, size, pause, wait: None, breaks: false, announced, phase }
    }
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(cx));
            self.wait = None;
        }
        if self.rest.is_empty() {
            return Poll::Ready(self.breaks.then_some(Err(Cut::Closed)));
        }
        let size = self.size.min(self.rest.len());
        let piece = self.rest.split_to(size);
        self.announced -= size as u64;
        if !self.rest.is_empty() || self.breaks {
            self.wait = Some(Box::pin(hold(self.pause, self.phase.clone())));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut pieces: Pieces) -> (Vec<Bytes>, Option<Cut>) {
        let mut frames = Vec::new();
        while let Some(frame) = pieces.frame().await {
            match frame {
                Ok(frame) => frames.push(frame.into_data().expect("data")),
                Err(cut) => return (frames, Some(cut)),
            }
        }
        (frames, None)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_dribbles_whole_over_its_time_and_at_once_when_the_server_closes() {
        let body = Bytes::from(vec![b'a'; 1001]);
        let begin = tokio::time::Instant::now();
        let (frames, cut) = read(Pieces::over(body.clone(), Duration::from_secs(31), None)).await;
        assert_eq!((frames.concat(), cut), (body.to_vec(), None));
        assert!(frames.len() > 20 && frames.len() <= MOST_PIECES, "{}", frames.len());
        assert_eq!(begin.elapsed().as_secs(), 31);
        let (phase, watched) = watch::channel(Phase::Closing);
        let begin = tokio::time::Instant::now();
        let (frames, _) = read(Pieces::over(body.clone(), Duration::from_secs(31), Some(watched))).await;
        assert_eq!((frames.concat(), begin.elapsed()), (body.to_vec(), Duration::ZERO));
        drop(phase);
        for short in ["", "a"] {
            let (frames, cut) = read(Pieces::over(short.into(), Duration::from_secs(1), None)).await;
            assert_eq!((frames.concat(), cut), (short.as_bytes().to_vec(), None));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn half_of_a_body_announces_the_whole_and_breaks_off() {
        for (whole, half) in [("abcdef", "abc"), ("abc", "a"), ("a", ""), ("", "")] {
            let pieces = Pieces::half(&whole.into());
            assert_eq!(hyper::body::Body::size_hint(&pieces).exact(), Some(whole.len() as u64));
            let (frames, cut) = read(pieces).await;
            assert_eq!((frames.concat(), cut), (half.as_bytes().to_vec(), Some(Cut::Closed)));
        }
    }
}
