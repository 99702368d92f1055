//! One service with a database, a clock and a message service of its own.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use feed::{Consumer, Event, FeedServer};
use kernel::{
    Currency, Error, Money, Result, SharedClock, Timestamp, Uuid,
    ids::{BookingId, MemberId, OrderId, StaffId, StoreId, uuid_v7},
};
use membership::{
    App, OwnKeys, Policy,
    domain::phone::Phone,
    flows::{NewStaff, bootstrap_staff, payment_feed::PaymentFeed},
    peers::{Messages, Peers},
};
use pg::{outbox, vault::Vault};
use prost::Name;
use proto::{
    access::Role,
    membership::v1::{
        self as pb, auth_service_client::AuthServiceClient, member_service_client::MemberServiceClient,
        staff_service_client::StaffServiceClient,
    },
    payment::v1::{OrderFacts, OrderPaid, RefundSucceeded, order::State},
};
use rpc::{ServerLayerConfig, client::KeepAlive, convert::to_money, server_layer};
use runtime::Shutdown;
use testkit::{ManualClock, TestDb};
use tokio::{net::TcpListener, sync::watch};
use tonic::{Request, Status, transport::Channel};
use tonic_types::StatusExt;

pub const PHONE: &str = "+8613800138000";
pub const NAME: &str = "Wang Fang 王芳";
pub const PASSWORD: &str = "a long enough password";
pub const TERMS: &str = "2026-01";

/// A message service that keeps what it is given, and may be down.
#[derive(Debug, Default)]
pub struct Mailbox {
    sent: Mutex<Vec<(String, String, Uuid)>>,
    down: AtomicBool,
    /// Takes the message and then fails to say so.
    deaf: AtomicBool,
}

impl Mailbox {
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub fn set_deaf(&self, deaf: bool) {
        self.deaf.store(deaf, Ordering::SeqCst);
    }

    /// Codes in the order of sending. What came twice with one request id went out once.
    pub fn codes(&self, phone: &str) -> Vec<String> {
        let sent = self.sent.lock().expect("not poisoned");
        sent.iter().filter(|(to, ..)| to == phone).map(|(_, code, _)| code.clone()).collect()
    }

    pub fn last_code(&self, phone: &str) -> String {
        self.codes(phone).pop().expect("a code was sent")
    }
}

#[async_trait]
impl Messages for Mailbox {
    async fn send_code(&self, phone: &Phone, code: &str, request_id: Uuid) -> Result<()> {
        if self.down.load(Ordering::SeqCst) {
            return Err(Error::unavailable("marketing"));
        }
        let mut sent = self.sent.lock().expect("not poisoned");
        match sent.iter().find(|(.., known)| *known == request_id) {
            Some((to, known, _)) => {
                assert_eq!((to.as_str(), known.as_str()), (phone.as_str(), code), "another content")
            }
            None => sent.push((phone.as_str().to_owned(), code.to_owned(), request_id)),
        }
        if self.deaf.load(Ordering::SeqCst) {
            return Err(Error::unavailable("marketing"));
        }
        Ok(())
    }
}

pub struct World {
    pub db: TestDb,
    pub clock: Arc<ManualClock>,
    pub mailbox: Arc<Mailbox>,
    pub app: Arc<App>,
    pub channel: Channel,
}

pub async fn world() -> World {
    world_with(Policy::default()).await
}

pub async fn world_with(policy: Policy) -> World {
    let db = testkit::database(&membership::MIGRATOR).await;
    let clock = testkit::clock();
    let shared: SharedClock = clock.clone();
    let mailbox = Arc::new(Mailbox::default());
    let peers = Peers { messages: mailbox.clone() };
    let app = App::new(db.pg.clone(), shared.clone(), policy, Vault::new([7; 32]), peers);
    let shutdown = Shutdown::new();
    let (_, wake) = watch::channel(0);
    let feed = FeedServer::new(db.pg.clone(), wake, shutdown.soft().clone());
    let fixed = (*testkit::keys().trusted()).clone();
    let keys = Arc::new(OwnKeys::new(db.pg.clone(), shared.clone(), fixed));
    let layer = server_layer(ServerLayerConfig { service: "membership", keys, clock: shared });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let uri = format!("http://{}", listener.local_addr().expect("an address"));
    let routes = membership::rpc::routes(&app, feed);
    tokio::spawn(async move {
        runtime::serve::grpc(listener, routes, layer, &shutdown).await.expect("the server runs");
    });
    let channel = rpc::client::channel(&uri, KeepAlive::default()).expect("a URI");
    World { db, clock, mailbox, app, channel }
}

