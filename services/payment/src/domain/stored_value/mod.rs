//! Stored value: cards that are topped up with money, get bonus on top, and pay for visits.
//!
//! A card's content is its lots, one for each top-up. A [`Lot`] keeps money (principal) and bonus apart for its whole
//! life: they are spent, given back, paid out and let lapse each for itself, and of each
//! `brought = open + spent + refunded + expired`. What a card has in all lots together is what the ledger owes it in
//! `stored_value_principal` and `stored_value_bonus`; what is set aside in the lots is what is reserved there.
//!
//! ```text
//! card      ACTIVE ◀──▶ LOST | FROZEN ──ReissueCard──▶ CLOSED (all lots move to the new card)
//! spending  HELD ──▶ SPENT (and back, in parts) | VOIDED
//! ```
//!
//! # Spending
//!
//! Lots bear a payment the oldest first; of money and bonus, [`SpendingOrder`] says which. In proportion is the default:
//! each lot's share of bonus is then that by which 法释〔2025〕4号 Art. 18 reckons. What each lot bears is kept with the
//! payment, so that a refund goes back to the very lots, wherever they are by then: whole lots move when a card is
//! replaced. Bonus whose time is over when it comes back can be spent for some days more.
//!
//! Principal never expires. Bonus does at its lot's time, but for what is set aside then.
//!
//! # What is booked
//!
//! See the kinds of [`ledger`](super::ledger). All of it at the store where it happens, about the card.

pub mod campaign;
mod card;
mod lot;
pub mod postings;
pub mod rules;
mod spending;
mod value;

pub use campaign::Campaign;
pub use card::{Card, Scope, State, Use, is_number, number};
pub use lot::{Lot, Pot};
pub use rules::{Cap, Limit};
pub use spending::{Share, Spending, SpendingOrder, SpendingState, share_back, share_out, sum};
pub use value::Value;

#[cfg(test)]
mod tests;
