//! What the tests share: an analytics service, and the events of an imaginary chain.

use std::sync::Arc;

use analytics::{App, MIGRATOR, Policy, domain::Feed, flows::record_event::RecordEvent};
use feed::{Consumer, Event, FeedServer};
use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{
        BookingId, CouponId, ItemId, MemberId, MessageId, OrderId, PaymentId, QuoteId, RefundId, StaffId, StoreId,
        TherapistId, uuid_v7,
    },
};
use pg::vault::Vault;
use prost::{Message, Name};
use proto::{
    access::Role,
    analytics::v1::{self as pb, report_service_client::ReportServiceClient},
    booking::v1 as booking,
    google::r#type::Date,
    marketing::v1 as marketing,
    membership::v1 as membership,
    payment::v1 as payment,
};
use rpc::convert::{to_money, to_timestamp};
use testkit::{START, TestDb, keys, with_token};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Status, transport::Channel};

/// A master key as good as any.
pub const MASTER: [u8; 32] = [7; 32];

/// An analytics service with an empty database.
pub struct World {
    pub app: Arc<App>,
    pub db: TestDb,
    pub channel: Channel,
}

impl World {
    pub async fn new() -> Self {
        let db = testkit::database(&MIGRATOR).await;
        let vault = Arc::new(Vault::new(MASTER));
        let app = App::new(db.pg.clone(), testkit::clock(), Policy::default(), vault);
        let (_, wake) = watch::channel(0);
        let server = FeedServer::new(db.pg.clone(), wake, CancellationToken::new());
        let channel = testkit::serve(analytics::rpc::routes(&app, server)).await;
        Self { app, db, channel }
    }

    /// Applies one event as the reader of `feed` does.
    pub async fn apply(&self, feed: Feed, event: &Event) {
        self.try_apply(feed, event).await.expect("applied");
    }

    pub async fn try_apply(&self, feed: Feed, event: &Event) -> kernel::Result<()> {
        let mut tx = self.app.pg.begin().await?;
        RecordEvent::new(Arc::clone(&self.app), feed).apply(&mut tx, event).await?;
        Ok(tx.commit().await?)
    }

    /// The figures of `store` as an administrator sees them.
    pub async fn figures(&self, store: StoreId, start: Date, end: Date) -> Result<Vec<pb::DailyFigures>, Status> {
        let admin = keys().staff_token(StaffId::new(START), [Role::Administrator], None);
        self.figures_as(&admin, &store.name(), Some(start), Some(end)).await
    }

    pub async fn figures_as(
        &self,
        token: &str,
        store: &str,
        start_date: Option<Date>,
        end_date: Option<Date>,
    ) -> Result<Vec<pb::DailyFigures>, Status> {
        let message = pb::ListDailyFiguresRequest { store: store.to_owned(), start_date, end_date };
        let reply =
            ReportServiceClient::new(self.channel.clone()).list_daily_figures(with_token(message, token)).await?;
        Ok(reply.into_inner().daily_figures)
    }

    pub async fn positions_as(&self, token: &str) -> Result<Vec<pb::FeedPosition>, Status> {
        let request = with_token(pb::ListFeedPositionsRequest {}, token);
        let reply = ReportServiceClient::new(self.channel.clone()).list_feed_positions(request).await?;
        Ok(reply.into_inner().feed_positions)
    }

    pub async fn positions(&self) -> Vec<pb::FeedPosition> {
        let auditor = keys().staff_token(StaffId::new(START), [Role::Auditor], None);
        self.positions_as(&auditor).await.expect("auditors may")
    }

    /// The number of rows of a table.
    pub async fn rows(&self, table: &'static str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        sqlx::query_scalar(sql).fetch_one(self.db.pg.pool()).await.expect("counted")
    }
}

