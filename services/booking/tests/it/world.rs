//! A store that is open from 10:00 to 22:00 in Shanghai, with therapists on duty and rooms.

use std::sync::Arc;

use booking::{App, LinkKey, MIGRATOR, Policy, flows::deposit_paid::DepositPaid};
use feed::{Consumer, Event, FeedServer};
use jiff::SignedDuration;
use kernel::{
    Money, Timestamp,
    ids::{MemberId, OrderId, StaffId, StoreId},
};
use pg::Pg;
use proto::{
    access::Role,
    booking::v1::{
        self as pb, booking_service_client::BookingServiceClient, calendar_service_client::CalendarServiceClient,
        catalog_service_client::CatalogServiceClient, group_service_client::GroupServiceClient,
        life_cycle_service_client::LifeCycleServiceClient, package_service_client::PackageServiceClient,
        preference_service_client::PreferenceServiceClient, roster_service_client::RosterServiceClient,
        rotation_service_client::RotationServiceClient, waitlist_service_client::WaitlistServiceClient,
        walk_in_service_client::WalkInServiceClient,
    },
    google::r#type::{DayOfWeek, TimeOfDay},
    payment::v1 as payment,
};
use rpc::convert::{to_money, to_timestamp};
use slotlock::SlotLock;
use testkit::{ManualClock, TestDb, with_token};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Response, Status, transport::Channel};

use crate::fakes::Fake;

/// What the addresses of calendars are signed with.
const LINK_SECRET: [u8; 32] = [7; 32];

/// A running booking service with its surroundings.
pub struct World {
    pub app: Arc<App>,
    pub fake: Arc<Fake>,
    pub clock: Arc<ManualClock>,
    pub channel: Channel,
    pub admin: String,
    pub store: String,
    pub item: String,
    pub therapists: Vec<String>,
    pub rooms: Vec<String>,
    _db: Option<TestDb>,
}

impl World {
    /// With so many therapists and rooms.
    pub async fn new(therapists: usize, rooms: usize) -> Self {
        let redis = testkit::redis().await;
        let url = redis.url.clone().into();
        let locks = SlotLock::new(runtime::redis_client::connect(&url).ok(), redis.prefix.clone());
        Self::with_locks(therapists, rooms, locks).await
    }

    /// With these locks.
    pub async fn with_locks(therapists: usize, rooms: usize, locks: SlotLock) -> Self {
        let db = testkit::database(&MIGRATOR).await;
        let world = Self::on(db.pg.clone(), therapists, rooms, locks).await;
        Self { _db: Some(db), ..world }
    }

    /// On this database, which must have nothing but its tables.
    pub async fn on(pg: Pg, therapists: usize, rooms: usize, locks: SlotLock) -> Self {
        let clock = testkit::clock();
        let fake = Arc::new(Fake::default());
        let app =
            App::new(pg.clone(), locks, clock.clone(), Policy::default(), LinkKey::derive(&LINK_SECRET), fake.peers());
        let feed = FeedServer::new(pg, watch::channel(0).1, CancellationToken::new());
        let channel = testkit::serve(booking::rpc::routes(&app, feed)).await;
        let admin = testkit::keys().staff_token(StaffId::new(kernel_now(&clock)), [Role::Administrator], None);
        let mut world = Self {
            app,
            fake,
            clock,
            channel,
            admin,
            store: String::new(),
            item: String::new(),
            therapists: Vec::new(),
            rooms: Vec::new(),
            _db: None,
        };
        world.furnish(therapists, rooms).await;
        world
    }

