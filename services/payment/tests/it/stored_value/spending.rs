//! What is paid with a card: in which order, and back to the very lots.

use super::desk::{Desk, figures, minors, reason};

/// Three top-ups: 1000 + 100, 300 without bonus, 2000 + 400.
async fn three_lots(desk: &Desk) -> String {
    desk.campaign(desk.offer(1_000, 100)).await;
    desk.campaign(desk.offer(2_000, 400)).await;
    let card = desk.card().await;
    for fen in [1_000, 300, 2_000] {
        desk.top_up(&card, fen).await;
    }
    assert_eq!(desk.balance(&card).await, (3_300, 500));
    card
}

/// What is open of money and bonus, the oldest lot first.
async fn open(desk: &Desk, card: &str) -> Vec<(i64, i64)> {
    let lots = desk.lots(card).await;
    lots.iter().rev().map(|lot| (figures(&lot.principal)[1], figures(&lot.bonus)[1])).collect()
}

#[tokio::test]
async fn bonus_first() {
    let desk = Desk::spending("bonus_first").await;
    let card = three_lots(&desk).await;
    assert_eq!(desk.pay(&card, 450).await.0, (0, 450));
    assert_eq!(open(&desk, &card).await, [(1_000, 0), (300, 0), (2_000, 50)]);
    assert_eq!(desk.pay(&card, 1_100).await.0, (1_050, 50));
    assert_eq!(open(&desk, &card).await, [(0, 0), (250, 0), (2_000, 0)]);
    desk.check().await;
}

#[tokio::test]
async fn money_first() {
    let desk = Desk::spending("principal_first").await;
    let card = three_lots(&desk).await;
    assert_eq!(desk.pay(&card, 3_350).await.0, (3_300, 50));
    assert_eq!(open(&desk, &card).await, [(0, 50), (0, 0), (0, 400)]);
    desk.check().await;
}

#[tokio::test]
async fn in_proportion_and_back_to_the_very_lots() {
    let desk = Desk::open().await;
    let card = three_lots(&desk).await;
    let (value, spending) = desk.pay(&card, 1_640).await;
    // 1000 + 100 and 300 of the first two; 240 of the third, a sixth of it bonus.
    assert_eq!(value, (1_500, 140));
    let after = [(0, 0), (0, 0), (1_800, 360)];
    assert_eq!(open(&desk, &card).await, after);

    assert_eq!(reason(desk.give_back(spending, 1_641).await), "REFUND_EXCEEDS_PAYMENT");
    assert_eq!(open(&desk, &card).await, after);
    assert_eq!(minors(desk.give_back(spending, 121).await.expect("back")), (101, 20));
    assert_eq!(open(&desk, &card).await, [(0, 0), (0, 0), (1_901, 380)]);
    assert_eq!(minors(desk.give_back(spending, 519).await.expect("back")), (490, 29), "99 + 20, 300, 91 + 9");
    assert_eq!(open(&desk, &card).await, [(91, 9), (300, 0), (2_000, 400)]);
    assert_eq!(minors(desk.give_back(spending, 1_000).await.expect("back")), (909, 91));
    assert_eq!(open(&desk, &card).await, [(1_000, 100), (300, 0), (2_000, 400)]);
    assert_eq!(reason(desk.give_back(spending, 1).await), "REFUND_EXCEEDS_PAYMENT");
    desk.check().await;
    assert!(desk.house.books().await.iter().all(|(account, _)| account != "customer_deposits"));
}

#[tokio::test]
async fn what_is_set_aside_is_decided_once() {
    let desk = Desk::open().await;
    let card = desk.card().await;
    desk.top_up(&card, 1_000).await;
    let (first, second) = (desk.bill(400).await, desk.bill(600).await);
    desk.hold(&card, first).await.expect("set aside");
    assert_eq!(reason(desk.hold(&card, first).await), "ALREADY_RESERVED");
    desk.hold(&card, second).await.expect("set aside");
    assert_eq!((desk.balance(&card).await, desk.owed(&card).await), ((1_000, 0), (1_000, 1_000)));
    assert_eq!(reason(desk.hold(&card, desk.bill(1).await).await), "INSUFFICIENT_BALANCE");
    assert_eq!(reason(desk.give_back(first.id, 1).await), "NOT_SPENT");
    desk.commit(first.id).await.expect("spent");
    desk.commit(first.id).await.expect("once");
    assert_eq!(reason(desk.void(first.id).await), "TRANSFER_POSTED");
    desk.void(second.id).await.expect("released");
    desk.void(second.id).await.expect("once");
    assert_eq!(reason(desk.commit(second.id).await), "TRANSFER_VOIDED");
    assert_eq!(reason(desk.give_back(second.id, 1).await), "NOT_SPENT");
    assert_eq!((desk.balance(&card).await, desk.owed(&card).await), ((600, 0), (600, 0)));
    desk.check().await;
}

#[tokio::test]
async fn bad_amounts_are_refused() {
    let desk = Desk::open().await;
    let card = desk.card().await;
    desk.top_up(&card, 1_000).await;
    let good = desk.bill(100).await;
    let usd = kernel::Currency::parse("currency", "USD").expect("known");
    let with =
        |minor, currency| payment::domain::stored_value::Use { amount: kernel::Money::new(minor, currency), ..good };
    assert_eq!(reason(desk.hold(&card, with(0, kernel::Currency::CNY)).await), "INVALID_ARGUMENT");
    assert_eq!(reason(desk.hold(&card, with(-1, kernel::Currency::CNY)).await), "INVALID_ARGUMENT");
    assert_eq!(reason(desk.hold(&card, with(1, usd)).await), "CURRENCY_MISMATCH");
    assert_eq!(reason(desk.hold(&card, with(i64::MAX, kernel::Currency::CNY)).await), "INSUFFICIENT_BALANCE");
    desk.check().await;
}
