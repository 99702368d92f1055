//! What a provider keeps of its merchants' trades.

use std::collections::BTreeMap;

use kernel::Timestamp;

/// What one customer pays, once.
#[derive(Debug, Clone)]
pub struct Trade {
    /// The merchant's number for it.
    pub number: String,
    /// The provider's own.
    pub id: String,
    /// In which of the provider's ways it is paid.
    pub way: String,
    /// How much, in fen.
    pub total: i64,
    /// What the customer reads.
    pub subject: String,
    /// Who pays, by the provider's id.
    pub payer: String,
    /// Where the merchant wants its notices.
    pub notify_url: String,
    /// Where it is in its life.
    pub stage: Stage,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it can't be paid any more.
    pub expire_time: Timestamp,
    /// When it was paid.
    pub pay_time: Option<Timestamp>,
    /// What is held back until it is shared with the merchant's partners, in fen.
    pub unshared: i64,
}

/// Where a trade is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The customer can pay.
    Waiting,
    /// The customer has paid.
    Paid,
    /// Nobody can pay any more.
    Closed,
}

/// Money that goes back.
#[derive(Debug, Clone)]
pub struct Refund {
    /// The merchant's number for it.
    pub number: String,
    /// The provider's own.
    pub id: String,
    /// The trade, by the merchant's number.
    pub trade: String,
    /// How much, in fen.
    pub amount: i64,
    /// Where it is in its life.
    pub stage: RefundStage,
    /// When it was asked for.
    pub create_time: Timestamp,
    /// When it reached the customer.
    pub done_time: Option<Timestamp>,
}

/// Where a refund is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStage {
    /// On its way.
    Under,
    /// With the customer.
    Done,
    /// The customer's account takes nothing.
    Stuck,
}

/// All trades and refunds, by the merchant's numbers.
#[derive(Debug, Default)]
pub struct Book {
    /// The trades.
    pub trades: BTreeMap<String, Trade>,
    /// The refunds.
    pub refunds: BTreeMap<String, Refund>,
    made: u64,
}

impl Book {
    /// A number of the provider's own that was never given before: `prefix` and digits.
    pub fn next_id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}{:020}", self.made)
    }

    /// How much of a trade goes or went back, in fen.
    pub fn refunded(&self, trade: &str) -> i64 {
        let of = self.refunds.values().filter(|refund| refund.trade == trade);
        of.filter(|refund| refund.stage != RefundStage::Stuck).map(|refund| refund.amount).sum()
    }

    /// Closes the trades whose time is over.
    pub fn expire(&mut self, now: Timestamp) {
        for trade in self.trades.values_mut() {
            if trade.stage == Stage::Waiting && trade.expire_time <= now {
                trade.stage = Stage::Closed;
            }
        }
    }
}
