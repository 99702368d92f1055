//! Orders.

use axum::http::StatusCode;
use kernel::{Error, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    APP_ID, MERCHANT_ID, WechatSandbox,
    answer::{Answer, Query, Refusal},
};
use crate::{
    peers::china_time,
    sandbox::wire::{Mishap, Spoilt, Stage, Trade},
};

const NOT_EXIST: Refusal = Refusal::new(StatusCode::NOT_FOUND, "ORDER_NOT_EXIST", "there is no such order");
const PAID: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "ORDERPAID", "the order is paid");
const USED: Refusal = Refusal::new(StatusCode::FORBIDDEN, "OUT_TRADE_NO_USED", "the number was used for another order");

#[derive(Deserialize)]
struct NewOrder {
    appid: String,
    mchid: String,
    description: String,
    out_trade_no: String,
    time_expire: String,
    notify_url: String,
    amount: NewAmount,
    payer: Option<NewPayer>,
    scene_info: Option<Value>,
    settle_info: Option<SettleInfo>,
}

#[derive(Deserialize)]
struct NewAmount {
    total: i64,
    currency: String,
}

#[derive(Deserialize)]
struct NewPayer {
    openid: String,
}

#[derive(Deserialize)]
struct SettleInfo {
    profit_sharing: bool,
}

#[derive(Deserialize)]
struct Merchant {
    mchid: String,
}

impl WechatSandbox {
    pub(super) fn make_order(&self, way: &str, body: &[u8]) -> Result<Answer, Refusal> {
        let new: NewOrder = serde_json::from_slice(body).map_err(|_| Refusal::MALFORMED)?;
        let now = self.clock.now();
        let is_number = (6..=32).contains(&new.out_trade_no.len());
        let is_short = (1..=127).contains(&new.description.len());
        let is_ours = new.appid == APP_ID && new.mchid == MERCHANT_ID && new.amount.currency == "CNY";
        let knows_payer = match way {
            "jsapi" => new.payer.is_some(),
            "h5" => new.scene_info.as_ref().is_some_and(|scene| scene["payer_client_ip"].is_string()),
            "native" => true,
            _ => false,
        };
        let expire_time = new.time_expire.parse::<Timestamp>().map_err(|_| Refusal::MALFORMED)?;
        if !is_number || !is_short || !is_ours || !knows_payer || new.amount.total <= 0 || expire_time <= now {
            return Err(Refusal::MALFORMED);
        }
        let shared = new.settle_info.is_some_and(|info| info.profit_sharing);
        let mut book = self.book();
        let id = book.next_id("42000");
        let trade = book.trades.entry(new.out_trade_no.clone()).or_insert_with(|| Trade {
            number: new.out_trade_no,
            id,
            way: way.to_ascii_uppercase(),
            total: new.amount.total,
            subject: new.description.clone(),
            payer: new.payer.map_or_else(|| "o-sandbox-payer".to_owned(), |payer| payer.openid),
            notify_url: new.notify_url,
            stage: Stage::Waiting,
            create_time: now,
            expire_time,
            pay_time: None,
            unshared: if shared { new.amount.total } else { 0 },
        });
        match trade.stage {
            Stage::Paid => return Err(PAID),
            Stage::Closed => return Err(USED),
            Stage::Waiting if (trade.total, &trade.subject) != (new.amount.total, &new.description) => {
                return Err(USED);
            }
            Stage::Waiting => {}
        }
        Ok(Answer::Json(match way {
            "jsapi" => json!({ "prepay_id": format!("wx{}", trade.id) }),
            "h5" => json!({ "h5_url": format!("{}/sandbox/pay/{}", self.url, trade.number) }),
            _ => json!({ "code_url": format!("weixin://wxpay/bizpayurl?pr={}", trade.id) }),
        }))
    }

