//! A payment service, its provider, and everybody who calls them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use feed::FeedServer;
use kernel::{
    Clock, Currency, Money, Uuid,
    ids::{BookingId, MemberId, OrderId, PaymentId, StaffId, StoreId},
};
use payment::{
    App, Peers, Policy,
    domain::{Action, Charge},
    peers::{NewCharge, Payer, PeerTenders, Provider, Providers, SandboxClient, SandboxClientConfig, signature},
    sandbox::{Sandbox, SandboxConfig},
    worker,
};
use pg::vault::Vault;
use proto::{
    access::Role,
    google::api::HttpBody,
    payment::v1::{
        self as pb,
        payment::{Purpose, Tender},
        payment_service_client::PaymentServiceClient,
    },
};
use testkit::{ManualClock, TestDb, with_token};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status, transport::Channel};

use crate::{
    keeper::Keeper,
    wire::{cny, fresh, minor, pay},
};

/// What payment and the sandbox share.
pub const SECRET: &str = "a secret of the test";

/// A payment service with its provider.
pub struct House {
    pub db: TestDb,
    pub clock: Arc<ManualClock>,
    pub app: Arc<App>,
    pub sandbox: Arc<Sandbox>,
    pub sandbox_url: String,
    pub channel: Channel,
    pub client: PaymentServiceClient<Channel>,
    pub http: reqwest::Client,
    /// Who keeps points, and who keeps coupons.
    pub points: Arc<Keeper>,
    pub coupons: Arc<Keeper>,
    pub member: MemberId,
    pub store: StoreId,
    /// How many notices were answered with anything but success.
    pub refused_notices: Arc<AtomicI64>,
}

impl House {
    pub async fn open() -> Self {
        Self::open_with(Policy::default()).await
    }

    pub async fn open_with(policy: Policy) -> Self {
        let db = testkit::database(&payment::MIGRATOR).await;
        let clock = testkit::clock();
        let (sandbox_port, relay_port) = (port().await, port().await);
        let sandbox_url = url(&sandbox_port);
        let sandbox = Sandbox::try_new(SandboxConfig {
            pg: db.pg.clone(),
            clock: clock.clone(),
            secret: SECRET.into(),
            public_url: sandbox_url.clone(),
        })
        .expect("a sandbox");
        serve(sandbox_port, sandbox.router());

        let config = SandboxClientConfig {
            url: sandbox_url.clone(),
            notify_url: format!("{}/v1/payments:notify/sandbox", url(&relay_port)),
            secret: SECRET.into(),
        };
        let provider = Arc::new(SandboxClient::try_new(config, clock.clone()).expect("a client"));
        let peers = Peers { providers: Providers::new([provider as Arc<dyn Provider>]), invoicing: None };
        let (points, coupons) = (Arc::new(Keeper::default()), Arc::new(Keeper::default()));
        let keepers = PeerTenders { points: Some(points.clone()), coupons: Some(coupons.clone()) };
        let app = App::new(db.pg.clone(), vault(), clock.clone(), policy, peers).with_peer_tenders(keepers);
        let app = Arc::new(app);
        let feed = FeedServer::new(db.pg.clone(), watch::channel(0).1, CancellationToken::new());
        let channel = testkit::serve(payment::rpc::routes(&app, feed)).await;
        let client = PaymentServiceClient::new(channel.clone());
        let refused_notices = Arc::new(AtomicI64::new(0));
        let relay = Relay { client: client.clone(), refused: refused_notices.clone() };
        serve(relay_port, Router::new().route("/v1/payments:notify/sandbox", post(forward)).with_state(relay));

        let (member, store) = (MemberId::new(clock.now()), StoreId::new(clock.now()));
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self {
            db,
            clock,
            app,
            sandbox,
            sandbox_url,
            channel,
            client,
            http,
            points,
            coupons,
            member,
            store,
            refused_notices,
        }
    }

    pub fn as_member<T>(&self, message: T) -> Request<T> {
        with_token(message, &testkit::keys().member_token(self.member))
    }

    pub fn as_desk<T>(&self, message: T) -> Request<T> {
        self.as_staff(message, Role::FrontDesk, Some(self.store))
    }

    pub fn as_staff<T>(&self, message: T, role: Role, store: Option<StoreId>) -> Request<T> {
        let id = StaffId::from_uuid(Uuid::from_u128(7));
        with_token(message, &testkit::keys().staff_token(id, [role], store))
    }

