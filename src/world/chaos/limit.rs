//! How often calls may come: buckets of tokens that fill by the world's clock (decision 23).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::InjectedError;
use crate::world::AccountId;

/// How many accounts a limit keeps apart; beyond, the fullest bucket is forgotten, and so begins again full.
const MOST_BUCKETS: usize = 1000;

/// Which calls a limit is for. The order is that in which a call's limits are asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitKey {
    /// One action of a product, in lower case the product.
    Action(Box<str>, Box<str>),
    /// All actions of a product.
    Product(Box<str>),
    /// All calls.
    All,
}

impl LimitKey {
    pub(super) fn is_for(&self, product: &str, action: &str) -> bool {
        match self {
            Self::Action(of, named) => of.eq_ignore_ascii_case(product) && **named == *action,
            Self::Product(of) => of.eq_ignore_ascii_case(product),
            Self::All => true,
        }
    }
}

impl fmt::Display for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action(product, action) => write!(f, "{product}:{action}"),
            Self::Product(product) => write!(f, "{product}:*"),
            Self::All => f.write_str("*"),
        }
    }
}

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Tokens a second.
    pub qps: f64,
    /// Tokens of a full bucket.
    pub burst: u32,
    /// Nanoseconds a token. Buckets count in these, so that nothing is lost to rounding from call to call.
    token: i64,
}

impl Rate {
    /// From 0.001 to 1,000,000 tokens a second and from 1 to 1,000,000 at once; `None` beyond.
    pub fn new(qps: f64, burst: u32) -> Option<Self> {
        let good = (0.001..=1e6).contains(&qps) && (1..=1_000_000).contains(&burst);
        good.then(|| Self { qps, burst, token: (1e9 / qps).round() as i64 })
    }

    fn full(self) -> i64 {
        // 10^12 * 10^6 is below 2^63.
        self.token * i64::from(self.burst)
    }
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// In nanoseconds of filling.
    level: i64,
    at: Timestamp,
}

impl Bucket {
    fn full(rate: Rate, now: Timestamp) -> Self {
        Self { level: rate.full(), at: now }
    }

    /// A clock that was set back fills nothing, and fills from there on.
    fn fill(&mut self, rate: Rate, now: Timestamp) {
        let gone = now.duration_since(self.at).as_nanos().clamp(0, i128::from(rate.full()));
        self.level = self.level.saturating_add(gone as i64).min(rate.full());
        self.at = now;
    }
}

/// A limit and its buckets.
#[derive(Clone, Debug)]
pub struct Limit {
    pub key: LimitKey,
    pub rate: Rate,
    /// What a call too many is answered.
    pub error: Arc<InjectedError>,
    /// Whether each account has a bucket of its own.
    pub by_account: bool,
    /// After how many milliseconds the client is told to try again.
    pub retry_after: Option<u32>,
    /// Under no account where there is one for all.
    buckets: BTreeMap<Option<AccountId>, Bucket>,
    refused: u64,
}

/// A limit that has refused a call.
#[derive(Clone, Debug)]
pub struct Throttled {
    pub key: LimitKey,
    pub error: Arc<InjectedError>,
    pub retry_after: Option<u32>,
}

/// A limit with how full it is.
#[derive(Clone, Debug)]
pub struct LimitState {
    pub limit: Limit,
    /// How many calls it has refused.
    pub refused: u64,
    /// Whole tokens that are left, by account; a bucket that nobody has used is full and not here.
    pub tokens: Vec<(Option<AccountId>, u32)>,
}

impl Limit {
    pub fn new(
        key: LimitKey,
        rate: Rate,
        error: Arc<InjectedError>,
        by_account: bool,
        retry_after: Option<u32>,
    ) -> Self {
        Self { key, rate, error, by_account, retry_after, buckets: BTreeMap::new(), refused: 0 }
    }

    fn whose(&self, account: AccountId) -> Option<AccountId> {
        self.by_account.then_some(account)
    }

    /// Fills the bucket, and answers if there is no token in it.
    pub(super) fn refuses(&mut self, now: Timestamp, account: AccountId) -> Option<Throttled> {
        let (rate, whose) = (self.rate, self.whose(account));
        if !self.buckets.contains_key(&whose) {
            self.make_room(now);
        }
        let bucket = self.buckets.entry(whose).or_insert_with(|| Bucket::full(rate, now));
        bucket.fill(rate, now);
        if bucket.level >= rate.token {
            return None;
        }
        self.refused += 1;
        Some(Throttled { key: self.key.clone(), error: Arc::clone(&self.error), retry_after: self.retry_after })
    }

    /// Takes the token that [`Limit::refuses`] has found.
    pub(super) fn take(&mut self, account: AccountId) {
        let whose = self.whose(account);
        if let Some(bucket) = self.buckets.get_mut(&whose) {
            bucket.level -= self.rate.token;
        }
    }