    async fn furnish(&mut self, therapists: usize, rooms: usize) {
        self.store = self.create_store(daily(10, 22), "Asia/Shanghai").await.expect("a store").name;
        self.item = self.create_item("thai", "massage").await.name;
        for n in 0..rooms {
            let room = pb::Room {
                store: self.store.clone(),
                display_name: format!("room {n:02}"),
                kind: "massage".to_owned(),
                ..pb::Room::default()
            };
            let request = pb::CreateRoomRequest { room: Some(room), request_id: id() };
            let room = self.catalog().create_room(with_token(request, &self.admin)).await.expect("a room");
            self.rooms.push(room.into_inner().name);
        }
        for n in 0..therapists {
            let name = self.create_therapist(&format!("therapist {n:02}"), "thai").await.name;
            // The clock stands at 2027-03-01 in the morning of Shanghai: on duty for three days.
            for day in 0..3 {
                self.create_shift(&name, at(day * 24), at(day * 24 + 14)).await.expect("a shift");
            }
            self.therapists.push(name);
        }
    }

    pub async fn create_store(&self, hours: Vec<pb::OpeningHours>, zone: &str) -> Result<pb::Store, Status> {
        let store = pb::Store {
            display_name: "Jing'an".to_owned(),
            address: "1 Nanjing West Road".to_owned(),
            time_zone: zone.to_owned(),
            opening_hours: hours,
            currency_code: "CNY".to_owned(),
            ..pb::Store::default()
        };
        let request = pb::CreateStoreRequest { store: Some(store), request_id: id() };
        self.catalog().create_store(with_token(request, &self.admin)).await.map(Response::into_inner)
    }

    pub async fn create_item(&self, skill: &str, room_kind: &str) -> pb::Item {
        let item = pb::Item {
            display_name: "Thai massage".to_owned(),
            duration_minutes: 60,
            preparation_minutes: 5,
            cleanup_minutes: 10,
            price: Some(to_money(cny(20_000))),
            skill: skill.to_owned(),
            room_kind: room_kind.to_owned(),
            ..pb::Item::default()
        };
        let request = pb::CreateItemRequest { item: Some(item), request_id: id() };
        self.catalog().create_item(with_token(request, &self.admin)).await.expect("an item").into_inner()
    }

    pub async fn create_therapist(&self, display_name: &str, skill: &str) -> pb::Therapist {
        let therapist = pb::Therapist {
            store: self.store.clone(),
            display_name: display_name.to_owned(),
            grade: 3,
            skills: vec![skill.to_owned()],
            ..pb::Therapist::default()
        };
        let request = pb::CreateTherapistRequest { therapist: Some(therapist), request_id: id() };
        self.catalog().create_therapist(with_token(request, &self.admin)).await.expect("a therapist").into_inner()
    }

    pub async fn create_shift(&self, therapist: &str, start: Timestamp, end: Timestamp) -> Result<pb::Shift, Status> {
        let shift = pb::Shift {
            therapist: therapist.to_owned(),
            start_time: Some(to_timestamp(start)),
            end_time: Some(to_timestamp(end)),
            ..pb::Shift::default()
        };
        let request = pb::CreateShiftRequest { shift: Some(shift), request_id: id() };
        self.catalog().create_shift(with_token(request, &self.admin)).await.map(Response::into_inner)
    }

    pub fn catalog(&self) -> CatalogServiceClient<Channel> {
        CatalogServiceClient::new(self.channel.clone())
    }

    pub fn packages(&self) -> PackageServiceClient<Channel> {
        PackageServiceClient::new(self.channel.clone())
    }

    pub fn roster(&self) -> RosterServiceClient<Channel> {
        RosterServiceClient::new(self.channel.clone())
    }

    pub fn bookings(&self) -> BookingServiceClient<Channel> {
        BookingServiceClient::new(self.channel.clone())
    }

    pub fn groups(&self) -> GroupServiceClient<Channel> {
        GroupServiceClient::new(self.channel.clone())
    }

    pub fn life(&self) -> LifeCycleServiceClient<Channel> {
        LifeCycleServiceClient::new(self.channel.clone())
    }

    pub fn preferences(&self) -> PreferenceServiceClient<Channel> {
        PreferenceServiceClient::new(self.channel.clone())
    }

    pub fn calendars(&self) -> CalendarServiceClient<Channel> {
        CalendarServiceClient::new(self.channel.clone())
    }

