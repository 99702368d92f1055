//! What a prepaid contract's end gives back: 法释〔2025〕4号, Art. 14 to 22.
//!
//! The Supreme People's Court's interpretation on prepaid consumption, in force since 2025-05-01, says how a refund is
//! reckoned. [`quote`] turns a [`Contract`] and a [`Request`] into an amount *and* the lines that make it up, each with
//! its operands and the provision that it rests upon. It is pure: days are arguments, the law, rates and days off are
//! the data of a [`RuleBook`].
//!
//! ```text
//! prepayment − price of what was delivered   principal   Art. 15 ¶1, 18, 19, 20; passes Art. 22; better term Art. 18 ¶2, 19 ¶3
//!            − gifts − merchant's costs                  Art. 21, 15 ¶2
//!            + consumer's costs                          Art. 15 ¶2
//!            + interest                                  Art. 16, 17
//! = refund, which is never below zero
//! ```
//!
//! A prepayment of ¥3,000 with a bonus of ¥1,000, of which ¥1,600 at list price were used, gives back ¥1,800 if the
//! merchant is the cause (1,600 × 3,000 ÷ 4,000 = 1,200 was delivered) and ¥1,400 if the consumer is.
//!
//! # Map
//!
//! | module | holds | provisions |
//! |---|---|---|
//! | [`contract`], [`request`] | the input | |
//! | [`cause`] | why, and at whose door it is laid | Art. 10, 13 |
//! | [`rules`], [`rate`], [`calendar`] | the law's data, with the days from which they hold | Art. 14, 16, 27 |
//! | [`citation`] | provisions: reference in Chinese, gist in English | |
//! | `ground` | whether the consumer may end it; the return within seven days | Art. 13, 14 |
//! | `delivered` | the price of what was delivered | Art. 15 ¶1, 18, 19, 20 |
//! | `pass` | unlimited service | Art. 22 |
//! | `set_off` | gifts and costs | Art. 15 ¶2, ¶3, 21 |
//! | `interest` | interest | Art. 16, 17 |
//! | [`explain`] | the output | |
//! | `amount` | rounding | Art. 8 |
//! | `check` | bad input, all wrong fields at once | |
//!
//! # Where the text is silent
//!
//! Doubts about a prepaid contract are resolved for the consumer (Art. 8). So:
//!
//! * **Fractions of a fen**: what was delivered is rounded down, once for all uses; interest is rounded up, once for all rates.
//! * **A return within seven days** (Art. 14) gives the *principal*, which Art. 15 ¶1 defines as what is left after
//!   deliveries. Nobody's cause is assumed: deliveries count at the discount price (Art. 18). Days are counted as the
//!   Civil Code does: not the day of payment, and a last day off moves on (Art. 201, 203).
//! * **Neither's cause** (health, force majeure): Art. 16 names no rate; the loan prime rate is taken.
//! * **A day's interest** is the annual rate ÷ 360, as the central bank converts the rates that Art. 16 refers to.
//! * **Sessions given on top** make every session cheaper (Art. 18 ¶1 item 1); they are no gifts in the sense of Art. 21.
//! * **An expired card** loses nothing: only time of an unlimited pass lapses (Art. 22 ¶3), and cards with a balance are
//!   to be reactivated (Art. 24). So packages and stored value have no last day here.
//! * **Gifts** (Art. 21) are weighed by people. The engine only proposes, and says so.
//! * **Passes** are reckoned by time whoever is the cause: Art. 22, unlike Art. 18 and 19, doesn't ask.
//!
//! Where it is not silent, it is followed even against the consumer: an agreed interest rate governs although it is
//! lower (Art. 16 ¶1), and time that the consumer let pass is lost (Art. 22 ¶3).
//!
//! The interpretation has no transitional rule (Art. 27 only names its day). A request from that day on falls under it,
//! however old the contract, with a note that says so. An earlier request falls under the Consumer Protection Law and
//! the Civil Code; the ways of reckoning are taken over by analogy, the right to return within seven days is not.
//!
//! # Use
//!
//! Keep one [`RuleBook`] for the process. A rejected case is `InvalidArgument` with fields `contract.…` and `request.…`;
//! amounts too large for the arithmetic are `AMOUNT_OVERFLOW`; a contract older than the rate table is
//! `FailedPrecondition`, reason `INTEREST_RATE_UNKNOWN` (only if interest is due at a published rate), a request older
//! than the book `LAW_UNKNOWN`. Show [`Quote::notes`]: some ask for a decision of a person. Texts are looked up by
//! [`Label::key`] and [`NoteLabel::key`].
//!
//! A quote that is acted upon is stored whole, with [`Quote::rules`]: a later book may answer otherwise.

mod amount;
pub mod calendar;
pub mod cause;
mod check;
pub mod citation;
pub mod contract;
mod delivered;
pub mod explain;
mod ground;
mod interest;
mod pass;
pub mod rate;
pub mod request;
pub mod rules;
mod set_off;

use kernel::{Money, Result};

pub use calendar::Calendar;
pub use cause::{Attribution, Cause};
pub use check::MAX_ENTRIES;
pub use citation::Source;
pub use contract::{
    AgreedCoolingOff, Charge, Contract, Days, DeliveredTerm, Gift, GiftClaim, InterestFrom, Item, KnownService,
    Package, Pass, Plan, StoredValue, Supervised, Terms, Use,
};
pub use explain::{Ground, GroundKind, Label, Line, Note, NoteLabel, Operand, Quote, Value};
pub use rate::{Benchmark, Ppm, RateTable, Step};
pub use request::{Cost, CostKind, Party, Request};
pub use rules::{Basis, RuleBook, Rules};

/// What `request` gives back of `contract`, and why.
///
/// # Errors
/// `InvalidArgument` with each wrong field, or reason `AMOUNT_OVERFLOW`; `FailedPrecondition`, reason `LAW_UNKNOWN` or
/// `INTEREST_RATE_UNKNOWN`, if the book doesn't reach back far enough.
pub fn quote(book: &RuleBook, contract: &Contract, request: &Request) -> Result<Quote> {
    check::check(contract, request)?;
    let rules = book.rules_on(request.requested_on)?;
    let mut notes = Vec::new();
    let (ground, attribution) = ground::ground(book, rules, contract, request, &mut notes);

    let paid = Line {
        label: Label::Paid,
        amount: contract.paid,
        operands: vec![Operand::new("paid", contract.paid), Operand::new("day", contract.paid_on)],
        source: Source::Art15P1,
    };
    let mut lines = vec![paid];
    lines.extend(delivered::lines(contract, request, attribution, &mut notes)?);
    let principal = sum(contract, &lines)?;
    lines.extend(set_off::lines(contract, &request.costs, attribution, principal, &mut notes)?);
    let interest = interest::lines(book, rules, contract, request, attribution, principal, &mut notes)?;
    let interest_sum = sum(contract, &interest)?;
    lines.extend(interest);

    Ok(Quote {
        refund: sum(contract, &lines)?,
        principal,
        interest: interest_sum,
        rules: rules.id,
        basis: rules.basis,
        ground,
        attribution,
        lines,
        notes,
    })
}

fn sum(contract: &Contract, lines: &[Line]) -> Result<Money> {
    Money::try_sum(contract.paid.currency(), lines.iter().map(|line| line.amount))
}

#[cfg(test)]
mod tests;
