//! Telling the merchant: sealed, signed anew for each sending, until it is acknowledged.

use std::time::Duration;

use kernel::{Error, Result, Timestamp, ids::uuid_v7};
use serde_json::{Value, json};

use super::{MERCHANT_ID, PUBLIC_KEY_ID, WechatSandbox, orders::transaction, refunds::status};
use crate::{
    peers::china_time,
    sandbox::wire::{Headers, Mishap, Outgoing, Refund, RefundStage, Seal, Spoilt, Stage, Trade},
};

/// How much later a late notice comes.
const LATE: Duration = Duration::from_secs(20);

impl WechatSandbox {
    /// Queues the notice of a payment, spoilt if wanted.
    pub(super) fn tell_of_trade(&self, trade: &Trade, spoilt: Option<Spoilt>) -> Result<()> {
        let extra = i64::from(spoilt == Some(Spoilt::WrongAmount));
        let mut notice = self.notice(trade, "TRANSACTION.SUCCESS", "transaction", &transaction(trade, false, extra))?;
        match spoilt {
            Some(Spoilt::Lost) => return Ok(()),
            Some(Spoilt::Late) => notice.at += LATE,
            Some(Spoilt::Forged) => notice.seal = Seal::Forged,
            Some(Spoilt::Stale) => notice.seal = Seal::Stale,
            Some(Spoilt::Probe) => notice.seal = Seal::Probe,
            Some(Spoilt::Twice) => self.queue.push(notice.clone()),
            Some(Spoilt::Replayed) => {
                notice.seal = Seal::Copied(self.seal_headers(&notice));
                self.queue.push(notice.clone());
            }
            Some(Spoilt::Reordered) => {
                self.queue.push(notice);
                let older = Trade { stage: Stage::Waiting, ..trade.clone() };
                notice = self.notice(trade, "TRANSACTION.SUCCESS", "transaction", &transaction(&older, false, 0))?;
            }
            Some(Spoilt::WrongAmount) | None => {}
        }
        self.queue.push(notice);
        Ok(())
    }

    /// Queues the notice of what became of a refund.
    pub(super) fn tell_of_refund(&self, refund: &Refund, trade: &Trade) -> Result<()> {
        let status = status(refund.stage);
        let mut told = json!({
            "mchid": MERCHANT_ID,
            "transaction_id": trade.id,
            "out_trade_no": trade.number,
            "refund_id": refund.id,
            "out_refund_no": refund.number,
            "refund_status": status,
            "user_received_account": "支付用户零钱",
            "amount": { "total": trade.total, "refund": refund.amount, "payer_total": trade.total,
                        "payer_refund": refund.amount },
        });
        if let (RefundStage::Done, Some(time)) = (refund.stage, refund.done_time) {
            told["success_time"] = china_time::rfc3339(time).into();
        }
        let notice = self.notice(trade, &format!("REFUND.{status}"), "refund", &told)?;
        self.queue.push(notice);
        Ok(())
    }

    /// Sends the notices that are due. Returns the statuses of the answers, 0 for none.
    pub async fn deliver_due(&self) -> Vec<u16> {
        // Any 200 or 204 acknowledges.
        self.queue.deliver(|notice| self.seal_headers(notice), |status, _| matches!(status, 200 | 204)).await
    }

    /// Takes the next notice off the line: its headers and body, as they would have been sent.
    pub fn intercept(&self) -> Option<(Headers, Vec<u8>)> {
        let notice = self.queue.pop()?;
        Some((self.seal_headers(&notice), notice.body))
    }

    /// When the next notice is to be sent.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.queue.next_due()
    }

    /// How many notices wait to be sent, or sent again.
    pub fn undelivered(&self) -> usize {
        self.queue.len()
    }

    /// Something as a notice, sealed, with the provider's signature in its headers: what only the provider could send.
    ///
    /// # Errors
    /// `Internal` if it can't be sealed or signed.
    pub fn signed_notice(&self, event: &str, original: &str, content: &[u8]) -> Result<(Headers, Vec<u8>)> {
        let body = self.sealed_notice(event, original, content)?;
        Ok((self.signature_headers(&body, PUBLIC_KEY_ID, Mishap::None)?, body))
    }

    fn seal_headers(&self, notice: &Outgoing) -> Headers {
        let mishap = match notice.seal {
            Seal::Forged => Mishap::Forged,
            Seal::Stale => Mishap::Stale,
            Seal::Probe => Mishap::Probe,
            Seal::Sound | Seal::Copied(_) => Mishap::None,
        };
        self.signature_headers(&notice.body, self.serial(), mishap).unwrap_or_default()
    }

    fn notice(&self, trade: &Trade, event: &str, original: &str, content: &Value) -> Result<Outgoing> {
        Ok(Outgoing {
            url: trade.notify_url.clone(),
            content_type: "application/json",
            body: self.sealed_notice(event, original, content.to_string().as_bytes())?,
            at: self.clock.now(),
            seal: Seal::Sound,
            attempts: 0,
        })
    }

    fn sealed_notice(&self, event: &str, original: &str, content: &[u8]) -> Result<Vec<u8>> {
        let now = self.clock.now();
        let mut resource = self.seal(original, content).map_err(|_| Error::internal("a notice could not be sealed"))?;
        resource["original_type"] = original.into();
        let body = json!({
            "id": uuid_v7(now),
            "create_time": china_time::rfc3339(now),
            "resource_type": "encrypt-resource",
            "event_type": event,
            "summary": "沙箱通知",
            "resource": resource,
        });
        Ok(body.to_string().into_bytes())
    }
}
