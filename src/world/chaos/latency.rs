//! How long answers are held back, each by its own draw.

use std::f64::consts::TAU;
use std::time::Duration;

use super::LONGEST_DELAY;

/// A distribution of delays, in milliseconds; no draw is longer than [`LONGEST_DELAY`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    Fixed(f64),
    /// Between two values.
    Uniform {
        lower: f64,
        upper: f64,
    },
    /// Half of the draws are below `median`; `sigma` is the standard deviation of their logarithm.
    Lognormal {
        median: f64,
        sigma: f64,
    },
}

impl Latency {
    /// `fraction` draws from 0 up to, and without, 1.
    pub fn draw(self, fraction: impl Fn() -> f64) -> Duration {
        let millis = match self {
            Self::Fixed(millis) => millis,
            Self::Uniform { lower, upper } => lower + (upper - lower) * fraction(),
            Self::Lognormal { median, sigma } => median * (sigma * normal(fraction)).exp(),
        };
        Duration::try_from_secs_f64(millis / 1000.0).unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY)
    }
}

/// A draw from the standard normal distribution, by Box and Muller.
fn normal(fraction: impl Fn() -> f64) -> f64 {
    let radius = (-2.0 * (1.0 - fraction()).ln()).sqrt();
    radius * (TAU * fraction()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Ids;

    fn draws(latency: Latency) -> Vec<Duration> {
        let ids = Ids::seeded(1);
        let mut drawn: Vec<_> = (0..1001).map(|_| latency.draw(|| ids.fraction())).collect();
        drawn.sort();
        drawn
    }

    #[test]
    fn draws_are_of_their_distribution_and_never_too_long() {
        assert!(draws(Latency::Fixed(50.0)).iter().all(|drawn| *drawn == Duration::from_millis(50)));
        let uniform = draws(Latency::Uniform { lower: 10.0, upper: 20.0 });
        let millis = Duration::from_millis;
        assert!(uniform[0] >= millis(10) && uniform[1000] < millis(20) && uniform[0] < uniform[1000]);
        let lognormal = draws(Latency::Lognormal { median: 50.0, sigma: 0.3 });
        assert!((millis(45)..millis(55)).contains(&lognormal[500]), "{:?}", lognormal[500]);
        // One standard deviation above the median stand 84 of 100.
        assert!((millis(61)..millis(75)).contains(&lognormal[841]), "{:?}", lognormal[841]);
        let wild = draws(Latency::Lognormal { median: 600_000.0, sigma: 10.0 });
        assert_eq!(wild[1000], LONGEST_DELAY);
        assert!(draws(Latency::Fixed(f64::INFINITY)).iter().all(|drawn| *drawn == LONGEST_DELAY));
    }
}
