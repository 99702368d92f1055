//! A drawer from its opening to its closing.

use proto::{
    access::Role,
    payment::v1::{
        self as pb,
        drawer::State,
        drawer_movement::{Counterpart, Direction},
        payment::{Purpose, Tender},
        refund_order_request::What,
    },
};

use super::{client, close, closing, counting, open, pay_in_out, paying, report};
use crate::{
    checkout::{self, tender},
    house::House,
    wire::{cny, minor},
};

fn total(total: &Option<pb::DrawerTotal>) -> (i64, i64) {
    total.as_ref().map(|total| (total.count, minor(&total.amount))).expect("a total")
}

fn booked(books: &[(String, i64)], account: &str) -> i64 {
    books.iter().find(|(code, _)| code == account).map_or(0, |(_, balance)| *balance)
}

/// An order of 300 yuan paid by cash, card and the provider; it gives back 100 of the cash and 20 by the terminal.
async fn sell(house: &House) {
    let order = house.order_of(30_000, 0).await;
    let tenders = [tender(Tender::Cash, 20_000), tender(Tender::CardTerminal, 10_000)];
    checkout::start(house, &checkout::request(&order, &tenders)).await.expect("paid");
    let back = checkout::refund(&order, What::Amount(cny(12_000).expect("an amount")));
    let manager = house.as_staff(back, Role::StoreManager, Some(house.store));
    checkout::client(house).refund_order(manager).await.expect("given back");
}

#[tokio::test]
async fn a_day_at_the_desk() {
    let house = House::open().await;
    let drawer = open(&house, "front", 50_000).await.expect("open");
    assert_eq!((drawer.state(), drawer.number, minor(&drawer.opening_difference)), (State::Open, 1, 0));
    assert_eq!(drawer.expected, None, "who opens it counts blindly");
    assert_eq!(house.books().await, [("bank".to_owned(), -50_000), ("cash_drawer".to_owned(), 50_000)]);

    sell(&house).await;
    house.cash(&house.order().await, Purpose::Deposit).await;
    for (direction, counterpart, amount) in [
        (Direction::In, Counterpart::Bank, 5_000),
        (Direction::Out, Counterpart::Bank, 30_000),
        (Direction::Out, Counterpart::Other, 1_500),
    ] {
        let moved = pay_in_out(&house, paying(&drawer, direction, counterpart, amount)).await.expect("moved");
        assert_eq!((moved.direction(), minor(&moved.amount)), (direction, amount));
    }
    // 20,000 + 6,000 taken, 10,000 by the card terminal and 2,000 in cash given back.
    let so_far = report(&house, &drawer).await;
    assert_eq!((total(&so_far.cash_sales), total(&so_far.cash_refunds)), ((2, 26_000), (1, -2_000)));
    assert_eq!((total(&so_far.terminal_sales), total(&so_far.terminal_refunds)), ((1, 10_000), (1, -10_000)));
    assert_eq!((total(&so_far.paid_in), total(&so_far.paid_out)), ((1, 5_000), (2, -31_500)));
    let expected = 50_000 + 26_000 - 2_000 + 5_000 - 31_500;
    assert_eq!(minor(&so_far.drawer.expect("a drawer").expected), expected);
    assert_eq!(booked(&house.books().await, "cash_drawer"), expected, "the ledger has the same");

    let counted = client(&house).count_drawer(house.as_desk(counting(&drawer, expected - 100))).await.expect("counted");
    assert_eq!((counted.into_inner().expected, report(&house, &drawer).await.counts.len()), (None, 1));
    let request = pb::CloseDrawerRequest {
        difference_reason: "MISCOUNT".to_owned(),
        ..closing(&drawer, expected - 100, Some(40_000))
    };
    let closed = close(&house, request).await.expect("closed");
    assert_eq!((closed.state(), minor(&closed.expected), minor(&closed.difference)), (State::Closed, expected, -100));
    assert_eq!((closed.difference_reason.as_str(), minor(&closed.carried)), ("MISCOUNT", 40_000));
    let books = house.books().await;
    assert_eq!((booked(&books, "cash_drawer"), booked(&books, "cash_over_short")), (40_000, 100));
    assert_eq!(booked(&books, "suspense"), 1_500);
    let banked = expected - 100 - 40_000;
    assert_eq!(booked(&books, "bank"), -50_000 - 5_000 + 30_000 + banked);
    let over = report(&house, &drawer).await;
    assert_eq!((minor(&over.banked), minor(&over.counts[0].difference)), (-banked, -100));

    // The next one starts with what stayed.
    let next = open(&house, "front", 40_000).await.expect("open");
    assert_eq!((next.number, minor(&next.opening_difference)), (2, 0));
    close(&house, closing(&next, 40_000, None)).await.expect("closed");
    let short = open(&house, "front", 39_950).await.expect("open");
    assert_eq!((short.number, minor(&short.opening_difference)), (3, -50));
    assert_eq!(booked(&house.books().await, "cash_over_short"), 150);
    assert_eq!(booked(&house.books().await, "cash_drawer"), 39_950);
}