    pub fn rotations(&self) -> RotationServiceClient<Channel> {
        RotationServiceClient::new(self.channel.clone())
    }

    pub fn waitlist(&self) -> WaitlistServiceClient<Channel> {
        WaitlistServiceClient::new(self.channel.clone())
    }

    pub fn walk_ins(&self) -> WalkInServiceClient<Channel> {
        WalkInServiceClient::new(self.channel.clone())
    }

    /// A hold of the item by any therapist.
    pub fn hold(&self, start: Timestamp) -> pb::HoldSlotRequest {
        pb::HoldSlotRequest {
            store: self.store.clone(),
            item: self.item.clone(),
            start_time: Some(to_timestamp(start)),
            request_id: id(),
            ..pb::HoldSlotRequest::default()
        }
    }

    pub async fn send_hold(&self, token: &str, request: pb::HoldSlotRequest) -> Result<pb::Booking, Status> {
        self.bookings().hold_slot(with_token(request, token)).await.map(Response::into_inner)
    }

    pub async fn get(&self, name: &str) -> pb::Booking {
        let request = pb::GetBookingRequest { name: name.to_owned() };
        self.bookings().get_booking(with_token(request, &self.admin)).await.expect("a booking").into_inner()
    }

    pub async fn cancel(&self, token: &str, name: &str) -> Result<pb::Booking, Status> {
        let request = pb::CancelBookingRequest { name: name.to_owned(), request_id: id(), ..Default::default() };
        self.bookings().cancel_booking(with_token(request, token)).await.map(Response::into_inner)
    }

    pub async fn search(&self, from: Timestamp, to: Timestamp) -> Vec<pb::Slot> {
        let request = pb::SearchSlotsRequest {
            store: self.store.clone(),
            item: self.item.clone(),
            start_time: Some(to_timestamp(from)),
            end_time: Some(to_timestamp(to)),
            page_size: 1_000,
            ..pb::SearchSlotsRequest::default()
        };
        self.bookings().search_slots(request).await.expect("an answer").into_inner().slots
    }

    /// Payment tells that so much of the order of a booking is paid.
    pub async fn paid(&self, booking: &pb::Booking, minor: i64) {
        self.try_paid(booking, minor).await.expect("applied");
    }

    /// The same, as payment's feed does it: what fails is told again.
    pub async fn try_paid(&self, booking: &pb::Booking, minor: i64) -> kernel::Result<()> {
        let captured = payment::PaymentCaptured {
            order: Some(payment::OrderFacts {
                order: booking.order.clone(),
                booking: booking.name.clone(),
                paid: Some(to_money(cny(minor))),
                ..payment::OrderFacts::default()
            }),
            amount: Some(to_money(cny(minor))),
            ..payment::PaymentCaptured::default()
        };
        let order = OrderId::parse_name("order", &booking.order).expect("an order").uuid();
        let event = Event::new(order, 2, kernel_now(&self.clock), &captured);
        let mut tx = self.app.pg.begin().await?;
        DepositPaid(Arc::clone(&self.app)).apply(&mut tx, &event).await?;
        Ok(tx.commit().await?)
    }

    /// A booking whose deposit is paid.
    pub async fn confirmed(&self, token: &str, start: Timestamp) -> pb::Booking {
        let booking = self.send_hold(token, self.hold(start)).await.expect("held");
        self.fake.pay(&booking.order, 3_200);
        self.paid(&booking, 3_200).await;
        self.get(&booking.name).await
    }

    /// Reschedules a visit to another start.
    pub async fn reschedule(&self, token: &str, name: &str, start: Timestamp) -> Result<pb::Booking, Status> {
        let start_time = Some(to_timestamp(start));
        let request =
            pb::RescheduleBookingRequest { name: name.to_owned(), start_time, request_id: id(), ..Default::default() };
        self.life().reschedule_booking(with_token(request, token)).await.map(Response::into_inner)
    }

