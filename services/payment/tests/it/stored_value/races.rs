//! Many at once on the same card.

use std::{sync::Arc, time::Duration};

use proto::payment::v1 as pb;
use tokio::task::JoinSet;

use super::desk::Desk;
use crate::wire::{cny, fresh};

/// How many of them went well; all others must have been refused for one of `refusals`.
async fn settled(calls: JoinSet<kernel::Result<()>>, refusals: &[&str]) -> usize {
    let (good, bad): (Vec<_>, Vec<_>) = calls.join_all().await.into_iter().partition(Result::is_ok);
    for error in bad.into_iter().filter_map(Result::err) {
        assert!(refusals.contains(&error.reason()), "{}", error.chain());
    }
    good.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_pay_60_with_a_card_of_100_one_can() {
    let desk = Arc::new(Desk::open().await);
    for round in 0..10 {
        let card = desk.card().await;
        desk.top_up(&card, 100).await;
        let mut calls = JoinSet::new();
        for of in [desk.bill(60).await, desk.bill(60).await] {
            let (desk, card) = (Arc::clone(&desk), card.clone());
            calls.spawn(async move {
                desk.hold(&card, of).await?;
                desk.commit(of.id).await
            });
        }
        assert_eq!(settled(calls, &["INSUFFICIENT_BALANCE"]).await, 1, "round {round}");
        assert_eq!(desk.balance(&card).await, (40, 0));
    }
    desk.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_payers_on_one_card_leave_it_exact() {
    let desk = Arc::new(Desk::open().await);
    desk.campaign(desk.offer(5_000, 1_400)).await;
    let card = desk.card().await;
    desk.top_up(&card, 5_000).await;
    let mut calls = JoinSet::new();
    for payer in 0..64_i64 {
        let of = desk.bill(100).await;
        let (desk, card) = (Arc::clone(&desk), card.clone());
        calls.spawn(async move {
            desk.hold(&card, of).await?;
            match payer % 4 {
                0 => desk.void(of.id).await,
                1 => {
                    desk.commit(of.id).await?;
                    desk.give_back(of.id, 37).await.map(drop)
                }
                _ => desk.commit(of.id).await,
            }
        });
    }
    assert_eq!(settled(calls, &[]).await, 64, "there is enough for all");
    let (money, bonus) = desk.balance(&card).await;
    assert_eq!(money + bonus, 6_400 - 16 * 63 - 32 * 100);
    desk.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spending_against_release_ends_once() {
    let desk = Arc::new(Desk::open().await);
    let card = desk.card().await;
    desk.top_up(&card, 10_000).await;
    for round in 0..10 {
        let before = desk.balance(&card).await.0;
        let of = desk.bill(100).await;
        desk.hold(&card, of).await.expect("set aside");
        let (mut spends, mut releases) = (JoinSet::new(), JoinSet::new());
        for _ in 0..4 {
            let one = Arc::clone(&desk);
            spends.spawn(async move { one.commit(of.id).await });
            let one = Arc::clone(&desk);
            releases.spawn(async move { one.void(of.id).await });
        }
        let spent = settled(spends, &["TRANSFER_VOIDED"]).await;
        let released = settled(releases, &["TRANSFER_POSTED"]).await;
        assert!((spent, released) == (4, 0) || (spent, released) == (0, 4), "round {round}: {spent}, {released}");
        assert_eq!(desk.balance(&card).await.0, if spent > 0 { before - 100 } else { before });
    }
    desk.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_comes_back_than_was_spent_however_many_ask() {
    let desk = Arc::new(Desk::open().await);
    let card = desk.card().await;
    desk.top_up(&card, 1_000).await;
    let (_, spending) = desk.pay(&card, 100).await;
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let desk = Arc::clone(&desk);
        calls.spawn(async move { desk.give_back(spending, 30).await.map(drop) });
    }
    assert_eq!(settled(calls, &["REFUND_EXCEEDS_PAYMENT"]).await, 3);
    assert_eq!(desk.balance(&card).await, (990, 0));
    desk.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bonus_that_lapses_as_it_is_spent_does_one_of_both() {
    let desk = Arc::new(Desk::spending("bonus_first").await);
    desk.campaign(pb::TopUpCampaign { bonus_days: 1, ..desk.offer(1_000, 100) }).await;
    for round in 0..8 {
        let card = desk.card().await;
        desk.top_up(&card, 1_000).await;
        let of = desk.bill(100).await;
        let late = Arc::clone(&desk);
        let (held, _) = tokio::join!(desk.hold(&card, of), async {
            late.house.clock.advance(Duration::from_secs(86_400));
            late.lapse().await
        });
        let value = held.expect("there is enough either way");
        desk.commit(of.id).await.expect("spent");
        desk.lapse().await;
        let spent = super::desk::minors(value);
        assert_eq!(desk.balance(&card).await, (1_000 - spent.0, 0), "round {round}: {spent:?}");
        assert!(spent == (0, 100) || spent == (100, 0), "round {round}: {spent:?}");
        desk.check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_however_many_top_up_at_once() {
    let desk = Arc::new(Desk::open().await);
    let limit = pb::LiabilityLimit { limit: cny(1_000), ..Default::default() };
    let request = pb::SetLiabilityLimitRequest { limit: Some(limit), request_id: fresh().to_string() };
    desk.client().set_liability_limit(desk.ask(request)).await.expect("set");
    desk.campaign(pb::TopUpCampaign { budget: cny(20), ..desk.offer(100, 10) }).await;
    let mut calls = JoinSet::new();
    for _ in 0..16 {
        let (card, desk) = (desk.card().await, Arc::clone(&desk));
        calls.spawn(async move { desk.begin(&card, 100).await });
    }
    let sold = calls.join_all().await.into_iter().filter(Result::is_ok).count();
    assert_eq!(sold, 10);
    assert_eq!(desk.house.count("select granted_minor from top_up_campaign").await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_is_given_back_as_it_is_spent_gives_what_the_other_has_left() {
    let desk = Arc::new(Desk::open().await);
    for round in 0..10 {
        let card = desk.card().await;
        desk.top_up(&card, 1_000).await;
        let of = desk.bill(400).await;
        let spend = async {
            desk.hold(&card, of).await?;
            desk.commit(of.id).await
        };
        let (spent, back) = tokio::join!(spend, super::refunds::refund(&desk, &card, pb::RefundCause::ConsumerWish));
        match (spent, back) {
            (Ok(()), Ok(back)) => assert_eq!(crate::wire::minor(&back.refund), 600, "round {round}"),
            (Err(error), Ok(back)) => {
                assert_eq!((error.reason(), crate::wire::minor(&back.refund)), ("CARD_CLOSED", 1_000), "round {round}");
            }
            (Ok(()), Err(status)) => assert_eq!(crate::wire::refusal(&status).1, "CARD_IN_USE", "round {round}"),
            (Err(error), Err(status)) => panic!("round {round}: both were refused, {error} and {status}"),
        }
        desk.check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_give_a_card_back_one_does() {
    let desk = Arc::new(Desk::open().await);
    let card = desk.card().await;
    desk.top_up(&card, 1_000).await;
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let (desk, card) = (Arc::clone(&desk), card.clone());
        calls.spawn(async move {
            let done = super::refunds::refund(&desk, &card, pb::RefundCause::ConsumerWish).await;
            done.map(drop).map_err(|status| crate::wire::refusal(&status).1)
        });
    }
    let (done, refused): (Vec<_>, Vec<_>) = calls.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((done.len(), refused.len()), (1, 7));
    assert!(refused.into_iter().all(|answer| answer == Err("CARD_CLOSED".to_owned())));
    desk.check().await;
    assert_eq!(desk.house.books().await, []);
}
