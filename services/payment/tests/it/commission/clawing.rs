//! Orders are refunded whose commission was paid out: it goes off the next list.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use proto::payment::v1::{
    self as pb,
    commission_settlement::{Line, State},
    payment::Purpose,
};
use tokio::task::JoinSet;

use super::office::{Office, as_admin, day};
use crate::{
    house::House,
    wire::{amend, minor, refused},
};

const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A house in which so many visits were completed through a partner, each of 90 yuan for the therapist and 30 for the
/// partner, and paid out; their orders.
async fn paid_out(visits: usize) -> (House, Office, Vec<String>) {
    let house = House::open().await;
    let office = Office::of(&house).await;
    office.rules(3_000, 1_000).await;
    let mut orders = Vec::new();
    for _ in 0..visits {
        orders.push(visited(&house, &office).await);
    }
    house.clock.advance(WEEK);
    settle(&office, office.march()).await;
    (house, office, orders)
}

/// An order of 300 yuan that is paid, and its visit completed.
async fn visited(house: &House, office: &Office) -> String {
    let order = house.order().await;
    house.cash(&order, Purpose::Balance).await;
    office.complete(&office.visit(&order).await.through("meituan")).await;
    order
}

async fn settle(office: &Office, request: pb::DraftSettlementRequest) -> pb::CommissionSettlement {
    let draft = office.try_draft(request).await.expect("a draft");
    office.try_confirm(&draft.name, &draft.etag).await.expect("confirmed");
    office.try_pay(&draft.name, "").await.expect("paid")
}

/// What is earned, taken back of earlier lists, and paid by each line.
fn figures(lines: &[Line]) -> Vec<(i64, i64, i64)> {
    lines.iter().map(|line| (minor(&line.earned), minor(&line.clawed_back), minor(&line.amount))).collect()
}

#[tokio::test]
async fn what_was_paid_out_goes_off_the_next_list() {
    let (house, office, orders) = paid_out(2).await;
    visited(&house, &office).await;
    house.clock.advance(WEEK);
    // A third of the first order goes back.
    house.close(&orders[0], Some(20_000)).await;
    assert_eq!(house.balances().await["commission_expense"], 32_000);
    let clawed = office.accruals().await.into_iter().map(|of| (minor(&of.reversed), minor(&of.clawed_back)));
    assert_eq!(
        clawed.filter(|back| *back != (0, 0)).collect::<BTreeSet<_>>(),
        BTreeSet::from([(0, 1_000), (0, 3_000)])
    );

    let next = settle(&office, office.march()).await;
    assert_eq!(figures(&next.lines), [(3_000, 1_000, 2_000), (9_000, 3_000, 6_000)]);
    let balances = house.balances().await;
    assert_eq!((balances["commission_payable"], balances["partner_payable"], balances["bank"]), (0, 0, -32_000));
    assert_eq!(refused(office.try_draft(office.march()).await).1, "NOTHING_TO_SETTLE", "it goes off once");

    let request = as_admin(pb::ExportSettlementRequest { name: next.name });
    let body = office.client.clone().export_settlement(request).await.expect("a table").into_inner();
    let text = String::from_utf8(body.data.to_vec()).expect("text");
    assert_eq!(text.lines().filter(|row| row.ends_with(",CNY,300.00,0.00,0.00,30.00,-30.00")).count(), 1, "{text}");
    assert_eq!(text.lines().count(), 5, "{text}");
}

#[tokio::test]
async fn who_has_earned_nothing_since_owes_it() {
    let (house, office, orders) = paid_out(1).await;
    house.close(&orders[0], None).await;
    // In whatever period, and whether it is the last visit's or not.
    let april =
        pb::DraftSettlementRequest { start_date: day(2027, 4, 1), end_date: day(2027, 4, 30), ..office.march() };
    let list = settle(&office, april).await;
    assert_eq!(figures(&list.lines), [(0, 3_000, -3_000), (0, 9_000, -9_000)]);
    assert_eq!((list.state(), minor(&list.total)), (State::Paid, -12_000));
    for account in ["commission_payable", "partner_payable", "commission_expense", "bank"] {
        assert_eq!(house.balances().await[account], 0, "{account}");
    }
}

#[tokio::test]
async fn before_and_after_the_list_is_confirmed_no_more_is_taken_than_was_earned() {
    let house = House::open().await;
    let office = Office::of(&house).await;
    office.rules(3_000, 1_000).await;
    let order = visited(&house, &office).await;
    house.clock.advance(WEEK);
    let lower = async |by: i64| house.client.clone().amend_order(house.as_booking(amend(&order, -by))).await;
    lower(10_000).await.expect("cheaper");
    let draft = office.try_draft(office.march()).await.expect("a draft");
    office.try_confirm(&draft.name, "").await.expect("confirmed");
    lower(5_000).await.expect("cheaper");
    let back = |of: &pb::CommissionAccrual| (minor(&of.reversed), minor(&of.clawed_back));
    let mut taken: Vec<_> = office.accruals().await.iter().map(back).collect();
    taken.sort_unstable();
    assert_eq!(taken, [(1_000, 500), (3_000, 1_500)]);
    house.close(&order, None).await;
    let mut taken: Vec<_> = office.accruals().await.iter().map(back).collect();
    taken.sort_unstable();
    assert_eq!(taken, [(1_000, 2_000), (3_000, 6_000)]);
    assert_eq!(house.balances().await["commission_expense"], 0);
    // The database believes nobody, and nothing of it is changed.
    let more = "insert into commission_claw_back
                select gen_random_uuid(), accrual_id, payee, store_id, currency, 1, create_time from commission_claw_back";
    for deed in [more, "update commission_claw_back set amount_minor = 1"] {
        let error = sqlx::query(deed).execute(house.db.pg.pool()).await.expect_err(deed).to_string();
        assert!(error.contains("more would be taken back") || error.contains("is fixed"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_clawed_back_as_lists_are_drafted_is_in_one_of_them() {
    let (house, office, orders) = paid_out(8).await;
    let (house, office) = (Arc::new(house), Arc::new(office));
    let mut calls = JoinSet::new();
    for order in orders {
        let house = Arc::clone(&house);
        calls.spawn(async move { drop(house.close(&order, None).await) });
    }
    let mut drafts = JoinSet::new();
    for _ in 0..6 {
        let office = Arc::clone(&office);
        drafts.spawn(async move { office.try_draft(office.march()).await.ok() });
    }
    calls.join_all().await;
    let mut lists: Vec<_> = drafts.join_all().await.into_iter().flatten().collect();
    lists.extend(office.try_draft(office.march()).await.ok());
    assert_eq!(lists.iter().map(|list| minor(&list.total)).sum::<i64>(), -96_000);
    for list in lists {
        office.try_confirm(&list.name, "").await.expect("confirmed");
        office.try_pay(&list.name, "").await.expect("paid");
    }
    assert_eq!(house.books().await.into_iter().filter(|(account, _)| account != "cash_drawer").collect::<Vec<_>>(), []);
    let twice = "select count(*) from commission_claw_back where settlement_id is null";
    assert_eq!(house.count(twice).await, 0);
}
