//! Campaigns: who gets which bonus, and how long it lasts.

use std::time::Duration;

use kernel::ids::StoreId;
use proto::{
    access::Role,
    payment::v1::{self as pb},
};
use rpc::convert::to_timestamp;
use tonic::{Code, Status};

use super::desk::{Desk, figures};
use crate::wire::{cny, fresh, minor, refused};

const DAY: Duration = Duration::from_secs(86_400);

async fn update(desk: &Desk, campaign: pb::TopUpCampaign) -> Result<pb::TopUpCampaign, Status> {
    let request = pb::UpdateTopUpCampaignRequest { campaign: Some(campaign), request_id: fresh().to_string() };
    Ok(desk.client().update_top_up_campaign(desk.ask(request)).await?.into_inner())
}

#[tokio::test]
async fn the_best_campaign_gives_its_bonus() {
    let desk = Desk::open().await;
    desk.campaign(desk.offer(10_000, 1_000)).await;
    let best = desk.campaign(desk.offer(50_000, 8_000)).await;
    let elsewhere = pb::TopUpCampaign { store: StoreId::from_uuid(fresh()).name(), ..desk.offer(1, 50_000) };
    desk.campaign(elsewhere).await;
    let card = desk.card().await;
    desk.top_up(&card, 9_999).await;
    assert_eq!(desk.balance(&card).await, (9_999, 0));
    desk.top_up(&card, 10_000).await;
    assert_eq!(desk.balance(&card).await, (19_999, 1_000));
    desk.top_up(&card, 60_000).await;
    assert_eq!(desk.balance(&card).await, (79_999, 9_000));
    let lots = desk.lots(&card).await;
    assert_eq!((lots[0].campaign.clone(), figures(&lots[0].bonus)), (best.name, [8_000, 8_000, 0, 0, 0, 0]));
    let books = [
        ("cash_drawer", 79_999),
        ("promotion_expense", 9_000),
        ("stored_value_bonus", -9_000),
        ("stored_value_principal", -79_999),
    ];
    assert_eq!(desk.house.books().await, books.map(|(account, fen)| (account.to_owned(), fen)));
    desk.check().await;
}

#[tokio::test]
async fn caps_hold_what_is_promised_included() {
    let desk = Desk::open().await;
    let capped = pb::TopUpCampaign { per_card: 1, budget: cny(250), ..desk.offer(1_000, 100) };
    desk.campaign(capped).await;
    let cards = [desk.card().await, desk.card().await, desk.card().await];
    let waiting = desk.begin(&cards[0], 1_000).await.expect("an order").name;
    desk.top_up(&cards[0], 1_000).await;
    assert_eq!(desk.balance(&cards[0]).await, (1_000, 0), "the card's one time is promised");
    desk.top_up(&cards[1], 1_000).await;
    desk.top_up(&cards[2], 1_000).await;
    assert_eq!(desk.balance(&cards[1]).await, (1_000, 100));
    assert_eq!(desk.balance(&cards[2]).await, (1_000, 0), "the budget has 50 left");
    // What is not paid is promised to nobody any more.
    desk.house.clock.advance(DAY);
    assert_eq!(desk.lapse().await, 1);
    assert_eq!(desk.house.get(&waiting).await.state(), pb::order::State::Closed);
    desk.top_up(&cards[2], 1_000).await;
    assert_eq!(desk.balance(&cards[2]).await, (2_000, 100));
    desk.check().await;
}

