use std::{collections::HashSet, sync::Arc};

use payment::worker::tell_peers;
use prost::Message;
use proto::payment::v1::{checkout::State, payment::Tender};
use tokio::task::JoinSet;

use super::*;
use crate::{keeper::Fate, wire::refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twins_are_one() {
    let house = House::open().await;
    house.points.fill(5_000);
    for other in [Tender::Cash, Tender::Sandbox] {
        let order = house.order_of(5_000, 0).await;
        let request = with_points(&order, other, 4_000);
        let mut twins = JoinSet::new();
        for _ in 0..20 {
            let (mut client, request) = (client(&house), house.as_desk(request.clone()));
            twins.spawn(async move {
                client.start_checkout(request).await.expect("an answer").into_inner().encode_to_vec()
            });
        }
        let answers: HashSet<Vec<u8>> = twins.join_all().await.into_iter().collect();
        assert_eq!((answers.len(), house.get(&order).await.payments.len()), (1, 2));
    }
    tell(&house).await;
    assert_eq!(house.points.purse(), 3_000);
    sound(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_checkouts_one_has_the_points() {
    let house = House::open().await;
    house.points.fill(1_000);
    let mut payers = JoinSet::new();
    for _ in 0..16 {
        let order = house.order_of(5_000, 0).await;
        let (mut client, request) = (client(&house), house.as_desk(with_points(&order, Tender::Cash, 4_000)));
        payers.spawn(async move { client.start_checkout(request).await });
    }
    let (paid, refusals): (Vec<_>, Vec<_>) = payers.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!(paid.len(), 1);
    for refusal in refusals {
        assert_eq!(refused(refusal).1, "INSUFFICIENT_POINTS");
    }
    tell(&house).await;
    assert_eq!((house.points.purse(), house.count("select count(*) from payment").await), (0, 2));
    sound(&house).await;
}

/// Requests that go on, and the worker that gives them up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn going_on_and_giving_up_decide_once() {
    let house = Arc::new(House::open().await);
    for round in 0..6 {
        house.points.fill(1_000 - house.points.purse());
        let order = house.order_of(5_000, 0).await;
        let request = with_points(&order, Tender::Cash, 4_000);
        house.points.set_deaf(true);
        start(&house, &request).await.expect_err("not known");
        house.points.set_deaf(false);
        house.clock.advance(TOO_LATE);
        let (gone_on, told) = tokio::join!(start(&house, &request), tell_peers(&house.app));
        told.expect("told");
        tell(&house).await;
        match gone_on {
            Ok(checkout) => assert_eq!((checkout.state(), house.points.purse()), (State::Captured, 0), "round {round}"),
            Err(_) => assert_eq!(house.points.purse(), 1_000, "round {round}"),
        }
        sound(&house).await;
    }
    assert!(!house.points.fates().contains(&Fate::Reserved));
}
