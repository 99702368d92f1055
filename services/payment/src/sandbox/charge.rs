//! A charge, and what is said of it.

use kernel::{Timestamp, Uuid, ids::derive};
use serde::Serialize;

/// A charge as the sandbox knows it.
#[derive(Debug, Clone)]
pub struct Charge {
    /// The merchant's id for it.
    pub id: Uuid,
    /// Ours.
    pub charge_id: String,
    /// How much.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// Where the merchant wants its notices.
    pub notify_url: String,
    /// Where it is in its life.
    pub state: State,
    /// When the customer can't pay it any more.
    pub expire_time: Timestamp,
}

/// Where a charge is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The customer can pay.
    Pending,
    /// The customer has paid.
    Succeeded,
    /// The customer could not pay.
    Failed {
        /// Why, in a word.
        reason: String,
    },
    /// The customer did not pay in time.
    Expired,
}

impl State {
    /// The word that is stored and sent.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed { .. } => "failed",
            Self::Expired => "expired",
        }
    }

    /// Why it failed, if it did.
    pub fn failure_reason(&self) -> Option<&str> {
        match self {
            Self::Failed { reason } => Some(reason),
            _ => None,
        }
    }
}

/// Our id of the charge that a merchant calls `id`.
pub fn charge_id(id: Uuid) -> String {
    format!("ch_{}", derive(id, "charge").simple())
}

/// A charge as merchants see it.
#[derive(Debug, Serialize)]
pub struct View<'a> {
    id: Uuid,
    charge_id: &'a str,
    amount_minor: i64,
    currency: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'a str>,
    pay_uri: String,
}

impl Charge {
    /// Whether the customer can pay it at `now`.
    pub fn is_payable(&self, now: Timestamp) -> bool {
        self.state == State::Pending && now < self.expire_time
    }

    /// What merchants see, for a sandbox at `public_url`.
    pub fn view(&self, public_url: &str) -> View<'_> {
        View {
            id: self.id,
            charge_id: &self.charge_id,
            amount_minor: self.amount_minor,
            currency: &self.currency,
            state: self.state.as_str(),
            failure_reason: self.state.failure_reason(),
            pay_uri: format!("{public_url}/pay/{}", self.charge_id),
        }
    }
}
