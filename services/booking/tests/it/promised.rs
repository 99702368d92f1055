//! What was promised to a customer, and what a visit costs, when it is moved.

use std::sync::{Arc, atomic::Ordering};

use booking::worker::run_tasks;
use proto::{
    access::Role,
    booking::v1::{self as pb, Sex, booking::State},
};
use rpc::convert::{money, to_money, to_timestamp};
use testkit::with_token;
use tonic::{Code, Status};

use crate::{
    fakes::Asked,
    world::{World, at, at_minute, cny, fact, field, id, member, reason},
};

fn fen(amount: &Option<proto::google::r#type::Money>) -> i64 {
    money("amount", amount.as_ref()).expect("an amount").minor()
}

async fn propose(world: &World, token: &str, name: &str) -> Result<Vec<pb::Proposal>, Status> {
    let request = pb::ProposeTimesRequest {
        name: name.to_owned(),
        start_time: Some(to_timestamp(at(0))),
        end_time: Some(to_timestamp(at(12))),
        page_size: 100,
    };
    Ok(world.life().propose_times(with_token(request, token)).await?.into_inner().proposals)
}

/// Another start, for no more than this.
async fn for_at_most(world: &World, token: &str, name: &str, hour: i64, minor: i64) -> Result<pb::Booking, Status> {
    let request = pb::RescheduleBookingRequest {
        name: name.to_owned(),
        start_time: Some(to_timestamp(at(hour))),
        max_price: Some(to_money(cny(minor))),
        request_id: id(),
        ..Default::default()
    };
    world.life().reschedule_booking(with_token(request, token)).await.map(tonic::Response::into_inner)
}

async fn therapist(world: &World, name: &str, sex: Sex, grade: i32, language: &str) -> String {
    let therapist = pb::Therapist {
        store: world.store.clone(),
        display_name: name.to_owned(),
        grade,
        sex: sex.into(),
        skills: vec!["thai".to_owned()],
        languages: vec![language.to_owned()],
        ..pb::Therapist::default()
    };
    let request = pb::CreateTherapistRequest { therapist: Some(therapist), request_id: id() };
    let created = world.catalog().create_therapist(with_token(request, &world.admin)).await.expect("a therapist");
    let name = created.into_inner().name;
    world.create_shift(&name, at(0), at(14)).await.expect("a shift");
    name
}

/// A store where the evening, from 17:00 on, costs 300 instead of 200 yuan.
async fn with_dear_evenings() -> World {
    let world = World::new(1, 1).await;
    dear_evenings(&world).await;
    world
}