/// An instant.
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// A day.
pub fn day(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

/// Yuan.
pub fn yuan(units: i64) -> Money {
    Money::new(units * 100, Currency::CNY)
}

/// An amount on the wire, in minor units.
pub fn minor(amount: Option<&proto::google::r#type::Money>) -> i64 {
    rpc::convert::money("amount", amount).expect("an amount").minor()
}

/// The events of one store and one of its customers.
#[derive(Clone, Copy)]
pub struct Chain {
    pub store: StoreId,
    pub member: MemberId,
}

impl Chain {
    pub fn new() -> Self {
        Self { store: StoreId::new(START), member: MemberId::new(START) }
    }

    pub fn store_changed(&self, version: i64, zone: &str, currency: &str) -> Event {
        let payload = booking::StoreChanged {
            store: self.store.name(),
            display_name: format!("store v{version}"),
            time_zone: zone.to_owned(),
            currency_code: currency.to_owned(),
        };
        Event::new(self.store.uuid(), version, START, &payload)
    }

    pub fn booking(&self, id: BookingId, start: Timestamp, state: booking::booking::State) -> booking::BookingFacts {
        booking::BookingFacts {
            booking: id.name(),
            store: self.store.name(),
            item: ItemId::new(START).name(),
            therapist: TherapistId::new(START).name(),
            customer: self.member.name(),
            start_time: Some(to_timestamp(start)),
            end_time: Some(to_timestamp(start + jiff::SignedDuration::from_hours(1))),
            state: state.into(),
            channel: booking::booking::Channel::App.into(),
            price: Some(to_money(yuan(300))),
            deposit: Some(to_money(yuan(60))),
            order: OrderId::derive(id.uuid(), "order").name(),
            quote: QuoteId::new(START).name(),
            store_display_name: "store".to_owned(),
            item_display_name: "item".to_owned(),
            therapist_display_name: "therapist".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            ..Default::default()
        }
    }

    /// What the booking service tells of each step of a visit that is held, confirmed and completed.
    pub fn visit(&self, id: BookingId, start: Timestamp) -> Vec<Event> {
        use booking::booking::State;
        let facts = |state| Some(self.booking(id, start, state));
        vec![
            Event::new(id.uuid(), 1, START, &booking::BookingHeld { booking: facts(State::Held) }),
            Event::new(
                id.uuid(),
                2,
                START,
                &booking::BookingAwaitingPayment { booking: facts(State::AwaitingPayment) },
            ),
            Event::new(
                id.uuid(),
                3,
                START,
                &booking::BookingConfirmed { booking: facts(State::Confirmed), reinstated: false },
            ),
            Event::new(id.uuid(), 4, START, &booking::BookingCheckedIn { booking: facts(State::CheckedIn) }),
            Event::new(id.uuid(), 5, START, &booking::BookingStarted { booking: facts(State::InService) }),
            Event::new(
                id.uuid(),
                6,
                START,
                &booking::BookingCompleted { booking: facts(State::Completed), ..Default::default() },
            ),
        ]
    }

    /// The customer wished another time.
    pub fn rescheduled(&self, id: BookingId, version: i64, from: Timestamp, to: Timestamp, when: Timestamp) -> Event {
        let (booking, before) = (self.confirmed_at(id, to), before(from));
        Event::new(
            id.uuid(),
            version,
            when,
            &booking::BookingRescheduled { booking, before, actor: self.member.name() },
        )
    }

    /// The store wished another time.
    pub fn moved(&self, id: BookingId, version: i64, from: Timestamp, to: Timestamp, when: Timestamp) -> Event {
        let (booking, before) = (self.confirmed_at(id, to), before(from));
        let actor = StaffId::new(START).name();
        Event::new(id.uuid(), version, when, &booking::BookingMoved { booking, before, actor, overbooked: false })
    }

    /// Nobody came.
    pub fn missed(&self, id: BookingId, version: i64, start: Timestamp, when: Timestamp) -> Event {
        let booking = Some(self.booking(id, start, booking::booking::State::NoShow));
        Event::new(id.uuid(), version, when, &booking::BookingNoShow { booking, fee: Some(to_money(yuan(60))) })
    }

    fn confirmed_at(&self, id: BookingId, start: Timestamp) -> Option<booking::BookingFacts> {
        Some(self.booking(id, start, booking::booking::State::Confirmed))
    }

    pub fn cancelled(&self, id: BookingId, version: i64, start: Timestamp) -> Event {
        let booking = Some(self.booking(id, start, booking::booking::State::Cancelled));
        let actor = self.member.name();
        let payload = booking::BookingCancelled { booking, actor, in_time: true, ..Default::default() };
        Event::new(id.uuid(), version, START, &payload)
    }

    fn order(&self, id: BookingId) -> (OrderId, payment::OrderFacts) {
        let order = OrderId::derive(id.uuid(), "order");
        let facts = payment::OrderFacts {
            order: order.name(),
            booking: id.name(),
            customer: self.member.name(),
            store: self.store.name(),
            ..payment::OrderFacts::default()
        };
        (order, facts)
    }

    /// An order that is not for a visit.
    pub fn paid_ahead(&self, when: Timestamp) -> (OrderId, payment::OrderFacts) {
        let (order, facts) = self.order(BookingId::new(when));
        (order, payment::OrderFacts { booking: String::new(), ..facts })
    }

    pub fn captured(&self, id: BookingId, version: i64, when: Timestamp, amount: Money) -> Event {
        let (order, facts) = self.order(id);
        let payload = payment::PaymentCaptured {
            order: Some(facts),
            payment: PaymentId::new(when).name(),
            amount: Some(to_money(amount)),
            purpose: payment::payment::Purpose::Deposit.into(),
            tender: payment::payment::Tender::Sandbox.into(),
        };
        Event::new(order.uuid(), version, when, &payload)
    }

    pub fn refunded(&self, id: BookingId, version: i64, when: Timestamp, amount: Money) -> Event {
        let (order, facts) = self.order(id);
        let payload = payment::RefundSucceeded {
            order: Some(facts),
            refund: RefundId::new(when).name(),
            payment: PaymentId::new(when).name(),
            amount: Some(to_money(amount)),
            reason: "BOOKING_CANCELLED".to_owned(),
        };
        Event::new(order.uuid(), version, when, &payload)
    }

    pub fn registered(&self, when: Timestamp) -> Event {
        let payload = membership::MemberRegistered {
            member: self.member.name(),
            store: self.store.name(),
            tier: membership::Tier::Member.into(),
        };
        Event::new(self.member.uuid(), 1, when, &payload)
    }

    pub fn earned(&self, version: i64, when: Timestamp, points: i64) -> Event {
        let payload = membership::PointsEarned {
            member: self.member.name(),
            points,
            source: OrderId::new(when).name(),
            store: self.store.name(),
            expire_time: None,
        };
        Event::new(self.member.uuid(), version, when, &payload)
    }

    pub fn revoked(&self, version: i64, when: Timestamp, points: i64) -> Event {
        let payload = membership::PointsRevoked {
            member: self.member.name(),
            points,
            source: OrderId::new(when).name(),
            store: self.store.name(),
        };
        Event::new(self.member.uuid(), version, when, &payload)
    }

    pub fn expired(&self, version: i64, when: Timestamp, points: i64) -> Event {
        Event::new(self.member.uuid(), version, when, &membership::PointsExpired { member: self.member.name(), points })
    }

    pub fn redeemed(&self, coupon: CouponId, id: BookingId, when: Timestamp) -> Event {
        let payload = marketing::CouponRedeemed {
            coupon: coupon.name(),
            code: "FIRST_VISIT_COUPON".to_owned(),
            customer: self.member.name(),
            store: self.store.name(),
            booking: id.name(),
            amount: Some(to_money(yuan(60))),
        };
        Event::new(coupon.uuid(), 1, when, &payload)
    }

    pub fn released(&self, coupon: CouponId, when: Timestamp) -> Event {
        let payload = marketing::CouponReleased {
            coupon: coupon.name(),
            code: "FIRST_VISIT_COUPON".to_owned(),
            customer: self.member.name(),
            booking: String::new(),
        };
        Event::new(coupon.uuid(), 2, when, &payload)
    }

    pub fn sent(&self, when: Timestamp, customer: bool) -> Event {
        let message = MessageId::new(when);
        let payload = marketing::MessageSent {
            message: message.name(),
            customer: if customer { self.member.name() } else { String::new() },
            kind: "KIND_BOOKING_CONFIRMED".to_owned(),
            channel: "demo_mailbox".to_owned(),
        };
        Event::new(message.uuid(), 1, when, &payload)
    }

    /// One event of every sort, by feed: a visit paid and partly refunded, points, a coupon, messages.
    pub fn story(&self, when: Timestamp) -> Vec<(Feed, Event)> {
        let (visit, coupon) = (BookingId::new(when), CouponId::new(when));
        let mut events = vec![(Feed::Booking, self.store_changed(1, "Asia/Shanghai", "CNY"))];
        events.extend(self.visit(visit, when).into_iter().map(|event| (Feed::Booking, event)));
        events.push((Feed::Booking, self.cancelled(BookingId::new(when), 3, when)));
        let late = BookingId::new(when);
        let next_day = when + jiff::SignedDuration::from_hours(24);
        events.push((Feed::Booking, self.rescheduled(late, 4, when, next_day, when)));
        events.push((Feed::Booking, self.moved(late, 5, next_day, next_day, when)));
        events.push((Feed::Booking, self.missed(late, 6, next_day, next_day)));
        events.extend([
            (Feed::Payment, self.captured(visit, 2, when, yuan(300))),
            (Feed::Payment, self.refunded(visit, 3, when, yuan(100))),
            (Feed::Membership, self.registered(when)),
            (Feed::Membership, self.earned(2, when, 30)),
            (Feed::Membership, self.revoked(3, when, 10)),
            (Feed::Membership, self.expired(4, when, 5)),
            (Feed::Marketing, self.redeemed(coupon, visit, when)),
            (Feed::Marketing, self.released(coupon, when)),
            (Feed::Marketing, self.sent(when, true)),
            (Feed::Marketing, self.sent(when, false)),
        ]);
        events
    }
}

/// An event of a type that nobody here knows.
pub fn unknown() -> Event {
    Event { type_name: "meridian.booking.v9.Unheard".to_owned(), ..event_of(&booking::StoreChanged::default()) }
}

fn before(start: Timestamp) -> Option<booking::Before> {
    Some(booking::Before { start_time: Some(to_timestamp(start)), ..Default::default() })
}

fn event_of<M: Message + Name>(payload: &M) -> Event {
    Event::new(uuid_v7(START), 1, START, payload)
}

/// The ways in which an id may be written.
pub fn spellings(id: Uuid) -> [String; 2] {
    [id.hyphenated().to_string(), id.simple().to_string()]
}