impl World {
    pub fn auth(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(self.channel.clone())
    }

    pub fn members(&self) -> MemberServiceClient<Channel> {
        MemberServiceClient::new(self.channel.clone())
    }

    pub fn staff(&self) -> StaffServiceClient<Channel> {
        StaffServiceClient::new(self.channel.clone())
    }

    pub fn minutes(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(minutes * 60));
    }

    pub fn days(&self, days: u64) {
        self.minutes(days * 24 * 60);
    }

    /// Asks for a code and reads it.
    pub async fn code(&self, phone: &str) -> String {
        self.auth().send_code(send_code(phone)).await.expect("a code is sent");
        self.mailbox.last_code(phone)
    }

    /// Registers somebody with a phone.
    pub async fn register(&self, phone: &str) -> pb::SignInResponse {
        let code = self.code(phone).await;
        self.auth().register_member(register(phone, &code)).await.expect("registers").into_inner()
    }

    /// A member whose tokens nobody needs.
    pub async fn member(&self, phone: &str) -> MemberId {
        member_id(&self.register(phone).await)
    }

    pub async fn bootstrap(&self, user_name: &str, roles: &[Role], store: Option<StoreId>) -> StaffId {
        bootstrap_staff(&self.app, new_staff(user_name, roles, store)).await.expect("opens the account")
    }

    /// A token of staff, signed now.
    pub fn staff_token(&self, role: Role, store: Option<StoreId>) -> String {
        let now = kernel::Clock::now(&*self.clock);
        testkit::keys().at(now).staff_token(StaffId::new(now), [role], store)
    }

    pub async fn get(&self, name: &str, token: &str) -> Result<pb::Member, Status> {
        let request = testkit::with_token(pb::GetMemberRequest { name: name.to_owned() }, token);
        self.members().get_member(request).await.map(tonic::Response::into_inner)
    }

    /// Reads a member as a service does.
    pub async fn look(&self, id: MemberId) -> pb::Member {
        let now = kernel::Clock::now(&*self.clock);
        self.get(&id.name(), &testkit::keys().at(now).service_token("booking")).await.expect("the member is there")
    }

    /// Applies an event as the feed does.
    pub async fn apply<M: prost::Message + Name>(&self, order: OrderId, version: i64, payload: &M) {
        let event = Event::new(order.uuid(), version, kernel::Clock::now(&*self.clock), payload);
        let mut tx = self.db.pg.begin().await.expect("begins");
        PaymentFeed(Arc::clone(&self.app)).apply(&mut tx, &event).await.expect("applies");
        tx.commit().await.expect("commits");
    }

    /// A member pays an order; the order is at version 3 then.
    pub async fn pay(&self, member: MemberId, yuan: i64) -> OrderId {
        let order = OrderId::new(kernel::Clock::now(&*self.clock));
        self.apply(order, 3, &OrderPaid { order: Some(facts(order, member, yuan, yuan, 0)) }).await;
        order
    }

    /// So much of an order has gone back in all.
    pub async fn refund(&self, member: MemberId, order: OrderId, yuan: i64, refunded: i64, version: i64) {
        let facts = facts(order, member, yuan, yuan, refunded);
        let payload = RefundSucceeded { order: Some(facts), reason: "TEST".to_owned(), ..RefundSucceeded::default() };
        self.apply(order, version, &payload).await;
    }

    /// All events of an aggregate: type without the package, and version.
    pub async fn events(&self, aggregate: Uuid) -> Vec<(String, i64)> {
        let events = self.stored_events(aggregate).await;
        events
            .into_iter()
            .map(|event| (event.type_name.rsplit('.').next().unwrap_or_default().to_owned(), event.aggregate_version))
            .collect()
    }

    pub async fn payloads<M: prost::Message + Name + Default>(&self, aggregate: Uuid) -> Vec<M> {
        let events = self.stored_events(aggregate).await.into_iter().filter(|event| event.type_name == M::full_name());
        events.map(|event| M::decode(event.payload.as_slice()).expect("decodes")).collect()
    }

    async fn stored_events(&self, aggregate: Uuid) -> Vec<outbox::StoredEvent> {
        let partition = outbox::partition(aggregate);
        let mut events = testkit::eventually(Duration::from_secs(10), || async {
            // Whatever another test's transaction holds back is not there yet.
            let mut conn = self.db.pg.conn().await.expect("a connection");
            let horizon = outbox::horizon(&mut conn).await.expect("reads");
            let events = outbox::read_after(&mut conn, partition, &outbox::Cursor::default(), 10_000).await;
            horizon.held_since.is_none().then(|| events.expect("reads"))
        })
        .await;
        events.retain(|event| event.aggregate_id == aggregate);
        events.sort_by_key(|event| event.aggregate_version);
        events
    }

    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.db.pg.pool()).await.expect("counts")
    }
}

