//! Wrong requests get an error that names the field or the reason, and change nothing.

use jiff::SignedDuration;
use kernel::ids::{BookingId, ItemId, MemberId, StoreId, TherapistId};
use prost::Message;
use proto::{access::Role, booking::v1 as pb};
use rpc::{
    convert::to_timestamp,
    paging::{Listing, PageRequest},
};
use testkit::with_token;
use tonic::Code;

use crate::world::{World, at, at_minute, field, id, member, reason};

#[tokio::test]
async fn holds_that_cannot_be() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let unskilled = world.create_therapist("novice", "reiki").await.name;
    let good = world.hold(at(1));
    let start = |at| Some(to_timestamp(at));
    type Case = (&'static str, pb::HoldSlotRequest, Code, &'static str);
    let cases: Vec<Case> = vec![
        (
            "unknown store",
            pb::HoldSlotRequest { store: StoreId::new(testkit::START).name(), ..good.clone() },
            Code::NotFound,
            "",
        ),
        (
            "unknown item",
            pb::HoldSlotRequest { item: ItemId::new(testkit::START).name(), ..good.clone() },
            Code::NotFound,
            "",
        ),
        ("no store", pb::HoldSlotRequest { store: String::new(), ..good.clone() }, Code::InvalidArgument, "store"),
        (
            "bad uuid",
            pb::HoldSlotRequest { item: "items/42".to_owned(), ..good.clone() },
            Code::InvalidArgument,
            "item",
        ),
        ("no start", pb::HoldSlotRequest { start_time: None, ..good.clone() }, Code::InvalidArgument, "start_time"),
        (
            "past",
            pb::HoldSlotRequest { start_time: start(at(-24)), ..good.clone() },
            Code::InvalidArgument,
            "start_time",
        ),
        (
            "off the grid",
            pb::HoldSlotRequest { start_time: start(at_minute(61)), ..good.clone() },
            Code::InvalidArgument,
            "start_time",
        ),
        (
            "seconds",
            pb::HoldSlotRequest { start_time: start(at(1) + SignedDuration::from_secs(1)), ..good.clone() },
            Code::InvalidArgument,
            "start_time",
        ),
        (
            "a year ahead",
            pb::HoldSlotRequest { start_time: start(at(24 * 365)), ..good.clone() },
            Code::InvalidArgument,
            "start_time",
        ),
        (
            "closed",
            pb::HoldSlotRequest { start_time: start(at(13)), ..good.clone() },
            Code::FailedPrecondition,
            "OUTSIDE_OPENING_HOURS",
        ),
        (
            "nobody on duty",
            pb::HoldSlotRequest { start_time: start(at(24 * 7)), ..good.clone() },
            Code::FailedPrecondition,
            "NOT_ON_SHIFT",
        ),
        (
            "without the skill",
            pb::HoldSlotRequest { therapist: unskilled, ..good.clone() },
            Code::FailedPrecondition,
            "SKILL_MISSING",
        ),
        (
            "unknown therapist",
            pb::HoldSlotRequest { therapist: TherapistId::new(testkit::START).name(), ..good.clone() },
            Code::FailedPrecondition,
            "SKILL_MISSING",
        ),
        (
            "no request id",
            pb::HoldSlotRequest { request_id: String::new(), ..good.clone() },
            Code::InvalidArgument,
            "request_id",
        ),
        (
            "bad request id",
            pb::HoldSlotRequest { request_id: "1".to_owned(), ..good.clone() },
            Code::InvalidArgument,
            "request_id",
        ),
        ("unknown channel", pb::HoldSlotRequest { channel: 99, ..good.clone() }, Code::InvalidArgument, "channel"),
    ];
    for (name, request, code, what) in cases {
        let request = pb::HoldSlotRequest {
            request_id: if request.request_id.len() < 36 { request.request_id } else { id() },
            ..request
        };
        let refused = world.send_hold(&token, request).await.expect_err(name);
        assert_eq!(refused.code(), code, "{name}: {refused:?}");
        match code {
            Code::InvalidArgument => assert_eq!(field(&refused), what, "{name}"),
            Code::FailedPrecondition => assert_eq!(reason(&refused), what, "{name}"),
            _ => {}
        }
    }
    assert_eq!(world.count("select count(*) from booking").await, 0);
    assert_eq!(world.count("select count(*) from idempotency_key where method like '%HoldSlot'").await, 0);
}

#[tokio::test]
async fn searches_that_cannot_be() {
    let world = World::new(1, 1).await;
    let good = pb::SearchSlotsRequest {
        store: world.store.clone(),
        item: world.item.clone(),
        start_time: Some(to_timestamp(at(0))),
        end_time: Some(to_timestamp(at(24))),
        ..pb::SearchSlotsRequest::default()
    };
    let cases = [
        (pb::SearchSlotsRequest { end_time: good.start_time, ..good.clone() }, "end_time"),
        (pb::SearchSlotsRequest { end_time: Some(to_timestamp(at(24 * 32))), ..good.clone() }, "end_time"),
        (pb::SearchSlotsRequest { page_size: -1, ..good.clone() }, "page_size"),
        (pb::SearchSlotsRequest { page_size: 1_000_000, ..good.clone() }, "page_size"),
        (pb::SearchSlotsRequest { page_token: "AAAA".to_owned(), ..good.clone() }, "page_token"),
        (pb::SearchSlotsRequest { therapist: "therapists/x".to_owned(), ..good.clone() }, "therapist"),
        (pb::SearchSlotsRequest { sex: 7, ..good.clone() }, "sex"),
    ];
    for (request, wrong) in cases {
        let refused = world.bookings().search_slots(request).await.expect_err(wrong);
        assert_eq!((refused.code(), field(&refused).as_str()), (Code::InvalidArgument, wrong));
    }
}