    /// A visit whose treatment runs, from its start on.
    pub async fn running(&self, token: &str, start: Timestamp) -> pb::Booking {
        let booking = self.confirmed(token, start).await;
        if kernel_now(&self.clock) < start {
            self.clock.set(start);
        }
        let name = booking.name.clone();
        let check_in = pb::CheckInBookingRequest { name: name.clone(), request_id: id() };
        self.bookings().check_in_booking(with_token(check_in, &self.admin)).await.expect("checked in");
        let begin = pb::StartBookingRequest { name, request_id: id() };
        self.bookings().start_booking(with_token(begin, &self.admin)).await.expect("started").into_inner()
    }

    /// Makes a running visit longer.
    pub async fn extend(&self, token: &str, name: &str, minutes: i32) -> Result<pb::Booking, Status> {
        let by = Some(pb::extend_booking_request::By::Minutes(minutes));
        let request = pb::ExtendBookingRequest { name: name.to_owned(), by, request_id: id() };
        self.life().extend_booking(with_token(request, token)).await.map(Response::into_inner)
    }

    /// A staff member of the store.
    pub fn staff(&self, role: Role) -> String {
        let store = StoreId::parse_name("store", &self.store).expect("a store");
        testkit::keys().staff_token(StaffId::new(kernel_now(&self.clock)), [role], Some(store))
    }

    /// How many allocations overlap another of the same resource. It must always be 0.
    pub async fn overlaps(&self) -> i64 {
        sqlx::query_scalar(
            "select count(*) from allocation a join allocation b
               on a.resource_id = b.resource_id and a.ctid < b.ctid and not a.overbooked and not b.overbooked
              and tstzrange(a.start_time, a.end_time) && tstzrange(b.start_time, b.end_time)",
        )
        .fetch_one(self.app.pg.pool())
        .await
        .expect("a count")
    }

    /// A number from the database.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.app.pg.pool()).await.expect("a count")
    }
}

/// A member with his token.
pub fn member() -> (MemberId, String) {
    let id = MemberId::new(testkit::START);
    (id, testkit::keys().member_token(id))
}

/// The first opening of the store, 10:00 in Shanghai, and so many hours after it.
pub fn at(hours: i64) -> Timestamp {
    first_opening() + SignedDuration::from_hours(hours)
}

/// So many minutes after the first opening.
pub fn at_minute(minutes: i64) -> Timestamp {
    first_opening() + SignedDuration::from_mins(minutes)
}

fn first_opening() -> Timestamp {
    let start = testkit::START.as_second();
    let opening = start - start.rem_euclid(86_400) + 2 * 3_600;
    let opening = if opening < start { opening + 86_400 } else { opening };
    Timestamp::from_second(opening).expect("in range")
}

/// Open every day between these hours.
pub fn daily(open: i32, close: i32) -> Vec<pb::OpeningHours> {
    let time = |hours| Some(TimeOfDay { hours, ..TimeOfDay::default() });
    (1..=7)
        .map(|day| pb::OpeningHours {
            day: DayOfWeek::try_from(day).expect("a day").into(),
            open_time: time(open),
            close_time: time(close),
        })
        .collect()
}

/// An amount of yuan in fen.
pub fn cny(minor: i64) -> Money {
    Money::new(minor, kernel::Currency::CNY)
}

/// A new request id.
pub fn id() -> String {
    kernel::ids::uuid_v7(testkit::START).to_string()
}

/// The reason in an error's details.
pub fn reason(status: &Status) -> String {
    use tonic_types::StatusExt;
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// A fact in an error's details.
pub fn fact(status: &Status, key: &str) -> String {
    use tonic_types::StatusExt;
    status.get_details_error_info().and_then(|info| info.metadata.get(key).cloned()).unwrap_or_default()
}

/// The first wrong field in an error's details.
pub fn field(status: &Status) -> String {
    use tonic_types::StatusExt;
    let violations = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
    violations.into_iter().next().map(|violation| violation.field).unwrap_or_default()
}

fn kernel_now(clock: &ManualClock) -> Timestamp {
    kernel::Clock::now(clock)
}
