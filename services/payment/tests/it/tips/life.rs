//! Tips from the customer to the therapist.

use proto::payment::v1::{
    order::State,
    payment::{Purpose, Tender},
    tip_payout::Way,
};
use tokio::task::JoinSet;

use super::{add, client, give_back, owed, paid, pay_out, payout, therapist, tip};
use crate::{
    checkout::{self, tender},
    drawer,
    house::House,
    wire::{minor, refusal, refused},
};

#[tokio::test]
async fn a_tip_is_shared_paid_and_owed_and_never_taken_in() {
    let house = House::open().await;
    let visit = house.order().await;
    house.cash(&visit, Purpose::Balance).await;
    let before = house.get(&visit).await;
    let takings = house.balances().await["takings"];
    // After the visit is paid, by the member, at the provider.
    let added = add(&house, tip(&visit, 1_000, &[1, 2, 3])).await.expect("added");
    assert!(added.booking.is_empty() && added.subject.starts_with("tips/"), "who follows visits passes over it");
    assert_eq!((added.state(), minor(&added.total)), (State::DepositPaid, 1_000));
    let shares: Vec<_> = added.lines.iter().map(|line| (line.item.clone(), minor(&line.amount))).collect();
    assert_eq!(shares, [(therapist(1), 334), (therapist(2), 333), (therapist(3), 333)]);
    let payment = house.start(&added.name, Purpose::Balance).await;
    assert_eq!(owed(&house, 1).await, 0, "not before it is paid");
    house.succeed(&payment).await;
    assert_eq!((owed(&house, 1).await, owed(&house, 2).await, owed(&house, 3).await), (334, 333, 333));
    assert_eq!((house.balances().await["takings"], house.balances().await["tips_payable"]), (takings, -1_000));
    assert_eq!(house.get(&visit).await, before, "the visit's order is what it was");
    assert_eq!(house.events(&added.name).await, ["OrderCreated", "PaymentCaptured", "OrderPaid"]);

    // Before it is paid, by several tenders.
    let other = house.order().await;
    let added = add(&house, tip(&other, 500, &[1])).await.expect("added");
    let tenders = [tender(Tender::Cash, 200), tender(Tender::CardTerminal, 300)];
    checkout::start(&house, &checkout::request(&added.name, &tenders)).await.expect("paid");
    assert_eq!(owed(&house, 1).await, 834);
}

#[tokio::test]
async fn a_tip_goes_back_one_line_at_a_time_until_it_is_handed_over() {
    let house = House::open().await;
    let added = paid(&house, &house.order().await, 1_000, &[1, 2]).await;
    assert_eq!(refused(give_back(&house, &added.name, &[0, 1]).await).1, "TIP_BY_LINE");
    let all = checkout::refund_all(&added.name);
    let all = house.as_staff(all, proto::access::Role::Finance, None);
    assert_eq!(refused(checkout::client(&house).refund_order(all).await).1, "TIP_BY_LINE");
    give_back(&house, &added.name, &[0]).await.expect("given back");
    assert_eq!((owed(&house, 1).await, owed(&house, 2).await), (0, 500));
    assert_eq!(refused(give_back(&house, &added.name, &[0]).await).1, "REFUND_EXCEEDS_LINE");
    pay_out(&house, payout(&house, 2, 500, Way::Transfer)).await.expect("handed over");
    assert_eq!(refused(give_back(&house, &added.name, &[1]).await).1, "INSUFFICIENT_BALANCE");
    assert_eq!(minor(&house.get(&added.name).await.refunded), 500, "a rejected call changes nothing");
    assert_eq!((house.balances().await["bank"], house.balances().await["tips_payable"]), (-500, 0));
    let closing = house.as_booking(crate::wire::close(&added.name, None));
    assert_eq!(refused(house.client.clone().close_order(closing).await).1, "TIP_PAID");
}

#[tokio::test]
async fn tips_are_handed_over_from_the_drawer() {
    let house = House::open().await;
    paid(&house, &house.order().await, 900, &[1]).await;
    let request = payout(&house, 1, 400, Way::Drawer);
    assert_eq!(refused(pay_out(&house, request.clone()).await).1, "DRAWER_NOT_OPEN");
    let open = drawer::open(&house, "front", 900).await.expect("open");
    let handed = pay_out(&house, request.clone()).await.expect("handed over");
    assert_eq!(pay_out(&house, request).await.expect("the same"), handed);
    assert_eq!((owed(&house, 1).await, house.balances().await["cash_drawer"]), (500, 500));
    let report = drawer::report(&house, &open).await;
    let out = report.paid_out.expect("a total");
    assert_eq!((out.count, minor(&out.amount)), (1, -400));
    let closed = drawer::close(&house, drawer::closing(&open, 500, None)).await.expect("closed");
    assert_eq!(minor(&closed.difference), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_is_handed_over_than_is_owed() {
    let house = House::open().await;
    paid(&house, &house.order().await, 1_000, &[1]).await;
    let mut managers = JoinSet::new();
    for _ in 0..20 {
        let request = payout(&house, 1, 300, Way::Transfer);
        let request = house.as_staff(request, proto::access::Role::Finance, None);
        let mut client = client(&house);
        managers.spawn(async move { client.pay_out_tips(request).await.map_err(|status| refusal(&status).1) });
    }
    let (handed, refused): (Vec<_>, Vec<_>) = managers.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((handed.len(), refused.len(), owed(&house, 1).await), (3, 17, 100));
    assert!(refused.into_iter().filter_map(Result::err).all(|reason| reason == "INSUFFICIENT_BALANCE"));
    assert_eq!(house.count("select count(*) from tip_payout").await, 3);
}