#[tokio::test]
async fn a_page_token_of_one_list_is_refused_by_another() {
    let world = World::new(1, 1).await;
    let search = pb::SearchSlotsRequest {
        store: world.store.clone(),
        item: world.item.clone(),
        start_time: Some(to_timestamp(at(0))),
        end_time: Some(to_timestamp(at(24))),
        page_size: 1,
        ..pb::SearchSlotsRequest::default()
    };
    let token = world.bookings().search_slots(search).await.expect("a page").into_inner().next_page_token;
    let list = pb::ListBookingsRequest { page_token: token, ..pb::ListBookingsRequest::default() };
    let refused = world.bookings().list_bookings(with_token(list, &world.admin)).await.expect_err("foreign");
    assert_eq!(field(&refused), "page_token");
}

/// The checksum of a page token is no secret: whoever reads our code can make one up.
#[tokio::test]
async fn page_tokens_that_were_made_up() {
    let world = World::new(1, 1).await;
    let made_up = |listing: Listing, key: &str| {
        PageRequest::parse(1, "", listing).expect("a first page").cut(vec![1, 2], |_| key.to_owned()).1
    };
    let mut search = pb::SearchSlotsRequest {
        store: world.store.clone(),
        item: world.item.clone(),
        start_time: Some(to_timestamp(at(0))),
        end_time: Some(to_timestamp(at(24))),
        ..pb::SearchSlotsRequest::default()
    };
    let filter: String = search.encode_to_vec().iter().map(|byte| format!("{byte:02x}")).collect();
    for minute in [i64::MAX, i64::MAX - 1_440, i64::MIN] {
        let listing = Listing::new("/meridian.booking.v1.BookingService/SearchSlots").with(&filter);
        let store = world.store.split('/').nth(1).expect("an id");
        search.page_token = made_up(listing, &format!("{minute}/{store}"));
        let page = world.bookings().search_slots(search.clone()).await.expect("an answer").into_inner();
        assert_eq!(page.slots.is_empty(), minute > 0, "{minute}");
    }
    for key in ["", "5", "x/y", "5/nobody"] {
        let listing = Listing::new("/meridian.booking.v1.BookingService/SearchSlots").with(&filter);
        search.page_token = made_up(listing, key);
        let refused = world.bookings().search_slots(search.clone()).await.expect_err(key);
        assert_eq!(field(&refused), "page_token", "{key}");
    }
    let listing = Listing::new("/meridian.booking.v1.CatalogService/ListStores");
    let page_token = made_up(listing, &format!("{}/a\0b", id()));
    let list = pb::ListStoresRequest { page_token, ..pb::ListStoresRequest::default() };
    let refused = world.catalog().list_stores(list).await.expect_err("no text of Postgres");
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn instants_and_texts_that_postgres_cannot_hold() {
    let world = World::new(1, 1).await;
    let before_christ = Some(prost_types::Timestamp { seconds: -300_000_000_000, nanos: 0 });
    let list = pb::ListBookingsRequest { start_time: before_christ, ..pb::ListBookingsRequest::default() };
    let refused = world.bookings().list_bookings(with_token(list, &world.admin)).await.expect_err("year -7537");
    assert_eq!(field(&refused), "start_time");
    let mut store =
        world.catalog().get_store(pb::GetStoreRequest { name: world.store.clone() }).await.expect("a store");
    store.get_mut().address = "1 Nanjing\0Road".to_owned();
    let create = pb::CreateStoreRequest { store: Some(store.into_inner()), request_id: id() };
    let refused = world.catalog().create_store(with_token(create, &world.admin)).await.expect_err("a zero");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "TEXT_NOT_STORABLE"));
}

#[tokio::test]
async fn bookings_that_are_not_there() {
    let world = World::new(1, 1).await;
    let name = BookingId::new(testkit::START).name();
    let get = pb::GetBookingRequest { name: name.clone() };
    let refused = world.bookings().get_booking(with_token(get, &world.admin)).await.expect_err("unknown");
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(world.cancel(&member().1, &name).await.expect_err("unknown").code(), Code::NotFound);
    let wrong = pb::GetBookingRequest { name: MemberId::new(testkit::START).name() };
    let refused = world.bookings().get_booking(with_token(wrong, &world.admin)).await.expect_err("no booking");
    assert_eq!(field(&refused), "name");
}

#[tokio::test]
async fn bad_tokens() {
    let world = World::new(1, 1).await;
    let (id, _) = member();
    let keys = testkit::keys();
    let bad = [
        (keys.expired_token(id), "TOKEN_EXPIRED"),
        (keys.forged_token(id), "TOKEN_INVALID"),
        (keys.unsigned_token(id), "TOKEN_INVALID"),
        (keys.wrong_audience_token(id), "TOKEN_WRONG_AUDIENCE"),
    ];
    for (token, why) in bad {
        let refused = world.send_hold(&token, world.hold(at(1))).await.expect_err(why);
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, why));
    }
    let none = world.bookings().hold_slot(world.hold(at(1))).await.expect_err("no token");
    assert_eq!((none.code(), reason(&none).as_str()), (Code::Unauthenticated, "TOKEN_MISSING"));
    let auditor = world.send_hold(&world.staff(Role::Auditor), world.hold(at(1))).await.expect_err("reads only");
    assert_eq!(auditor.code(), Code::PermissionDenied);
}
