//! Short words for what is sent and expected.

use kernel::{Currency, Money, Uuid, ids::uuid_v7};
use proto::{
    google::r#type::Money as PbMoney,
    payment::v1::{self as pb, close_order_request::Refund as Wanted},
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// A UUID like no other.
pub fn fresh() -> Uuid {
    uuid_v7(testkit::START)
}

/// Chinese fen.
pub fn cny(minor: i64) -> Option<PbMoney> {
    Some(rpc::convert::to_money(Money::new(minor, Currency::CNY)))
}

/// US cents.
pub fn usd(minor: i64) -> Option<PbMoney> {
    let currency = Currency::parse("currency", "USD").expect("known");
    Some(rpc::convert::to_money(Money::new(minor, currency)))
}

/// The fen of an amount.
pub fn minor(amount: &Option<PbMoney>) -> i64 {
    rpc::convert::money("amount", amount.as_ref()).expect("an amount").minor()
}

/// A request to pay.
pub fn pay(order: &str, purpose: pb::payment::Purpose, tender: pb::payment::Tender) -> pb::PayOrderRequest {
    pb::PayOrderRequest {
        order: order.to_owned(),
        purpose: purpose.into(),
        tender: tender.into(),
        amount: None,
        request_id: fresh().to_string(),
        payer: None,
    }
}

/// A request to end an order and keep `keep` fen.
pub fn close(order: &str, keep: Option<i64>) -> pb::CloseOrderRequest {
    let refund = match keep {
        None => Wanted::RefundAll(true),
        Some(keep) => Wanted::KeepAmount(cny(keep).expect("given")),
    };
    pb::CloseOrderRequest {
        name: order.to_owned(),
        reason: "BOOKING_CANCELLED".to_owned(),
        request_id: fresh().to_string(),
        refund: Some(refund),
    }
}

/// A request to add something of `minor` fen to an order.
pub fn amend(order: &str, minor: i64) -> pb::AmendOrderRequest {
    pb::AmendOrderRequest {
        name: order.to_owned(),
        amendment_id: fresh().to_string(),
        line: Some(pb::OrderLine {
            item: format!("items/{}", fresh()),
            display_name: "15 minutes more".to_owned(),
            amount: cny(minor),
            discount: None,
        }),
        request_id: fresh().to_string(),
    }
}

/// Code and reason of a refusal.
pub fn refusal(status: &Status) -> (Code, String) {
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    (status.code(), reason)
}

/// Code and reason of what must have been refused.
pub fn refused<T: std::fmt::Debug>(result: Result<T, Status>) -> (Code, String) {
    refusal(&result.expect_err("a refusal"))
}