#[tokio::test]
async fn a_campaign_is_changed_by_those_who_have_seen_it() {
    let desk = Desk::open().await;
    let first = desk.campaign(desk.offer(1_000, 100)).await;
    let changed = pb::TopUpCampaign { display_name: "Pay, get, smile".to_owned(), per_card: 3, ..first.clone() };
    let second = update(&desk, changed.clone()).await.expect("changed");
    assert_eq!((second.display_name.as_str(), second.per_card), ("Pay, get, smile", 3));
    assert_eq!(refused(update(&desk, changed).await), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    let over = pb::TopUpCampaign { end_time: Some(to_timestamp(desk.house.clock.advance(DAY))), ..second.clone() };
    let over = update(&desk, over).await.expect("ended");
    let card = desk.card().await;
    desk.top_up(&card, 1_000).await;
    assert_eq!(desk.balance(&card).await, (1_000, 0));
    let page = desk.client().list_top_up_campaigns(desk.ask(pb::ListTopUpCampaignsRequest::default())).await;
    assert_eq!(page.expect("a page").into_inner().campaigns, [over]);
    let before = pb::TopUpCampaign { end_time: first.start_time, etag: String::new(), ..second };
    assert_eq!(refused(update(&desk, before).await).0, Code::InvalidArgument);
    let bound = pb::CreateTopUpCampaignRequest { campaign: Some(desk.offer(1, 1)), request_id: fresh().to_string() };
    let bound = desk.house.as_staff(bound, Role::Marketing, Some(desk.house.store));
    assert_eq!(refused(desk.client().create_top_up_campaign(bound).await).0, Code::PermissionDenied);
}

#[tokio::test]
async fn bad_campaigns_are_refused() {
    let desk = Desk::open().await;
    let good = desk.offer(1_000, 100);
    let bad = [
        pb::TopUpCampaign { threshold: cny(0), ..good.clone() },
        pb::TopUpCampaign { threshold: None, ..good.clone() },
        pb::TopUpCampaign { bonus: cny(-1), ..good.clone() },
        pb::TopUpCampaign { bonus: crate::wire::usd(5), ..good.clone() },
        pb::TopUpCampaign { start_time: None, ..good.clone() },
        pb::TopUpCampaign { end_time: good.start_time, ..good.clone() },
        pb::TopUpCampaign { bonus_days: -1, ..good.clone() },
        pb::TopUpCampaign { budget: cny(0), ..good.clone() },
        pb::TopUpCampaign { display_name: String::new(), ..good.clone() },
        pb::TopUpCampaign { store: "stores/here".to_owned(), ..good.clone() },
    ];
    for campaign in bad {
        assert_eq!(refused(desk.try_campaign(campaign.clone()).await).0, Code::InvalidArgument, "{campaign:?}");
    }
    assert_eq!(desk.house.count("select count(*) from top_up_campaign").await, 0);
}

#[tokio::test]
async fn bonus_lapses_and_money_never_does() {
    let desk = Desk::open().await;
    desk.campaign(pb::TopUpCampaign { bonus_days: 30, ..desk.offer(1_000, 400) }).await;
    let card = desk.card().await;
    desk.top_up(&card, 1_000).await;
    let ((money, bonus), spending) = desk.pay(&card, 700).await;
    assert_eq!((money, bonus), (500, 200));
    let held = desk.bill(140).await;
    desk.house.clock.advance(30 * DAY - Duration::from_secs(60));
    desk.hold(&card, held).await.expect("set aside");
    assert_eq!(desk.lapse().await, 0);
    desk.house.clock.advance(Duration::from_secs(60));
    assert_eq!(minor(&desk.get(&card).await.available), 400, "lapsed bonus can't be spent, swept or not");
    assert_eq!(desk.lapse().await, 1);
    assert_eq!(desk.balance(&card).await, (500, 40), "what is set aside doesn't lapse");
    desk.check().await;
    desk.void(held.id).await.expect("released");
    assert_eq!(desk.lapse().await, 1);
    assert_eq!(figures(&desk.lots(&card).await[0].bonus), [400, 0, 0, 200, 0, 200]);

    // What comes back after its time can be spent for a month more.
    desk.give_back(spending, 700).await.expect("back");
    assert_eq!((desk.balance(&card).await, desk.lapse().await), ((1_000, 200), 0));
    desk.house.clock.advance(30 * DAY);
    assert_eq!(desk.lapse().await, 1);
    assert_eq!(desk.balance(&card).await, (1_000, 0));
    desk.check().await;
    assert!(desk.house.books().await.iter().all(|(account, _)| account != "promotion_expense"), "it has cost nothing");
}