pub fn facts(order: OrderId, member: MemberId, total: i64, paid: i64, refunded: i64) -> OrderFacts {
    let money = |yuan: i64| Some(to_money(Money::new(yuan * 100, Currency::CNY)));
    OrderFacts {
        order: order.name(),
        booking: BookingId::from_uuid(order.uuid()).name(),
        customer: member.name(),
        store: StoreId::from_uuid(Uuid::from_u128(1)).name(),
        total: money(total),
        paid: money(paid),
        refunded: money(refunded),
        state: State::Paid.into(),
        subject: BookingId::from_uuid(order.uuid()).name(),
    }
}

pub fn new_staff(user_name: &str, roles: &[Role], store: Option<StoreId>) -> NewStaff {
    NewStaff {
        user_name: user_name.to_owned(),
        display_name: "Li Wei 李伟".to_owned(),
        password: PASSWORD.to_owned(),
        roles: roles.to_vec(),
        store,
    }
}

pub fn request_id() -> String {
    uuid_v7(Timestamp::UNIX_EPOCH).to_string()
}

pub fn send_code(phone: &str) -> pb::SendCodeRequest {
    pb::SendCodeRequest { phone: phone.to_owned(), request_id: request_id() }
}

pub fn register(phone: &str, code: &str) -> pb::RegisterMemberRequest {
    pb::RegisterMemberRequest {
        phone: phone.to_owned(),
        code: code.to_owned(),
        display_name: NAME.to_owned(),
        terms_version: TERMS.to_owned(),
        store: String::new(),
        request_id: request_id(),
    }
}

pub fn sign_in(phone: &str, code: &str) -> pb::SignInRequest {
    pb::SignInRequest { phone: phone.to_owned(), code: code.to_owned(), request_id: request_id() }
}

pub fn sign_in_staff(user_name: &str, password: &str) -> pb::SignInStaffRequest {
    pb::SignInStaffRequest { user_name: user_name.to_owned(), password: password.to_owned(), request_id: request_id() }
}

pub fn refresh(token: &str) -> pb::RefreshTokensRequest {
    pb::RefreshTokensRequest { refresh_token: token.to_owned(), request_id: request_id() }
}

/// The reason of a refusal.
pub fn reason<T>(result: Result<T, Status>) -> String {
    let Err(status) = result else { return "OK".to_owned() };
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// The first field that a refusal names.
pub fn field<T>(result: Result<T, Status>) -> String {
    let status = result.err().expect("a refusal");
    let violations = status.get_details_bad_request().expect("names a field").field_violations;
    violations.first().map(|violation| violation.field.clone()).unwrap_or_default()
}

/// A request that shows `token`.
pub fn with<T>(message: T, token: &str) -> Request<T> {
    testkit::with_token(message, token)
}

pub fn member_id(response: &pb::SignInResponse) -> MemberId {
    MemberId::parse_name("subject", &response.subject).expect("a member")
}

/// A phone for each number.
pub fn phone(n: u32) -> String {
    format!("+86139{n:08}")
}

/// The bytes of a message.
pub fn bytes<M: prost::Message>(message: &M) -> Vec<u8> {
    message.encode_to_vec()
}