    pub(super) fn show_order(&self, number: &str, query: &Query, mishap: Mishap) -> Result<Answer, Refusal> {
        if query.get("mchid") != MERCHANT_ID {
            return Err(Refusal::MALFORMED);
        }
        let book = self.book();
        let trade = book.trades.get(number).ok_or(NOT_EXIST)?;
        let mut shown = transaction(trade, book.refunded(number) > 0, i64::from(mishap == Mishap::WrongAmount));
        if mishap == Mishap::UnknownState {
            shown["trade_state"] = "MYSTERY".into();
        }
        Ok(Answer::Json(shown))
    }

    pub(super) fn close_order(&self, number: &str, body: &[u8]) -> Result<Answer, Refusal> {
        let merchant: Merchant = serde_json::from_slice(body).map_err(|_| Refusal::MALFORMED)?;
        let mut book = self.book();
        let trade = book.trades.get_mut(number).filter(|_| merchant.mchid == MERCHANT_ID).ok_or(NOT_EXIST)?;
        if trade.stage == Stage::Paid {
            return Err(PAID);
        }
        trade.stage = Stage::Closed;
        Ok(Answer::Nothing)
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
    /// See [`WechatSandbox::pay`].
    pub fn pay_spoilt(&self, number: &str, spoilt: Spoilt) -> Result<()> {
        self.pay_with(number, Some(spoilt))
    }

    /// A payment that another system of the merchant has taken, of which everybody is told.
    ///
    /// # Errors
    /// `Internal` if the notice can't be sealed.
    pub fn stray(&self, number: &str, total: i64, notify_url: &str) -> Result<()> {
        let now = self.clock.now();
        let trade = {
            let mut book = self.book();
            let trade = Trade {
                number: number.to_owned(),
                id: book.next_id("42000"),
                way: "NATIVE".to_owned(),
                total,
                subject: "elsewhere".to_owned(),
                payer: "o-sandbox-payer".to_owned(),
                notify_url: notify_url.to_owned(),
                stage: Stage::Paid,
                create_time: now,
                expire_time: now,
                pay_time: Some(now),
                unshared: 0,
            };
            book.trades.insert(number.to_owned(), trade.clone());
            trade
        };
        self.tell_of_trade(&trade, None)
    }

    fn pay_with(&self, number: &str, spoilt: Option<Spoilt>) -> Result<()> {
        let now = self.clock.now();
        let trade = {
            let mut book = self.book();
            let trade = book.trades.get_mut(number).ok_or_else(|| Error::not_found(format!("order {number}")))?;
            if trade.stage != Stage::Waiting {
                return Err(Error::precondition("NOT_PAYABLE", "the order can't be paid any more"));
            }
            trade.stage = Stage::Paid;
            trade.pay_time = Some(now);
            trade.clone()
        };
        self.tell_of_trade(&trade, spoilt)
    }
}

/// An order as the provider shows it, with `extra` fen too much.
pub(super) fn transaction(trade: &Trade, refunded: bool, extra: i64) -> Value {
    let (state, text) = match trade.stage {
        Stage::Waiting => ("NOTPAY", "订单未支付"),
        Stage::Paid if refunded => ("REFUND", "转入退款"),
        Stage::Paid => ("SUCCESS", "支付成功"),
        Stage::Closed => ("CLOSED", "订单已关闭"),
    };
    let mut shown = json!({
        "appid": APP_ID,
        "mchid": MERCHANT_ID,
        "out_trade_no": trade.number,
        "trade_state": state,
        "trade_state_desc": text,
    });
    if let (Stage::Paid, Some(time)) = (trade.stage, trade.pay_time) {
        let total = trade.total + extra;
        shown["transaction_id"] = trade.id.as_str().into();
        shown["trade_type"] = trade.way.as_str().into();
        shown["bank_type"] = "OTHERS".into();
        shown["success_time"] = china_time::rfc3339(time).into();
        shown["payer"] = json!({ "openid": trade.payer });
        shown["amount"] = json!({ "total": total, "payer_total": total, "currency": "CNY", "payer_currency": "CNY" });
    }
    shown
}
