//! The queue of those who come without a booking.

use std::time::Duration;

use booking::worker::{keep_queues, run_tasks};
use kernel::ids::MemberId;
use proto::{
    access::Role,
    booking::v1::{self as pb, booking::State as BookingState, queue_ticket::State},
};
use rpc::convert::to_timestamp;
use testkit::with_token;
use tonic::{Code, Request, Response, Status};

use crate::world::{World, at, at_minute, field, id, member, reason};

pub fn ask(world: &World, customer: MemberId) -> pb::JoinQueueRequest {
    pb::JoinQueueRequest {
        store: world.store.clone(),
        customer: customer.name(),
        item: world.item.clone(),
        request_id: id(),
        ..pb::JoinQueueRequest::default()
    }
}

pub async fn send(world: &World, request: pb::JoinQueueRequest) -> Result<pb::QueueTicket, Status> {
    world.walk_ins().join_queue(with_token(request, &world.admin)).await.map(Response::into_inner)
}

pub async fn join(world: &World, tier: u8) -> pb::QueueTicket {
    let (customer, _) = member();
    world.fake.tiers.lock().expect("not poisoned").insert(customer, tier);
    world.clock.advance(Duration::from_secs(1));
    send(world, ask(world, customer)).await.expect("a ticket")
}

pub async fn call(world: &World) -> Result<pb::QueueTicket, Status> {
    let request = pb::CallNextRequest { store: world.store.clone(), request_id: id() };
    world.walk_ins().call_next(with_token(request, &world.staff(Role::FrontDesk))).await.map(Response::into_inner)
}

/// The desk passes a ticket over.
pub fn skipping(world: &World, name: &str) -> Request<pb::SkipTicketRequest> {
    let request = pb::SkipTicketRequest { name: name.to_owned(), request_id: id() };
    with_token(request, &world.staff(Role::FrontDesk))
}

pub async fn skip(world: &World, name: &str) -> Result<pb::QueueTicket, Status> {
    world.walk_ins().skip_ticket(skipping(world, name)).await.map(Response::into_inner)
}

async fn leave(world: &World, name: &str) -> Result<pb::QueueTicket, Status> {
    let request = pb::LeaveQueueRequest { name: name.to_owned(), request_id: id() };
    world.walk_ins().leave_queue(with_token(request, &world.staff(Role::FrontDesk))).await.map(Response::into_inner)
}

async fn queue(world: &World) -> Vec<pb::QueueTicket> {
    let request = pb::ListQueueTicketsRequest { store: world.store.clone() };
    let reply = world.walk_ins().list_queue_tickets(with_token(request, &world.staff(Role::FrontDesk))).await;
    reply.expect("a list").into_inner().tickets
}

async fn check(world: &World) {
    assert_eq!(world.overlaps().await, 0);
    let versions = "select (select count(*) from queue_ticket t where version <>
                            (select count(*) from outbox o where o.aggregate_id = t.id)) +
                           (select count(*) from booking b where version <>
                            (select count(*) from outbox o where o.aggregate_id = b.id))";
    assert_eq!(world.count(versions).await, 0);
}

#[tokio::test]
async fn each_is_told_when_he_can_begin_and_is_called_in_turn() {
    let world = World::new(1, 1).await;
    world.clock.set(at(1));
    let (first, second) = (join(&world, 0).await, join(&world, 0).await);
    assert_eq!((first.number, first.position, first.wait_minutes), (1, 1, 5));
    assert_eq!(first.expected_time, Some(to_timestamp(at_minute(65))));
    // The room is ready again 15 minutes after an hour's massage.
    assert_eq!((second.number, second.position, second.wait_minutes), (2, 2, 80));
    assert_eq!(second.quoted_time, Some(to_timestamp(at_minute(140))));
    let shown = pb::ShowQueueRequest { store: world.store.clone() };
    let shown = world.walk_ins().show_queue(shown).await.expect("public").into_inner();
    assert_eq!(shown.places.iter().map(|place| place.number).collect::<Vec<_>>(), [1, 2]);

    let called = call(&world).await.expect("due");
    assert_eq!((&called.name, called.state()), (&first.name, State::Called));
    let visit = world.get(&called.booking).await;
    assert_eq!((visit.state(), visit.channel()), (BookingState::CheckedIn, pb::booking::Channel::WalkIn));
    assert_eq!(visit.deposit.map(|deposit| (deposit.units, deposit.nanos)), Some((0, 0)));
    assert_eq!(visit.start_time, Some(to_timestamp(at_minute(65))));
    run_tasks(&world.app).await.expect("tasks");
    assert_eq!(world.fake.open_orders().len(), 1);
    assert_eq!(world.get(&called.booking).await.state(), BookingState::CheckedIn);
    let refused = call(&world).await.expect_err("the room is taken");
    assert_eq!(reason(&refused), "NOBODY_DUE");
    let waiting = queue(&world).await;
    assert_eq!(waiting.iter().map(|ticket| (ticket.position, &ticket.name)).collect::<Vec<_>>(), [(1, &second.name)]);
    world.clock.set(at_minute(140));
    assert_eq!(call(&world).await.expect("due").name, second.name);
    check(&world).await;
}

