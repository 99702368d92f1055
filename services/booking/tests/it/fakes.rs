//! Peers that remember what they were asked.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use booking::{
    flows::quoting::Priced,
    peers::{Membership, NewOrder, Payment, Peers, Pricing, Quote, Return},
};
use futures_util::future::BoxFuture;
use kernel::{
    Currency, Error, Money, Result, Uuid,
    ids::{MemberId, OrderId, QuoteId},
};
use proto::payment::v1::OrderLine;
use tokio::sync::RwLock;

/// What payment was asked to do with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Create(NewOrder),
    Amend(OrderId, Money),
    Close(OrderId, Return, &'static str),
}

/// What happens while a peer is asked something, once.
#[derive(Default)]
pub struct Meanwhile(Mutex<Option<BoxFuture<'static, ()>>>);

impl Meanwhile {
    /// Has this happen after the next answer is found, before it is given.
    pub fn set(&self, what: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock().expect("not poisoned") = Some(Box::pin(what));
    }

    async fn happens(&self) {
        let what = self.0.lock().expect("not poisoned").take();
        if let Some(what) = what {
            what.await;
        }
    }
}

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meanwhile")
    }
}

/// All peers at once.
#[derive(Debug, Default)]
pub struct Fake {
    /// Payment does not answer. What it was asked meanwhile is under way: see [`Fake::arrive`].
    pub payment_down: AtomicBool,
    /// Payment takes its time while somebody holds this for writing.
    pub payment_gate: RwLock<()>,
    under_way: Mutex<Vec<(Uuid, Asked)>>,
    /// What happens while pricing is asked, or payment what was paid.
    pub meanwhile: Meanwhile,
    /// Pricing answers no more than so many requests.
    pub most_quotes: Mutex<Option<usize>>,
    /// Members that do not exist.
    pub strangers: Mutex<Vec<MemberId>>,
    /// The tiers of members; the lowest if it is not here.
    pub tiers: Mutex<HashMap<MemberId, u8>>,
    /// Per request id, once: repeats have no effect.
    asked: Mutex<Vec<(Uuid, Asked)>>,
    quotes: Mutex<HashMap<Uuid, Quote>>,
    /// Quotes that were given up for others.
    replaced: Mutex<HashSet<QuoteId>>,
    /// Fen that were paid, by the order's name.
    paid: Mutex<HashMap<String, i64>>,
}

impl Fake {
    pub fn peers(self: &Arc<Self>) -> Peers {
        Peers { membership: self.clone(), pricing: self.clone(), payment: self.clone() }
    }

    /// What payment was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").iter().map(|(_, asked)| asked.clone()).collect()
    }

    /// What was sent while payment did not answer reaches it now.
    pub fn arrive(&self) {
        let late = std::mem::take(&mut *self.under_way.lock().expect("not poisoned"));
        late.into_iter().for_each(|(request_id, asked)| self.note(request_id, asked));
    }

    /// Orders that were made and not closed since.
    pub fn open_orders(&self) -> Vec<OrderId> {
        let mut open = Vec::new();
        for asked in self.asked() {
            match asked {
                Asked::Create(order) => open.push(order.id),
                Asked::Close(order, ..) => open.retain(|made| *made != order),
                Asked::Amend(..) => {}
            }
        }
        open
    }

    /// So many fen of an order are paid.
    pub fn pay(&self, order: &str, minor: i64) {
        self.paid.lock().expect("not poisoned").insert(order.to_owned(), minor);
    }

    /// How many quotes were made.
    pub fn quotes(&self) -> usize {
        self.quotes.lock().expect("not poisoned").len()
    }

    /// The quotes that were not given up for others.
    pub fn open_quotes(&self) -> Vec<QuoteId> {
        let replaced = self.replaced.lock().expect("not poisoned");
        let quotes = self.quotes.lock().expect("not poisoned");
        quotes.values().map(|quote| quote.id).filter(|id| !replaced.contains(id)).collect()
    }

    fn once(&self, request_id: Uuid, asked: Asked) -> Result<()> {
        if self.payment_down.load(Ordering::Relaxed) {
            self.under_way.lock().expect("not poisoned").push((request_id, asked));
            return Err(Error::unavailable("payment"));
        }
        if let Asked::Close(order, ..) = asked
            && !self.is_made(order)
        {
            return Err(Error::not_found(order));
        }
        if let Asked::Amend(order, _) = asked
            && !self.is_made(order)
        {
            return Err(Error::not_found(order));
        }
        self.note(request_id, asked);
        Ok(())
    }

    fn is_made(&self, order: OrderId) -> bool {
        self.asked().iter().any(|known| matches!(known, Asked::Create(made) if made.id == order))
    }

    fn note(&self, request_id: Uuid, asked: Asked) {
        let mut all = self.asked.lock().expect("not poisoned");
        match all.iter().find(|(known, _)| *known == request_id) {
            Some((_, before)) => assert_eq!(*before, asked, "one request id, two requests"),
            None => all.push((request_id, asked)),
        }
    }
}

#[async_trait]
impl Membership for Fake {
    async fn check_member(&self, member: MemberId) -> Result<()> {
        let unknown = self.strangers.lock().expect("not poisoned").contains(&member);
        if unknown { Err(Error::not_found(member)) } else { Ok(()) }
    }

    async fn tier(&self, member: MemberId) -> Result<u8> {
        self.check_member(member).await?;
        Ok(self.tiers.lock().expect("not poisoned").get(&member).copied().unwrap_or_default())
    }
}

#[async_trait]
impl Pricing for Fake {
    async fn quote(&self, priced: &Priced, replaces: Option<QuoteId>, request_id: Uuid) -> Result<Quote> {
        let price = priced.list_price.try_sub(priced.list_price.share(2_000)?)?;
        self.meanwhile.happens().await;
        let mut quotes = self.quotes.lock().expect("not poisoned");
        if self.most_quotes.lock().expect("not poisoned").is_some_and(|most| quotes.len() >= most) {
            return Err(Error::unavailable("marketing"));
        }
        let id = QuoteId::derive(request_id, "quote");
        self.replaced.lock().expect("not poisoned").extend(replaces);
        Ok(*quotes.entry(request_id).or_insert(Quote { id, price }))
    }
}

#[async_trait]
impl Payment for Fake {
    async fn create_order(&self, order: &NewOrder, request_id: Uuid) -> Result<()> {
        let _open = self.payment_gate.read().await;
        self.once(request_id, Asked::Create(order.clone()))
    }

    async fn paid(&self, order: OrderId) -> Result<Money> {
        if self.payment_down.load(Ordering::Relaxed) {
            return Err(Error::unavailable("payment"));
        }
        let paid = self.paid.lock().expect("not poisoned").get(&order.name()).copied();
        self.meanwhile.happens().await;
        Ok(Money::new(paid.unwrap_or(0), Currency::CNY))
    }

    async fn amend_order(&self, order: OrderId, _: Uuid, line: OrderLine, request_id: Uuid) -> Result<()> {
        let amount = rpc::convert::money("amount", line.amount.as_ref())?;
        self.once(request_id, Asked::Amend(order, amount))
    }

    async fn close_order(&self, order: OrderId, back: Return, reason: &'static str, request_id: Uuid) -> Result<()> {
        self.once(request_id, Asked::Close(order, back, reason))
    }
}