#[tokio::test]
async fn the_desk_learns_what_should_be_there_when_it_is_closed() {
    let house = House::open().await;
    let drawer = open(&house, "front", 10_000).await.expect("open");
    let mut client = client(&house);
    let get = || pb::GetDrawerRequest { name: drawer.name.clone() };
    let of = || pb::GetDrawerReportRequest { name: drawer.name.clone() };
    assert_eq!(client.get_drawer(house.as_desk(get())).await.expect("read").into_inner().expected, None);
    let refusal = crate::wire::refused(client.get_drawer_report(house.as_desk(of())).await);
    assert_eq!(refusal.1, "DRAWER_OPEN");
    for role in [Role::StoreManager, Role::Finance] {
        let read = client.get_drawer(house.as_staff(get(), role, None)).await.expect("read").into_inner();
        assert_eq!(minor(&read.expected), 10_000);
        let count = house.as_staff(counting(&drawer, 10_001), role, None);
        if role == Role::StoreManager {
            let counted = client.count_drawer(count).await.expect("counted").into_inner();
            assert_eq!((minor(&counted.expected), minor(&counted.difference)), (10_000, 1));
        }
    }
    let listed = client.list_drawers(house.as_desk(pb::ListDrawersRequest::default())).await.expect("a page");
    assert_eq!(listed.into_inner().drawers[0].expected, None);
    close(&house, closing(&drawer, 9_999, None)).await.expect("closed");
    let read = client.get_drawer(house.as_desk(get())).await.expect("read").into_inner();
    assert_eq!((minor(&read.expected), read.difference_reason.as_str()), (10_000, "UNEXPLAINED"));
    let told = client.get_drawer_report(house.as_desk(of())).await.expect("a report").into_inner();
    assert_eq!(told.counts.len(), 1);
}

#[tokio::test]
async fn two_tills_have_each_their_own() {
    let house = House::open().await;
    let front = open(&house, "front", 1_000).await.expect("open");
    let owner = kernel::ids::StaffId::from_uuid(crate::wire::fresh());
    let other = testkit::keys().staff_token(owner, [Role::FrontDesk], Some(house.store));
    let back = client(&house).open_drawer(testkit::with_token(super::opening(&house, "back", 2_000), &other)).await;
    let back = back.expect("open").into_inner();
    house.cash(&house.order_of(300, 0).await, Purpose::Balance).await;
    let sold = crate::wire::pay(&house.order_of(50, 0).await, Purpose::Balance, Tender::Cash);
    house.client.clone().pay_order(testkit::with_token(sold, &other)).await.expect("paid");
    assert_eq!(total(&report(&house, &front).await.cash_sales), (1, 300), "into that of who takes it");
    assert_eq!(total(&report(&house, &back).await.cash_sales), (1, 50));
    close(&house, closing(&front, 1_300, None)).await.expect("closed");
    house.cash(&house.order_of(7, 0).await, Purpose::Balance).await;
    assert_eq!(total(&report(&house, &back).await.cash_sales), (2, 57), "into the only one");
    let open = pb::ListDrawersRequest { state: State::Open.into(), ..Default::default() };
    let listed = client(&house).list_drawers(house.as_desk(open)).await.expect("a page").into_inner().drawers;
    assert_eq!(listed.iter().map(|drawer| &drawer.name).collect::<Vec<_>>(), [&back.name]);
}

#[tokio::test]
async fn a_repeated_request_has_one_effect_and_a_closed_drawer_never_changes() {
    let house = House::open().await;
    let mut client = client(&house);
    let wish = super::opening(&house, "front", 1_000);
    let drawer = client.open_drawer(house.as_desk(wish.clone())).await.expect("open").into_inner();
    assert_eq!(client.open_drawer(house.as_desk(wish)).await.expect("open").into_inner(), drawer);
    let paid = paying(&drawer, Direction::In, Counterpart::Bank, 5);
    assert_eq!(pay_in_out(&house, paid.clone()).await.expect("in"), pay_in_out(&house, paid).await.expect("in"));
    let counting = counting(&drawer, 1_005);
    for _ in 0..2 {
        client.count_drawer(house.as_desk(counting.clone())).await.expect("counted");
    }
    let end = closing(&drawer, 1_005, None);
    let closed = close(&house, end.clone()).await.expect("closed");
    assert_eq!((close(&house, end).await.expect("closed"), closed.difference_reason.as_str()), (closed.clone(), ""));
    assert_eq!(house.count("select count(*) from drawer_movement").await, 2);
    assert_eq!(house.count("select count(*) from drawer_count").await, 1);
    let recorded = "select count(*) from audit_entry where action like 'payment.drawer.%' and actor like 'staff/%'";
    assert_eq!(house.count(recorded).await, 4);
    for change in [
        "update drawer set counted_minor = 1",
        "update drawer set state = 'open'",
        "delete from drawer",
        "update drawer_movement set amount_minor = 1",
        "insert into drawer_movement select 'cash_in', gen_random_uuid(), 'cash_drawer', id, 'paid_in', 1, '', 'x', now() from drawer",
    ] {
        let refused = sqlx::query(change).execute(house.db.pg.pool()).await;
        assert!(refused.is_err(), "{change}");
    }
}
