//! What a customer is told about a visit that changes, and of which changes he is told nothing.

use std::time::Duration;

use feed::Event;
use kernel::Timestamp;
use proto::marketing::v1::message::{
    Kind::{self, BookingConfirmed, BookingMoved, BookingReminder, BookingRescheduled},
    State::{self, Cancelled, Scheduled, Sent},
};
use rpc::convert::to_timestamp;
use testkit::START;

use crate::{
    support::{PHONE, World, member},
    visits::{Told, Visit},
};

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

fn after(hours: u32) -> Timestamp {
    START + hours * HOUR
}

/// The customer's messages with the times at which they go or went, by kind and time.
async fn told(world: &World, visit: &Visit) -> Vec<(Kind, State, Option<prost_types::Timestamp>)> {
    let customer = kernel::ids::MemberId::parse_name("customer", &visit.facts.customer).expect("a member");
    let messages = world.messages(customer).await;
    let mut told: Vec<_> =
        messages.iter().map(|message| (message.kind(), message.state(), message.send_time)).collect();
    told.sort_by_key(|(kind, _, time)| (i32::from(*kind), time.map(|time| time.seconds)));
    told
}

#[tokio::test]
async fn a_rescheduled_visit_is_told_of_and_its_reminder_moves_along() {
    let world = World::new().await;
    let visit = Visit::new(&world, member(), "");
    world.tell(&visit, &[(Told::Held, 1), (Told::AwaitingPayment, 2), (Told::Confirmed, 3)]).await;
    assert_eq!(world.send().await, 1);
    world.clock.advance(HOUR);
    let moved = visit.moved_to(after(8));
    world.tell(&moved, &[(Told::Rescheduled, 4)]).await;
    assert_eq!(world.send().await, 1);
    let now = |time| Some(to_timestamp(time));
    assert_eq!(
        told(&world, &visit).await,
        [
            (BookingConfirmed, Sent, now(START)),
            (BookingReminder, Cancelled, now(after(4))),
            (BookingReminder, Scheduled, now(after(7))),
            (BookingRescheduled, Sent, now(after(1))),
        ]
    );
    world.clock.advance(3 * HOUR);
    assert_eq!(world.send().await, 0, "nothing at the old time");
    world.clock.advance(3 * HOUR);
    assert_eq!(world.send().await, 1);
    let inbox = world.mailbox(PHONE).await.expect("the mailbox");
    let texts: Vec<_> = inbox.iter().map(|letter| letter.body.as_str()).take(2).collect();
    assert_eq!(
        texts,
        [
            "A reminder of your visit: Swedish massage with Lin at Jing'an, Monday, 1 March, 17:00.",
            "Your visit is rescheduled: Swedish massage with Lin at Jing'an, now Monday, 1 March, 17:00. \
             We look forward to seeing you.",
        ]
    );
}

#[tokio::test]
async fn a_visit_may_come_back_to_its_first_time() {
    let world = World::new().await;
    let visit = Visit::new(&world, member(), "");
    world.tell(&visit, &[(Told::Confirmed, 3)]).await;
    world.send().await;
    world.clock.advance(MINUTE);
    world.tell(&visit.moved_to(after(8)), &[(Told::Rescheduled, 4)]).await;
    world.send().await;
    world.clock.advance(MINUTE);
    world.tell(&visit, &[(Told::Rescheduled, 5)]).await;
    world.send().await;
    world.clock.advance(4 * HOUR - 2 * MINUTE);
    assert_eq!(world.send().await, 1, "the reminder of the first time is due after all");
    let inbox = world.mailbox(PHONE).await.expect("the mailbox");
    let kinds: Vec<_> = inbox.iter().map(|letter| letter.kind()).collect();
    assert_eq!(kinds, [BookingReminder, BookingRescheduled, BookingRescheduled, BookingConfirmed]);
}

