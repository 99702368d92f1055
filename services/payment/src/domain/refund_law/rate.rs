//! Rates and shares, and the tables of published rates.

use jiff::civil::Date;
use kernel::{Error, Result};

/// Millionths: 31,000 is 3.1 %. Interest rates are per year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ppm(pub u32);

impl Ppm {
    /// The whole: 100 %.
    pub const ONE: Self = Self(1_000_000);
}

/// Which published rate the law refers to (Art. 16 ¶1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Benchmark {
    /// The one-year loan prime rate (一年期贷款市场报价利率).
    LoanPrime,
    /// The central bank's benchmark for one-year deposits (一年定期存款基准利率).
    Deposit,
}

impl Benchmark {
    /// The word for programs.
    pub const fn key(self) -> &'static str {
        match self {
            Self::LoanPrime => "loan_prime_1y",
            Self::Deposit => "deposit_benchmark_1y",
        }
    }
}

/// A published rate and since when it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The day of publication.
    pub from: Date,
    /// The rate from that day on.
    pub rate: Ppm,
}

/// The history of one published rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateTable {
    steps: Vec<Step>,
    known_through: Date,
}

impl RateTable {
    /// A table of `steps` that was complete on the day `known_through`.
    ///
    /// # Errors
    /// `InvalidArgument` on `steps` if there are none or their days don't rise.
    pub fn try_new(steps: Vec<Step>, known_through: Date) -> Result<Self> {
        if steps.is_empty() || steps.windows(2).any(|pair| pair[0].from >= pair[1].from) {
            return Err(Error::invalid("steps", "must be one at least, each later than the one before"));
        }
        Ok(Self { steps, known_through })
    }

    /// The rate that held on `day`.
    ///
    /// # Errors
    /// `FailedPrecondition`, reason `INTEREST_RATE_UNKNOWN`, if the table begins later.
    pub fn on(&self, day: Date) -> Result<Ppm> {
        let after = self.steps.partition_point(|step| step.from <= day);
        after.checked_sub(1).and_then(|last| self.steps.get(last)).map(|step| step.rate).ok_or_else(|| {
            Error::precondition(
                "INTEREST_RATE_UNKNOWN",
                "no published rate is known for the day on which the contract was made; add it to the rate table",
            )
            .with("day", day)
        })
    }

    /// Whether a later publication may have changed the rate of `day` without the table knowing.
    pub fn may_be_outdated(&self, day: Date) -> bool {
        day > self.known_through
    }
}
