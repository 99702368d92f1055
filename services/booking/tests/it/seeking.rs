//! What can be looked for: parties, packages, add-ons, parts of the day, several stores; and what it costs.

use futures_util::future::join_all;
use jiff::SignedDuration;
use kernel::{Money, Timestamp};
use proto::{
    access::Role,
    booking::v1::{self as pb, booking::Channel},
    google::r#type::{DayOfWeek, LatLng, TimeOfDay},
};
use rpc::convert::{money, timestamp, to_money, to_timestamp};
use testkit::with_token;
use tonic::{Code, Response, Status};

use crate::world::{World, at, at_minute, cny, daily, field, id, member, reason};

impl World {
    /// A search for the item by anybody, of a day from an hour on.
    pub fn seek(&self, from: Timestamp, to: Timestamp) -> pb::SearchSlotsRequest {
        pb::SearchSlotsRequest {
            store: self.store.clone(),
            item: self.item.clone(),
            start_time: Some(to_timestamp(from)),
            end_time: Some(to_timestamp(to)),
            page_size: 1_000,
            ..pb::SearchSlotsRequest::default()
        }
    }

    pub async fn send_seek(&self, request: pb::SearchSlotsRequest) -> Result<Vec<pb::Slot>, Status> {
        self.bookings().search_slots(request).await.map(|answer| answer.into_inner().slots)
    }

    pub async fn found(&self, request: pb::SearchSlotsRequest) -> Vec<pb::Slot> {
        self.send_seek(request).await.expect("an answer")
    }

    /// Gives the store rules of its own.
    pub async fn set_policy(&self, policy: pb::StorePolicy) {
        let store = pb::Store { policy: Some(policy), ..pb::Store::default() };
        self.update_store(store, &["policy"]).await.expect("rules");
    }

    async fn set_therapist(&self, therapist: pb::Therapist, paths: &[&str]) {
        self.update_therapist(therapist, paths).await.expect("changed");
    }
}

fn starts(slots: &[pb::Slot]) -> Vec<Timestamp> {
    slots.iter().map(|slot| timestamp("start_time", slot.start_time.as_ref()).expect("a start")).collect()
}

fn price(slot: &pb::Slot) -> Money {
    money("list_price", slot.list_price.as_ref()).expect("a price")
}

fn evening(days: &[DayOfWeek]) -> pb::Daypart {
    let time = |hours| Some(TimeOfDay { hours, ..TimeOfDay::default() });
    let days = days.iter().map(|day| (*day).into()).collect();
    pb::Daypart { start_time: time(18), end_time: time(20), days }
}

#[tokio::test]
async fn a_time_comes_with_the_price_that_its_hold_gets() {
    let world = World::new(2, 2).await;
    let rule = |grade, daypart, minor| pb::ItemPrice {
        grade,
        daypart,
        price: Some(to_money(cny(minor))),
        ..pb::ItemPrice::default()
    };
    let prices = vec![rule(0, Some(evening(&[])), 25_000), rule(5, None, 30_000)];
    let item = pb::Item { name: world.item.clone(), prices, ..pb::Item::default() };
    world.update_item(item, &["prices"]).await.expect("changed");
    let (novice, master) = (world.therapists[0].clone(), world.therapists[1].clone());
    world.set_therapist(pb::Therapist { name: master.clone(), grade: 5, ..Default::default() }, &["grade"]).await;
    let (_, token) = member();
    for (therapist, hour, minor) in [(&novice, 1, 20_000), (&novice, 8, 25_000), (&master, 3, 30_000)] {
        let seek = pb::SearchSlotsRequest { therapist: therapist.clone(), ..world.seek(at(hour), at(hour + 1)) };
        let slot = world.found(seek).await.remove(0);
        assert_eq!((price(&slot), &slot.store), (cny(minor), &world.store), "{hour}");
        let hold = pb::HoldSlotRequest { therapist: therapist.clone(), ..world.hold(at(hour)) };
        let booking = world.send_hold(&token, hold).await.expect("held");
        assert_eq!((booking.list_price, booking.requested), (slot.list_price, true));
        assert_eq!(booking.assignment, "asked for by the customer");
    }
    // Whoever names nobody gets the one with the least work, at her price; it is said why.
    let slot = world.found(world.seek(at(5), at(6))).await.remove(0);
    let booking = world.send_hold(&token, world.hold(at(5))).await.expect("held");
    assert_eq!((&booking.therapist, booking.requested), (&master, false));
    assert_eq!((&booking.therapist, booking.list_price), (&slot.therapist, slot.list_price));
    assert_eq!(booking.assignment, "LEAST_WORK: 60 min of work that day");
}

