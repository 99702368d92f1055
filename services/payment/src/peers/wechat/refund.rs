//! Refunds. They are called by the refund's id, which is also the idempotency key.

use kernel::Result;
use serde::Deserialize;
use serde_json::json;

use super::{Wechat, order::fen};
use crate::peers::port::{NewRefund, RefundReport, RefundState, number_of, payment_of, refund_of};

#[derive(Deserialize)]
struct Made {
    status: String,
}

/// What a notice says of a refund.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    pub(super) mchid: String,
    out_trade_no: String,
    out_refund_no: String,
    refund_status: String,
    amount: ToldAmount,
}

#[derive(Debug, Deserialize)]
struct ToldAmount {
    refund: i64,
}

impl Told {
    pub(super) fn report(self) -> RefundReport {
        RefundReport {
            refund: refund_of(&self.out_refund_no),
            payment: payment_of(&self.out_trade_no),
            reference: self.out_refund_no,
            amount_minor: self.amount.refund,
            state: read_state(&self.refund_status),
        }
    }
}

impl Wechat {
    /// Gives money back, or finds the refund made before.
    pub(super) async fn make_refund(&self, refund: &NewRefund) -> Result<RefundState> {
        let body = json!({
            "out_trade_no": number_of(refund.payment),
            "out_refund_no": number_of(refund.id),
            "reason": refund.reason,
            "notify_url": self.notify_url,
            "amount": { "refund": fen(refund.amount)?, "total": fen(refund.captured)?, "currency": "CNY" },
        });
        let made: Made = self.post("/v3/refund/domestic/refunds", &body).await?.read()?;
        Ok(read_state(&made.status))
    }

    /// What became of a refund.
    pub(super) async fn find_refund(&self, number: &str) -> Result<Option<RefundState>> {
        let found: Option<Made> = self.get(&format!("/v3/refund/domestic/refunds/{number}")).await?.find()?;
        Ok(found.map(|made| read_state(&made.status)))
    }
}

fn read_state(status: &str) -> RefundState {
    match status {
        "SUCCESS" => RefundState::Succeeded,
        "PROCESSING" => RefundState::Pending,
        // `ABNORMAL`: the customer's account takes nothing any more; a person redirects it at the provider.
        // `CLOSED`: the provider has given it up.
        "ABNORMAL" | "CLOSED" => RefundState::Stuck { reason: status.to_owned() },
        other => {
            tracing::warn!(state = other, "wechat: a refund is in a state that isn't known here");
            RefundState::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read() {
        assert_eq!(read_state("SUCCESS"), RefundState::Succeeded);
        assert_eq!(read_state("PROCESSING"), RefundState::Pending);
        assert_eq!(read_state("ABNORMAL"), RefundState::Stuck { reason: "ABNORMAL".to_owned() });
        assert_eq!(read_state("SOMETHING_NEW"), RefundState::Pending);
    }
}
