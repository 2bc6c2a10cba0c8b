//! The MD5s of long answers, taken of several at once (ADR 15 and 16).
//!
//! Each step of MD5 waits for the one before it, but those of different texts do not: eight take little longer than one.

use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, OnceLock, Weak};
use std::task::Poll;

use bytes::Bytes;
use md5_many::Md5Many;
use parking_lot::Mutex;

/// What connections have to digest.
#[derive(Debug, Default)]
pub struct Digests {
    /// Those of connections that have ended are gone.
    waiting: Mutex<Vec<Weak<Waiting>>>,
}

#[derive(Debug)]
struct Waiting {
    text: Bytes,
    md5: OnceLock<[u8; 16]>,
}

impl Digests {
    /// The MD5 of the text of a long answer, once the calls that have come already are answered, with those of their texts.
    ///
    /// To make such an answer takes long enough for its reader to fall asleep, and to wake a reader costs more than a
    /// call of one instance does: so it is also for the reader's sake that they leave together.
    pub(super) async fn of(&self, text: Bytes) -> [u8; 16] {
        let waiting = Arc::new(Waiting { text, md5: OnceLock::new() });
        self.waiting.lock().push(Arc::downgrade(&waiting));
        after_others().await;
        if waiting.md5.get().is_none() {
            self.digest_all();
        }
        // Another thread may have taken it, and not be done yet.
        *waiting.md5.get_or_init(|| md5_many::md5(&waiting.text))
    }

    fn digest_all(&self) {
        let waiting: Vec<_> = mem::take(&mut *self.waiting.lock()).iter().filter_map(Weak::upgrade).collect();
        let texts: Vec<&[u8]> = waiting.iter().map(|one| &*one.text).collect();
        let mut md5s = vec![[0; 16]; texts.len()];
        Md5Many::new().hash_many(&texts, &mut md5s);
        for (one, md5) in waiting.iter().zip(md5s) {
            one.md5.get_or_init(|| md5);
        }
    }
}

/// Lets the calls that have come already be answered first.
async fn after_others() {
    let mut waited = false;
    poll_fn(|cx| {
        if mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        // Behind all that is in the scheduler's queue; a yield of the runtime's would wait for a look at the sockets too.
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Waker};

    use md5::Digest;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn poll<F: Future>(of: &mut Pin<Box<F>>) -> Poll<F::Output> {
        of.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    proptest! {
        #[test]
        fn each_text_has_its_own_md5_whoever_waits_with_it(
            texts in vec((any::<u8>(), prop_oneof![0..200_usize, 4000..20_000_usize], any::<bool>()), 0..20),
        ) {
            let digests = Digests::default();
            let text = |byte: u8, length| Bytes::from((0..length).map(|n| byte.wrapping_add(n as u8)).collect::<Vec<_>>());
            let mut waiting = Vec::new();
            for (byte, length, stays) in texts {
                let text = text(byte, length);
                let mut of = Box::pin(digests.of(text.clone()));
                prop_assert_eq!(poll(&mut of), Poll::Pending, "it waits for others");
                // Some connections end meanwhile.
                waiting.extend(stays.then_some((text, of)));
            }
            for (text, mut of) in waiting {
                prop_assert_eq!(poll(&mut of), Poll::Ready(md5::Md5::digest(&text).into()));
            }
        }
    }

    #[test]
    fn those_that_wait_together_are_digested_by_the_first() {
        let digests = Digests::default();
        let mut both = [b"a", b"b"].map(|text| Box::pin(digests.of(Bytes::from_static(text))));
        assert!(both.iter_mut().all(|of| poll(of).is_pending()));
        assert!(poll(&mut both[0]).is_ready());
        assert!(digests.waiting.lock().is_empty());
        assert!(poll(&mut both[1]).is_ready());
    }

    #[test]
    fn what_another_thread_has_taken_is_not_waited_for() {
        let digests = Digests::default();
        let mut of = Box::pin(digests.of(Bytes::from_static(b"abc")));
        assert!(poll(&mut of).is_pending());
        digests.waiting.lock().clear();
        assert_eq!(poll(&mut of), Poll::Ready(md5::Md5::digest("abc").into()));
    }
}
