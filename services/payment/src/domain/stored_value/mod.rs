//! Stored value: cards that are topped up with money, get bonus on top, and pay for visits.
//!
//! A card's content is its lots, one for each top-up. A [`Lot`] keeps money (principal) and bonus apart for its whole
//! life: they are spent, given back, paid out and let lapse each for itself, and of each
//! `brought = open + spent + refunded + expired`. What a card has in all lots together is what the ledger owes it in
//! `stored_value_principal` and `stored_value_bonus`; what is set aside in the lots is what is reserved there.
//!
//! ```text
//! card      ACTIVE ◀──▶ LOST | FROZEN ──ReissueCard──▶ CLOSED (all lots move to the new card)
//!           ACTIVE | LOST ──RefundCard──▶ CLOSED ──something comes back──▶ ACTIVE
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
//! # Giving a card back
//!
//! Each top-up is a contract of its own, which the law looks at ([`law`]): what was paid for it, less what was had. What of it
//! went back before is taken off. The bonus is void; what is left of the money beyond what goes back has paid for bonus
//! that was spent, and is set off against it.
//!
//! Principal never expires. Bonus does at its lot's time, but for what is set aside then.
//!
//! # What is booked
//!
//! See the kinds of [`ledger`](super::ledger). All of it at the store where it happens, about the card.

pub mod campaign;
mod card;
pub mod law;
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
