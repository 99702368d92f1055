//! Prepaid contracts: sessions, or a time of unlimited service, that are paid ahead.
//!
//! ```text
//! DRAFT ──order paid──▶ ACTIVE ──last session had──▶ USED_UP ──a session is given back──▶ ACTIVE
//!   │                     │  ▲ ─freeze, unfreeze, transfer─┐
//!   │                     │  └─────────────────────────────┘
//!   │                     ├──its time is over──▶ EXPIRED ──extend──▶ ACTIVE
//!   │                     └──RefundContract──▶ REFUNDED ◀── EXPIRED
//!   └──order ended unpaid──▶ CANCELLED
//! ```
//!
//! # What it is worth
//!
//! What was paid is owed (`prepaid_liability` of the contract) until it is delivered. It is split over all sessions, those
//! given on top included, by list price and largest remainder; so each session has a value from the first day on, in
//! whatever order they are had, and all together are what was paid. A session is earned when its visit took place. Service
//! for a time is earned by the day: whenever the contract is touched, and at the latest when it ends.
//!
//! An expired contract still owes its sessions (法释〔2025〕4号 leaves them to the consumer); what nobody has asked for when the
//! limitation period is over is breakage.
//!
//! # Paying a visit
//!
//! A session pays a line of a visit's order whole, whatever the line costs: the contract is the price. What the visit earns is
//! what the session is worth, no more and no less; the difference is a reduction, and never money. When what it paid is
//! given back whole, the session is free again as long as the contract runs, and its worth is owed again; if the contract
//! has ended, which has counted the session as delivered, its worth is paid out by hand.
//!
//! # Rests
//!
//! A freeze moves the contract's end by its days, and no day of a rest is earned or counted by the law.

mod contract;
mod law;
mod session;
pub mod settlement;
mod terms;
#[cfg(test)]
mod tests;

pub use contract::{Change, Contract, NewContract, State};
pub use law::{Claim, Had, case};
pub use session::{Session, Use, UseState};
pub use settlement::Settlement;
pub use terms::{Item, Terms};
