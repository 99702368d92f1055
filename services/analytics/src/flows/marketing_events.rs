//! Coupons and messages.

use feed::Event;
use kernel::{
    Result,
    ids::{BookingId, CouponId, MemberId, MessageId, StoreId},
};
use pg::Tx;
use proto::marketing::v1 as pb;
use rpc::convert::money;

use super::optional;
use crate::{
    App, db,
    domain::fact::{CouponChange, CouponFact, MessageFact},
};

/// Draws the facts from an event of the marketing service.
pub async fn record(app: &App, tx: &mut Tx, event: &Event) -> Result<()> {
    if let Some(redeemed) = event.decode::<pb::CouponRedeemed>()? {
        let fact = CouponFact {
            event: event.id,
            coupon: CouponId::parse_name("coupon", &redeemed.coupon)?,
            version: event.aggregate_version,
            code: redeemed.code,
            customer: app.pseudonym(MemberId::parse_name("customer", &redeemed.customer)?),
            store: optional("store", &redeemed.store, StoreId::parse_name)?,
            booking: optional("booking", &redeemed.booking, BookingId::parse_name)?,
            change: CouponChange::Redeemed(money("amount", redeemed.amount.as_ref())?),
            change_time: event.occur_time,
        };
        db::marketing::insert_coupon(tx, &fact).await?;
    } else if let Some(released) = event.decode::<pb::CouponReleased>()? {
        let fact = CouponFact {
            event: event.id,
            coupon: CouponId::parse_name("coupon", &released.coupon)?,
            version: event.aggregate_version,
            code: released.code,
            customer: app.pseudonym(MemberId::parse_name("customer", &released.customer)?),
            store: None,
            booking: optional("booking", &released.booking, BookingId::parse_name)?,
            change: CouponChange::Released,
            change_time: event.occur_time,
        };
        db::marketing::insert_coupon(tx, &fact).await?;
    } else if let Some(sent) = event.decode::<pb::MessageSent>()? {
        let member = optional("customer", &sent.customer, MemberId::parse_name)?;
        let fact = MessageFact {
            id: MessageId::parse_name("message", &sent.message)?,
            customer: member.map(|member| app.pseudonym(member)),
            kind: sent.kind,
            channel: sent.channel,
            send_time: event.occur_time,
        };
        db::marketing::insert_message(tx, &fact).await?;
    }
    Ok(())
}
