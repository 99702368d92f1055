//! How long it takes to pay at the desk: in cash, and from a stored-value card, each at a steady load.
//!
//! The payment service as it is deployed, behind the real layer, over its own database. Orders and cards are made before;
//! each call pays one of them: `PayOrder` in cash, and `StartCheckout` with a card, which sets the amount aside, captures it
//! and earns the visit in one transaction.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use feed::FeedServer;
use kernel::{
    Clock as _, Currency, Money, SystemClock,
    ids::{BookingId, MemberId, OrderId, StoreId, uuid_v7},
};
use payment::{App, MIGRATOR, Peers, Policy, peers::Providers};
use pg::{Pg, PgConfig, vault::Vault};
use proto::{
    google::r#type::Money as PbMoney,
    payment::v1::{
        self as pb,
        checkout_service_client::CheckoutServiceClient,
        payment::{Purpose, Tender},
        payment_service_client::PaymentServiceClient,
        stored_value_service_client::StoredValueServiceClient,
    },
};
use rpc::{
    client::{self, KeepAlive, Peer},
    convert::to_money,
};
use runtime::{Shutdown, Tasks};
use tokio::sync::watch;
use tonic::{Request, transport::Channel};

use super::{
    house,
    keys::Keys,
    load::{self, Until},
    report::{Figure, Limit, Report},
    scale::Scale,
    servers::Servers,
    threads::Threads,
};

const DATABASE: &str = "till";
/// The load, in payments a second, and how long one may take then, in milliseconds.
const STEADY: f64 = 300.0;
const LIMIT: Limit = Limit::AtMost(50.0);
const STORES: usize = 8;
/// What a visit costs, and what is on a card at first, in fen: more than any run takes.
const PRICE: i64 = 10;
const FUNDS: i64 = 500_000;
const CARDS: usize = 16;

/// Measures.
pub async fn measure(servers: &Servers, scale: &Scale, report: &mut Report) -> Result<()> {
    let keys = Keys::make()?;
    let tasks = Tasks::new(Shutdown::new());
    let url = servers.migrated(DATABASE, &MIGRATOR).await?;
    let config = PgConfig { max_connections: u32::try_from(scale.clients)?, ..house::config(&url) };
    let threads = Threads::start(DATABASE)?;
    let uri = threads.run(wire(config, keys.clone(), tasks.clone())).await?;
    let pg = Pg::connect(&PgConfig { max_connections: 1, ..house::config(&url) }).await?;
    let measured = pay(&uri, &keys, &pg, servers, scale, report).await;
    tasks.shutdown().abort();
    measured
}

async fn pay(uri: &str, keys: &Keys, pg: &Pg, servers: &Servers, scale: &Scale, report: &mut Report) -> Result<()> {
    let channel = client::channel(uri, KeepAlive::default())?;
    let stores: Vec<StoreId> = (0..STORES).map(|_| StoreId::new(SystemClock.now())).collect();
    let mut tills = Vec::new();
    for store in stores.iter().cycle().take(scale.clients) {
        tills.push(Till::open(&channel, keys, *store).await?);
    }
    let every = Duration::from_secs_f64(scale.clients as f64 / STEADY);
    let turns = |time: Duration| (time.as_secs_f64() / every.as_secs_f64()).ceil() as u64 + 1;
    let visits = turns(scale.warm_up) + turns(scale.round);
    let mut paid = 0;
    for (name, how) in [("payment in cash, p99", How::Cash), ("payment by stored value, p99", How::Card)] {
        let callers = |how| tills.iter().map(|till| Caller { till: till.clone(), how }).collect::<Vec<_>>();
        load::drive(callers(How::NotYet), Until::Calls(visits)).await?;
        sqlx::raw_sql("vacuum analyze").execute(pg.pool()).await?;
        let warm = load::drive_steadily(callers(how), every, scale.warm_up).await?;
        servers.administer("checkpoint").await?;
        let load = load::drive_steadily(callers(how), every, scale.round).await?;
        paid += warm.samples.len() + load.samples.len();
        let note = format!("{:.0} /s through gRPC, {STORES} stores, waiting for one's turn counted", load.per_second());
        let times = load.samples.times();
        report.add(Figure::new(name, times.p99, "ms", note).times(times).limit(LIMIT));
    }
    let stored: i64 = sqlx::query_scalar(
        "select count(*) from customer_order where subject_id is null and state = 'paid' and paid_minor = total_minor",
    )
    .fetch_one(pg.pool())
    .await?;
    ensure!(usize::try_from(stored)? == paid, "{stored} visits are paid, not as many as were answered: {paid}");
    Ok(())
}

/// The service, on threads of its own; returns where it listens.
async fn wire(config: PgConfig, keys: Keys, tasks: Tasks) -> Result<String> {
    let pg = Pg::connect(&config).await?;
    let peers = Peers { providers: Providers::new([]), invoicing: None };
    let vault = Arc::new(Vault::new(rand::random()));
    let app = Arc::new(App::new(pg.clone(), vault, Arc::new(SystemClock), Policy::default(), peers));
    let feed = FeedServer::new(pg, watch::channel(0).1, tasks.shutdown().soft().clone());
    house::serve("payment", payment::rpc::routes(&app, feed), &keys, &tasks).await
}