    fn make_room(&mut self, now: Timestamp) {
        if self.buckets.len() < MOST_BUCKETS {
            return;
        }
        self.fill(now);
        let rate = self.rate;
        // A full bucket is as good as none.
        self.buckets.retain(|_, bucket| bucket.level < rate.full());
        if self.buckets.len() >= MOST_BUCKETS
            && let Some(emptied) = self.buckets.iter().max_by_key(|(_, bucket)| bucket.level).map(|(whose, _)| *whose)
        {
            self.buckets.remove(&emptied);
        }
    }

    fn fill(&mut self, now: Timestamp) {
        let rate = self.rate;
        self.buckets.values_mut().for_each(|bucket| bucket.fill(rate, now));
    }

    pub(super) fn state(&mut self, now: Timestamp) -> LimitState {
        self.fill(now);
        let whole = |bucket: &Bucket| u32::try_from(bucket.level / self.rate.token).unwrap_or_default();
        let tokens = self.buckets.iter().map(|(whose, bucket)| (*whose, whole(bucket))).collect();
        LimitState { limit: Self { buckets: BTreeMap::new(), ..self.clone() }, refused: self.refused, tokens }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::world::{Clock, ManualClock, parse_utc};

    fn limit(qps: f64, burst: u32, by_account: bool) -> Limit {
        let error = InjectedError { status: 400, code: "T".into(), message: "t".into() };
        Limit::new(LimitKey::All, Rate::new(qps, burst).expect("a rate"), error.into(), by_account, None)
    }

    fn clock() -> ManualClock {
        ManualClock::at(parse_utc("2026-11-24T02:07:22Z").expect("a time"))
    }

    /// How many of so many calls pass.
    fn passing(limit: &mut Limit, now: Timestamp, account: AccountId, calls: u32) -> u32 {
        let mut passed = 0;
        for _ in 0..calls {
            if limit.refuses(now, account).is_none() {
                limit.take(account);
                passed += 1;
            }
        }
        passed
    }

    #[test]
    fn a_bucket_holds_its_burst_and_fills_at_its_rate_by_the_world_s_clock() {
        let (clock, account) = (clock(), AccountId::DEFAULT);
        for (qps, burst) in [(10.0, 20), (0.5, 1), (3.0, 5), (1000.0, 7)] {
            let mut limit = limit(qps, burst, true);
            assert_eq!(passing(&mut limit, clock.now(), account, burst + 5), burst);
            assert_eq!(limit.state(clock.now()).refused, 5);
            let token = SignedDuration::from_nanos(limit.rate.token);
            clock.advance(token - SignedDuration::from_nanos(1));
            assert_eq!(passing(&mut limit, clock.now(), account, 1), 0, "{qps}");
            clock.advance(SignedDuration::from_nanos(1));
            assert_eq!(passing(&mut limit, clock.now(), account, 2), 1, "{qps}");
            clock.advance(SignedDuration::from_hours(24));
            assert_eq!(passing(&mut limit, clock.now(), account, burst + 1), burst, "never more than its burst");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_fills_nothing_and_goes_on_from_there() {
        let (now, account, mut limit) = (clock().now(), AccountId::DEFAULT, limit(1.0, 1, true));
        let earlier = now - SignedDuration::from_hours(1);
        assert_eq!(passing(&mut limit, now, account, 1), 1);
        assert_eq!(passing(&mut limit, earlier, account, 1), 0);
        assert_eq!(passing(&mut limit, earlier + SignedDuration::from_secs(1), account, 1), 1);
    }

    #[test]
    fn accounts_have_a_bucket_each_or_one_for_all_and_there_are_so_many() {
        let now = clock().now();
        let account = |number: usize| AccountId::parse(&format!("{number:016}")).expect("16 digits");
        let (mut each, mut all) = (limit(1.0, 1, true), limit(1.0, 1, false));
        assert_eq!([1, 2].map(|number| passing(&mut each, now, account(number), 2)), [1, 1]);
        assert_eq!([1, 2].map(|number| passing(&mut all, now, account(number), 2)), [1, 0]);
        for number in 0..MOST_BUCKETS + 10 {
            passing(&mut each, now, account(number), 1);
        }
        assert_eq!(each.state(now).tokens.len(), MOST_BUCKETS);
        let later = now + SignedDuration::from_secs(1);
        passing(&mut each, later, account(MOST_BUCKETS + 10), 1);
        assert_eq!(each.state(later).tokens.len(), 1, "full ones are as good as none");
    }

    #[test]
    fn rates_are_bounded() {
        for (qps, burst) in [(0.0, 1), (-1.0, 1), (f64::NAN, 1), (2e6, 1), (1.0, 0), (1.0, 1_000_001)] {
            assert!(Rate::new(qps, burst).is_none(), "{qps} {burst}");
        }
        assert!(Rate::new(0.001, 1_000_000).is_some_and(|rate| rate.full() == 1_000_000_000_000_000_000));
    }
}
