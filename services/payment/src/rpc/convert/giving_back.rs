//! What is given back, on the wire.

use kernel::{Error, Result};
use proto::payment::v1::{self as pb, preview_refund_request, refund_order_request};
use rpc::convert::{money, to_money, to_timestamp};

use super::{refund as wire_refund, tender};
use crate::domain::{
    Order,
    order::{GiveBack, Plan, Return},
};

/// What shall be given back, of whichever request.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    /// All that is left.
    All(bool),
    /// An amount.
    Amount(&'a proto::google::r#type::Money),
    /// Lines.
    Lines(&'a pb::ReturnLines),
}

impl<'a> From<&'a refund_order_request::What> for What<'a> {
    fn from(what: &'a refund_order_request::What) -> Self {
        match what {
            refund_order_request::What::All(all) => Self::All(*all),
            refund_order_request::What::Amount(amount) => Self::Amount(amount),
            refund_order_request::What::Lines(lines) => Self::Lines(lines),
        }
    }
}

impl<'a> From<&'a preview_refund_request::What> for What<'a> {
    fn from(what: &'a preview_refund_request::What) -> Self {
        match what {
            preview_refund_request::What::All(all) => Self::All(*all),
            preview_refund_request::What::Amount(amount) => Self::Amount(amount),
            preview_refund_request::What::Lines(lines) => Self::Lines(lines),
        }
    }
}

/// What shall be given back.
///
/// # Errors
/// `InvalidArgument`.
pub fn give_back(what: Option<What<'_>>) -> Result<GiveBack> {
    match what {
        Some(What::All(true)) => Ok(GiveBack::All),
        Some(What::Amount(amount)) => Ok(GiveBack::Amount(money("amount", Some(amount))?)),
        Some(What::Lines(lines)) => {
            let read = |(i, line): (usize, &pb::ReturnLine)| {
                let position = usize::try_from(line.line)
                    .map_err(|_| Error::invalid(format!("lines.lines[{i}].line"), "must not be below zero"))?;
                let field = format!("lines.lines[{i}].amount");
                let amount = line.amount.as_ref().map(|amount| money(&field, Some(amount))).transpose()?;
                Ok((position, amount))
            };
            Ok(GiveBack::Lines(lines.lines.iter().enumerate().map(read).collect::<Result<_>>()?))
        }
        Some(What::All(false)) | None => Err(Error::invalid("all", "must be true, or give amount or lines")),
    }
}

/// Something that was given back, for the wire.
pub fn order_return(order: &Order, of: &Return) -> pb::OrderReturn {
    pb::OrderReturn {
        name: of.id.name(),
        order: order.id.name(),
        amount: Some(to_money(of.amount)),
        lines: lines(&of.lines),
        reason: of.reason.clone(),
        refunds: order.refunds_of(of.id).map(wire_refund).collect(),
        create_time: Some(to_timestamp(of.create_time)),
    }
}

/// Lines for the wire.
pub fn lines(lines: &[(usize, kernel::Money)]) -> Vec<pb::ReturnLine> {
    let line = |(position, amount): &(usize, kernel::Money)| pb::ReturnLine {
        line: i32::try_from(*position).unwrap_or(i32::MAX),
        amount: Some(to_money(*amount)),
    };
    lines.iter().map(line).collect()
}

/// What a refund would come to, for the wire.
pub fn preview(order: &Order, plan: &Plan) -> pb::PreviewRefundResponse {
    let share = |share: &crate::domain::order::Share| {
        let tender = order.payment(share.payment).map(|payment| tender(payment.tender));
        pb::preview_refund_response::Share {
            payment: share.payment.name(),
            tender: tender.unwrap_or_default().into(),
            amount: Some(to_money(share.amount)),
        }
    };
    pb::PreviewRefundResponse {
        amount: Some(to_money(plan.amount)),
        lines: lines(&plan.lines),
        shares: plan.shares.iter().map(share).collect(),
    }
}
