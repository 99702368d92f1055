//! Orders: the provider's word for charges. They are called by the payment's id, which is also the idempotency key.

use std::net::IpAddr;

use kernel::{Error, Money, Result, ids::uuid_v7};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Wechat, call::Reply, sign::jsapi_params};
use crate::{
    domain::{Action, Charge, Tender},
    peers::{
        china_time,
        http::unknown,
        port::{Amount, ChargeReport, ChargeState, NewCharge, number_of, payment_of},
    },
};

/// The longest description, in bytes.
const MAX_DESCRIPTION: usize = 127;

#[derive(Serialize)]
struct NewOrder<'a> {
    appid: &'a str,
    mchid: &'a str,
    description: String,
    out_trade_no: &'a str,
    time_expire: String,
    notify_url: &'a str,
    amount: NewAmount,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<NewPayer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_info: Option<serde_json::Value>,
}

#[derive(Serialize)]
struct NewAmount {
    total: i64,
    currency: &'static str,
}

#[derive(Serialize)]
struct NewPayer<'a> {
    openid: &'a str,
}

#[derive(Deserialize)]
struct Prepaid {
    prepay_id: String,
}

#[derive(Deserialize)]
struct Coded {
    code_url: String,
}

#[derive(Deserialize)]
struct Redirected {
    h5_url: String,
}

/// What the provider says of an order, when asked or in a notice.
#[derive(Debug, Deserialize)]
pub(super) struct Transaction {
    pub(super) mchid: String,
    /// Missing for an order that was made for another app.
    #[serde(default)]
    pub(super) appid: String,
    out_trade_no: String,
    #[serde(default)]
    transaction_id: String,
    trade_state: String,
    amount: Option<StatedAmount>,
}

#[derive(Debug, Deserialize)]
struct StatedAmount {
    total: Option<i64>,
    #[serde(default = "yuan")]
    currency: String,
}

fn yuan() -> String {
    "CNY".to_owned()
}

impl Transaction {
    pub(super) fn report(self) -> ChargeReport {
        let state = match self.trade_state.as_str() {
            // `REFUND`: it was paid, and something of it went back.
            "SUCCESS" | "REFUND" => ChargeState::Succeeded,
            "NOTPAY" | "USERPAYING" | "ACCEPT" => ChargeState::Pending,
            "CLOSED" | "REVOKED" => ChargeState::Failed { reason: "EXPIRED".to_owned() },
            "PAYERROR" => ChargeState::Failed { reason: "DECLINED".to_owned() },
            other => {
                tracing::warn!(state = other, "wechat: an order is in a state that isn't known here");
                ChargeState::Pending
            }
        };
        let amount = self.amount.and_then(|amount| Some(Amount { minor: amount.total?, currency: amount.currency }));
        ChargeReport {
            payment: payment_of(&self.out_trade_no),
            reference: self.out_trade_no,
            transaction: self.transaction_id,
            amount,
            state,
        }
    }
}

/// What can be said against a charge before it is sent.
pub(super) fn check(charge: &NewCharge) -> Result<()> {
    fen(charge.amount)?;
    match charge.tender {
        Tender::WechatJsapi => required("payer.id", &charge.payer.id, "the payer's openid").map(drop),
        Tender::WechatH5 => match charge.payer.ip.parse::<IpAddr>() {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::invalid("payer.ip", "must be the address of the payer's device to pay in this way")),
        },
        _ => Ok(()),
    }
}

impl Wechat {
    /// Makes an order, or finds the one made before, and says how it is paid.
    pub(super) async fn make_order(&self, charge: &NewCharge) -> Result<Charge> {
        let number = number_of(charge.payment);
        let order = NewOrder {
            appid: &self.app_id,
            mchid: &self.merchant_id,
            description: shortened(&charge.description),
            out_trade_no: &number,
            time_expire: china_time::rfc3339(charge.expire_time),
            notify_url: &self.notify_url,
            amount: NewAmount { total: fen(charge.amount)?, currency: "CNY" },
            payer: None,
            scene_info: None,
            settle_info: self.profit_sharing.then(|| json!({ "profit_sharing": true })),
        };
        let action = match charge.tender {
            Tender::WechatJsapi => {
                let openid = required("payer.id", &charge.payer.id, "the payer's openid")?;
                let order = NewOrder { payer: Some(NewPayer { openid }), ..order };
                let made: Prepaid = self.place("jsapi", &order).await?;
                let now = self.clock.now();
                let nonce = uuid_v7(now).simple().to_string();
                let key = &self.private_key;
                Action::Jsapi(jsapi_params(key, &self.app_id, &made.prepay_id, now.as_second(), &nonce)?)
            }
            Tender::WechatNative => Action::Show { code: self.place::<Coded>("native", &order).await?.code_url },
            Tender::WechatH5 => {
                let scene = json!({ "payer_client_ip": charge.payer.ip, "h5_info": { "type": "Wap" } });
                let made: Redirected = self.place("h5", &NewOrder { scene_info: Some(scene), ..order }).await?;
                Action::Open { uri: returning(made.h5_url, &charge.payer.return_uri) }
            }
            other => return Err(Error::internal(format!("{} is not a way of WeChat Pay", other.as_str()))),
        };
        Ok(Charge { id: number, action })
    }

