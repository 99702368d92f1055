//! What somebody on the waitlist is told when a time is held for him.

use std::time::Duration;

use feed::Event;
use kernel::{Uuid, ids::MemberId};
use proto::{
    booking::v1::{BookingFacts, WaitlistOffered, booking},
    marketing::v1::message::{Kind::WaitlistOffer, State},
};
use rpc::convert::to_timestamp;
use testkit::START;

use crate::{
    support::{PHONE, World, member},
    visits::{Told, Visit},
};

const MINUTE: Duration = Duration::from_secs(60);

/// The event of the entry: the visit is kept for a quarter of an hour.
fn offered(visit: &Visit) -> Event {
    let facts = BookingFacts { state: booking::State::Held.into(), ..visit.facts.clone() };
    let offered = WaitlistOffered {
        booking: Some(facts),
        offer_expire_time: Some(to_timestamp(START + 15 * MINUTE)),
        ..WaitlistOffered::default()
    };
    Event::new(Uuid::from_u128(7), 2, START, &offered)
}

/// What became of the messages about the offer.
async fn told(world: &World, customer: MemberId) -> Vec<State> {
    let messages = world.messages(customer).await;
    messages.iter().filter(|message| message.kind() == WaitlistOffer).map(|message| message.state()).collect()
}

#[tokio::test]
async fn an_offer_is_told_at_once_with_its_end_by_the_clocks_of_the_store() {
    let (world, customer) = (World::new().await, member());
    let visit = Visit::new(&world, customer, "");
    world.tell(&visit, &[(Told::Held, 1)]).await;
    world.apply(&offered(&visit)).await;
    assert_eq!(world.send().await, 1);
    let inbox = world.mailbox(PHONE).await.expect("the mailbox");
    assert_eq!(
        inbox[0].body,
        "A time that you wait for is free: Swedish massage with Lin at Jing'an, Monday, 1 March, 14:00. \
         It is kept for you until 09:15; please accept it by then."
    );
}

#[tokio::test]
async fn an_offer_is_told_once_and_also_before_its_hold_is_known() {
    let (world, customer) = (World::new().await, member());
    let visit = Visit::new(&world, customer, "");
    world.apply(&offered(&visit)).await;
    world.tell(&visit, &[(Told::Held, 1), (Told::AwaitingPayment, 2)]).await;
    world.apply(&offered(&visit)).await;
    assert_eq!(world.send().await, 1);
    assert_eq!(told(&world, customer).await, [State::Sent]);
}

#[tokio::test]
async fn an_offer_that_ended_is_not_told() {
    let (world, customer) = (World::new().await, member());
    let visit = Visit::new(&world, customer, "");
    world.tell(&visit, &[(Told::Held, 1)]).await;
    world.apply(&offered(&visit)).await;
    world.tell(&visit, &[(Told::Expired, 2)]).await;
    assert_eq!(told(&world, customer).await, [State::Cancelled], "called back before it went out");

    let taken = Visit::new(&world, customer, "");
    world.tell(&taken, &[(Told::Held, 1), (Told::Confirmed, 2)]).await;
    world.apply(&offered(&taken)).await;
    let late = Visit::new(&world, customer, "");
    world.clock.advance(15 * MINUTE);
    world.apply(&offered(&late)).await;
    assert_eq!(told(&world, customer).await, [State::Cancelled], "neither of them");
}
