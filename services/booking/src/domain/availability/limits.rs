//! What nobody may be asked to work: so many minutes in a row, so many a day.

use crate::domain::{policy::WorkLimits, span::Span};

impl WorkLimits {
    /// Whether there are any.
    pub fn is_set(self) -> bool {
        self.in_row.is_some() || self.per_day.is_some()
    }

    /// Whether somebody with this `work` may do `more` besides; both are lists, and have no minute in common. What was
    /// allowed in spite of the limits counts, but only in the stretches and days that `more` touches.
    ///
    /// Work with less than a rest in between is one stretch; the pauses in it count neither as work nor as a rest. Of a
    /// day counts what lies within the store's opening.
    pub(super) fn allow(self, openings: &[Span], work: &[Span], more: &[Span]) -> bool {
        self.in_row.is_none_or(|most| longest_stretch(self.rest.max(1), work, more) <= most)
            && self.per_day.is_none_or(|most| fullest_day(openings, work, more) <= most)
    }
}

/// Minutes of work in the longest of the stretches that `more` becomes part of.
fn longest_stretch(rest: i64, work: &[Span], more: &[Span]) -> i64 {
    let (Some(first), Some(last)) = (more.first(), more.last()) else { return 0 };
    // Back to the first span that is one stretch with the first of `more`.
    let mut before = work.partition_point(|span| span.end <= first.start);
    let mut start = first.start;
    while let Some(span) =
        before.checked_sub(1).and_then(|index| work.get(index)).filter(|span| start - span.end < rest)
    {
        start = span.start;
        before -= 1;
    }
    let (mut longest, mut stretch, mut ours, mut end) = (0, 0, false, start);
    for (span, is_more) in by_start(&work[before..], more) {
        if span.start - end >= rest {
            if span.start >= last.end {
                break;
            }
            (stretch, ours) = (0, false);
        }
        stretch += span.minutes();
        ours |= is_more;
        end = span.end;
        if ours {
            longest = longest.max(stretch);
        }
    }
    longest
}

/// Both lists as one by start, and whether each span is of the second.
fn by_start<'a>(mut first: &'a [Span], mut second: &'a [Span]) -> impl Iterator<Item = (Span, bool)> + 'a {
    std::iter::from_fn(move || {
        let is_second = match (first.first(), second.first()) {
            (Some(one), Some(other)) => other.start < one.start,
            (one, _) => one.is_none(),
        };
        let list = if is_second { &mut second } else { &mut first };
        let (span, rest) = list.split_first()?;
        *list = rest;
        Some((*span, is_second))
    })
}

/// Minutes of work in the fullest of the openings that `more` touches.
fn fullest_day(openings: &[Span], work: &[Span], more: &[Span]) -> i64 {
    let (Some(first), Some(last)) = (more.first(), more.last()) else { return 0 };
    let from = openings.partition_point(|opening| opening.end <= first.start);
    let touched = openings[from..].iter().take_while(|opening| opening.start < last.end);
    touched
        .filter(|opening| more.iter().any(|span| span.overlaps(**opening)))
        .map(|opening| minutes_within(*opening, work) + minutes_within(*opening, more))
        .max()
        .unwrap_or(0)
}

/// Minutes of a list that lie within `day`.
pub(super) fn minutes_within(day: Span, list: &[Span]) -> i64 {
    let from = list.partition_point(|span| span.end <= day.start);
    list[from..].iter().take_while(|span| span.start < day.end).map(|span| span.common(day).minutes()).sum()
}
