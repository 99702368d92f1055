//! Cash coupons: staff give them, and payment asks for them and tells what became of them.
//!
//! A redemption has the id of its payment, which makes every call safe to repeat: it is answered as it is by then. All of
//! it happens under the coupon's lock.

pub mod decide;
pub mod expire;
pub mod issue;
pub mod list;
pub mod reserve;

use kernel::{Error, ErrorKind, Result, Timestamp, ids::OrderId};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::marketing::v1 as pb;
use rpc::convert::to_money;

use crate::domain::cash_coupon::{CashCoupon, State};

/// Tells of a coupon as it is now, for the order that it pays.
async fn tell(tx: &mut Tx, coupon: &CashCoupon, order: Option<OrderId>, now: Timestamp) -> Result<()> {
    let state = match coupon.state {
        State::Available => pb::cash_coupon::State::Available,
        State::Reserved(_) => pb::cash_coupon::State::Reserved,
        State::Redeemed(_) => pb::cash_coupon::State::Redeemed,
    };
    let event = pb::CashCouponChanged {
        coupon: coupon.id.name(),
        customer: coupon.customer.name(),
        amount: Some(to_money(coupon.amount)),
        state: state.into(),
        order: order.map(OrderId::name).unwrap_or_default(),
    };
    outbox::append(tx, NewEvent::new(coupon.id.uuid(), coupon.version, now, &event)).await?;
    Ok(())
}

/// The id came before with other content.
fn reused() -> Error {
    Error::new(ErrorKind::InvalidArgument, "REQUEST_ID_REUSED", "this id was used for another redemption")
        .with_violation("redemption_id", "was used for another redemption; take a new UUID for each")
}
