//! What therapists and partners earn by visits.
//!
//! [`Rule`]s are data: conditions, a rate, and the days on which it applies. Of those that fit, [`rule::winner`] takes the most
//! specific one. [`award`] applies them to a visit that was completed: the price is split over its parts in proportion to
//! their minutes by largest remainder, each therapist earns by his part of it, and the partner by the whole. What comes out
//! says why. [`take_back`] is what a refund takes of it. A [`Settlement`] is a list of what a store owes for a period.
//!
//! # Invariants
//!
//! * The same rules and the same visit give the same shares, in whatever order the rules are stored.
//! * The bases of the therapists add up to the price.
//! * What is earned is in one settlement list at most, and paid once; from the confirmation of that list on what is taken back
//!   of it goes off the next one, and is in one list at most as well.
//! * What is taken back is never more than what was earned, and all of it once all of the price has gone back.
//!
//! # The most specific rule
//!
//! | first | the more conditions |
//! |---|---|
//! | then | the one that states the first of item, store, partner, grade, manner that not both state |
//! | then | the one that starts later |
//! | then | the one that was made later (ids are in the order of their making; of one millisecond the greater id) |

mod award;
mod reversal;
pub mod rule;
mod settlement;
mod visit;

pub use award::{Payee, Share, award};
pub use reversal::{given_back, take_back};
pub use rule::{Manner, PayeeKind, Rate, Rule};
pub use settlement::{Line as SettlementLine, Settlement, State as SettlementState};
pub use visit::{Part, Visit};

#[cfg(test)]
mod tests;
