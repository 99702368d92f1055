//! What a customer pays of a price, while a time is being kept for him.
//!
//! A plan that does not hold is made anew, maybe with a therapist who costs something else. Then it is asked anew, and the
//! quote before is given up in the same breath: it has reserved the customer's coupon, which the new one needs.

use kernel::{
    Money, Result, Uuid, crash,
    ids::{ItemId, MemberId, StoreId},
};
use tokio::sync::Mutex;

use crate::{App, peers::Quote};

/// Whose visit is priced, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced {
    /// Who pays.
    pub customer: MemberId,
    /// What the visit is known by.
    pub item: ItemId,
    /// Where.
    pub store: StoreId,
    /// Before any reduction.
    pub list_price: Money,
    /// What the request ids of the quotes follow from: the same attempt asks for the same quotes, so that a repeat does not
    /// reserve a second coupon, and nobody else's does.
    pub attempt: Uuid,
}

/// The quote of a visit that is to be.
#[derive(Debug, Default)]
pub struct Quoting(Mutex<Option<(Priced, Quote)>>);

impl Quoting {
    /// Gives the quote; it is asked for only if the last was for something else.
    pub async fn quote(&self, app: &App, priced: Priced, asked: &'static str) -> Result<Quote> {
        let mut known = self.0.lock().await;
        let before = match &*known {
            Some((of, quote)) if *of == priced => return Ok(*quote),
            Some((_, quote)) => Some(quote.id),
            None => None,
        };
        let minor = priced.list_price.minor();
        let purpose = before.map_or_else(|| minor.to_string(), |before| format!("{minor}/{}", before.uuid()));
        let request_id = kernel::ids::derive(priced.attempt, &purpose);
        let quote = app.peers.pricing.quote(&priced, before, request_id).await?;
        crash::point(asked);
        *known = Some((priced, quote));
        Ok(quote)
    }
}
