//! The timer of one connection.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use parking_lot::Mutex;

/// hyper asks for a sleep for every head that it waits for, and drops it when the head is there. Of the
/// runtime's timers each would be made, entered and removed; here, all of a connection share one, which is
/// only moved when it wakes.
#[derive(Clone)]
pub(super) struct HeadTimer(Arc<Mutex<Pin<Box<tokio::time::Sleep>>>>);

impl HeadTimer {
    /// `first`: how long the first sleep will be.
    pub(super) fn new(first: Duration) -> Self {
        Self(Arc::new(Mutex::new(Box::pin(tokio::time::sleep(first)))))
    }
}

impl fmt::Debug for HeadTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeadTimer")
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(HeadSleep { deadline, timer: self.clone() })
    }
}

struct HeadSleep {
    deadline: Instant,
    timer: HeadTimer,
}

impl Sleep for HeadSleep {}

impl Future for HeadSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = tokio::time::Instant::from_std(self.deadline);
        let mut shared = self.timer.0.lock();
        loop {
            if shared.deadline() > deadline {
                shared.as_mut().reset(deadline);
            }
            ready!(shared.as_mut().poll(cx));
            if shared.deadline() >= deadline {
                return Poll::Ready(());
            }
            // It was set for an earlier head.
            shared.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_sleep_ends_at_its_own_time() {
        let begin = tokio::time::Instant::now();
        let timer = HeadTimer::new(Duration::from_secs(10));
        drop(timer.sleep_until((begin + Duration::from_secs(10)).into_std()));
        for (until, elapsed) in [(25, 25), (5, 25), (26, 26)] {
            timer.sleep_until((begin + Duration::from_secs(until)).into_std()).await;
            assert_eq!(begin.elapsed(), Duration::from_secs(elapsed), "until {until}");
        }
        let earlier = timer.sleep_until((begin + Duration::from_secs(90)).into_std());
        assert!(tokio::time::timeout(Duration::from_secs(1), earlier).await.is_err());
        timer.sleep_until((begin + Duration::from_secs(40)).into_std()).await;
        assert_eq!(begin.elapsed(), Duration::from_secs(40), "a shorter sleep after a longer one");
    }
}
