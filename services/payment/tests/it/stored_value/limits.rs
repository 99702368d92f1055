//! How much may be on a card, and on all together.

use kernel::ids::StoreId;
use proto::{
    access::Role,
    payment::v1::{self as pb},
};
use tonic::{Code, Status};

use super::desk::Desk;
use crate::wire::{cny, fresh, minor, refused, usd};

async fn set(desk: &Desk, limit: pb::LiabilityLimit) -> Result<pb::LiabilityLimit, Status> {
    let request = pb::SetLiabilityLimitRequest { limit: Some(limit), request_id: fresh().to_string() };
    Ok(desk.client().set_liability_limit(desk.ask(request)).await?.into_inner())
}

#[tokio::test]
async fn no_card_has_more_than_the_law_allows() {
    let desk = Desk::open().await;
    let (named, anonymous) = (desk.card().await, desk.issue(desk.wish(None)).await.name);
    desk.top_up(&named, 300_000).await;
    let waiting = desk.begin(&named, 150_000).await.expect("an order").name;
    assert_eq!(refused(desk.begin(&named, 50_001).await).1, "CARD_LIMIT_EXCEEDED");
    desk.top_up(&named, 50_000).await;
    desk.house.cash(&waiting, pb::payment::Purpose::Balance).await;
    assert_eq!(desk.balance(&named).await, (500_000, 0));
    assert_eq!(refused(desk.begin(&named, 1).await), (Code::FailedPrecondition, "CARD_LIMIT_EXCEEDED".to_owned()));
    assert_eq!(refused(desk.begin(&anonymous, 100_001).await).1, "CARD_LIMIT_EXCEEDED");
    desk.top_up(&anonymous, 100_000).await;
    desk.pay(&named, 200).await;
    desk.top_up(&named, 200).await;
    desk.check().await;
}

#[tokio::test]
async fn sale_stops_at_the_limit_of_store_or_chain() {
    let desk = Desk::open().await;
    let card = desk.card().await;
    let chain = set(&desk, pb::LiabilityLimit { limit: cny(10_000), ..Default::default() }).await.expect("set");
    let here = pb::LiabilityLimit { store: desk.house.store.name(), limit: cny(6_000), ..Default::default() };
    set(&desk, here.clone()).await.expect("set");
    desk.top_up(&card, 4_000).await;
    let waiting = desk.begin(&card, 1_500).await.expect("an order").name;
    assert_eq!(refused(desk.begin(&card, 501).await), (Code::FailedPrecondition, "SALE_STOPPED".to_owned()));
    set(&desk, pb::LiabilityLimit { limit: cny(20_000), ..here }).await.expect("set");
    assert_eq!(refused(desk.begin(&card, 4_501).await).1, "SALE_STOPPED", "the chain's");
    desk.house.cash(&waiting, pb::payment::Purpose::Balance).await;
    assert_eq!(refused(desk.begin(&card, 4_501).await).1, "SALE_STOPPED", "paid or not");
    desk.pay(&card, 500).await;
    desk.top_up(&card, 5_000).await;

    let list = pb::ListLiabilityLimitsRequest { page_size: 1, ..Default::default() };
    let first = desk.client().list_liability_limits(desk.ask(list.clone())).await.expect("a page").into_inner();
    assert_eq!((first.limits[0].store.as_str(), minor(&first.limits[0].owed)), ("", 10_000));
    assert_eq!(first.limits[0].etag, chain.etag);
    let next = pb::ListLiabilityLimitsRequest { page_token: first.next_page_token, ..list };
    let next = desk.client().list_liability_limits(desk.ask(next)).await.expect("a page").into_inner();
    assert_eq!((next.limits[0].store.clone(), next.next_page_token.as_str()), (desk.house.store.name(), ""));
    desk.check().await;
}

#[tokio::test]
async fn limits_are_set_by_those_who_have_seen_them() {
    let desk = Desk::open().await;
    let limit = pb::LiabilityLimit { limit: cny(10_000), ..Default::default() };
    let first = set(&desk, limit.clone()).await.expect("set");
    set(&desk, pb::LiabilityLimit { etag: first.etag.clone(), ..limit.clone() }).await.expect("set");
    let stale = pb::LiabilityLimit { etag: first.etag, ..limit.clone() };
    assert_eq!(refused(set(&desk, stale).await), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    set(&desk, pb::LiabilityLimit { limit: usd(1), ..limit.clone() }).await.expect("of another currency");
    let bad = pb::LiabilityLimit { limit: cny(-1), ..limit.clone() };
    assert_eq!(refused(set(&desk, bad).await).0, Code::InvalidArgument);
    let request = pb::SetLiabilityLimitRequest { limit: Some(limit), request_id: fresh().to_string() };
    let bound = desk.house.as_staff(request, Role::Finance, Some(StoreId::from_uuid(fresh())));
    assert_eq!(refused(desk.client().set_liability_limit(bound).await).0, Code::PermissionDenied);
}