#[tokio::test]
async fn walk_ins_never_delay_an_appointment() {
    let world = World::new(1, 1).await;
    let booking = world.confirmed(&member().1, at(2)).await;
    world.clock.set(at_minute(70));
    let ticket = join(&world, 0).await;
    // Fifty minutes are too little for an hour and the cleaning after it.
    assert_eq!(ticket.expected_time, Some(to_timestamp(at_minute(195))));
    assert_eq!(reason(&call(&world).await.expect_err("not yet")), "NOBODY_DUE");
    let urgent = pb::JoinQueueRequest { urgent_reason: "back pain".to_owned(), ..ask(&world, member().0) };
    let urgent = send(&world, urgent).await.expect("a ticket");
    assert_eq!((urgent.position, urgent.expected_time), (1, Some(to_timestamp(at_minute(195)))));
    assert_eq!(reason(&call(&world).await.expect_err("not yet")), "NOBODY_DUE");
    let kept = world.get(&booking.name).await;
    assert_eq!((kept.start_time, kept.room), (booking.start_time, booking.room));
    // As soon as it is given up, its time is theirs.
    world.cancel(&world.admin, &booking.name).await.expect("cancelled");
    assert_eq!(call(&world).await.expect("due").name, urgent.name);
    check(&world).await;
}

#[tokio::test]
async fn whoever_is_called_leaves_those_before_him_what_they_were_promised() {
    let world = World::new(2, 2).await;
    world.clock.set(at(1));
    let steam = pb::Room {
        store: world.store.clone(),
        display_name: "steam".to_owned(),
        kind: "steam".to_owned(),
        ..pb::Room::default()
    };
    let request = pb::CreateRoomRequest { room: Some(steam), request_id: id() };
    let steam = world.catalog().create_room(with_token(request, &world.admin)).await.expect("a room").into_inner();
    let item = world.create_item("thai", "steam").await.name;
    let mended = pb::Block {
        resource: steam.name,
        kind: pb::block::Kind::Maintenance.into(),
        start_time: Some(to_timestamp(at(1))),
        end_time: Some(to_timestamp(at_minute(80))),
        ..pb::Block::default()
    };
    let request = pb::CreateBlockRequest { block: Some(mended), request_id: id() };
    world.roster().create_block(with_token(request, &world.admin)).await.expect("a block");
    // She waits for the room, and then for the therapist whom anybody else would be given.
    let wish = pb::JoinQueueRequest { item, therapist: world.therapists[0].clone(), ..ask(&world, member().0) };
    let before = send(&world, wish).await.expect("a ticket");
    assert_eq!(before.expected_time, Some(to_timestamp(at_minute(85))));
    let after = join(&world, 0).await;
    let called = call(&world).await.expect("due");
    assert_eq!(called.name, after.name);
    assert_eq!(world.get(&called.booking).await.therapist, world.therapists[1]);
    assert_eq!(queue(&world).await[0].expected_time, before.expected_time);
    check(&world).await;
}

#[tokio::test]
async fn who_comes_at_one_moment_keeps_his_place_when_another_is_called() {
    let world = World::new(1, 1).await;
    world.clock.set(at(1));
    let mut order = Vec::new();
    for tier in [0, 0, 1, 0, 2, 0, 0, 1] {
        let (customer, _) = member();
        world.fake.tiers.lock().expect("not poisoned").insert(customer, tier);
        send(&world, ask(&world, customer)).await.expect("a ticket");
        let now: Vec<String> = queue(&world).await.into_iter().map(|ticket| ticket.name).collect();
        assert_eq!(
            now.iter().filter(|name| order.contains(*name)).collect::<Vec<_>>(),
            order.iter().collect::<Vec<_>>()
        );
        order = now;
    }
    for passed in order.clone() {
        skip(&world, &passed).await.expect("passed over");
        order.rotate_left(1);
        let now: Vec<String> = queue(&world).await.into_iter().map(|ticket| ticket.name).collect();
        assert_eq!(now, order);
    }
    check(&world).await;
}

