//! Whom a customer likes: what he says, and what his visits say.

use kernel::Timestamp;

/// What a customer says of a therapist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preference {
    /// Rather than all others.
    Favourite,
    /// Rather all others.
    Avoided,
}

impl Preference {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Favourite => "FAVOURITE",
            Self::Avoided => "AVOIDED",
        }
    }

    /// Reads the name in the database.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Favourite, Self::Avoided].into_iter().find(|preference| preference.as_str() == name)
    }
}

/// A customer's visits to one therapist, at any store of the chain, that took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visits {
    /// In the last 90 days.
    pub lately: i64,
    /// In the year before now, but not lately.
    pub this_year: i64,
    /// Longer ago.
    pub before: i64,
    /// When the last one began.
    pub last: Option<Timestamp>,
}

impl Visits {
    /// How many there were.
    pub fn count(self) -> i64 {
        self.lately + self.this_year + self.before
    }

    /// How much they count: a visit counts 4 lately, 2 within the year and 1 after that.
    pub fn points(self) -> i64 {
        4 * self.lately + 2 * self.this_year + self.before
    }
}
