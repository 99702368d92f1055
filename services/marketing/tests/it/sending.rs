//! Sending that fails, is lost on the way, or is done by two at once.

use std::time::Duration;

use proto::marketing::v1::message::State;

use crate::{
    support::{Mode, PHONE, World, member},
    visits::{Told, Visit},
};

#[tokio::test]
async fn what_could_not_be_sent_is_sent_later() {
    let (world, me) = (World::new().await, member());
    world.tell(&Visit::new(&world, me, ""), &[(Told::Confirmed, 3)]).await;
    world.membership.be_away(true);
    world.send().await;
    world.membership.be_away(false);
    world.channel.set(Mode::IsAway);
    world.clock.advance(Duration::from_secs(1));
    world.send().await;
    assert!(world.mailbox(PHONE).await.expect("the mailbox").is_empty());
    world.channel.set(Mode::Works);
    world.clock.advance(Duration::from_secs(1));
    world.send().await;
    assert_eq!(world.mailbox(PHONE).await.expect("the mailbox").len(), 1);
}

#[tokio::test]
async fn a_process_that_dies_after_sending_delivers_once() {
    let (world, me) = (World::new().await, member());
    world.tell(&Visit::new(&world, me, ""), &[(Told::Confirmed, 3)]).await;
    world.channel.set(Mode::LosesTheAnswer);
    world.send().await;
    assert_eq!(world.told(me).await[0].1, State::Scheduled);
    world.channel.set(Mode::Works);
    world.clock.advance(Duration::from_secs(1));
    world.send().await;
    assert_eq!(world.told(me).await[0].1, State::Sent);
    assert_eq!(world.mailbox(PHONE).await.expect("the mailbox").len(), 1);
    assert_eq!(world.events().await, ["MessageSent"]);
}

#[tokio::test]
async fn who_cannot_be_reached_holds_up_nobody() {
    let (world, me) = (World::new().await, member());
    world.tell(&Visit::new(&world, me, ""), &[(Told::Confirmed, 3)]).await;
    world.membership.know_nobody();
    assert_eq!(world.send().await, 1);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.send().await, 0, "a refusal for good is not tried again");
    assert_eq!(world.told(me).await[0].1, State::Failed);
    assert!(world.events().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_share_the_messages() {
    let world = World::new().await;
    for _ in 0..20 {
        world.tell(&Visit::new(&world, member(), ""), &[(Told::Confirmed, 3)]).await;
    }
    let (one, two) = tokio::join!(world.send(), world.send());
    assert_eq!(one + two, 20);
    assert_eq!(world.mailbox(PHONE).await.expect("the mailbox").len(), 20);
    assert_eq!(world.events().await.len(), 20);
}

#[tokio::test]
async fn an_erased_member_gets_nothing_and_reads_empty_texts() {
    let (world, me) = (World::new().await, member());
    world.tell(&Visit::new(&world, me, ""), &[(Told::Confirmed, 3)]).await;
    let mut tx = world.app.pg.begin().await.expect("begun");
    pg::vault::shred(&mut tx, me.uuid()).await.expect("shredded");
    tx.commit().await.expect("committed");
    world.send().await;
    assert!(world.messages(me).await.iter().all(|message| message.body.is_empty()));
    assert_eq!(world.told(me).await[0].1, State::Failed);
    assert!(world.mailbox(PHONE).await.expect("the mailbox").is_empty());
}
