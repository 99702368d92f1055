//! The world that the tests stand in.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
};

use async_trait::async_trait;
use feed::{Consumer, Event, FeedServer};
use kernel::{
    Currency, Error, Money, Result, SharedClock, Timestamp, Uuid,
    ids::{BookingId, ItemId, MemberId, StaffId, StoreId, uuid_v7},
};
use marketing::{
    App, MIGRATOR, Policy,
    domain::phone::Phone,
    flows::{follow_bookings::FollowBookings, follow_members::FollowMembers},
    peers::{Booking, ChannelPort, DemoMailbox, Membership, Outgoing, Peers},
};
use pg::vault::Vault;
use proto::{
    access::Role,
    marketing::v1::{
        self as pb, coupon_service_client::CouponServiceClient, message_service_client::MessageServiceClient,
        promotion_service_client::PromotionServiceClient,
    },
    membership::v1 as membership,
};
use rpc::convert::to_money;
use testkit::{ManualClock, START, TestDb, keys, with_token};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status, transport::Channel};

/// The phone of every member of these tests.
pub const PHONE: &str = "+8613800138000";

/// A service with its own database, and fakes around it.
pub struct World {
    pub app: Arc<App>,
    pub clock: Arc<ManualClock>,
    pub booking: Arc<FakeBooking>,
    pub membership: Arc<FakeMembership>,
    pub channel: Arc<FakeChannel>,
    pub promotions: PromotionServiceClient<Channel>,
    pub texts: MessageServiceClient<Channel>,
    pub cash: CouponServiceClient<Channel>,
    pub store: StoreId,
    pub item: ItemId,
    pub db: TestDb,
}

impl World {
    /// With the demo mailbox on and messages in English.
    pub async fn new() -> Self {
        Self::with(open_policy()).await
    }

    pub async fn with(policy: Policy) -> Self {
        let db = testkit::database(&MIGRATOR).await;
        let clock = testkit::clock();
        let shared: SharedClock = clock.clone();
        let vault = Arc::new(Vault::new([7; 32]));
        let mailbox = DemoMailbox::new(db.pg.clone(), Arc::clone(&vault), Arc::clone(&shared));
        let channel = Arc::new(FakeChannel { mailbox, mode: AtomicU8::new(Mode::Works as u8) });
        let (booking, membership) = (Arc::new(FakeBooking::default()), Arc::new(FakeMembership::default()));
        let peers = Peers { booking: booking.clone(), membership: membership.clone(), channel: channel.clone() };
        let app = App::new(db.pg.clone(), vault, shared, policy, peers);
        let feed = FeedServer::new(db.pg.clone(), watch::channel(0).1, CancellationToken::new());
        let server = testkit::serve(marketing::rpc::routes(&app, feed)).await;
        Self {
            app,
            booking,
            membership,
            channel,
            promotions: PromotionServiceClient::new(server.clone()),
            texts: MessageServiceClient::new(server.clone()),
            cash: CouponServiceClient::new(server),
            store: StoreId::new(START),
            item: ItemId::new(START),
            clock,
            db,
        }
    }

    /// Prices an item of 298 yuan as booking does.
    pub async fn quote(&self, customer: MemberId) -> pb::Quote {
        let request = as_service(self.quote_request(customer, uuid_v7(START)));
        self.promotions.clone().create_quote(request).await.expect("a quote").into_inner()
    }

    pub fn quote_request(&self, customer: MemberId, request_id: Uuid) -> pb::CreateQuoteRequest {
        pb::CreateQuoteRequest {
            customer: customer.name(),
            item: self.item.name(),
            store: self.store.name(),
            list_price: Some(to_money(cny(29_800))),
            request_id: request_id.to_string(),
            replaces: String::new(),
        }
    }

    /// The member's one coupon.
    pub async fn coupon(&self, customer: MemberId) -> pb::Coupon {
        let request = pb::ListCouponsRequest { customer: customer.name(), ..Default::default() };
        let token = keys().member_token(customer);
        let coupons = self.promotions.clone().list_coupons(with_token(request, &token)).await.expect("coupons");
        let mut coupons = coupons.into_inner().coupons;
        assert_eq!(coupons.len(), 1);
        coupons.remove(0)
    }

    /// The state of the member's one coupon.
    pub async fn coupon_state(&self, customer: MemberId) -> pb::coupon::State {
        self.coupon(customer).await.state()
    }

    /// The member's messages, the latest first, as he sees them.
    pub async fn messages(&self, customer: MemberId) -> Vec<pb::Message> {
        let request = with_token(pb::ListMessagesRequest::default(), &keys().member_token(customer));
        self.texts.clone().list_messages(request).await.expect("messages").into_inner().messages
    }

    /// Kind and state of the member's messages, the earliest first.
    pub async fn told(&self, customer: MemberId) -> Vec<(pb::message::Kind, pb::message::State)> {
        let messages = self.messages(customer).await;
        messages.iter().rev().map(|message| (message.kind(), message.state())).collect()
    }