    pub fn as_booking<T>(&self, message: T) -> Request<T> {
        with_token(message, &testkit::keys().service_token("booking"))
    }

    /// What makes an order of `total` fen of which `deposit` come first.
    pub fn new_order(&self, total: i64, deposit: i64) -> pb::CreateOrderRequest {
        let booking = BookingId::from_uuid(fresh());
        pb::CreateOrderRequest {
            order_id: OrderId::derive(booking.uuid(), "order").uuid().to_string(),
            booking: booking.name(),
            customer: self.member.name(),
            store: self.store.name(),
            lines: vec![pb::OrderLine {
                item: format!("items/{}", fresh()),
                display_name: "Swedish massage, 60 minutes".to_owned(),
                amount: cny(total),
                discount: None,
            }],
            deposit: cny(deposit),
            request_id: fresh().to_string(),
            discount: None,
        }
    }

    /// An order of 300 yuan with a deposit of 60; its name.
    pub async fn order(&self) -> String {
        self.order_of(30_000, 6_000).await
    }

    pub async fn order_of(&self, total: i64, deposit: i64) -> String {
        let request = self.as_booking(self.new_order(total, deposit));
        self.client.clone().create_order(request).await.expect("an order").into_inner().name
    }

    pub async fn get(&self, order: &str) -> pb::Order {
        let request = self.as_booking(pb::GetOrderRequest { name: order.to_owned() });
        self.client.clone().get_order(request).await.expect("the order").into_inner()
    }

    pub async fn start(&self, order: &str, purpose: Purpose) -> pb::Payment {
        self.try_pay(pay(order, purpose, Tender::Sandbox)).await.expect("a payment")
    }

    pub async fn cash(&self, order: &str, purpose: Purpose) -> pb::Payment {
        let request = self.as_desk(pay(order, purpose, Tender::Cash));
        self.client.clone().pay_order(request).await.expect("a payment").into_inner()
    }

    pub async fn try_pay(&self, request: pb::PayOrderRequest) -> Result<pb::Payment, Status> {
        Ok(self.client.clone().pay_order(self.as_member(request)).await?.into_inner())
    }

    pub async fn close(&self, order: &str, keep: Option<i64>) -> pb::Order {
        let request = self.as_booking(crate::wire::close(order, keep));
        self.client.clone().close_order(request).await.expect("the order").into_inner()
    }

    /// The customer presses a button on the provider's page, which may spoil the notice.
    pub async fn press(&self, payment: &pb::Payment, outcome: &str, fault: &str) {
        let query = if fault.is_empty() { String::new() } else { format!("?fault={fault}") };
        let answer = self
            .http
            .post(format!("{}{query}", payment.pay_uri))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("outcome={outcome}"))
            .send()
            .await
            .expect("the sandbox answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// The customer pays, and the notice comes at once.
    pub async fn succeed(&self, payment: &pb::Payment) {
        self.press(payment, "succeed", "").await;
        self.deliver().await;
    }

    /// Sends all notices that are due.
    pub async fn deliver(&self) -> usize {
        let mut sent = 0;
        loop {
            match self.sandbox.deliver_due().await.expect("notices are sent") {
                0 => return sent,
                some => sent += some,
            }
        }
    }

    pub async fn send_refunds(&self) -> usize {
        worker::send_refunds(&self.app).await.expect("refunds are sent")
    }

    /// The balances, which must add up to zero in every currency.
    pub async fn balances(&self) -> BTreeMap<String, i64> {
        let request = pb::ListLedgerAccountsRequest { page_size: 1_000, page_token: String::new() };
        let reply = self.client.clone().list_ledger_accounts(self.as_staff(request, Role::Finance, None)).await;
        let accounts = reply.expect("the ledger").into_inner().ledger_accounts;
        let balances: BTreeMap<_, _> = accounts.into_iter().map(|a| (a.code, minor(&a.balance))).collect();
        assert_eq!(balances.values().sum::<i64>(), 0, "{balances:?}");
        balances
    }

    /// The balances that are not zero.
    pub async fn books(&self) -> Vec<(String, i64)> {
        self.balances().await.into_iter().filter(|(_, balance)| *balance != 0).collect()
    }

    /// The short names of an order's events; their versions must be 1, 2, 3 …
    pub async fn events(&self, order: &str) -> Vec<String> {
        let id = OrderId::parse_name("order", order).expect("a name").uuid();
        let rows: Vec<(String, i64)> =
            sqlx::query_as("select type, aggregate_version from outbox where aggregate_id = $1 order by position")
                .bind(id)
                .fetch_all(self.db.pg.pool())
                .await
                .expect("the outbox");
        let versions: Vec<i64> = rows.iter().map(|row| row.1).collect();
        assert_eq!(versions, (1..=i64::try_from(rows.len()).expect("few")).collect::<Vec<_>>());
        rows.into_iter().map(|(name, _)| name.rsplit('.').next().unwrap_or_default().to_owned()).collect()
    }

    /// Why reports were not acted upon.
    pub async fn breaks(&self) -> Vec<String> {
        let breaks = sqlx::query_scalar("select reason from notice_break order by reason");
        breaks.fetch_all(self.db.pg.pool()).await.expect("the breaks")
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.db.pg.pool()).await.expect("a count")
    }

