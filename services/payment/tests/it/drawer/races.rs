//! Many at the desk at once.

use proto::payment::v1::{
    drawer::State,
    payment::{Purpose, Tender},
};
use tokio::task::JoinSet;

use super::{client, close, closing, open, opening, report, require};
use crate::{
    house::House,
    wire::{minor, pay, refusal},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_open_a_till_one_does() {
    let house = House::open().await;
    house.cash(&house.order_of(700, 0).await, Purpose::Balance).await;
    let mut desks = JoinSet::new();
    for _ in 0..20 {
        let (mut client, request) = (client(&house), house.as_desk(opening(&house, "front", 700)));
        desks.spawn(async move { client.open_drawer(request).await.map_err(|status| refusal(&status).1) });
    }
    let (opened, refused): (Vec<_>, Vec<_>) = desks.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((opened.len(), refused.len()), (1, 19));
    assert!(refused.into_iter().filter_map(Result::err).all(|reason| reason == "DRAWER_OPEN"));
    assert_eq!(house.books().await, [("cash_drawer".to_owned(), 700), ("takings".to_owned(), -700)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_loose_is_taken_over_by_one_of_many_tills() {
    let house = House::open().await;
    house.cash(&house.order_of(700, 0).await, Purpose::Balance).await;
    let mut desks = JoinSet::new();
    for till in 0..8 {
        let (mut client, request) = (client(&house), house.as_desk(opening(&house, &till.to_string(), 1_000)));
        desks.spawn(async move { client.open_drawer(request).await.expect("open") });
    }
    desks.join_all().await;
    assert_eq!(house.count("select count(*) from drawer where loose_in_minor = 700").await, 1);
    assert_eq!((house.balances().await["cash_drawer"], house.balances().await["bank"]), (8_000, -7_300));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cash_that_comes_while_a_drawer_is_closed_is_in_it_or_refused() {
    let house = House::open().await;
    require(&house).await;
    let mut orders = Vec::new();
    for _ in 0..24 {
        orders.push(house.order_of(100, 0).await);
    }
    for payers in orders.chunks(8) {
        let drawer = open(&house, "front", 0).await.expect("open");
        house.cash(&house.order_of(100, 0).await, Purpose::Balance).await;
        let mut desks = JoinSet::new();
        for order in payers {
            let (mut client, request) =
                (house.client.clone(), house.as_desk(pay(order, Purpose::Balance, Tender::Cash)));
            desks.spawn(async move { client.pay_order(request).await.map_err(|status| refusal(&status).1) });
        }
        let closed = close(&house, closing(&drawer, 0, None)).await.expect("closed");
        let results = desks.join_all().await;
        let paid = 1 + i64::try_from(results.iter().filter(|result| result.is_ok()).count()).expect("few");
        assert!(results.iter().filter_map(|result| result.as_ref().err()).all(|reason| reason == "DRAWER_NOT_OPEN"));
        assert_eq!((closed.state(), minor(&closed.expected)), (State::Closed, paid * 100));
        let sales = report(&house, &drawer).await.cash_sales.expect("a total");
        assert_eq!((sales.count, minor(&sales.amount)), (paid, paid * 100));
    }
    assert_eq!(house.balances().await["cash_drawer"], 0, "all of it was found to be missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_close_a_drawer_one_does() {
    let house = House::open().await;
    let drawer = open(&house, "front", 1_000).await.expect("open");
    let mut desks = JoinSet::new();
    for counted in 990..1_010 {
        let (mut client, request) = (client(&house), house.as_desk(closing(&drawer, counted, None)));
        desks.spawn(async move { client.close_drawer(request).await.map_err(|status| refusal(&status).1) });
    }
    let (closed, refused): (Vec<_>, Vec<_>) = desks.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((closed.len(), refused.len()), (1, 19));
    assert!(refused.into_iter().filter_map(Result::err).all(|reason| reason == "DRAWER_CLOSED"));
    let counted: i64 =
        closed.into_iter().filter_map(Result::ok).map(|closed| minor(&closed.into_inner().counted)).sum();
    assert_eq!(house.balances().await["cash_drawer"], counted);
}
