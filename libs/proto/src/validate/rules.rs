//! The rules of numbers, times, choices and lists.

use std::collections::BTreeSet;
use std::fmt::Display;

use prost_types::{Duration, Timestamp};

use super::{Place, Report};

/// A rule of an integer of any width.
#[derive(Debug)]
pub enum Integer {
    /// More than this.
    Above(i128),
    /// This or more.
    AtLeast(i128),
    /// Less than this.
    Below(i128),
    /// This or less.
    AtMost(i128),
    /// One of these.
    OneOf(&'static [i128]),
    /// None of these.
    NoneOf(&'static [i128]),
}

/// A rule of a floating-point number; what is not a number keeps none of them.
#[derive(Debug)]
pub enum Number {
    /// More than this.
    Above(f64),
    /// This or more.
    AtLeast(f64),
    /// Less than this.
    Below(f64),
    /// This or less.
    AtMost(f64),
    /// Neither infinite nor "not a number".
    Finite,
}

/// A rule of a timestamp.
#[derive(Debug)]
pub enum Instant {
    /// Later than this.
    Above(Timestamp),
    /// At this or later.
    AtLeast(Timestamp),
    /// Earlier than this.
    Below(Timestamp),
    /// At this or earlier.
    AtMost(Timestamp),
}

/// A rule of a duration.
#[derive(Debug)]
pub enum Span {
    /// Longer than this.
    Above(Duration),
    /// This or longer.
    AtLeast(Duration),
    /// Shorter than this.
    Below(Duration),
    /// This or shorter.
    AtMost(Duration),
}

/// A rule of the length of a byte string.
#[derive(Debug)]
pub enum Bytes {
    /// Exactly so many bytes.
    Len(usize),
    /// So many or more.
    MinLen(usize),
    /// So many or fewer.
    MaxLen(usize),
}

/// A rule of the length of a list.
#[derive(Debug)]
pub enum Count {
    /// So many or more.
    Min(usize),
    /// So many or fewer.
    Max(usize),
}

impl Report {
    /// Checks an integer.
    pub fn integer(&mut self, place: Place, value: i128, rules: &[Integer]) {
        for rule in rules {
            let wrong = match rule {
                Integer::Above(limit) => (value <= *limit).then(|| format!("above {limit}")),
                Integer::AtLeast(limit) => (value < *limit).then(|| format!("at least {limit}")),
                Integer::Below(limit) => (value >= *limit).then(|| format!("below {limit}")),
                Integer::AtMost(limit) => (value > *limit).then(|| format!("at most {limit}")),
                Integer::OneOf(values) => (!values.contains(&value)).then(|| format!("one of {}", list(values))),
                Integer::NoneOf(values) => values.contains(&value).then(|| format!("other than {}", list(values))),
            };
            self.must_be(place, wrong, value);
        }
    }

    /// Checks a floating-point number.
    pub fn number(&mut self, place: Place, value: f64, rules: &[Number]) {
        for rule in rules {
            // Asks what holds, not what is broken: no comparison with "not a number" holds.
            let (kept, expected) = match rule {
                Number::Above(limit) => (value > *limit, format!("above {limit}")),
                Number::AtLeast(limit) => (value >= *limit, format!("at least {limit}")),
                Number::Below(limit) => (value < *limit, format!("below {limit}")),
                Number::AtMost(limit) => (value <= *limit, format!("at most {limit}")),
                Number::Finite => (value.is_finite(), "finite".to_owned()),
            };
            self.must_be(place, (!kept).then_some(expected), value);
        }
    }

    /// Checks a truth value, of which one may be asked for (consent, for one).
    pub fn flag(&mut self, place: Place, value: bool, rules: &[bool]) {
        for expected in rules {
            self.must_be(place, (value != *expected).then(|| expected.to_string()), value);
        }
    }

    /// Checks a timestamp.
    pub fn instant(&mut self, place: Place, value: &Timestamp, rules: &[Instant]) {
        let order = |time: &Timestamp| (time.seconds, time.nanos);
        let time = order(value);
        for rule in rules {
            let wrong = match rule {
                Instant::Above(limit) => (time <= order(limit)).then(|| format!("after {limit}")),
                Instant::AtLeast(limit) => (time < order(limit)).then(|| format!("at or after {limit}")),
                Instant::Below(limit) => (time >= order(limit)).then(|| format!("before {limit}")),
                Instant::AtMost(limit) => (time > order(limit)).then(|| format!("at or before {limit}")),
            };
            self.must_be(place, wrong, value);
        }
    }

    /// Checks a duration.
    pub fn span(&mut self, place: Place, value: &Duration, rules: &[Span]) {
        let order = |span: &Duration| (span.seconds, span.nanos);
        let span = order(value);
        for rule in rules {
            let wrong = match rule {
                Span::Above(limit) => (span <= order(limit)).then(|| format!("longer than {limit}")),
                Span::AtLeast(limit) => (span < order(limit)).then(|| format!("at least {limit}")),
                Span::Below(limit) => (span >= order(limit)).then(|| format!("shorter than {limit}")),
                Span::AtMost(limit) => (span > order(limit)).then(|| format!("at most {limit}")),
            };
            self.must_be(place, wrong, value);
        }
    }

    /// Checks an enum of which only these values may be chosen, each a number with its name.
    pub fn choice(&mut self, place: Place, value: i32, allowed: &[(i32, &str)]) {
        if allowed.iter().any(|(number, _)| *number == value) {
            return;
        }
        let names: Vec<&str> = allowed.iter().map(|(_, name)| *name).collect();
        self.add(place, || match value {
            0 => format!("must be one of {}; it is not given", names.join(", ")),
            _ => format!("must be one of {}; it is number {value}", names.join(", ")),
        });
    }

    /// Checks an enum of which these values may not be chosen.
    pub fn not_choice(&mut self, place: Place, value: i32, forbidden: &[(i32, &str)]) {
        if let Some((_, name)) = forbidden.iter().find(|(number, _)| *number == value) {
            self.add(place, || match value {
                0 => "must be given".to_owned(),
                _ => format!("must not be {name}"),
            });
        }
    }

    /// Checks the length of a byte string.
    pub fn bytes(&mut self, place: Place, value: &[u8], rules: &[Bytes]) {
        let length = value.len();
        for rule in rules {
            let wrong = match rule {
                Bytes::Len(exact) => (length != *exact).then(|| format!("exactly {exact}")),
                Bytes::MinLen(min) => (length < *min).then(|| format!("at least {min}")),
                Bytes::MaxLen(max) => (length > *max).then(|| format!("at most {max}")),
            };
            if let Some(limit) = wrong {
                self.add(place, || format!("must be {limit} bytes long; it has {length}"));
            }
        }
    }

    /// Checks the length of a list.
    pub fn count(&mut self, place: Place, length: usize, rules: &[Count]) {
        for rule in rules {
            let wrong = match rule {
                Count::Min(min) => (length < *min).then_some(("at least", *min)),
                Count::Max(max) => (length > *max).then_some(("at most", *max)),
            };
            if let Some((bound, limit)) = wrong {
                let items = if limit == 1 { "item" } else { "items" };
                self.add(place, || format!("must have {bound} {limit} {items}; it has {length}"));
            }
        }
    }

    /// Checks that no item is there twice.
    pub fn unique<T: Ord>(&mut self, place: Place, items: &[T]) {
        let mut seen = BTreeSet::new();
        if let Some(index) = items.iter().position(|item| !seen.insert(item)) {
            self.add(place, || format!("must not have an item twice; item {index} is there before"));
        }
    }

    fn must_be(&mut self, place: Place, wrong: Option<String>, value: impl Display) {
        if let Some(expected) = wrong {
            self.add(place, || format!("must be {expected}; it is {value}"));
        }
    }
}

fn list(values: &[i128]) -> String {
    values.iter().map(i128::to_string).collect::<Vec<_>>().join(", ")
}