    /// What is in the demo mailbox of a phone, the latest first.
    pub async fn mailbox(&self, phone: &str) -> Result<Vec<pb::Message>, Status> {
        let request = pb::ListMailboxMessagesRequest { phone: phone.to_owned(), ..Default::default() };
        Ok(self.texts.clone().list_mailbox_messages(request).await?.into_inner().messages)
    }

    /// Delivers an event of booking as the feed does.
    pub async fn apply(&self, event: &Event) {
        let mut tx = self.app.pg.begin().await.expect("begun");
        FollowBookings(Arc::clone(&self.app)).apply(&mut tx, event).await.expect("applied");
        tx.commit().await.expect("committed");
    }

    /// Tells the tier of a member as the feed of membership does.
    pub async fn tier(&self, member: MemberId, tier: membership::Tier, version: i64) {
        let told = membership::TierChanged { member: member.name(), old_tier: 1, new_tier: tier.into() };
        self.apply_member(&Event::new(member.uuid(), version, START, &told)).await;
    }

    pub async fn apply_member(&self, event: &Event) {
        let mut tx = self.app.pg.begin().await.expect("begun");
        FollowMembers(Arc::clone(&self.app)).apply(&mut tx, event).await.expect("applied");
        tx.commit().await.expect("committed");
    }

    /// Sends what is due.
    pub async fn send(&self) -> usize {
        marketing::worker::send_scheduled(&self.app).await.expect("sent")
    }

    /// The types of all events written, without their package.
    pub async fn events(&self) -> Vec<String> {
        let types: Vec<String> = sqlx::query_scalar("select type from outbox order by position")
            .fetch_all(self.app.pg.pool())
            .await
            .expect("events");
        types.iter().map(|name| name.trim_start_matches("meridian.marketing.v1.").to_owned()).collect()
    }

    /// How many prices are kept without a coupon.
    pub async fn overruns(&self) -> i64 {
        sqlx::query_scalar("select count(*) from coupon_overrun where void_time is null")
            .fetch_one(self.app.pg.pool())
            .await
            .expect("counted")
    }
}

/// The demo mailbox on and messages in English.
pub fn open_policy() -> Policy {
    Policy { demo_mailbox: true, language: marketing::domain::template::Language::En, ..Policy::default() }
}

pub fn member() -> MemberId {
    MemberId::new(START)
}

pub fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

pub fn minor(amount: Option<&proto::google::r#type::Money>) -> i64 {
    rpc::convert::money("amount", amount).expect("an amount").minor()
}

pub fn as_service<T>(message: T) -> Request<T> {
    with_token(message, &keys().service_token("booking"))
}

pub fn as_member<T>(id: MemberId, message: T) -> Request<T> {
    with_token(message, &keys().member_token(id))
}

pub fn as_staff<T>(role: Role, store: Option<StoreId>, message: T) -> Request<T> {
    with_token(message, &keys().staff_token(StaffId::new(START), [role], store))
}

/// The stable word of an error.
pub fn reason(status: &Status) -> String {
    rpc::from_status(status.clone(), "marketing").reason().to_owned()
}

/// The fields that an error names.
pub fn fields(status: &Status) -> Vec<String> {
    rpc::from_status(status.clone(), "marketing").violations().iter().map(|of| of.field.clone()).collect()
}

/// Knows which visits are confirmed.
#[derive(Default)]
pub struct FakeBooking(pub Mutex<HashMap<BookingId, Timestamp>>);

#[async_trait]
impl Booking for FakeBooking {
    async fn confirmed_start(&self, booking: BookingId) -> Result<Option<Timestamp>> {
        Ok(self.0.lock().expect("not poisoned").get(&booking).copied())
    }
}

/// Knows everybody's phone; or nobody's, or is away.
#[derive(Default)]
pub struct FakeMembership(AtomicU8);

impl FakeMembership {
    pub fn know_nobody(&self) {
        self.0.store(1, Ordering::SeqCst);
    }

    pub fn be_away(&self, away: bool) {
        self.0.store(if away { 2 } else { 0 }, Ordering::SeqCst);
    }
}

#[async_trait]
impl Membership for FakeMembership {
    async fn phone(&self, member: MemberId) -> Result<Phone> {
        match self.0.load(Ordering::SeqCst) {
            0 => Phone::parse("phone", PHONE),
            1 => Err(Error::not_found(member)),
            _ => Err(Error::unavailable("membership")),
        }
    }
}

/// The demo mailbox behind a line that may fail.
pub struct FakeChannel {
    mailbox: DemoMailbox,
    mode: AtomicU8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Works = 0,
    IsAway = 1,
    /// The text arrives, the answer does not: as if the process had died between the two.
    LosesTheAnswer = 2,
}

impl FakeChannel {
    pub fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
    }
}

#[async_trait]
impl ChannelPort for FakeChannel {
    fn name(&self) -> &'static str {
        self.mailbox.name()
    }

    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<()> {
        match self.mode.load(Ordering::SeqCst) {
            0 => self.mailbox.send(outgoing).await,
            1 => Err(Error::unavailable("the channel")),
            _ => {
                self.mailbox.send(outgoing).await?;
                Err(Error::unavailable("the channel"))
            }
        }
    }
}