async fn dear_evenings(world: &World) {
    let hours = |hours| Some(proto::google::r#type::TimeOfDay { hours, ..Default::default() });
    let daypart = pb::Daypart { start_time: hours(17), end_time: hours(22), ..Default::default() };
    let price = pb::ItemPrice { daypart: Some(daypart), price: Some(to_money(cny(30_000))), ..Default::default() };
    let item = pb::Item { name: world.item.clone(), prices: vec![price], ..pb::Item::default() };
    world.update_item(item, &["prices"]).await.expect("changed");
}

#[tokio::test]
async fn whoever_gives_a_moved_visit_is_as_the_customer_wished() {
    let world = World::new(0, 3).await;
    let lin = therapist(&world, "Lin", Sex::Female, 3, "en").await;
    let wu = therapist(&world, "Wu", Sex::Male, 3, "en").await;
    let he = therapist(&world, "He", Sex::Female, 2, "en").await;
    let (_, token) = member();
    let wish = pb::booking::Wish { sex: Sex::Female.into(), min_grade: 3, language: "en".to_owned() };
    let mut request = pb::HoldSlotRequest { min_grade: 3, language: "en".to_owned(), ..world.hold(at(3)) };
    request.set_sex(Sex::Female);
    let held = world.send_hold(&token, request).await.expect("held");
    assert_eq!((&held.therapist, held.requested, held.wish.as_ref()), (&lin, false, Some(&wish)));
    let busy = pb::HoldSlotRequest { therapist: lin.clone(), ..world.hold(at(6)) };
    world.send_hold(&member().1, busy).await.expect("held");
    let refused = world.reschedule(&token, &held.name, at(6)).await.expect_err("only Lin will do");
    assert_eq!(reason(&refused), "SLOT_TAKEN");
    let proposals = propose(&world, &token, &held.name).await.expect("proposals");
    assert!(!proposals.is_empty() && proposals.iter().all(|proposal| proposal.therapist == lin));
    assert!(!proposals.iter().any(|proposal| proposal.start_time == Some(to_timestamp(at(6)))));
    let moved = world.reschedule(&token, &held.name, at(8)).await.expect("rescheduled");
    assert_eq!((&moved.therapist, moved.wish.as_ref()), (&lin, Some(&wish)));
    // Whoever is asked for by name need not be like that, nor whoever staff choose.
    let by_name = pb::RescheduleBookingRequest {
        name: held.name.clone(),
        start_time: Some(to_timestamp(at(6))),
        therapist: wu.clone(),
        request_id: id(),
        ..Default::default()
    };
    let moved = world.life().reschedule_booking(with_token(by_name, &token)).await.expect("by name").into_inner();
    assert_eq!((&moved.therapist, moved.requested), (&wu, true));
    let by_staff = pb::MoveBookingRequest {
        name: held.name.clone(),
        therapist: he.clone(),
        request_id: id(),
        ..Default::default()
    };
    let moved = world.life().move_booking(with_token(by_staff, &world.admin)).await.expect("moved").into_inner();
    assert_eq!((&moved.therapist, moved.requested), (&he, false));
    // From then on the wish counts again.
    assert_eq!(world.reschedule(&token, &held.name, at(9)).await.expect("rescheduled").therapist, lin);
    assert_eq!(world.send_hold(&member().1, world.hold(at(1))).await.expect("held").wish, None);
}

#[tokio::test]
async fn each_guest_of_a_group_keeps_his_wish() {
    let world = World::new(0, 2).await;
    let lin = therapist(&world, "Lin", Sex::Female, 3, "zh").await;
    let wu = therapist(&world, "Wu", Sex::Male, 3, "zh").await;
    let guest = |sex: Sex| pb::GroupGuest { item: world.item.clone(), sex: sex.into(), ..Default::default() };
    let mut request = pb::HoldGroupRequest {
        store: world.store.clone(),
        guests: vec![guest(Sex::Male), guest(Sex::Female)],
        start_time: Some(to_timestamp(at(3))),
        request_id: id(),
        ..Default::default()
    };
    request.set_payer(pb::booking_group::Payer::One);
    let group = world.groups().hold_group(with_token(request, &member().1)).await.expect("held").into_inner();
    let given: Vec<_> = group
        .bookings
        .iter()
        .map(|booking| (&booking.therapist, booking.wish.as_ref().map(|wish| wish.sex())))
        .collect();
    assert_eq!(given, [(&wu, Some(Sex::Male)), (&lin, Some(Sex::Female))]);
}

#[tokio::test]
async fn the_price_is_that_of_the_new_time_and_the_order_follows() {
    let world = with_dear_evenings().await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    assert_eq!((fen(&booking.list_price), fen(&booking.price)), (20_000, 16_000));
    let proposals = propose(&world, &token, &booking.name).await.expect("proposals");
    for proposal in &proposals {
        let evening = proposal.start_time.expect("a start").seconds >= at(7).as_second();
        assert_eq!(fen(&proposal.price), if evening { 24_000 } else { 16_000 });
    }
    assert!(proposals.iter().any(|proposal| fen(&proposal.price) == 24_000));
    let refused = for_at_most(&world, &token, &booking.name, 8, 23_999).await.expect_err("dearer than shown");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "PRICE_ROSE"));
    assert_eq!(fact(&refused, "price_minor"), "24000");
    assert_eq!(world.get(&booking.name).await, booking);
    let dearer = for_at_most(&world, &token, &booking.name, 8, 24_000).await.expect("rescheduled");
    assert_eq!((fen(&dearer.list_price), fen(&dearer.price), fen(&dearer.deposit)), (30_000, 24_000, 3_200));
    let order = kernel::ids::OrderId::parse_name("order", &booking.order).expect("an order");
    assert_eq!(world.fake.asked().last(), Some(&Asked::Amend(order, cny(8_000))));
    let cheaper = world.reschedule(&token, &booking.name, at(4)).await.expect("rescheduled");
    assert_eq!((fen(&cheaper.list_price), fen(&cheaper.price)), (20_000, 16_000));
    assert_eq!(world.fake.asked().last(), Some(&Asked::Amend(order, cny(-8_000))));
    assert_eq!(world.fake.quotes(), 1, "no coupon is kept twice");
}

