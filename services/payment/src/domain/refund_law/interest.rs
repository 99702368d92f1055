//! Interest on the remaining prepayment (Art. 15 ¶1, 16, 17): simple, by the day.
//!
//! It runs from the day on which the contract ended (that day included) up to the day of payment (that day not
//! included). What is set off for gifts and costs doesn't lessen what it runs on.

use jiff::civil::Date;
use kernel::{Money, Result};

use super::{
    amount::{Running, overflow, smaller},
    calendar::days_between,
    cause::Attribution,
    citation::Source,
    contract::{Contract, InterestFrom},
    explain::{Label, Line, Note, NoteLabel, Operand},
    rate::Ppm,
    request::Request,
    rules::{RuleBook, Rules},
};

/// Lines of interest on `principal`; none if no day has passed or nothing remains.
pub(super) fn lines(
    book: &RuleBook,
    rules: &Rules,
    contract: &Contract,
    request: &Request,
    attribution: Attribution,
    principal: Money,
    notes: &mut Vec<Note>,
) -> Result<Vec<Line>> {
    let (from, start_source) = start(contract, request, notes);
    let days = days_between(from, request.payout_on);
    if days <= 0 || principal.is_zero() {
        return Ok(vec![]);
    }
    let (rate, kind) = rate(book, rules, contract, attribution, notes)?;
    let per_unit = i128::from(Ppm::ONE.0) * i128::from(rules.days_in_year);
    let mut running = Running::up(per_unit);
    let mut line = |label, base: Money, rate: Ppm, kind: &str, source| -> Result<Line> {
        let exact = i128::from(base.minor()) * i128::from(rate.0);
        let amount = running.add(exact.checked_mul(i128::from(days)).ok_or_else(overflow)?)?;
        let operands = vec![
            Operand::new("base", base),
            Operand::new("rate", rate),
            Operand::new("rate_kind", kind),
            Operand::new("days", days),
            Operand::new("days_in_year", i64::from(rules.days_in_year)),
            Operand::new("from", from),
            Operand::new("from_source", start_source.reference()),
        ];
        Ok(Line { label, amount: Money::new(amount, base.currency()), operands, source })
    };
    let mut lines = Vec::new();
    let mut rest = principal;
    // Art. 16 ¶2 is the consumer's choice: it is made where it pays.
    if let Some(supervised) = contract.supervised.filter(|supervised| supervised.rate > rate) {
        let base = smaller(supervised.balance, principal);
        rest = principal.try_sub(base)?;
        if !base.is_zero() {
            lines.push(line(Label::SupervisedInterest, base, supervised.rate, "supervised", Source::Art16P2)?);
        }
    }
    if !rest.is_zero() {
        lines.push(line(Label::Interest, rest, rate, kind, Source::Art16P1)?);
    }
    Ok(lines)
}

/// From when interest runs: the contract's end, or an agreed day if that is earlier.
fn start(contract: &Contract, request: &Request, notes: &mut Vec<Note>) -> (Date, Source) {
    let agreed = match contract.terms.interest_from {
        None => return (request.ended_on, Source::Art17P1),
        Some(InterestFrom::Payment) => contract.paid_on,
        Some(InterestFrom::Request) => request.requested_on,
        Some(InterestFrom::Day(day)) => day,
    };
    if agreed < request.ended_on {
        return (agreed, Source::Art17P2);
    }
    let operands = vec![Operand::new("by_law", request.ended_on), Operand::new("agreed", agreed)];
    notes.push(Note { label: NoteLabel::InterestStartNotBetter, operands, source: Source::Art17P2 });
    (request.ended_on, Source::Art17P1)
}

/// The rate and what kind it is.
///
/// An agreed rate governs even where it is lower: Art. 16 ¶1, unlike Art. 14, 17, 18 and 19, doesn't ask whether the
/// term is better for the consumer. One so low that it is unfair is void (Art. 9) and must not be passed in.
fn rate(
    book: &RuleBook,
    rules: &Rules,
    contract: &Contract,
    attribution: Attribution,
    notes: &mut Vec<Note>,
) -> Result<(Ppm, &'static str)> {
    let benchmark = rules.benchmark(attribution);
    let table = book.rates(benchmark);
    let published = table.on(contract.signed_on);
    if let Some(agreed) = contract.terms.interest_rate {
        if let Ok(published) = published
            && agreed < published
        {
            let operands = vec![Operand::new("agreed", agreed), Operand::new("published", published)];
            notes.push(Note { label: NoteLabel::AgreedRateIsLower, operands, source: Source::Art9 });
        }
        return Ok((agreed, "agreed"));
    }
    if table.may_be_outdated(contract.signed_on) {
        let operands = vec![Operand::new("day", contract.signed_on), Operand::new("rate_kind", benchmark.key())];
        notes.push(Note { label: NoteLabel::RateMayBeOutdated, operands, source: Source::Art16P1 });
    }
    Ok((published?, benchmark.key()))
}
