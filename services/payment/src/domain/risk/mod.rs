//! Which payments, refunds and top-ups are let through, looked at afterwards, held, or refused.
//!
//! [`Rule`]s are data: an operation, a pattern, a decision, and the time in which they hold. A rule says by whom it counts what
//! it looks out for ([`Measure`]); whether it is broken follows from what was counted before ([`Tally`]). [`judge`] decides.
//!
//! # What is decided
//!
//! | of the rules that are broken | then |
//! |---|---|
//! | one allows | it happens, whatever the others say |
//! | else one refuses | it doesn't happen: `RISK_REFUSED`. The refusal is stored for finance; the caller learns no figure |
//! | else one wants a review | a payment, a top-up or the end of a contract happens and is queued; the refund of a visit is held: `RISK_HELD`, and happens when it is approved |
//! | else | it happens |
//!
//! Of payments and top-ups the customer stands at the desk or looks at his telephone, and what is captured can be given back;
//! what a refund has paid out can't be fetched again. What the end of a contract gives back is due by law.
//!
//! # What counts
//!
//! What was let through, attempts to pay that came to nothing included: who tries out cards should be seen. It is counted from
//! the moment at which a rule is enabled that looks at it, for as long as the rule looks back; without such a rule nothing is
//! stored or locked. An operation in another currency than the rule's is none of its business. What goes back because booking
//! closes an order or makes it cheaper is booking's to decide, and isn't looked at.
//!
//! Whoever is measured locks by whom it is counted, in the order of [`Measure::key`], after the order's row and before all
//! others, until the end of the transaction: of any number at once each sees those before it. A rule by store lets one payment
//! of the store in at a time.

mod judge;
mod operation;
mod review;
mod rule;

pub use judge::{Reason, Verdict, judge};
pub use operation::{Operation, OperationKind, Subject};
pub use review::{Review, State as ReviewState};
pub use rule::{Decision, MAX_WINDOW, Measure, Pattern, Rule, Tally};

#[cfg(test)]
mod tests;