#[tokio::test]
async fn where_the_time_makes_no_difference_the_price_stays_as_agreed() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    let item = pb::Item { name: world.item.clone(), price: Some(to_money(cny(50_000))), ..pb::Item::default() };
    world.update_item(item, &["price"]).await.expect("changed");
    let moved = world.reschedule(&token, &booking.name, at(5)).await.expect("rescheduled");
    assert_eq!((moved.list_price, moved.price), (booking.list_price, booking.price));
    assert!(!world.fake.asked().iter().any(|asked| matches!(asked, Asked::Amend(..))));
    let dear = pb::Item { name: world.item.clone(), price: Some(to_money(cny(20_000))), ..pb::Item::default() };
    world.update_item(dear, &["price"]).await.expect("changed");
    // Never less than the deposit, of which so much is due already.
    let item = pb::Item {
        name: world.item.clone(),
        prices: vec![pb::ItemPrice { grade: 5, price: Some(to_money(cny(100))), ..Default::default() }],
        ..pb::Item::default()
    };
    world.update_item(item, &["prices"]).await.expect("changed");
    let master = therapist(&world, "Master", Sex::Female, 5, "zh").await;
    let request = pb::RescheduleBookingRequest {
        name: booking.name.clone(),
        therapist: master,
        request_id: id(),
        ..Default::default()
    };
    let moved = world.life().reschedule_booking(with_token(request, &token)).await.expect("rescheduled").into_inner();
    assert_eq!((fen(&moved.list_price), fen(&moved.price)), (3_200, 3_200));
}

#[tokio::test]
async fn an_order_that_is_made_late_is_made_as_agreed_and_then_amended() {
    let world = with_dear_evenings().await;
    let (_, token) = member();
    world.fake.payment_down.store(true, Ordering::Relaxed);
    let held = world.send_hold(&token, world.hold(at(3))).await.expect("held");
    assert_eq!(held.state(), State::Held);
    let dearer = world.reschedule(&token, &held.name, at(8)).await.expect("rescheduled");
    assert_eq!(fen(&dearer.price), 24_000);
    world.fake.payment_down.store(false, Ordering::Relaxed);
    world.clock.advance(std::time::Duration::from_secs(60));
    while run_tasks(&world.app).await.expect("done") > 0 {
        world.clock.advance(std::time::Duration::from_secs(60));
    }
    let asked = world.fake.asked();
    let [Asked::Create(made), Asked::Amend(order, difference)] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert_eq!((made.price, made.id, *difference), (cny(16_000), *order, cny(8_000)));
}

/// The menu changes while marketing is asked: the plan does not hold, and the next costs something else.
#[tokio::test]
async fn a_plan_at_another_price_leaves_no_quote_behind() {
    let world = Arc::new(World::new(1, 1).await);
    let edited = Arc::clone(&world);
    world.fake.meanwhile.set(async move { dear_evenings(&edited).await });
    let held = world.send_hold(&member().1, world.hold(at(8))).await.expect("held");
    assert_eq!((fen(&held.price), world.fake.quotes()), (24_000, 2));
    let open: Vec<_> = world.fake.open_quotes().iter().map(|quote| quote.name()).collect();
    assert_eq!(open, [held.quote]);
}

#[tokio::test]
async fn whoever_moves_late_can_not_give_up_for_less() {
    let world = World::new(1, 1).await;
    let (customer, token) = member();
    let booking = world.confirmed(&token, at(3)).await;
    world.clock.set(at_minute(130));
    // Too late for himself; the desk does it for him.
    assert_eq!(reason(&world.reschedule(&token, &booking.name, at(9)).await.expect_err("late")), "TOO_LATE");
    world.reschedule(&world.staff(Role::FrontDesk), &booking.name, at(9)).await.expect("for him");
    let preview = |token: String| {
        let request = pb::PreviewCancelRequest { name: booking.name.clone(), reason: 0 };
        let mut client = world.life();
        async move { client.preview_cancel(with_token(request, &token)).await.expect("a preview").into_inner() }
    };
    assert_eq!(fen(&preview(token.clone()).await.fee), 3_200);
    assert_eq!(fen(&preview(world.staff(Role::FrontDesk)).await.fee), 0, "at the store's wish");
    // What the store moves as it needs costs no more.
    let other = world.confirmed(&testkit::keys().member_token(customer), at_minute(270)).await;
    world.clock.set(at_minute(220));
    let request = pb::MoveBookingRequest {
        name: other.name.clone(),
        start_time: Some(to_timestamp(at(7))),
        request_id: id(),
        ..Default::default()
    };
    world.life().move_booking(with_token(request, &world.admin)).await.expect("moved");
    let request = pb::PreviewCancelRequest { name: other.name, reason: 0 };
    let shown = world.life().preview_cancel(with_token(request, &token)).await.expect("a preview").into_inner();
    assert_eq!(fen(&shown.fee), 0);
}

