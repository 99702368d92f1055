//! Refunds: under way when they are asked for, done when the sandbox is told to finish them.

use axum::http::StatusCode;
use kernel::{Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    WechatSandbox,
    answer::{Answer, Refusal},
};
use crate::{
    peers::china_time,
    sandbox::wire::{Mishap, Refund, RefundStage, Stage},
};

const NOT_EXIST: Refusal = Refusal::new(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS", "there is no such thing");
const INVALID: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", "it does not fit what is known");
const TOO_MUCH: Refusal = Refusal::new(StatusCode::FORBIDDEN, "NOT_ENOUGH", "more would go back than came");

#[derive(Deserialize)]
struct NewRefund {
    out_trade_no: String,
    out_refund_no: String,
    amount: NewAmount,
}

#[derive(Deserialize)]
struct NewAmount {
    refund: i64,
    total: i64,
    currency: String,
}

impl WechatSandbox {
    pub(super) fn make_refund(&self, body: &[u8]) -> Result<Answer, Refusal> {
        let new: NewRefund = serde_json::from_slice(body).map_err(|_| Refusal::MALFORMED)?;
        let now = self.clock.now();
        let mut book = self.book();
        let trade = book.trades.get(&new.out_trade_no).ok_or(NOT_EXIST)?;
        if new.amount.refund <= 0 || new.amount.total != trade.total || new.amount.currency != "CNY" {
            return Err(Refusal::MALFORMED);
        }
        let (is_paid, total) = (trade.stage == Stage::Paid, trade.total);
        if let Some(known) = book.refunds.get(&new.out_refund_no) {
            let is_same = known.trade == new.out_trade_no && known.amount == new.amount.refund;
            return if is_same { Ok(Answer::Json(shown(known, total))) } else { Err(INVALID) };
        }
        if !is_paid {
            return Err(INVALID);
        }
        if book.refunded(&new.out_trade_no) + new.amount.refund > total {
            return Err(TOO_MUCH);
        }
        let refund = Refund {
            id: book.next_id("50300"),
            number: new.out_refund_no,
            trade: new.out_trade_no,
            amount: new.amount.refund,
            stage: RefundStage::Under,
            create_time: now,
            done_time: None,
        };
        let answer = shown(&refund, total);
        book.refunds.insert(refund.number.clone(), refund);
        Ok(Answer::Json(answer))
    }

    pub(super) fn show_refund(&self, number: &str, mishap: Mishap) -> Result<Answer, Refusal> {
        let book = self.book();
        let refund = book.refunds.get(number).ok_or(NOT_EXIST)?;
        let total = book.trades.get(&refund.trade).map_or(0, |trade| trade.total);
        let mut shown = shown(refund, total);
        if mishap == Mishap::UnknownState {
            shown["status"] = "MYSTERY".into();
        }
        Ok(Answer::Json(shown))
    }

    /// All refunds under way reach their customers, and the merchant is told. Returns how many.
    ///
    /// # Errors
    /// `Internal` if a notice can't be sealed.
    pub fn finish_refunds(&self) -> Result<usize> {
        self.end_refunds(RefundStage::Done)
    }

    /// All refunds under way find the customers' accounts closed, and the merchant is told. Returns how many.
    ///
    /// # Errors
    /// `Internal` if a notice can't be sealed.
    pub fn jam_refunds(&self) -> Result<usize> {
        self.end_refunds(RefundStage::Stuck)
    }

    fn end_refunds(&self, stage: RefundStage) -> Result<usize> {
        let now = self.clock.now();
        let ended: Vec<Refund> = {
            let mut book = self.book();
            let under = book.refunds.values_mut().filter(|refund| refund.stage == RefundStage::Under);
            under
                .map(|refund| {
                    refund.stage = stage;
                    refund.done_time = Some(now);
                    refund.clone()
                })
                .collect()
        };
        for refund in &ended {
            let trade = self.book().trades.get(&refund.trade).cloned();
            self.tell_of_refund(refund, &trade.ok_or_else(|| Error::not_found(format!("order {}", refund.trade)))?)?;
        }
        Ok(ended.len())
    }
}

/// The provider's word for where a refund is.
pub(super) fn status(stage: RefundStage) -> &'static str {
    match stage {
        RefundStage::Under => "PROCESSING",
        RefundStage::Done => "SUCCESS",
        RefundStage::Stuck => "ABNORMAL",
    }
}

fn shown(refund: &Refund, total: i64) -> Value {
    let mut shown = json!({
        "refund_id": refund.id,
        "out_refund_no": refund.number,
        "out_trade_no": refund.trade,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": china_time::rfc3339(refund.create_time),
        "status": status(refund.stage),
        "amount": { "total": total, "refund": refund.amount, "payer_total": total, "payer_refund": refund.amount,
                    "settlement_refund": refund.amount, "settlement_total": total, "discount_refund": 0,
                    "currency": "CNY" },
    });
    if let Some(time) = refund.done_time {
        shown["success_time"] = china_time::rfc3339(time).into();
    }
    shown
}
