//! Trades.

use kernel::{Error, Result, Timestamp};
use serde_json::{Value, json};

use super::{AlipaySandbox, Answer, Refusal, done, text};
use crate::{
    peers::{alipay::Params, china_time, yuan},
    sandbox::wire::{Book, Mishap, Spoilt, Stage, Trade},
};

const STATUS: Refusal = Refusal("40004", "ACQ.TRADE_STATUS_ERROR");
const USED: Refusal = Refusal("40004", "ACQ.CONTEXT_INCONSISTENT");
const PAID: Refusal = Refusal("40004", "ACQ.TRADE_HAS_SUCCESS");

impl AlipaySandbox {
    /// The customer opens what the merchant has given: the query of a page's address, or an app's order. Only then is there
    /// a trade. Returns the merchant's number for it, or for the money to be set aside.
    ///
    /// # Errors
    /// `InvalidArgument` if the merchant has not signed it so.
    pub fn open(&self, order: &str) -> Result<String> {
        let params: Params = form_urlencoded::parse(order.as_bytes()).into_owned().collect();
        let bad = |refusal: Refusal| Error::invalid("order", format!("is refused: {}", refusal.1));
        let call = self.admit(params).map_err(bad)?;
        match call.method.as_str() {
            "alipay.trade.page.pay" | "alipay.trade.app.pay" => {
                self.make_trade(&call.business, &call.notify_url).map_err(bad)?;
                Ok(text(&call.business, "out_trade_no").to_owned())
            }
            "alipay.fund.auth.order.app.freeze" => {
                self.make_freeze(&call.business).map_err(bad)?;
                Ok(text(&call.business, "out_order_no").to_owned())
            }
            _ => Err(bad(Refusal::MALFORMED)),
        }
    }

    pub(super) fn precreate(&self, business: &Value, notify_url: &str) -> Answer {
        let trade = self.make_trade(business, notify_url)?;
        let code = format!("https://qr.alipay.com/sandbox{}", trade.id);
        Ok(done(json!({ "out_trade_no": trade.number, "qr_code": code })))
    }

    /// The desk has scanned the customer's code, or takes of what is set aside. A code that ends in 9 asks for a password.
    pub(super) fn take(&self, business: &Value, notify_url: &str) -> Answer {
        let authorisation = text(business, "auth_no");
        let by_code = text(business, "scene") == "bar_code" && !text(business, "auth_code").is_empty();
        if authorisation.is_empty() != by_code {
            return Err(Refusal::MALFORMED);
        }
        let trade = self.make_trade(business, notify_url)?;
        let answer =
            json!({ "out_trade_no": trade.number, "trade_no": trade.id, "total_amount": yuan::format(trade.total) });
        if trade.stage == Stage::Paid {
            return Err(PAID);
        }
        if by_code && text(business, "auth_code").ends_with('9') {
            let mut waits = answer;
            waits["code"] = "10003".into();
            waits["msg"] = "order success pay inprocess".into();
            return Ok(waits);
        }
        if !by_code {
            self.draw(authorisation, trade.total, text(business, "auth_confirm_mode") == "COMPLETE")?;
        }
        self.pay(&trade.number).map_err(|_| STATUS)?;
        Ok(done(answer))
    }

    fn make_trade(&self, business: &Value, notify_url: &str) -> Result<Trade, Refusal> {
        let (number, subject) = (text(business, "out_trade_no"), text(business, "subject"));
        let total = yuan::parse("total_amount", text(business, "total_amount")).map_err(|_| Refusal::MALFORMED)?;
        let odd = |c: char| matches!(c, '/' | '=' | '&');
        let now = self.clock.now();
        let expire_time = match text(business, "time_expire") {
            "" => now + std::time::Duration::from_secs(15 * 24 * 3_600),
            time => china_time::read_plain(time).ok_or(Refusal::MALFORMED)?,
        };
        let is_number =
            (1..=64).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_number || subject.is_empty() || subject.contains(odd) || total <= 0 || expire_time <= now {
            return Err(Refusal::MALFORMED);
        }
        let mut book = self.book();
        if let Some(known) = book.trades.get(number) {
            let is_same = known.total == total && known.subject == subject;
            return if is_same { Ok(known.clone()) } else { Err(USED) };
        }
        let trade = Trade {
            number: number.to_owned(),
            id: book.next_id("2027030122"),
            way: text(business, "product_code").to_owned(),
            total,
            subject: subject.to_owned(),
            payer: "2088000000000009".to_owned(),
            notify_url: notify_url.to_owned(),
            stage: Stage::Waiting,
            create_time: now,
            expire_time,
            pay_time: None,
            unshared: 0,
        };
        book.trades.insert(number.to_owned(), trade.clone());
        Ok(trade)
    }

    pub(super) fn show_trade(&self, business: &Value, mishap: Mishap) -> Answer {
        let book = self.book();
        let trade = book.trades.get(text(business, "out_trade_no")).ok_or(Refusal::NO_TRADE)?;
        let extra = i64::from(mishap == Mishap::WrongAmount);
        let mut shown = json!({
            "out_trade_no": trade.number,
            "trade_no": trade.id,
            "buyer_logon_id": "159****5620",
            "trade_status": status(&book, trade),
            "total_amount": yuan::format(trade.total + extra),
        });
        if let Some(time) = trade.pay_time {
            shown["send_pay_date"] = china_time::plain(time).into();
        }
        if mishap == Mishap::UnknownState {
            shown["trade_status"] = "MYSTERY".into();
        }
        Ok(done(shown))
    }

    pub(super) fn close_trade(&self, business: &Value) -> Answer {
        let mut book = self.book();
        let trade = book.trades.get_mut(text(business, "out_trade_no")).ok_or(Refusal::NO_TRADE)?;
        if trade.stage != Stage::Waiting {
            return Err(STATUS);
        }
        trade.stage = Stage::Closed;
        Ok(done(json!({ "out_trade_no": trade.number, "trade_no": trade.id })))
    }

    /// The customer pays, and the merchant is told.
    ///
    /// # Errors
    /// `NotFound`; `FailedPrecondition` if it can't be paid any more.
    pub fn pay(&self, number: &str) -> Result<()> {
        self.pay_with(number, None)
    }

    /// The customer pays, and the merchant is told in a spoilt way.
    ///
    /// # Errors
    /// See [`AlipaySandbox::pay`].
    pub fn pay_spoilt(&self, number: &str, spoilt: Spoilt) -> Result<()> {
        self.pay_with(number, Some(spoilt))
    }

    fn pay_with(&self, number: &str, spoilt: Option<Spoilt>) -> Result<()> {
        let now: Timestamp = self.clock.now();
        let trade = {
            let mut book = self.book();
            let trade = book.trades.get_mut(number).ok_or_else(|| Error::not_found(format!("trade {number}")))?;
            if trade.stage != Stage::Waiting {
                return Err(Error::precondition("NOT_PAYABLE", "the trade can't be paid any more"));
            }
            trade.stage = Stage::Paid;
            trade.pay_time = Some(now);
            trade.clone()
        };
        self.tell_of_trade(&trade, spoilt)
    }
}

/// The provider's word for where a trade is. Closed is also what was given back whole.
pub(super) fn status(book: &Book, trade: &Trade) -> &'static str {
    match trade.stage {
        Stage::Waiting => "WAIT_BUYER_PAY",
        Stage::Paid if book.refunded(&trade.number) >= trade.total => "TRADE_CLOSED",
        Stage::Paid => "TRADE_SUCCESS",
        Stage::Closed => "TRADE_CLOSED",
    }
}
