//! Times, and what is said of many.

use std::time::Duration;

use super::report::Times;

/// Times of the same thing.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// One more.
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// All of another's.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Several percentiles in milliseconds, by nearest rank; 0 if there are no times.
    pub fn percentiles<const N: usize>(mut self, wanted: [f64; N]) -> [f64; N] {
        self.0.sort_unstable();
        wanted.map(|percent| self.rank(percent))
    }

    /// What is said of them in a report.
    pub fn times(self) -> Times {
        let count = self.len();
        let [p50, p99] = self.percentiles([50.0, 99.0]);
        Times { p50, p99, count }
    }

    /// `self` is sorted.
    fn rank(&self, percent: f64) -> f64 {
        let Some(last) = self.0.len().checked_sub(1) else { return 0.0 };
        let rank = (percent / 100.0 * self.0.len() as f64).ceil() as usize;
        self.0[rank.saturating_sub(1).min(last)].as_secs_f64() * 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_occurred() {
        let mut samples = Samples::default();
        assert_eq!(samples.clone().percentiles([50.0]).map(|ms| ms as i64), [0]);
        (1..=200).rev().for_each(|ms| samples.push(Duration::from_millis(ms)));
        assert_eq!(samples.percentiles([0.0, 50.0, 99.0, 100.0]).map(|ms| ms as i64), [1, 100, 198, 200]);
    }
}
