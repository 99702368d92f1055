//! Peers that remember what they were asked.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use booking::peers::{Membership, NewOrder, Payment, Peers, Pricing, Quote, Return};
use kernel::{
    Error, Money, Result, Uuid,
    ids::{ItemId, MemberId, OrderId, QuoteId, StoreId},
};

/// What payment was asked to do with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Create(NewOrder),
    Close(OrderId, Return, &'static str),
}

/// All peers at once.
#[derive(Debug, Default)]
pub struct Fake {
    /// Payment does not answer.
    pub payment_down: AtomicBool,
    /// Members that do not exist.
    pub strangers: Mutex<Vec<MemberId>>,
    /// Per request id, once: repeats have no effect.
    asked: Mutex<Vec<(Uuid, Asked)>>,
    quotes: Mutex<HashMap<Uuid, Quote>>,
}

impl Fake {
    pub fn peers(self: &Arc<Self>) -> Peers {
        Peers { membership: self.clone(), pricing: self.clone(), payment: self.clone() }
    }

    /// What payment was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").iter().map(|(_, asked)| asked.clone()).collect()
    }

    /// How many quotes were made.
    pub fn quotes(&self) -> usize {
        self.quotes.lock().expect("not poisoned").len()
    }

    fn once(&self, request_id: Uuid, asked: Asked) -> Result<()> {
        if self.payment_down.load(Ordering::Relaxed) {
            return Err(Error::unavailable("payment"));
        }
        let mut all = self.asked.lock().expect("not poisoned");
        match all.iter().find(|(known, _)| *known == request_id) {
            Some((_, before)) => assert_eq!(*before, asked, "one request id, two requests"),
            None => all.push((request_id, asked)),
        }
        Ok(())
    }
}

#[async_trait]
impl Membership for Fake {
    async fn check_member(&self, member: MemberId) -> Result<()> {
        let unknown = self.strangers.lock().expect("not poisoned").contains(&member);
        if unknown { Err(Error::not_found(member)) } else { Ok(()) }
    }
}

#[async_trait]
impl Pricing for Fake {
    async fn quote(&self, _: MemberId, _: ItemId, _: StoreId, list_price: Money, request_id: Uuid) -> Result<Quote> {
        let price = list_price.try_sub(list_price.share(2_000)?)?;
        let mut quotes = self.quotes.lock().expect("not poisoned");
        let id = QuoteId::derive(request_id, "quote");
        Ok(*quotes.entry(request_id).or_insert(Quote { id, price }))
    }
}

#[async_trait]
impl Payment for Fake {
    async fn create_order(&self, order: &NewOrder, request_id: Uuid) -> Result<()> {
        self.once(request_id, Asked::Create(order.clone()))
    }

    async fn close_order(&self, order: OrderId, back: Return, reason: &'static str, request_id: Uuid) -> Result<()> {
        self.once(request_id, Asked::Close(order, back, reason))
    }
}
