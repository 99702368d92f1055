//! The law as data: which rules hold from when, published rates, days off.
//!
//! A new judicial interpretation is a further [`Rules`]; a new rate is a further [`Step`]. No code changes.

use std::sync::OnceLock;

use jiff::civil::{Date, date};
use kernel::{Error, Result};

use super::{
    calendar::Calendar,
    cause::Attribution,
    rate::{Benchmark, Ppm, RateTable, Step},
};

/// How the judicial interpretation bears on a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// It is in force.
    InForce,
    /// It was not in force when the refund was asked for. The Consumer Protection Law (Art. 53) and the Civil Code
    /// (Art. 566) govern; how they are reckoned is taken from the interpretation by analogy. A right that the
    /// interpretation created (the seven days of Art. 14) can't be had by analogy.
    ByAnalogy,
}

/// The choices of one state of the law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// A stable name, kept with each quote.
    pub id: &'static str,
    /// The first day on which a request falls under it.
    pub from: Date,
    /// How the interpretation bears on it.
    pub basis: Basis,
    /// Days after payment within which the consumer may return without a reason (Art. 14 ¶1), if there is that right.
    pub cooling_off_days: Option<u16>,
    /// At whose door such a return is laid. The text is silent.
    pub cooling_off_counts_as: Attribution,
    /// The rate if the merchant is the cause (Art. 16 ¶1).
    pub merchant_rate: Benchmark,
    /// The rate if the consumer is the cause (Art. 16 ¶1).
    pub consumer_rate: Benchmark,
    /// The rate if neither is. The text is silent.
    pub neither_rate: Benchmark,
    /// Days of a year by which an annual rate is turned into that of a day. The text is silent.
    pub days_in_year: u16,
}

impl Rules {
    /// The published rate for a refund that is laid at the door of `attribution`.
    pub const fn benchmark(&self, attribution: Attribution) -> Benchmark {
        match attribution {
            Attribution::Merchant => self.merchant_rate,
            Attribution::Consumer => self.consumer_rate,
            Attribution::Neither => self.neither_rate,
        }
    }
}

/// Everything that a quote rests upon besides the case itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleBook {
    rules: Vec<Rules>,
    loan_prime: RateTable,
    deposit: RateTable,
    calendar: Calendar,
}

/// The day on which 法释〔2025〕4号 came into force (Art. 27).
pub const IN_FORCE: Date = date(2025, 5, 1);

impl RuleBook {
    /// A book of its own.
    ///
    /// # Errors
    /// `InvalidArgument` on `rules` if there are none or their days don't rise.
    pub fn try_new(rules: Vec<Rules>, loan_prime: RateTable, deposit: RateTable, calendar: Calendar) -> Result<Self> {
        if rules.is_empty() || rules.windows(2).any(|pair| pair[0].from >= pair[1].from) {
            return Err(Error::invalid("rules", "must be one at least, each later than the one before"));
        }
        if rules.iter().any(|rule| rule.days_in_year == 0) {
            return Err(Error::invalid("rules.days_in_year", "must be above zero; 360 or 365 are in use"));
        }
        Ok(Self { rules, loan_prime, deposit, calendar })
    }

    /// The law, the rates and the days off that this build was made with.
    ///
    /// # Errors
    /// None as long as the data below is in order, which a test holds.
    pub fn builtin() -> Result<Self> {
        let from_2025 = Rules {
            id: "fashi-2025-4",
            from: IN_FORCE,
            basis: Basis::InForce,
            cooling_off_days: Some(7),
            cooling_off_counts_as: Attribution::Neither,
            merchant_rate: Benchmark::LoanPrime,
            consumer_rate: Benchmark::Deposit,
            neither_rate: Benchmark::LoanPrime,
            days_in_year: 360,
        };
        let before = Rules {
            id: "civil-code-2021",
            from: date(2021, 1, 1),
            basis: Basis::ByAnalogy,
            cooling_off_days: None,
            ..from_2025.clone()
        };
        Self::try_new(
            vec![before, from_2025],
            table(&LOAN_PRIME, date(2025, 10, 31))?,
            table(&DEPOSIT, date(2025, 10, 31))?,
            Calendar {
                holidays: HOLIDAYS.iter().copied().collect(),
                working_weekends: WORKING_WEEKENDS.iter().copied().collect(),
            },
        )
    }