    /// Sends a notice that says what the test wants, signed as `secret` says and `age` seconds old.
    pub async fn notify(&self, body: &str, secret: &str, age: i64) -> Result<HttpBody, Status> {
        let timestamp = self.clock.now().as_second() - age;
        let sign = signature::Signer::new(secret.into()).sign(timestamp, "nonce", body.as_bytes());
        let mut request = Request::new(notice("sandbox", body.as_bytes()));
        let metadata = request.metadata_mut();
        metadata.insert(signature::SIGNATURE, sign.expect("signed").parse().expect("hex"));
        metadata.insert(signature::TIMESTAMP, timestamp.to_string().parse().expect("digits"));
        metadata.insert(signature::NONCE, "nonce".parse().expect("a word"));
        Ok(self.client.clone().notify_payment(request).await?.into_inner())
    }

    /// The client of the sandbox.
    pub fn provider(&self) -> &Arc<dyn Provider> {
        self.app.peers.providers.named("sandbox").expect("wired")
    }

    pub fn clock_now(&self) -> kernel::Timestamp {
        self.clock.now()
    }

    pub fn refused_notices(&self) -> i64 {
        self.refused_notices.load(Ordering::SeqCst)
    }
}

/// The keys of personal data.
pub fn vault() -> Arc<Vault> {
    Arc::new(Vault::new([7; 32]))
}

/// A charge at the sandbox that nobody has made yet.
pub fn new_charge(payment: PaymentId, minor: i64) -> NewCharge {
    NewCharge {
        payment,
        tender: payment::domain::Tender::Sandbox,
        amount: Money::new(minor, Currency::CNY),
        description: "Swedish massage".to_owned(),
        minutes: 30,
        expire_time: testkit::START + std::time::Duration::from_secs(1_800),
        payer: Payer::default(),
    }
}

/// The address at which a charge is paid.
pub fn pay_uri(charge: &Charge) -> String {
    let uri = match &charge.action {
        Action::Open { uri } => Some(uri.clone()),
        _ => None,
    };
    uri.expect("an address")
}

/// The request that carries a notice.
pub fn notice(provider: &str, body: &[u8]) -> pb::NotifyPaymentRequest {
    let body =
        HttpBody { content_type: "application/json".to_owned(), data: body.to_vec().into(), extensions: Vec::new() };
    pb::NotifyPaymentRequest { provider: provider.to_owned(), body: Some(body) }
}

pub async fn port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

pub fn url(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().expect("an address"))
}

pub fn serve(listener: TcpListener, router: Router) {
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
}

/// What the gateway does for providers: HTTP in, gRPC out.
#[derive(Clone)]
struct Relay {
    client: PaymentServiceClient<Channel>,
    refused: Arc<AtomicI64>,
}

async fn forward(State(relay): State<Relay>, headers: HeaderMap, body: Bytes) -> (axum::http::StatusCode, Vec<u8>) {
    let mut request = Request::new(notice("sandbox", &body));
    for key in [signature::SIGNATURE, signature::TIMESTAMP, signature::NONCE] {
        let value = headers[key].to_str().expect("text").parse().expect("text");
        request.metadata_mut().insert(key, value);
    }
    match relay.client.clone().notify_payment(request).await {
        Ok(reply) => (axum::http::StatusCode::OK, reply.into_inner().data.to_vec()),
        Err(_) => {
            relay.refused.fetch_add(1, Ordering::SeqCst);
            (axum::http::StatusCode::UNAUTHORIZED, Vec::new())
        }
    }
}
