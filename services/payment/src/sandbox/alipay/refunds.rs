//! Refunds: done at once.

use serde_json::{Value, json};

use super::{AlipaySandbox, Answer, Refusal, done, text};
use crate::{
    peers::{china_time, yuan},
    sandbox::wire::{Refund, RefundStage, Stage},
};

const TOO_MUCH: Refusal = Refusal("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL");
const STATUS: Refusal = Refusal("40004", "ACQ.TRADE_STATUS_ERROR");
const USED: Refusal = Refusal("40004", "ACQ.DISCORDANT_REPEAT_REQUEST");

impl AlipaySandbox {
    pub(super) fn make_refund(&self, business: &Value) -> Answer {
        let amount = yuan::parse("refund_amount", text(business, "refund_amount")).map_err(|_| Refusal::MALFORMED)?;
        self.give_back(text(business, "out_trade_no"), text(business, "out_request_no"), amount)
    }

    /// Closes what was not paid, else gives all of it back.
    pub(super) fn cancel_trade(&self, business: &Value) -> Answer {
        let number = text(business, "out_trade_no");
        let (stage, total) = {
            let book = self.book();
            let trade = book.trades.get(number).ok_or(Refusal::NO_TRADE)?;
            (trade.stage, trade.total)
        };
        let action = match stage {
            Stage::Waiting => self.close_trade(business).map(|_| "close")?,
            Stage::Closed => "close",
            Stage::Paid => self.give_back(number, &format!("cancel{number}"), total).map(|_| "refund")?,
        };
        Ok(done(json!({ "out_trade_no": number, "retry_flag": "N", "action": action })))
    }

    fn give_back(&self, number: &str, request: &str, amount: i64) -> Answer {
        let now = self.clock.now();
        let mut book = self.book();
        let trade = book.trades.get(number).ok_or(Refusal::NO_TRADE)?.clone();
        let changed = match book.refunds.get(request) {
            Some(known) if known.trade == number && known.amount == amount => false,
            Some(_) => return Err(USED),
            None if trade.stage != Stage::Paid => return Err(STATUS),
            None if amount <= 0 || book.refunded(number) + amount > trade.total => return Err(TOO_MUCH),
            None => {
                let refund = Refund {
                    number: request.to_owned(),
                    id: book.next_id("R"),
                    trade: number.to_owned(),
                    amount,
                    stage: RefundStage::Done,
                    create_time: now,
                    done_time: Some(now),
                };
                book.refunds.insert(request.to_owned(), refund);
                true
            }
        };
        let all = yuan::format(book.refunded(number));
        let answer = json!({
            "out_trade_no": number,
            "trade_no": trade.id,
            "fund_change": if changed { "Y" } else { "N" },
            "refund_fee": all,
        });
        drop(book);
        if changed {
            self.tell_of_refund(&trade, request, &all).map_err(|_| Refusal::SYSTEM_ERROR)?;
        }
        Ok(done(answer))
    }

    pub(super) fn show_refund(&self, business: &Value) -> Answer {
        let number = text(business, "out_trade_no");
        let book = self.book();
        let trade = book.trades.get(number).ok_or(Refusal::NO_TRADE)?;
        let refund = book.refunds.get(text(business, "out_request_no")).filter(|refund| refund.trade == number);
        // Of a refund that isn't known nothing is said.
        Ok(done(match refund {
            None => json!({}),
            Some(refund) => json!({
                "out_trade_no": number,
                "trade_no": trade.id,
                "out_request_no": refund.number,
                "total_amount": yuan::format(trade.total),
                "refund_amount": yuan::format(refund.amount),
                "refund_status": "REFUND_SUCCESS",
                "gmt_refund_pay": refund.done_time.map(china_time::plain),
            }),
        }))
    }
}
