//! Cash that moves while no drawer is open.

use proto::{
    access::Role,
    payment::v1::{
        self as pb,
        drawer_policy::CashDrawer,
        payment::{Purpose, Tender},
    },
};
use tonic::Code;

use super::{client, close, closing, open, report, require};
use crate::{
    checkout::{self, tender},
    house::House,
    wire::{minor, pay, refused},
};

fn not_open() -> (Code, String) {
    (Code::FailedPrecondition, "DRAWER_NOT_OPEN".to_owned())
}

#[tokio::test]
async fn what_is_taken_without_a_drawer_is_taken_over_by_the_next_one() {
    let house = House::open().await;
    let order = house.order().await;
    house.cash(&order, Purpose::Deposit).await;
    let first = open(&house, "front", 16_000).await.expect("open");
    assert_eq!(minor(&first.opening_difference), 0);
    assert_eq!(house.balances().await["bank"], -10_000, "100 yuan of change were brought, 60 were there");
    close(&house, closing(&first, 16_000, None)).await.expect("closed");

    house.close(&order, None).await;
    assert_eq!(house.balances().await["cash_drawer"], 10_000, "60 yuan were handed back meanwhile");
    let second = open(&house, "front", 10_000).await.expect("open");
    assert_eq!(minor(&second.opening_difference), 0);
    // What is loose is taken over once.
    let back = open(&house, "back", 0).await.expect("open");
    assert_eq!((minor(&back.opening_difference), house.balances().await["cash_drawer"]), (0, 10_000));
    assert_eq!(house.count("select count(*) from ledger_entry where account = 'cash_over_short'").await, 0);
}

#[tokio::test]
async fn where_a_drawer_is_required_staff_take_no_cash_without_one() {
    let house = House::open().await;
    require(&house).await;
    let order = house.order_of(30_000, 0).await;
    let cash = pay(&order, Purpose::Balance, Tender::Cash);
    let mut payments = house.client.clone();
    assert_eq!(refused(payments.pay_order(house.as_desk(cash.clone())).await), not_open());
    let mixed = checkout::request(&order, &[tender(Tender::Cash, 10_000), tender(Tender::Sandbox, 20_000)]);
    assert_eq!(refused(checkout::start(&house, &mixed).await), not_open());
    assert_eq!(house.count("select count(*) from payment").await, 0, "a rejected call changes nothing");
    // The card terminal has nothing to do with it.
    let card = checkout::request(&order, &[tender(Tender::CardTerminal, 30_000)]);
    checkout::start(&house, &card).await.expect("paid");

    let drawer = open(&house, "front", 0).await.expect("open");
    let other = house.order_of(30_000, 0).await;
    let cash = pb::PayOrderRequest { order: other.clone(), ..cash };
    payments.pay_order(house.as_desk(cash)).await.expect("paid");
    close(&house, closing(&drawer, 30_000, Some(0))).await.expect("closed");
    let back = house.as_staff(checkout::refund_all(&other), Role::Finance, None);
    assert_eq!(refused(checkout::client(&house).refund_order(back).await), not_open());
    // What a service decides has happened.
    house.close(&other, None).await;
    assert_eq!(house.balances().await["cash_drawer"], -30_000);
    let next = open(&house, "front", 0).await.expect("open");
    assert_eq!(minor(&next.opening_difference), 30_000, "nobody took it out of the drawer");
}

#[tokio::test]
async fn cash_that_was_set_aside_goes_into_the_drawer_that_is_open_when_it_comes_to_pass() {
    let house = House::open().await;
    require(&house).await;
    let order = house.order_of(30_000, 0).await;
    let first = open(&house, "front", 0).await.expect("open");
    let mixed = checkout::request(&order, &[tender(Tender::Cash, 10_000), tender(Tender::Sandbox, 20_000)]);
    let started = checkout::start(&house, &mixed).await.expect("started");
    assert_eq!(report(&house, &first).await.cash_sales.map(|total| total.count), Some(0));
    close(&house, closing(&first, 0, None)).await.expect("closed");
    let second = open(&house, "front", 0).await.expect("open");
    house.succeed(&checkout::external(&started)).await;
    let sales = report(&house, &second).await.cash_sales.expect("a total");
    assert_eq!((sales.count, minor(&sales.amount)), (1, 10_000));
}

#[tokio::test]
async fn a_policy_is_read_back() {
    let house = House::open().await;
    let get = || pb::GetDrawerPolicyRequest { name: format!("{}/drawerPolicy", house.store.name()) };
    let mut client = client(&house);
    let before = client.get_drawer_policy(house.as_desk(get())).await.expect("read").into_inner();
    assert_eq!((before.cash_drawer(), before.update_time), (CashDrawer::Optional, None));
    require(&house).await;
    let after = client.get_drawer_policy(house.as_desk(get())).await.expect("read").into_inner();
    assert!(after.cash_drawer() == CashDrawer::Required && after.update_time.is_some());
    let request = super::policy(&house, CashDrawer::Optional);
    let request = house.as_staff(request, Role::Administrator, None);
    client.update_drawer_policy(request).await.expect("said");
    house.cash(&house.order().await, Purpose::Deposit).await;
}
