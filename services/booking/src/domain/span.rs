//! Spans of whole minutes, and lists of them.
//!
//! A minute is counted from the Unix epoch, so that slot arithmetic is integer arithmetic. A *list* here is sorted and
//! its spans neither overlap nor touch; every function keeps that.

use kernel::Timestamp;

/// A minute since the Unix epoch.
pub type Minute = i64;

/// From `start` up to, but not including, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first minute.
    pub start: Minute,
    /// The first minute after it.
    pub end: Minute,
}

impl Span {
    /// Every minute that anything is ever planned for, with room to calculate around it.
    pub const ALWAYS: Self = Self::new(Minute::MIN / 4, Minute::MAX / 4);

    /// The span from `start` to `end`; empty if `end` is not later.
    pub const fn new(start: Minute, end: Minute) -> Self {
        Self { start, end }
    }

    /// How many minutes it has.
    pub const fn minutes(self) -> i64 {
        if self.end > self.start { self.end - self.start } else { 0 }
    }

    /// Whether `other` lies in it.
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether it shares a minute with `other`.
    pub const fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The same, so many minutes later.
    pub const fn moved(self, minutes: i64) -> Self {
        Self { start: self.start + minutes, end: self.end + minutes }
    }

    /// The shortest span in which both lie.
    pub fn hull(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// The minutes that both have.
    pub fn common(self, other: Self) -> Self {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

/// The minute in which `at` lies.
pub fn minute(at: Timestamp) -> Minute {
    at.as_second().div_euclid(60)
}

/// The first minute that does not begin before `at`.
pub fn minute_after(at: Timestamp) -> Minute {
    if is_whole_minute(at) { minute(at) } else { minute(at) + 1 }
}

/// Whether `at` is the very beginning of a minute.
pub fn is_whole_minute(at: Timestamp) -> bool {
    at.as_microsecond().rem_euclid(60_000_000) == 0
}

/// The instant at which a minute begins. Minutes outside the calendar become its first instant.
pub fn instant(minute: Minute) -> Timestamp {
    Timestamp::from_second(minute.saturating_mul(60)).unwrap_or(Timestamp::MIN)
}

/// Makes a list of spans in any order: sorts, drops empty ones, joins what overlaps or touches.
pub fn list(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| span.minutes() > 0);
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

/// The minutes that both lists have.
pub fn intersect(a: &[Span], b: &[Span]) -> Vec<Span> {
    let (mut i, mut j) = (0, 0);
    let mut both = Vec::new();
    while let (Some(&x), Some(&y)) = (a.get(i), b.get(j)) {
        let common = x.common(y);
        if common.minutes() > 0 {
            both.push(common);
        }
        if x.end <= y.end { i += 1 } else { j += 1 }
    }
    both
}

/// The minutes of `a` that `b` has not.
pub fn subtract(a: &[Span], b: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    let mut j = 0;
    for &span in a {
        let mut start = span.start;
        while b.get(j).is_some_and(|taken| taken.end <= start) {
            j += 1;
        }
        let mut k = j;
        while let Some(taken) = b.get(k).filter(|taken| taken.start < span.end) {
            if taken.start > start {
                left.push(Span::new(start, taken.start));
            }
            start = start.max(taken.end);
            k += 1;
        }
        if start < span.end {
            left.push(Span::new(start, span.end));
        }
    }
    left
}

/// Whether all of `wanted` lies in the list.
pub fn covers(list: &[Span], wanted: Span) -> bool {
    let next = list.partition_point(|span| span.end < wanted.end);
    list.get(next).is_some_and(|span| span.contains(wanted))
}

/// Whether none of `wanted` lies in the list.
pub fn spares(list: &[Span], wanted: Span) -> bool {
    let next = list.partition_point(|span| span.end <= wanted.start);
    list.get(next).is_none_or(|span| span.start >= wanted.end)
}

/// The minutes at which something may start that needs `before` minutes ahead of the start and `after` minutes from it,
/// all within one span of `free`.
pub fn starts(free: &[Span], before: i64, after: i64) -> Vec<Span> {
    free.iter()
        .map(|span| Span::new(span.start + before, span.end - after + 1))
        .filter(|span| span.minutes() > 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans() -> impl Strategy<Value = Vec<Span>> {
        prop::collection::vec((0_i64..120, 0_i64..30), 0..12)
            .prop_map(|pairs| list(pairs.into_iter().map(|(start, length)| Span::new(start, start + length)).collect()))
    }

    fn has(list: &[Span], minute: Minute) -> bool {
        list.iter().any(|span| span.start <= minute && minute < span.end)
    }

    proptest! {
        #[test]
        fn lists_behave_like_sets_of_minutes(a in spans(), b in spans()) {
            let (both, left) = (intersect(&a, &b), subtract(&a, &b));
            for minute in 0..160 {
                prop_assert_eq!(has(&both, minute), has(&a, minute) && has(&b, minute));
                prop_assert_eq!(has(&left, minute), has(&a, minute) && !has(&b, minute));
            }
        }

        #[test]
        fn a_span_is_looked_up_in_a_list_as_minute_by_minute(a in spans(), start in 0_i64..120, length in 1_i64..30) {
            let wanted = Span::new(start, start + length);
            prop_assert_eq!(covers(&a, wanted), (wanted.start..wanted.end).all(|minute| has(&a, minute)));
            prop_assert_eq!(spares(&a, wanted), !(wanted.start..wanted.end).any(|minute| has(&a, minute)));
        }

        #[test]
        fn a_start_leaves_room_on_both_sides(free in spans(), before in 0_i64..10, after in 1_i64..20) {
            let found = starts(&free, before, after);
            for minute in 0..160 {
                let needed = Span::new(minute - before, minute + after);
                prop_assert_eq!(has(&found, minute), free.iter().any(|span| span.contains(needed)));
            }
        }
    }

    #[test]
    fn instants_before_the_epoch_fall_into_the_right_minute() {
        let at = Timestamp::from_second(-1).expect("in range");
        assert_eq!((minute(at), minute_after(at), is_whole_minute(at)), (-1, 0, false));
    }
}
