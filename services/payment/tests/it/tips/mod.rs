//! Tips: added, paid, given back, handed over.

mod life;
mod refused;

use kernel::{Uuid, ids::TherapistId};
use payment::domain::order::MAX_RECIPIENTS;
use proto::{
    access::Role,
    payment::v1::{
        self as pb, ReturnLine, ReturnLines, payment::Purpose, refund_order_request::What, tip_payout::Way,
        tip_service_client::TipServiceClient,
    },
};
use tonic::{Status, transport::Channel};

use crate::{
    checkout,
    house::House,
    roles::{reason, sent},
    wire::{cny, fresh, minor},
};

fn client(house: &House) -> TipServiceClient<Channel> {
    TipServiceClient::new(house.channel.clone())
}

/// A therapist by number.
fn therapist(n: u128) -> String {
    TherapistId::from_uuid(Uuid::from_u128(n)).name()
}

fn tip(order: &str, minor: i64, therapists: &[u128]) -> pb::AddTipRequest {
    assert!(therapists.len() <= MAX_RECIPIENTS);
    pb::AddTipRequest {
        order: order.to_owned(),
        amount: cny(minor),
        therapists: therapists.iter().map(|n| therapist(*n)).collect(),
        request_id: fresh().to_string(),
    }
}

/// The member adds a tip.
async fn add(house: &House, request: pb::AddTipRequest) -> Result<pb::Order, Status> {
    Ok(client(house).add_tip(house.as_member(request)).await?.into_inner())
}

/// A tip that is paid in cash.
async fn paid(house: &House, order: &str, minor: i64, therapists: &[u128]) -> pb::Order {
    let added = add(house, tip(order, minor, therapists)).await.expect("added");
    house.cash(&added.name, Purpose::Balance).await;
    house.get(&added.name).await
}

fn payout(house: &House, n: u128, minor: i64, way: Way) -> pb::PayOutTipsRequest {
    pb::PayOutTipsRequest {
        therapist: therapist(n),
        store: house.store.name(),
        amount: cny(minor),
        way: way.into(),
        request_id: fresh().to_string(),
    }
}

/// A manager hands tips over.
async fn pay_out(house: &House, request: pb::PayOutTipsRequest) -> Result<pb::TipPayout, Status> {
    let request = house.as_staff(request, Role::StoreManager, Some(house.store));
    Ok(client(house).pay_out_tips(request).await?.into_inner())
}

/// What a therapist is owed.
async fn owed(house: &House, n: u128) -> i64 {
    let request =
        pb::GetTipBalanceRequest { name: format!("{}/tipBalance", therapist(n)), currency_code: String::new() };
    let request = house.as_staff(request, Role::Finance, None);
    minor(&client(house).get_tip_balance(request).await.expect("a balance").into_inner().owed)
}

/// A manager gives lines of an order back.
async fn give_back(house: &House, order: &str, lines: &[i32]) -> Result<pb::OrderReturn, Status> {
    let lines = lines.iter().map(|line| ReturnLine { line: *line, amount: None }).collect();
    let mut request = checkout::refund(order, What::Lines(ReturnLines { lines }));
    request.reason = "TIP".to_owned();
    let request = house.as_staff(request, Role::StoreManager, Some(house.store));
    Ok(checkout::client(house).refund_order(request).await?.into_inner())
}

/// A shared tip, of which one line was given back and one is partly handed over.
pub async fn eventful(house: &House) {
    let visit = house.order_of(5_000, 0).await;
    let added = paid(house, &visit, 100, &[1, 2, 3]).await;
    give_back(house, &added.name, &[1]).await.expect("given back");
    pay_out(house, payout(house, 1, 20, Way::Transfer)).await.expect("handed over");
    add(house, tip(&visit, 70, &[1])).await.expect("added, and never paid");
}

/// The reason for which a call is refused; empty if it isn't.
pub async fn call(house: &House, rpc: &str, order: &str, token: Option<&str>) -> String {
    let mut client = client(house);
    match rpc {
        "AddTip" => reason(client.add_tip(sent(tip(order, 5, &[1]), token)).await),
        "GetTipBalance" => {
            let name = format!("{}/tipBalance", therapist(1));
            let request = pb::GetTipBalanceRequest { name, currency_code: String::new() };
            reason(client.get_tip_balance(sent(request, token)).await)
        }
        _ => reason(client.pay_out_tips(sent(payout(house, 1, 1, Way::Transfer), token)).await),
    }
}
