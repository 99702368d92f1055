//! What a customer is told about a visit.

use std::time::Duration;

use proto::marketing::v1::message::{
    Kind::{BookingCancelled, BookingConfirmed, BookingReminder},
    State::{Cancelled, Scheduled, Sent},
};
use rpc::convert::to_timestamp;
use testkit::START;

use crate::{
    support::{PHONE, World, member},
    visits::{Told, Visit},
};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_visit_is_confirmed_at_once_and_reminded_of_an_hour_ahead() {
    let (world, me) = (World::new().await, member());
    let visit = Visit::new(&world, me, "");
    world.tell(&visit, &[(Told::Held, 1), (Told::AwaitingPayment, 2)]).await;
    assert!(world.messages(me).await.is_empty());
    world.tell(&visit, &[(Told::Confirmed, 3)]).await;
    assert_eq!(world.told(me).await, [(BookingConfirmed, Scheduled), (BookingReminder, Scheduled)]);
    assert_eq!(world.send().await, 1);
    assert_eq!(world.told(me).await, [(BookingConfirmed, Sent), (BookingReminder, Scheduled)]);
    let reminder = &world.messages(me).await[0];
    assert_eq!(reminder.send_time, Some(to_timestamp(START + 4 * HOUR)));
    assert_eq!(reminder.booking, visit.id.name());

    world.clock.advance(4 * HOUR - Duration::from_secs(1));
    assert_eq!(world.send().await, 0);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!((world.send().await, world.send().await), (1, 0));
    let inbox = world.mailbox(PHONE).await.expect("the mailbox");
    let texts: Vec<_> = inbox.iter().map(|letter| letter.body.as_str()).collect();
    assert_eq!(
        texts,
        [
            "A reminder of your visit: Swedish massage with Lin at Jing'an, Monday, 1 March, 14:00.",
            "Your visit is confirmed: Swedish massage with Lin at Jing'an, Monday, 1 March, 14:00. \
             We look forward to seeing you.",
        ]
    );
    assert_eq!(world.events().await, ["MessageSent", "MessageSent"]);
}

#[tokio::test]
async fn there_is_no_reminder_after_a_cancellation() {
    let (world, me) = (World::new().await, member());
    let visit = Visit::new(&world, me, "");
    world.tell(&visit, &[(Told::Confirmed, 3)]).await;
    world.send().await;
    world.clock.advance(Duration::from_secs(60));
    world.tell(&visit, &[(Told::Cancelled, 4)]).await;
    world.send().await;
    world.clock.advance(5 * HOUR);
    assert_eq!(world.send().await, 0);
    let inbox = world.mailbox(PHONE).await.expect("the mailbox");
    assert_eq!(inbox.iter().map(|letter| letter.kind()).collect::<Vec<_>>(), [BookingCancelled, BookingConfirmed]);
}

#[tokio::test]
async fn a_confirmation_that_comes_after_its_cancellation_sends_nothing() {
    let (world, me) = (World::new().await, member());
    let visit = Visit::new(&world, me, "");
    world.tell(&visit, &[(Told::Cancelled, 4), (Told::Confirmed, 3)]).await;
    world.send().await;
    world.clock.advance(5 * HOUR);
    world.send().await;
    assert_eq!(world.mailbox(PHONE).await.expect("the mailbox").len(), 1);
}

#[tokio::test]
async fn a_confirmation_not_sent_yet_is_called_back_too() {
    let (world, me) = (World::new().await, member());
    let visit = Visit::new(&world, me, "");
    world.tell(&visit, &[(Told::Confirmed, 3), (Told::Cancelled, 4)]).await;
    assert_eq!(world.send().await, 1);
    let mut told = world.told(me).await;
    told.sort_by_key(|(kind, _)| i32::from(*kind));
    assert_eq!(told, [(BookingConfirmed, Cancelled), (BookingReminder, Cancelled), (BookingCancelled, Sent)]);
}

#[tokio::test]
async fn booking_has_the_last_word_on_a_reminder() {
    // The cancellation has not come through the feed yet, or the visit was moved.
    for stands in [None, Some(START + 9 * HOUR)] {
        let (world, me) = (World::new().await, member());
        let visit = Visit::new(&world, me, "");
        world.tell(&visit, &[(Told::Confirmed, 3)]).await;
        world.send().await;
        match stands {
            Some(start) => world.booking.0.lock().expect("not poisoned").insert(visit.id, start),
            None => world.booking.0.lock().expect("not poisoned").remove(&visit.id),
        };
        world.clock.advance(4 * HOUR);
        assert_eq!(world.send().await, 1);
        assert_eq!(world.mailbox(PHONE).await.expect("the mailbox").len(), 1);
        let state: String = sqlx::query_scalar("select state from message where kind = 'BOOKING_REMINDER'")
            .fetch_one(world.app.pg.pool())
            .await
            .expect("a reminder");
        assert_eq!(state, "CANCELLED");
    }
}

#[tokio::test]
async fn who_is_here_needs_no_reminder() {
    let (world, me) = (World::new().await, member());
    let visit = Visit::new(&world, me, "");
    world.tell(&visit, &[(Told::Confirmed, 3), (Told::CheckedIn, 4)]).await;
    assert_eq!(world.told(me).await, [(BookingConfirmed, Scheduled), (BookingReminder, Cancelled)]);
}

#[tokio::test]
async fn a_visit_within_the_hour_has_no_reminder() {
    let (world, me) = (World::new().await, member());
    let visit = Visit::at(&world, me, "", START + HOUR, "Asia/Shanghai");
    world.tell(&visit, &[(Told::Confirmed, 3)]).await;
    assert_eq!(world.told(me).await, [(BookingConfirmed, Scheduled)]);
}

#[tokio::test]
async fn the_store_clock_is_shown_and_real_time_is_counted_across_a_clock_change() {
    let (world, me) = (World::new().await, member());
    // London goes from 01:00 to 02:00 on 28 March at 01:00 UTC.
    let start = "2027-03-28T01:30:00Z".parse().expect("a timestamp");
    let visit = Visit::at(&world, me, "", start, "Europe/London");
    world.tell(&visit, &[(Told::Confirmed, 3)]).await;
    let reminder = &world.messages(me).await[0];
    assert_eq!(reminder.send_time, Some(to_timestamp(start - HOUR)));
    assert!(reminder.body.ends_with("Sunday, 28 March, 02:30."), "{}", reminder.body);
}