#[tokio::test]
async fn add_ons_make_a_visit_longer_and_dearer() {
    let world = World::new(1, 1).await;
    let stones = pb::Item {
        display_name: "Hot stones".to_owned(),
        duration_minutes: 30,
        price: Some(to_money(cny(8_000))),
        add_on_to: vec![world.item.clone()],
        ..world.get_item().await
    };
    let stones = world.add_item(stones).await.expect("an add-on").name;
    let add_ons = vec![stones.clone()];
    let seek = pb::SearchSlotsRequest { add_ons: add_ons.clone(), ..world.seek(at(0), at(24)) };
    let slots = world.found(seek.clone()).await;
    assert_eq!(starts(&slots).last(), Some(&at_minute(10 * 60 + 30)), "90 minutes before 22:00");
    assert!(slots.iter().all(|slot| price(slot) == cny(28_000)));
    let hold = pb::HoldSlotRequest { add_ons: add_ons.clone(), ..world.hold(at(2)) };
    let booking = world.send_hold(&member().1, hold.clone()).await.expect("held");
    assert_eq!((booking.end_time, &booking.add_ons), (Some(to_timestamp(at_minute(210))), &add_ons));
    assert_eq!(booking.list_price, Some(to_money(cny(28_000))));
    for (add_ons, why) in [
        (vec![stones.clone(), stones.clone()], "add_ons[1]"),
        (vec![world.item.clone()], "NOT_AN_ADD_ON"),
        (vec!["stones".to_owned()], "add_ons[0]"),
        (vec![stones.clone(); 11], "add_ons"),
    ] {
        let sought = world.send_seek(pb::SearchSlotsRequest { add_ons: add_ons.clone(), ..seek.clone() }).await;
        let held = world.send_hold(&member().1, pb::HoldSlotRequest { add_ons, ..hold.clone() }).await;
        for refused in [sought.expect_err(why), held.expect_err(why)] {
            assert!([field(&refused), reason(&refused)].contains(&why.to_owned()), "{why}: {refused:?}");
        }
    }
    let alone = world.send_seek(pb::SearchSlotsRequest { item: stones, ..world.seek(at(0), at(24)) }).await;
    assert_eq!(reason(&alone.expect_err("alone")), "ADD_ON_ALONE");
}

#[tokio::test]
async fn a_package_is_offered_and_held_in_its_parts() {
    let world = World::new(2, 1).await;
    let foot = pb::Item { display_name: "Foot care".to_owned(), duration_minutes: 30, ..world.get_item().await };
    let foot = world.add_item(foot).await.expect("an item").name;
    let package = pb::Package {
        display_name: "Both".to_owned(),
        items: vec![foot.clone(), world.item.clone()],
        gap_limit_minutes: 15,
        one_therapist: true,
        price: Some(to_money(cny(33_000))),
        ..pb::Package::default()
    };
    let request = pb::CreatePackageRequest { package: Some(package), request_id: id() };
    let package = world.packages().create_package(with_token(request, &world.admin)).await;
    let package = package.expect("a package").into_inner().name;
    let seek = pb::SearchSlotsRequest { item: String::new(), package: package.clone(), ..world.seek(at(0), at(24)) };
    let slots = world.found(seek).await;
    let slot = &slots[6];
    assert_eq!((slot.parts.len(), price(slot)), (2, cny(33_000)));
    assert_eq!((&slot.parts[0].item, &slot.parts[1].item), (&foot, &world.item));
    assert_eq!(slot.parts[0].therapist, slot.parts[1].therapist);
    let hold = pb::HoldSlotRequest { item: String::new(), package: package.clone(), ..world.hold(starts(&slots)[6]) };
    let booking = world.send_hold(&member().1, hold.clone()).await.expect("held");
    assert_eq!((&booking.item, &booking.package), (&foot, &package));
    assert_eq!((booking.end_time, &booking.list_price), (slot.end_time, &slot.list_price));
    let (part, second) = (&booking.parts[0], &slot.parts[1]);
    assert_eq!((&part.item, &part.therapist, &part.room), (&second.item, &second.therapist, &second.room));
    assert_eq!((part.start_time, part.end_time), (second.start_time, second.end_time));
    assert_eq!(world.get(&booking.name).await.parts, booking.parts);
    let both = pb::HoldSlotRequest { item: foot, ..hold.clone() };
    assert_eq!(field(&world.send_hold(&member().1, both).await.expect_err("both")), "package");
    let neither = pb::HoldSlotRequest { package: String::new(), ..hold };
    assert_eq!(field(&world.send_hold(&member().1, neither).await.expect_err("neither")), "item");
}