#[tokio::test]
async fn nobody_moves_his_visit_once_it_should_have_begun() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    // Giving it up always costs the same.
    let tier = "insert into cancellation_tier select id, null, 0, 1000 from store";
    sqlx::query(tier).execute(world.app.pg.pool()).await.expect("a tier");
    let booking = world.confirmed(&token, at(3)).await;
    world.clock.set(at_minute(179));
    world.reschedule(&token, &booking.name, at_minute(185)).await.expect("up to the start");
    world.clock.set(at_minute(185));
    let refused = world.reschedule(&token, &booking.name, at(6)).await.expect_err("it should have begun");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "TOO_LATE"));
    assert_eq!(reason(&propose(&world, &token, &booking.name).await.expect_err("too")), "TOO_LATE");
    world.reschedule(&world.staff(Role::FrontDesk), &booking.name, at(6)).await.expect("by staff");
}

#[tokio::test]
async fn nobody_is_checked_in_days_ahead() {
    let world = World::new(1, 1).await;
    let booking = world.confirmed(&member().1, at(3)).await;
    let check_in = || async {
        let request = pb::CheckInBookingRequest { name: booking.name.clone(), request_id: id() };
        world.bookings().check_in_booking(with_token(request, &world.admin)).await
    };
    world.clock.set(at_minute(119));
    let refused = check_in().await.expect_err("too early");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "TOO_EARLY"));
    assert_eq!(fact(&refused, "time"), at(2).to_string());
    world.set_policy(pb::StorePolicy { check_in_minutes: Some(61), ..Default::default() }).await;
    assert_eq!(check_in().await.expect("checked in").into_inner().state(), State::CheckedIn);
}

/// The deposit arrives between asking what was paid and giving up.
#[tokio::test]
async fn what_is_paid_meanwhile_counts_before_a_visit_is_given_up() {
    let world = Arc::new(World::new(1, 1).await);
    let (_, token) = member();
    world.clock.set(at_minute(125));
    let held = world.send_hold(&token, world.hold(at(3))).await.expect("held");
    let (paying, booking) = (Arc::clone(&world), held.clone());
    world.fake.meanwhile.set(async move {
        paying.fake.pay(&booking.order, 3_200);
        paying.paid(&booking, 3_200).await;
    });
    let request = pb::CancelBookingRequest {
        name: held.name.clone(),
        max_fee: Some(to_money(cny(0))),
        request_id: id(),
        ..Default::default()
    };
    let refused = world.bookings().cancel_booking(with_token(request, &token)).await.expect_err("it costs by now");
    assert_eq!((reason(&refused).as_str(), fact(&refused, "fee_minor").as_str()), ("FEE_ROSE", "3200"));
    assert_eq!(world.get(&held.name).await.state(), State::Confirmed);
}

#[tokio::test]
async fn overbooking_overlaps_visits_and_never_breaks() {
    let world = World::new(1, 2).await;
    world.create_block(&world.therapists[0], at(3), at(4)).await.expect("a break");
    let manager = world.staff(Role::StoreManager);
    let overbook = |start| pb::HoldSlotRequest {
        customer: member().0.name(),
        overbook_reason: "she insists".to_owned(),
        ..world.hold(start)
    };
    let refused = world.send_hold(&manager, overbook(at_minute(210))).await.expect_err("she has her break");
    assert_eq!(reason(&refused), "SLOT_TAKEN");
    world.send_hold(&member().1, world.hold(at(5))).await.expect("held");
    assert!(world.send_hold(&manager, overbook(at_minute(330))).await.expect("held").overbooked);
    assert_eq!(
        reason(&world.send_hold(&manager, overbook(at(13))).await.expect_err("closed")),
        "OUTSIDE_OPENING_HOURS"
    );
}

#[tokio::test]
async fn a_customer_can_not_book_as_a_partner() {
    let world = World::new(1, 1).await;
    let (customer, token) = member();
    let mut request = pb::HoldSlotRequest { partner: "dianping".to_owned(), ..world.hold(at(3)) };
    request.set_channel(pb::booking::Channel::Partner);
    let refused = world.send_hold(&token, request.clone()).await.expect_err("the store says so");
    assert_eq!((refused.code(), field(&refused).as_str()), (Code::InvalidArgument, "partner"));
    let nameless = pb::HoldSlotRequest { partner: String::new(), ..request.clone() };
    assert_eq!(field(&world.send_hold(&token, nameless).await.expect_err("nor so")), "channel");
    let by_desk = pb::HoldSlotRequest { customer: customer.name(), ..request };
    world.send_hold(&world.staff(Role::FrontDesk), by_desk).await.expect("held");
}
