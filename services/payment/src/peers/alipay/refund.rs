//! Refunds. They are called by the refund's id, which is also the idempotency key; most are done at once.

use kernel::Result;
use serde::Deserialize;
use serde_json::json;

use super::{Alipay, call::Reply, trade::fen};
use crate::peers::{
    port::{NewRefund, RefundState, number_of},
    yuan,
};

/// Why a refund will never be done in the way it was paid.
const FOR_GOOD: [&str; 2] = ["ACQ.TRADE_HAS_FINISHED", "ACQ.TRADE_NOT_ALLOW_REFUND"];

#[derive(Deserialize)]
struct Made {
    /// `Y` if money moved by this very call.
    #[serde(default)]
    fund_change: String,
}

#[derive(Deserialize)]
struct Found {
    refund_status: Option<String>,
}

impl Alipay {
    /// Gives money back, or finds the refund made before.
    pub(super) async fn make_refund(&self, refund: &NewRefund) -> Result<RefundState> {
        let business = json!({
            "out_trade_no": number_of(refund.payment),
            "out_request_no": number_of(refund.id),
            "refund_amount": yuan::format(fen(refund.amount)?),
            "refund_reason": refund.reason,
        });
        let reply = match self.call("alipay.trade.refund", &business, false).await? {
            Reply::Refused(refusal) if FOR_GOOD.contains(&refusal.sub_code.as_str()) => {
                return Ok(RefundState::Stuck { reason: refusal.sub_code });
            }
            reply => reply.read::<Made>()?,
        };
        if reply.fund_change == "Y" {
            return Ok(RefundState::Succeeded);
        }
        // It was done before, or it isn't done yet.
        Ok(self.find_refund(refund).await?.unwrap_or(RefundState::Pending))
    }

    /// What became of a refund.
    pub(super) async fn find_refund(&self, refund: &NewRefund) -> Result<Option<RefundState>> {
        let business = json!({ "out_trade_no": number_of(refund.payment), "out_request_no": number_of(refund.id) });
        let found: Found = match self.call("alipay.trade.fastpay.refund.query", &business, false).await? {
            Reply::Refused(refusal) if refusal.is_not_found() => return Ok(None),
            reply => reply.read()?,
        };
        Ok(match found.refund_status.as_deref() {
            Some("REFUND_SUCCESS") => Some(RefundState::Succeeded),
            // It says nothing of a refund that isn't done; to ask for it again is safe.
            None | Some("") => None,
            Some(other) => {
                tracing::warn!(state = other, "alipay: a refund is in a state that isn't known here");
                Some(RefundState::Pending)
            }
        })
    }
}
