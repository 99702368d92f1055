//! Checkouts on the wire.

use kernel::{
    Error, Result,
    ids::{CardId, CheckoutId, ContractId, CouponId, ItemId, OrderId},
};
use proto::payment::v1 as pb;
use rpc::convert::{money, to_timestamp};

use super::{payment, tender as wire_tender};
use crate::{
    domain::{CheckoutState, Order, Tender},
    flows::checkout::start::Wanted,
};

/// A checkout for the wire.
///
/// # Errors
/// Internal, if the order has none of that id.
pub fn checkout(order: &Order, id: CheckoutId) -> Result<pb::Checkout> {
    let first = order.together(id).next().and_then(|first| Some((first.create_time, first.checkout?)));
    let (Some((create_time, checkout)), Some(state)) = (first, order.checkout_state(id)) else {
        return Err(Error::internal(format!("{id} is not of {}", order.id)));
    };
    let state = match state {
        CheckoutState::Open => pb::checkout::State::Open,
        CheckoutState::Captured => pb::checkout::State::Captured,
        CheckoutState::Voided => pb::checkout::State::Voided,
    };
    Ok(pb::Checkout {
        name: id.name(),
        order: OrderId::name(order.id),
        state: state.into(),
        payments: order.together(id).map(|of| payment(order.id, of)).collect(),
        create_time: Some(to_timestamp(create_time)),
        expire_time: Some(to_timestamp(checkout.expire_time)),
    })
}

/// The tenders that are wished for.
///
/// # Errors
/// `InvalidArgument` if something is missing of one, or is there that doesn't belong to it; `TENDER_NOT_OFFERED`.
pub fn wanted(tenders: &[pb::CheckoutTender]) -> Result<Vec<Wanted>> {
    let read = |(i, of): (usize, &pb::CheckoutTender)| {
        let field = |name: &str| format!("tenders[{i}].{name}");
        let plain = Tender::PLAIN.into_iter().find(|known| wire_tender(*known) == of.tender());
        let from_source = match of.tender() {
            pb::payment::Tender::StoredValue => {
                Some(Tender::StoredValue(CardId::parse_name(&field("source"), &of.source)?))
            }
            pb::payment::Tender::Coupon => Some(Tender::Coupon(CouponId::parse_name(&field("source"), &of.source)?)),
            pb::payment::Tender::PrepaidSession => Some(Tender::PrepaidSession {
                contract: ContractId::parse_name(&field("source"), &of.source)?,
                item: ItemId::parse_name(&field("item"), &of.item)?,
            }),
            _ => None,
        };
        let Some(tender) = plain.or(from_source) else {
            let message = "one can't pay in this way here; choose another";
            return Err(Error::precondition("TENDER_NOT_OFFERED", message).with("tender", of.tender().as_str_name()));
        };
        if (tender == Tender::CardTerminal) == of.reference.trim().is_empty() {
            return Err(Error::invalid(field("reference"), "is the number on the slip, for a card terminal only"));
        }
        for (name, given) in [("source", &of.source), ("item", &of.item)] {
            if !given.is_empty() && !tender.is_session() && (name != "source" || from_source.is_none()) {
                return Err(Error::invalid(field(name), "does not belong to this tender"));
            }
        }
        let amount = money(&field("amount"), of.amount.as_ref())?;
        Ok(Wanted { tender, amount, reference: of.reference.trim().to_owned() })
    };
    tenders.iter().enumerate().map(read).collect()
}