/// What is done with a visit.
#[derive(Debug, Clone, Copy)]
enum How {
    /// Its order is made.
    NotYet,
    /// It is paid in cash.
    Cash,
    /// It is paid from a card.
    Card,
}

/// A desk with its customers.
#[derive(Clone)]
struct Till {
    booking: PaymentServiceClient<Peer>,
    payment: PaymentServiceClient<Channel>,
    checkout: CheckoutServiceClient<Channel>,
    token: String,
    store: StoreId,
    customer: MemberId,
    cards: Vec<String>,
    /// Orders that wait to be paid.
    orders: Arc<Mutex<Vec<String>>>,
}

impl Till {
    /// A desk of a store, whose customers have topped up their cards.
    async fn open(channel: &Channel, keys: &Keys, store: StoreId) -> Result<Self> {
        let mut till = Self {
            booking: PaymentServiceClient::new(client::peer(channel.clone(), keys.service("booking"))),
            payment: PaymentServiceClient::new(channel.clone()),
            checkout: CheckoutServiceClient::new(channel.clone()),
            token: keys.administrator()?,
            store,
            customer: MemberId::new(SystemClock.now()),
            cards: Vec::new(),
            orders: Arc::default(),
        };
        let mut desk = StoredValueServiceClient::new(channel.clone());
        for _ in 0..CARDS {
            let wish = pb::IssueCardRequest {
                store: store.name(),
                scope: pb::card::Scope::Chain.into(),
                holder: till.customer.name(),
                currency_code: "CNY".to_owned(),
                request_id: fresh(),
            };
            let card = desk.issue_card(till.request(wish)?).await?.into_inner().name;
            let customer = till.customer.name();
            let wish = pb::TopUpCardRequest { card: card.clone(), amount: cny(FUNDS), customer, request_id: fresh() };
            let order = desk.top_up_card(till.request(wish)?).await?.into_inner().name;
            till.cash(order).await?;
            till.cards.push(card);
        }
        Ok(till)
    }

    fn request<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.token.parse()?);
        Ok(request)
    }

    /// Makes the order of a visit.
    async fn visit(&mut self) -> Result<String> {
        let booking = BookingId::new(SystemClock.now());
        let line = pb::OrderLine {
            item: format!("items/{}", fresh()),
            display_name: "Swedish massage, 60 minutes".to_owned(),
            amount: cny(PRICE),
            discount: None,
        };
        let request = pb::CreateOrderRequest {
            order_id: OrderId::derive(booking.uuid(), "order").uuid().to_string(),
            booking: booking.name(),
            customer: self.customer.name(),
            store: self.store.name(),
            lines: vec![line],
            deposit: cny(0),
            request_id: fresh(),
            discount: None,
        };
        Ok(self.booking.create_order(request).await?.into_inner().name)
    }

    async fn cash(&mut self, order: String) -> Result<()> {
        let request = self.request(pb::PayOrderRequest {
            order,
            purpose: Purpose::Balance.into(),
            tender: Tender::Cash.into(),
            amount: None,
            request_id: fresh(),
            payer: None,
        })?;
        let payment = self.payment.pay_order(request).await?.into_inner();
        ensure!(payment.state() == pb::payment::State::Captured, "paid in cash, and not captured");
        Ok(())
    }

    async fn card(&mut self, order: String) -> Result<()> {
        self.cards.rotate_left(1);
        let source = self.cards.first().context("there are no cards")?.clone();
        let tender = Tender::StoredValue.into();
        let request = self.request(pb::StartCheckoutRequest {
            order,
            purpose: Purpose::Balance.into(),
            tenders: vec![pb::CheckoutTender { tender, amount: cny(PRICE), source, ..pb::CheckoutTender::default() }],
            request_id: fresh(),
            payer: None,
        })?;
        let checkout = self.checkout.start_checkout(request).await?.into_inner();
        ensure!(checkout.state() == pb::checkout::State::Captured, "paid with a card, and not captured");
        Ok(())
    }
}

/// Somebody who does one and the same at a desk.
struct Caller {
    till: Till,
    how: How,
}

impl load::Caller for Caller {
    async fn call(&mut self) -> Result<()> {
        let orders = Arc::clone(&self.till.orders);
        let orders = || orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let How::NotYet = self.how {
            let order = self.till.visit().await?;
            orders().push(order);
            return Ok(());
        }
        let order = orders().pop().context("all visits are paid")?;
        match self.how {
            How::Card => self.till.card(order).await,
            _ => self.till.cash(order).await,
        }
    }
}

fn fresh() -> String {
    uuid_v7(SystemClock.now()).to_string()
}

fn cny(minor: i64) -> Option<PbMoney> {
    Some(to_money(Money::new(minor, Currency::CNY)))
}