#[tokio::test]
async fn the_store_says_sorry_for_another_time_or_therapist_and_nothing_of_another_room() {
    let world = World::new().await;
    let visit = Visit::new(&world, member(), "");
    world.tell(&visit, &[(Told::Confirmed, 3)]).await;
    world.send().await;
    world.clock.advance(MINUTE);
    // Only the room is another.
    world.tell(&visit, &[(Told::Moved, 4)]).await;
    assert_eq!(world.send().await, 0);
    let other = visit.given_by("Wang");
    world.tell(&other, &[(Told::Moved, 5)]).await;
    assert_eq!(world.send().await, 1);
    world.clock.advance(4 * HOUR - MINUTE);
    assert_eq!(world.send().await, 1);
    let inbox = world.mailbox(PHONE).await.expect("the mailbox");
    assert_eq!(
        inbox.iter().map(|letter| letter.kind()).collect::<Vec<_>>(),
        [BookingReminder, BookingMoved, BookingConfirmed]
    );
    assert_eq!(
        inbox[0].body,
        "A reminder of your visit: Swedish massage with Wang at Jing'an, Monday, 1 March, 14:00."
    );
    assert!(inbox[1].body.starts_with("We had to change your visit, and are sorry: Swedish massage with Wang"));
}

/// Two changes whose events arrive swapped: the older tells nothing any more, and still the customer hears of the time.
#[tokio::test]
async fn a_change_that_comes_too_late_is_not_lost() {
    let world = World::new().await;
    let visit = Visit::new(&world, member(), "");
    world.tell(&visit, &[(Told::Confirmed, 3)]).await;
    world.send().await;
    world.clock.advance(MINUTE);
    let moved = visit.moved_to(after(8));
    // In version 5 the room is another, after the new time of version 4.
    world.tell(&moved, &[(Told::Moved, 5), (Told::Rescheduled, 4)]).await;
    assert_eq!(world.send().await, 1);
    let inbox = world.mailbox(PHONE).await.expect("the mailbox");
    assert!(inbox[0].body.contains("now Monday, 1 March, 17:00"), "{}", inbox[0].body);

    // The confirmation comes after the new time: it is the new time that is confirmed.
    let late = Visit::new(&world, member(), "");
    world.tell(&late.moved_to(after(9)), &[(Told::Rescheduled, 4)]).await;
    world.tell(&late, &[(Told::Confirmed, 3)]).await;
    assert_eq!(
        told(&world, &late).await.into_iter().map(|(kind, state, _)| (kind, state)).collect::<Vec<_>>(),
        [(BookingConfirmed, Scheduled), (BookingReminder, Scheduled)]
    );
}

#[tokio::test]
async fn what_was_not_sent_yet_is_called_back_when_the_visit_changes() {
    let world = World::new().await;
    let visit = Visit::new(&world, member(), "");
    world.tell(&visit, &[(Told::Confirmed, 3)]).await;
    world.tell(&visit.moved_to(after(8)), &[(Told::Rescheduled, 4)]).await;
    world.tell(&visit.moved_to(after(9)), &[(Told::Rescheduled, 5)]).await;
    assert_eq!(world.send().await, 1);
    let inbox = world.mailbox(PHONE).await.expect("the mailbox");
    assert_eq!(inbox.len(), 1);
    assert!(inbox[0].body.contains("now Monday, 1 March, 18:00"), "{}", inbox[0].body);
}

#[tokio::test]
async fn nobody_is_told_of_changes_before_payment_or_of_a_visit_missed() {
    let world = World::new().await;
    let visit = Visit::new(&world, member(), "");
    world.tell(&visit, &[(Told::Held, 1), (Told::AwaitingPayment, 2), (Told::HoldExtended, 3)]).await;
    assert!(told(&world, &visit).await.is_empty());
    world.tell(&visit, &[(Told::Confirmed, 4)]).await;
    world.tell(&visit.moved_to(after(9)), &[(Told::Rescheduled, 5), (Told::NoShow, 6)]).await;
    assert_eq!(world.send().await, 0);
    world.clock.advance(10 * HOUR);
    assert_eq!(world.send().await, 0);
    assert!(told(&world, &visit).await.iter().all(|(_, state, _)| *state == Cancelled));
}

/// Every event about a visit is read: a sort of event that is new must not pass unheard.
#[tokio::test]
async fn every_event_about_a_visit_is_heard() {
    let world = World::new().await;
    let types = testkit::events_about("meridian.booking.v1", "BookingFacts");
    assert!(types.len() >= 13, "{types:?}");
    for (version, type_name) in (2..).zip(types) {
        let visit = Visit::new(&world, member(), "");
        // All of them carry the visit as their first field.
        let held = visit.event(Told::Held, version);
        world.apply(&Event { type_name: type_name.clone(), ..held }).await;
        let known: i64 = sqlx::query_scalar("select version from visit where booking_id = $1")
            .bind(visit.id.uuid())
            .fetch_one(world.app.pg.pool())
            .await
            .unwrap_or_default();
        assert_eq!(known, version, "{type_name}");
    }
}