    /// The built-in book, made once for the process.
    ///
    /// # Errors
    /// As [`builtin`](Self::builtin).
    pub fn shared() -> Result<&'static Self> {
        static BOOK: OnceLock<RuleBook> = OnceLock::new();
        match BOOK.get() {
            Some(book) => Ok(book),
            None => {
                let book = Self::builtin()?;
                Ok(BOOK.get_or_init(|| book))
            }
        }
    }

    /// The rules for a refund that is asked for on `day`.
    ///
    /// # Errors
    /// `FailedPrecondition`, reason `LAW_UNKNOWN`, if the book begins later.
    pub fn rules_on(&self, day: Date) -> Result<&Rules> {
        let after = self.rules.partition_point(|rules| rules.from <= day);
        after.checked_sub(1).and_then(|last| self.rules.get(last)).ok_or_else(|| {
            Error::precondition("LAW_UNKNOWN", "no rules are known for a refund that was asked for so long ago")
                .with("day", day)
        })
    }

    /// The history of a published rate.
    pub const fn rates(&self, benchmark: Benchmark) -> &RateTable {
        match benchmark {
            Benchmark::LoanPrime => &self.loan_prime,
            Benchmark::Deposit => &self.deposit,
        }
    }

    /// The days off.
    pub const fn calendar(&self) -> &Calendar {
        &self.calendar
    }
}

fn table(steps: &[(Date, u32)], known_through: Date) -> Result<RateTable> {
    let steps = steps.iter().map(|&(from, ppm)| Step { from, rate: Ppm(ppm) }).collect();
    RateTable::try_new(steps, known_through)
}

/// One-year loan prime rate as the National Interbank Funding Center publishes it: only days on which it changed.
const LOAN_PRIME: [(Date, u32); 13] = [
    (date(2019, 8, 20), 42_500),
    (date(2019, 9, 20), 42_000),
    (date(2019, 11, 20), 41_500),
    (date(2020, 2, 20), 40_500),
    (date(2020, 4, 20), 38_500),
    (date(2021, 12, 20), 38_000),
    (date(2022, 1, 20), 37_000),
    (date(2022, 8, 22), 36_500),
    (date(2023, 6, 20), 35_500),
    (date(2023, 8, 21), 34_500),
    (date(2024, 7, 22), 33_500),
    (date(2024, 10, 21), 31_000),
    (date(2025, 5, 20), 30_000),
];

/// Benchmark rate of the People's Bank of China for one-year time deposits.
const DEPOSIT: [(Date, u32); 1] = [(date(2015, 10, 24), 15_000)];

/// Days off on weekdays since the interpretation is in force (State Council's notices for 2025 and 2026; each year's comes
/// out in the November before).
const HOLIDAYS: [Date; 29] = [
    date(2025, 5, 1),
    date(2025, 5, 2),
    date(2025, 5, 5),
    date(2025, 6, 2),
    date(2025, 10, 1),
    date(2025, 10, 2),
    date(2025, 10, 3),
    date(2025, 10, 6),
    date(2025, 10, 7),
    date(2025, 10, 8),
    date(2026, 1, 1),
    date(2026, 1, 2),
    date(2026, 2, 16),
    date(2026, 2, 17),
    date(2026, 2, 18),
    date(2026, 2, 19),
    date(2026, 2, 20),
    date(2026, 2, 23),
    date(2026, 4, 6),
    date(2026, 5, 1),
    date(2026, 5, 4),
    date(2026, 5, 5),
    date(2026, 6, 19),
    date(2026, 9, 25),
    date(2026, 10, 1),
    date(2026, 10, 2),
    date(2026, 10, 5),
    date(2026, 10, 6),
    date(2026, 10, 7),
];

/// Weekend days that are worked (the same notices).
const WORKING_WEEKENDS: [Date; 8] = [
    date(2025, 9, 28),
    date(2025, 10, 11),
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 5, 9),
    date(2026, 9, 20),
    date(2026, 10, 10),
];
