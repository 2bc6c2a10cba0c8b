//! The MD5s of long answers, taken of several at once (ADR 15 and 16).
//!
//! Each step of MD5 waits for the one before it, but those of different texts do not: eight take less than twice as long as one.

use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, Weak};
use std::task::Poll;

use bytes::Bytes;
use md5_many::Md5Many;
use parking_lot::Mutex;

/// What connections have to digest.
#[derive(Debug)]
pub struct Digests {
    /// The texts of connections that have ended are gone.
    waiting: Mutex<Vec<Weak<Waiting>>>,
    engine: Md5Many,
}

#[derive(Debug)]
struct Waiting {
    text: Bytes,
    md5: OnceLock<[u8; 16]>,
}

impl Default for Digests {
    fn default() -> Self {
        Self { waiting: Mutex::default(), engine: Md5Many::new() }
    }
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
        // Another thread may have taken it and not be done yet, or have failed.
        waiting.md5.get().copied().unwrap_or_else(|| md5_many::md5(&waiting.text))
    }

    fn digest_all(&self) {
        let waiting: Vec<_> = mem::take(&mut *self.waiting.lock()).iter().filter_map(Weak::upgrade).collect();
        let texts: Vec<&[u8]> = waiting.iter().map(|one| &*one.text).collect();
        let mut md5s = vec![[0; 16]; texts.len()];
        let digested = catch_unwind(AssertUnwindSafe(|| self.engine.hash_many(&texts, &mut md5s)));
        if digested.is_err() {
            return tracing::error!(texts = texts.len(), "digesting several texts at once panicked");
        }
        for (one, md5) in waiting.iter().zip(md5s) {
            // Only who has taken it sets it.
            let _ = one.md5.set(md5);
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

    /// Lengths of which several texts have the same, as the answers to batches have; and how many texts.
    fn lengths() -> impl Strategy<Value = Vec<usize>> {
        let length = prop_oneof![0..200_usize, 4000..6000_usize, 10_000..20_000_usize];
        (vec(length, 1..4), 0..100_usize).prop_flat_map(|(few, count)| vec(prop::sample::select(few), count))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn each_text_has_its_own_md5_whoever_waits_with_it(lengths in lengths(), gone in any::<u64>(), seed in any::<u64>()) {
            let digests = Digests::default();
            let mut random = seed | 1;
            let mut bytes = |length| {
                let byte = |_| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (random >> 56) as u8
                };
                Bytes::from((0..length).map(byte).collect::<Vec<_>>())
            };
            let mut waiting = Vec::new();
            for (number, length) in lengths.into_iter().enumerate() {
                let text = bytes(length);
                let mut of = Box::pin(digests.of(text.clone()));
                prop_assert_eq!(poll(&mut of), Poll::Pending, "it waits for others");
                // Some connections end meanwhile.
                waiting.extend((gone >> (number % 64) & 7 != 0).then_some((text, of)));
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
        let second = digests.waiting.lock()[1].upgrade().expect("it waits");
        assert!(poll(&mut both[0]).is_ready());
        assert_eq!(second.md5.get(), Some(&md5::Md5::digest("b").into()));
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
