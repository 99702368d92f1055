//! Unlimited service for a time: the refund is the share of the time that remains (Art. 22).
//!
//! The cause makes no difference, nor does how often the consumer came. Both days of the term count. The day on which
//! the contract ends still counts as had: what remains is the time *after* the end.

use jiff::civil::Date;
use kernel::{Money, Result};

use super::{
    amount::{Ratio, negative},
    calendar::days_between,
    citation::Source,
    contract::{Days, Pass},
    explain::{Label, Line, Note, NoteLabel, Operand},
};

/// The line that takes away the time that has passed at the end of `ended_on`, or before the merchant stopped.
pub(super) fn lines(paid: Money, pass: &Pass, ended_on: Date, notes: &mut Vec<Note>) -> Result<Vec<Line>> {
    // Saturating: before the first day of the world nobody stopped.
    let served_last = pass.stopped_on.map(|day| day.saturating_sub(jiff::Span::new().days(1)));
    let (last_had, source) = match served_last {
        Some(day) if day < ended_on => (day, Source::Art22P2),
        _ => (ended_on, Source::Art22P1),
    };
    if last_had >= pass.term.last {
        let operands = vec![Operand::new("last_day", pass.term.last)];
        notes.push(Note { label: NoteLabel::TermHadRunOut, operands, source: Source::Art22P3 });
    }
    let (passed, in_all) = (days_until(pass, last_had), days_until(pass, pass.term.last));
    let amount = Ratio { part: passed, whole: in_all }.down(i128::from(paid.minor()))?;
    Ok(vec![Line {
        label: Label::TimePassed,
        amount: negative(Money::new(amount, paid.currency()))?,
        operands: vec![
            Operand::new("paid", paid),
            Operand::new("days_passed", passed),
            Operand::new("days_in_all", in_all),
            Operand::new("last_day_had", last_had),
        ],
        source,
    }])
}

/// Days of the term up to `day` on which the pass did not rest.
pub(super) fn days_until(pass: &Pass, day: Date) -> i64 {
    let frozen: i64 = pass.frozen.iter().map(|days| overlap(*days, day)).sum();
    overlap(pass.term, day) - frozen
}

/// How many of `days` are not after `day`.
fn overlap(days: Days, day: Date) -> i64 {
    (days_between(days.first, day.min(days.last)) + 1).max(0)
}