    async fn place<R: serde::de::DeserializeOwned>(&self, way: &str, order: &NewOrder<'_>) -> Result<R> {
        match self.post(&format!("/v3/pay/transactions/{way}"), order).await? {
            // An answer was lost, and meanwhile it was paid: whoever asks learns so.
            Reply::Refused(refusal) if is_paid(&refusal.code) => Err(unknown("the order is paid already")),
            reply => reply.read(),
        }
    }

    /// What became of an order.
    pub(super) async fn order(&self, number: &str) -> Result<Option<Transaction>> {
        let path = format!("/v3/pay/transactions/out-trade-no/{number}?mchid={}", self.merchant_id);
        self.get(&path).await?.find()
    }

    /// Closes an order that nobody has paid.
    pub(super) async fn close_order(&self, number: &str) -> Result<()> {
        let path = format!("/v3/pay/transactions/out-trade-no/{number}/close");
        match self.post(&path, &json!({ "mchid": self.merchant_id })).await? {
            Reply::Done(_) => Ok(()),
            Reply::Refused(refusal) if is_paid(&refusal.code) => {
                Err(Error::precondition("ALREADY_PAID", "the customer has paid already"))
            }
            Reply::Refused(refusal) if refusal.is_not_found() || is_closed(&refusal.code) => Ok(()),
            Reply::Refused(refusal) => Err(refusal.error()),
        }
    }
}

fn is_paid(code: &str) -> bool {
    matches!(code, "ORDERPAID" | "ORDER_PAID")
}

fn is_closed(code: &str) -> bool {
    matches!(code, "ORDER_CLOSED" | "ORDERCLOSED")
}

/// An amount in fen: the provider takes no other currency.
pub(super) fn fen(amount: Money) -> Result<i64> {
    if amount.currency().code() == "CNY" {
        Ok(amount.minor())
    } else {
        Err(Error::precondition("CURRENCY_NOT_OFFERED", "this provider takes yuan only; choose another way to pay"))
    }
}

fn required<'a>(field: &'static str, value: &'a str, what: &str) -> Result<&'a str> {
    if value.is_empty() { Err(Error::invalid(field, format!("must be {what} to pay in this way"))) } else { Ok(value) }
}

/// The address of a page from which the customer's browser comes back.
fn returning(page: String, return_uri: &str) -> String {
    if return_uri.is_empty() {
        return page;
    }
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("redirect_url", return_uri).finish();
    format!("{page}{}{query}", if page.contains('?') { '&' } else { '?' })
}

/// As much of a description as the provider takes, in whole characters.
fn shortened(text: &str) -> String {
    let end = text.char_indices().map(|(start, c)| start + c.len_utf8()).take_while(|end| *end <= MAX_DESCRIPTION);
    text[..end.last().unwrap_or(0)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_cut_between_characters() {
        assert_eq!(shortened("spa"), "spa");
        let long = "肩颈按摩".repeat(20);
        let short = shortened(&long);
        assert!(long.starts_with(&short) && short.len() == 126);
    }

    #[test]
    fn the_browser_comes_back_to_where_it_is_told() {
        let page = || "https://wx.example/pay?id=1".to_owned();
        assert_eq!(returning(page(), ""), page());
        let back = returning(page(), "https://shop.example/?a=b&c");
        assert_eq!(back, "https://wx.example/pay?id=1&redirect_url=https%3A%2F%2Fshop.example%2F%3Fa%3Db%26c");
    }

    #[test]
    fn states_are_read_and_unknown_ones_are_asked_about_again() {
        let state = |state: &str| {
            let text = json!({ "mchid": "1", "out_trade_no": "x", "trade_state": state }).to_string();
            serde_json::from_str::<Transaction>(&text).expect("a transaction").report().state
        };
        assert_eq!(state("SUCCESS"), ChargeState::Succeeded);
        assert_eq!(state("REFUND"), ChargeState::Succeeded);
        assert_eq!(state("NOTPAY"), ChargeState::Pending);
        assert_eq!(state("CLOSED"), ChargeState::Failed { reason: "EXPIRED".to_owned() });
        assert_eq!(state("PAYERROR"), ChargeState::Failed { reason: "DECLINED".to_owned() });
        assert_eq!(state("SOMETHING_NEW"), ChargeState::Pending);
    }
}
