//! What must be: a plain model of one customer at one store, which knows nothing of the service's code.
//!
//! Everything is a number, a word or a list of them. [`ask`](Model::ask) says what comes of a request, and changes the model
//! accordingly; what the provider says, and what time brings, have functions of their own. The books are not kept but
//! worked out from where everything is ([`books`]).

mod asking;
mod books;
mod contract;
mod orders;
mod purse;

pub use asking::{Ask, CAMPAIGN, What};
pub use contract::{Contract, DAYS, MOST_REST};
pub use orders::{How, Order, PayState, State, Subject};
pub use purse::{BONUS_DAYS, Purse};

/// The seconds of a day.
pub const DAY: i64 = 86_400;

/// Accepted, or refused for this reason.
pub type Answer = Result<(), &'static str>;

/// How the house does it.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// In which order money and bonus of a card are spent.
    pub spending: &'static str,
    /// Whether tenders give back in the usual order, or the other way round.
    pub usual_refunds: bool,
}

/// Everything that there is.
#[derive(Debug, Clone)]
pub struct Model {
    /// How the house does it.
    pub rules: Rules,
    /// In the order in which they were made.
    pub orders: Vec<Order>,
    /// The card, if one was issued.
    pub purse: Option<Purse>,
    /// The contract, if there is one.
    pub contract: Option<Contract>,
}

impl Model {
    /// Nothing happened yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, orders: Vec::new(), purse: None, contract: None }
    }

    /// The worker looks what has lapsed of cards and top-ups.
    pub fn lapse(&mut self, now: i64) {
        for order in 0..self.orders.len() {
            let of = &mut self.orders[order];
            if of.promised.is_some_and(|(_, until)| until <= now) {
                of.promised = None;
                self.close(order, 0, now).expect("nothing of it is set aside");
            }
        }
        if let Some(purse) = &mut self.purse {
            purse.lapse(now);
        }
    }
}