#[tokio::test]
async fn a_party_gets_different_resources_for_each_guest() {
    let world = World::new(3, 2).await;
    let party = |size| pb::SearchSlotsRequest { party_size: Some(size), ..world.seek(at(0), at(24)) };
    let slots = world.found(party(2)).await;
    assert_eq!(slots.len(), 133);
    let parts = &slots[0].parts;
    assert_eq!((parts.len(), parts[0].guest, parts[1].guest), (2, 0, 1));
    assert!(parts[0].therapist != parts[1].therapist && parts[0].room != parts[1].room);
    assert_eq!(price(&slots[0]), cny(40_000));
    assert!(world.found(party(3)).await.is_empty(), "there are two rooms");
    let wished = pb::SearchSlotsRequest { therapist: world.therapists[2].clone(), ..party(2) };
    assert_eq!(world.found(wished).await[0].parts[0].therapist, world.therapists[2]);
    for size in [0, -1, 21, 500] {
        assert_eq!(field(&world.send_seek(party(size)).await.expect_err("a bad size")), "party_size", "{size}");
    }
}

#[tokio::test]
async fn wishes_for_a_grade_a_language_and_a_part_of_the_day_are_kept() {
    let world = World::new(2, 2).await;
    let (name, languages) = (world.therapists[1].clone(), vec!["en".to_owned(), "zh".to_owned()]);
    let able = pb::Therapist { name: name.clone(), grade: 4, languages, ..Default::default() };
    world.set_therapist(able, &["grade", "languages"]).await;
    let whole = world.seek(at(0), at(72));
    for seek in [
        pb::SearchSlotsRequest { min_grade: 4, ..whole.clone() },
        pb::SearchSlotsRequest { language: "en".to_owned(), ..whole.clone() },
    ] {
        let slots = world.found(seek).await;
        assert!(!slots.is_empty() && slots.iter().all(|slot| slot.therapists == [name.clone()]));
    }
    for seek in [
        pb::SearchSlotsRequest { min_grade: 5, ..whole.clone() },
        pb::SearchSlotsRequest { language: "fr".to_owned(), ..whole.clone() },
    ] {
        assert!(world.found(seek).await.is_empty());
    }
    let hold = pb::HoldSlotRequest { language: "en".to_owned(), ..world.hold(at(1)) };
    let booking = world.send_hold(&member().1, hold.clone()).await.expect("held");
    assert_eq!((booking.therapist, booking.requested), (name, false));
    let again = world.send_hold(&member().1, pb::HoldSlotRequest { request_id: id(), ..hold }).await;
    assert_eq!(reason(&again.expect_err("only one speaks it")), "SLOT_TAKEN");
    // 2027-03-01 is a Monday; 18:00 is 8 hours after opening.
    let evenings = pb::SearchSlotsRequest { daypart: Some(evening(&[])), ..whole.clone() };
    let slots = starts(&world.found(evenings).await);
    assert_eq!((slots.len(), slots[0], slots[24]), (72, at(8), at(32)));
    let tuesday = pb::SearchSlotsRequest { daypart: Some(evening(&[DayOfWeek::Tuesday])), ..whole };
    assert_eq!(starts(&world.found(tuesday).await), slots[24..48]);
}

/// Three stores, of which the second is next door to the first and the third is far away.
async fn chain() -> (World, Vec<String>) {
    let world = World::new(1, 1).await;
    let place = |latitude, longitude| Some(LatLng { latitude, longitude });
    let here = pb::Store { position: place(31.2237, 121.4448), ..Default::default() };
    let first = world.update_store(here, &["position"]).await.expect("placed");
    let mut names = vec![world.store.clone()];
    for (position, opens) in [(place(31.2240, 121.4450), 12), (place(39.9, 116.4), 10)] {
        let store = pb::Store { opening_hours: daily(opens, 22), position, ..first.clone() };
        let request = pb::CreateStoreRequest { store: Some(store), request_id: id() };
        let store = world.catalog().create_store(with_token(request, &world.admin)).await.expect("a store");
        let store = store.into_inner().name;
        let therapist = pb::Therapist {
            store: store.clone(),
            display_name: "Mei".to_owned(),
            grade: 3,
            skills: vec!["thai".to_owned()],
            ..Default::default()
        };
        let request = pb::CreateTherapistRequest { therapist: Some(therapist), request_id: id() };
        let therapist = world.catalog().create_therapist(with_token(request, &world.admin)).await.expect("one");
        world.create_shift(&therapist.into_inner().name, at(0), at(14)).await.expect("a shift");
        let (display_name, kind) = ("room".to_owned(), "massage".to_owned());
        let room = pb::Room { store: store.clone(), display_name, kind, ..Default::default() };
        let request = pb::CreateRoomRequest { room: Some(room), request_id: id() };
        world.catalog().create_room(with_token(request, &world.admin)).await.expect("a room");
        names.push(store);
    }
    (world, names)
}

