//! Licences of stores, and when it must be told that they lapse.

use jiff::{ToSpan, civil::Date};

/// How many days ahead it is told that a licence lapses.
pub const WARNINGS: [i32; 3] = [30, 7, 0];

/// What a licence allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LicenceKind {
    /// To trade.
    Business,
    /// Public hygiene.
    Hygiene,
    /// Fire safety.
    Fire,
    /// Anything else.
    Other,
}

impl LicenceKind {
    /// Every kind with its name in the database.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Business, "BUSINESS"), (Self::Hygiene, "HYGIENE"), (Self::Fire, "FIRE"), (Self::Other, "OTHER")];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Reads the name in the database.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// What a store must have to be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    /// What it allows.
    pub kind: LicenceKind,
    /// Its number.
    pub number: String,
    /// The last day on which it is valid, in the store's zone.
    pub expire_date: Date,
}

/// Where a licence is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LicenceState {
    /// Valid for longer than the first warning.
    Valid,
    /// Valid, but not for long.
    Lapsing,
    /// Valid no longer.
    Lapsed,
}

impl Licence {
    /// Where it is in its life on a day.
    pub fn state(&self, today: Date) -> LicenceState {
        match days_left(self.expire_date, today) {
            ..0 => LicenceState::Lapsed,
            left if left <= WARNINGS[0] => LicenceState::Lapsing,
            _ => LicenceState::Valid,
        }
    }
}

/// Days from today to the last day on which something is valid; below 0 if that is past.
pub fn days_left(expire_date: Date, today: Date) -> i32 {
    (expire_date - today).get_days()
}

/// The day of the first warning; it may be past already.
pub fn first_warning(expire_date: Date) -> Date {
    days_before(expire_date, WARNINGS[0])
}

/// The day of the next warning when it has just been told on `today`; `None` if that was the last.
pub fn next_warning(expire_date: Date, today: Date) -> Option<Date> {
    let left = days_left(expire_date, today);
    WARNINGS.into_iter().find(|days| *days < left).map(|days| days_before(expire_date, days))
}

/// Dates at the very beginning of the calendar stay where they are.
fn days_before(date: Date, days: i32) -> Date {
    date.checked_sub(days.days()).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn it_is_told_thirty_seven_and_no_days_ahead() {
        let expire = date(2027, 3, 31);
        assert_eq!(first_warning(expire), date(2027, 3, 1));
        assert_eq!(next_warning(expire, date(2027, 3, 1)), Some(date(2027, 3, 24)));
        assert_eq!(next_warning(expire, date(2027, 3, 24)), Some(expire));
        assert_eq!(next_warning(expire, expire), None);
    }

    #[test]
    fn what_is_entered_late_is_told_once_and_not_for_each_day_missed() {
        let expire = date(2027, 3, 31);
        assert_eq!(next_warning(expire, date(2027, 3, 26)), Some(expire));
        assert_eq!(next_warning(expire, date(2027, 4, 2)), None);
    }

    #[test]
    fn a_licence_is_valid_to_the_end_of_its_last_day() {
        let licence = Licence { kind: LicenceKind::Fire, number: "1".to_owned(), expire_date: date(2027, 3, 31) };
        let states = [date(2027, 2, 28), date(2027, 3, 1), date(2027, 3, 31), date(2027, 4, 1)];
        let states = states.map(|today| licence.state(today));
        use LicenceState::{Lapsed, Lapsing, Valid};
        assert_eq!(states, [Valid, Lapsing, Lapsing, Lapsed]);
    }
}