#[tokio::test]
async fn higher_tiers_overtake_some_and_the_urgent_all() {
    let world = World::new(1, 1).await;
    world.clock.set(at(1));
    let [a, b, c] = [join(&world, 0).await, join(&world, 0).await, join(&world, 0).await];
    let gold = join(&world, 2).await;
    let silver = join(&world, 1).await;
    assert_eq!((gold.position, silver.position), (2, 4));
    let order: Vec<String> = queue(&world).await.into_iter().map(|ticket| ticket.name).collect();
    assert_eq!(order, [&a, &gold, &b, &silver, &c].map(|ticket| ticket.name.clone()));
    // Whoever has waited for twenty minutes is overtaken no more.
    world.clock.advance(Duration::from_secs(20 * 60));
    let platinum = join(&world, 3).await;
    assert_eq!(platinum.position, 6);
    check(&world).await;
}

#[tokio::test]
async fn whoever_does_not_answer_goes_to_the_end_and_off_in_the_end() {
    let world = World::new(2, 2).await;
    world.clock.set(at(1));
    let (first, second) = (join(&world, 0).await, join(&world, 0).await);
    world.clock.advance(Duration::from_secs(1));
    let skipped = skip(&world, &first.name).await.expect("passed over");
    assert_eq!((skipped.position, skipped.skip_count), (2, 1));
    assert_eq!(leave(&world, &second.name).await.expect("left").state(), State::Left);
    skip(&world, &first.name).await.expect("passed over");
    assert_eq!(skip(&world, &first.name).await.expect("passed over").state(), State::Lapsed);
    let refused = skip(&world, &first.name).await.expect_err("he waits no more");
    assert_eq!(reason(&refused), "WRONG_STATE");
    check(&world).await;
}

#[tokio::test]
async fn nobody_waits_when_the_store_has_closed() {
    let world = World::new(1, 1).await;
    world.clock.set(at(8));
    let [first, last] = [join(&world, 0).await, join(&world, 0).await];
    call(&world).await.expect("due");
    world.clock.set(at(12));
    keep_queues(&world.app).await.expect("ended");
    let request = pb::GetQueueTicketRequest { name: last.name };
    let desk = world.staff(Role::FrontDesk);
    let over = world.walk_ins().get_queue_ticket(with_token(request, &desk)).await.expect("a ticket").into_inner();
    assert_eq!((over.state(), first.number), (State::Over, 1));
    check(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_desks_call_each_ticket_once() {
    let world = World::new(3, 3).await;
    world.clock.set(at(1));
    for _ in 0..5 {
        join(&world, 0).await;
    }
    let call = || call(&world);
    let (a, b, c, d, e, f, g, h) = tokio::join!(call(), call(), call(), call(), call(), call(), call(), call());
    let called = [a, b, c, d, e, f, g, h];
    let due = called.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(due, 3);
    for refused in called.into_iter().filter_map(Result::err) {
        assert_eq!(reason(&refused), "NOBODY_DUE", "{refused:?}");
    }
    assert_eq!(world.count("select count(distinct booking_id) from queue_ticket where state = 'CALLED'").await, 3);
    check(&world).await;
}

#[tokio::test]
async fn bad_input_is_named_and_changes_nothing() {
    let world = World::new(1, 1).await;
    world.clock.set(at(1));
    let (customer, _) = member();
    let good = ask(&world, customer);
    let wrong = [
        (pb::JoinQueueRequest { customer: String::new(), ..good.clone() }, "customer"),
        (pb::JoinQueueRequest { item: String::new(), ..good.clone() }, "item"),
        (pb::JoinQueueRequest { urgent_reason: "x".repeat(201), ..good.clone() }, "urgent_reason"),
        (pb::JoinQueueRequest { therapist: format!("therapists/{}", id()), ..good.clone() }, "therapist"),
        (pb::JoinQueueRequest { request_id: String::new(), ..good.clone() }, "request_id"),
    ];
    for (request, named) in wrong {
        let refused = send(&world, request).await.expect_err("refused");
        assert_eq!((refused.code(), field(&refused).as_str()), (Code::InvalidArgument, named), "{refused:?}");
    }
    world.fake.strangers.lock().expect("not poisoned").push(customer);
    assert_eq!(send(&world, good.clone()).await.expect_err("unknown").code(), Code::NotFound);
    world.fake.strangers.lock().expect("not poisoned").clear();
    assert_eq!(world.count("select count(*) from queue_ticket").await, 0);

    let ticket = send(&world, good.clone()).await.expect("a ticket");
    assert_eq!(send(&world, good).await.expect("the same").name, ticket.name);
    assert_eq!(reason(&send(&world, ask(&world, customer)).await.expect_err("twice")), "IN_QUEUE");
    world.clock.set(at(12) - jiff::SignedDuration::from_mins(30));
    let late = send(&world, ask(&world, member().0)).await.expect_err("the store closes");
    assert_eq!(reason(&late), "NO_TIME_TODAY");
    world.clock.set(at(13));
    let closed = send(&world, ask(&world, member().0)).await.expect_err("the store is closed");
    assert_eq!(reason(&closed), "OUTSIDE_OPENING_HOURS");
}