/// A party of four for a month at several stores: more than one page may cost. What there is at the end of the month is on
/// the last page, and a search in vain ends.
#[tokio::test]
async fn a_search_that_is_wide_ends_its_pages_early_and_misses_nothing() {
    let (world, names) = chain().await;
    for n in 1..4 {
        let room = pb::Room {
            store: world.store.clone(),
            display_name: format!("room {n}"),
            kind: "massage".to_owned(),
            ..Default::default()
        };
        let request = pb::CreateRoomRequest { room: Some(room), request_id: id() };
        world.catalog().create_room(with_token(request, &world.admin)).await.expect("a room");
    }
    for name in ["Lin", "Mei", "Wang", "Zhao"] {
        let therapist = world.create_therapist(name, "thai").await.name;
        world.create_shift(&therapist, at(28 * 24), at(28 * 24 + 2)).await.expect("a shift");
    }
    let wide = pb::SearchSlotsRequest {
        store: "stores/-".to_owned(),
        stores: names,
        party_size: Some(4),
        ..world.seek(at(0), at(31 * 24))
    };
    for (party_size, found) in [(4, 13), (5, 0)] {
        let (mut slots, mut page_token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let request = pb::SearchSlotsRequest { party_size: Some(party_size), page_token, ..wide.clone() };
            let page = world.bookings().search_slots(request).await.expect("a page").into_inner();
            slots.extend(page.slots);
            (page_token, pages) = (page.next_page_token, pages + 1);
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!((slots.len(), pages), (found, 2), "{party_size}");
        let own = pb::SearchSlotsRequest {
            store: world.store.clone(),
            party_size: Some(party_size),
            ..world.seek(at(28 * 24), at(29 * 24))
        };
        assert_eq!(world.found(own).await, slots);
    }
}

#[tokio::test]
async fn several_stores_are_searched_by_start_and_page_by_page() {
    let (world, names) = chain().await;
    let any = pb::SearchSlotsRequest { store: "stores/-".to_owned(), ..world.seek(at(0), at(24)) };
    let listed = pb::SearchSlotsRequest { stores: names.clone(), ..any.clone() };
    let all = world.found(listed.clone()).await;
    let mut each = Vec::new();
    for store in &names {
        each.extend(world.found(pb::SearchSlotsRequest { store: store.clone(), ..world.seek(at(0), at(24)) }).await);
    }
    each.sort_by_key(|slot| (slot.start_time.map(|at| at.seconds), slot.store.clone()));
    assert_eq!((all.len(), &all), (133 + 109 + 133, &each));
    let (mut paged, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::SearchSlotsRequest { page_size: 7, page_token, ..listed.clone() };
        let page = world.bookings().search_slots(request).await.expect("a page").into_inner();
        paged.extend(page.slots);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, all);
    let near = pb::SearchSlotsRequest { near: Some(LatLng { latitude: 31.22, longitude: 121.44 }), ..any.clone() };
    let found = world.found(near.clone()).await;
    assert!(found.iter().any(|slot| slot.store == names[1]) && found.iter().all(|slot| slot.store != names[2]));
    let nobody = pb::SearchSlotsRequest { radius_meters: 1, ..near.clone() };
    assert!(world.found(nobody).await.is_empty());
    let one = world.seek(at(0), at(24));
    for (wrong, at) in [
        (any.clone(), "near"),
        (pb::SearchSlotsRequest { stores: names.clone(), ..near.clone() }, "stores"),
        (pb::SearchSlotsRequest { near: near.near, ..one.clone() }, "near"),
        (pb::SearchSlotsRequest { stores: names.clone(), ..one.clone() }, "stores"),
        (pb::SearchSlotsRequest { radius_meters: 5, ..one.clone() }, "radius_meters"),
        (pb::SearchSlotsRequest { stores: vec!["shop".to_owned()], ..any.clone() }, "stores[0]"),
        (pb::SearchSlotsRequest { near: Some(LatLng { latitude: 91.0, longitude: 0.0 }), ..any }, "near.latitude"),
    ] {
        assert_eq!(field(&world.send_seek(wrong).await.expect_err(at)), at);
    }
}

#[tokio::test]
async fn an_edit_shows_at_once() {
    let world = World::new(2, 1).await;
    let seek = world.seek(at(0), at(24));
    assert_eq!(world.found(seek.clone()).await[0].therapists, world.therapists);
    world.retire_therapist(&world.therapists[0], "").await.expect("retired");
    assert_eq!(world.found(seek.clone()).await[0].therapists, world.therapists[1..]);
    let item = pb::Item { name: world.item.clone(), duration_minutes: 90, ..pb::Item::default() };
    world.update_item(item, &["duration_minutes"]).await.expect("longer");
    assert_eq!(starts(&world.found(seek.clone()).await).last(), Some(&at_minute(630)));
    let store = pb::Store { opening_hours: daily(12, 20), ..Default::default() };
    world.update_store(store, &["opening_hours"]).await.expect("changed");
    let slots = starts(&world.found(seek.clone()).await);
    assert_eq!((slots.first(), slots.last()), (Some(&at(2)), Some(&at_minute(510))));
    world.create_shift(&world.therapists[1], at(74), at(80)).await.expect("a shift");
    assert!(!world.found(world.seek(at(72), at(96))).await.is_empty());
}

#[tokio::test]
async fn a_store_that_wants_notice_gets_it_from_customers() {
    let world = World::new(1, 1).await;
    world.set_policy(pb::StorePolicy { lead_minutes: Some(90), hold_minutes: Some(7), ..Default::default() }).await;
    world.clock.set(at(2));
    let seek = world.seek(at(0), at(24));
    assert_eq!(starts(&world.found(seek.clone()).await)[0], at_minute(210));
    let desk = world.staff(Role::FrontDesk);
    let for_desk = world.bookings().search_slots(with_token(seek, &desk)).await.map(Response::into_inner);
    assert_eq!(starts(&for_desk.expect("an answer").slots)[0], at(2));
    let (customer, token) = member();
    let refused = world.send_hold(&token, world.hold(at(3))).await.expect_err("too soon");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "LEAD_TIME"));
    let held = world.send_hold(&token, world.hold(at_minute(210))).await.expect("held");
    assert_eq!(held.hold_expire_time, Some(to_timestamp(at(2) + SignedDuration::from_mins(7))));
    let by_desk = pb::HoldSlotRequest { customer: customer.name(), ..world.hold(at(2)) };
    world.send_hold(&desk, by_desk).await.expect("the desk needs no notice");
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_book_no_more_of_a_day_than_they_may() {
    let world = World::new(4, 4).await;
    world.set_policy(pb::StorePolicy { partner_quota: Some(2), ..Default::default() }).await;
    let desk = world.staff(Role::FrontDesk);
    let hold = |hours, partner: &str| pb::HoldSlotRequest {
        customer: member().0.name(),
        channel: Channel::Partner.into(),
        partner: partner.to_owned(),
        ..world.hold(at(hours))
    };
    let attempts = (0..8).map(|n| world.send_hold(&desk, hold(n, if n % 2 == 0 { "dianping" } else { "meituan" })));
    let (held, refused): (Vec<_>, Vec<_>) = join_all(attempts).await.into_iter().partition(Result::is_ok);
    assert_eq!(held.len(), 2);
    assert!(refused.iter().all(|refused| reason(refused.as_ref().expect_err("full")) == "QUOTA"), "{refused:?}");
    let seek = pb::SearchSlotsRequest { partner: "ctrip".to_owned(), ..world.seek(at(0), at(48)) };
    assert_eq!(starts(&world.found(seek).await)[0], at(24), "of the next day he may");
    world.send_hold(&desk, hold(25, "dianping")).await.expect("held");
    world.send_hold(&member().1, world.hold(at(3))).await.expect("members are no partners");
}

/// Two visits that don't overlap can be too much work together.
#[tokio::test(flavor = "multi_thread")]
async fn holds_at_the_same_moment_wear_nobody_out() {
    let world = World::new(1, 2).await;
    world.set_policy(pb::StorePolicy { max_minutes_per_day: Some(120), ..Default::default() }).await;
    for day in 0..3 {
        let attempts = (0..8).map(|n| async move { n }).map(|n| async {
            let (_, token) = member();
            world.send_hold(&token, world.hold(at(day * 24 + n.await))).await
        });
        let (held, refused): (Vec<_>, Vec<_>) = join_all(attempts).await.into_iter().partition(Result::is_ok);
        assert_eq!(held.len(), 2, "{refused:?}");
        assert!(refused.iter().all(|refused| reason(refused.as_ref().expect_err("enough")) == "WORK_LIMIT"));
    }
}
