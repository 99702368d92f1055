//! Profit sharing: with partners that are known, never more than waits to be shared.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode};
use base64::{Engine, prelude::BASE64_STANDARD};
use rsa::{RsaPrivateKey, pkcs8::DecodePrivateKey};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    APP_ID, CERTIFICATE_SERIAL, MERCHANT_ID, PLATFORM_KEY, PUBLIC_KEY_ID, WechatSandbox,
    answer::{Answer, Query, Refusal},
};
use crate::{peers::wechat::SERIAL, sandbox::wire::Trade};

const NOT_EXIST: Refusal = Refusal::new(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS", "there is no such thing");
const TOO_MUCH: Refusal = Refusal::new(StatusCode::FORBIDDEN, "NOT_ENOUGH", "there is not so much to be shared");
const INVALID: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", "it does not fit what is known");
const STRANGER: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "NO_AUTH", "the receiver isn't known");

/// What was shared.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// Accounts with their names.
    receivers: BTreeMap<String, String>,
    orders: BTreeMap<String, Order>,
    returns: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Order {
    transaction: String,
    parts: Vec<NewPart>,
    finish: bool,
}

#[derive(Deserialize)]
struct NewReceiver {
    appid: String,
    #[serde(rename = "type")]
    kind: String,
    account: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct NewOrder {
    appid: String,
    transaction_id: String,
    out_order_no: String,
    receivers: Vec<NewPart>,
    unfreeze_unsplit: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct NewPart {
    #[serde(rename = "type")]
    kind: String,
    account: String,
    amount: i64,
    description: String,
}

#[derive(Deserialize)]
struct NewReturn {
    out_order_no: String,
    out_return_no: String,
    return_mchid: String,
    amount: i64,
}

#[derive(Deserialize)]
struct Unfreeze {
    transaction_id: String,
    out_order_no: String,
    description: String,
}

impl WechatSandbox {
    /// The name under which a receiver is known, decrypted.
    pub fn receiver(&self, account: &str) -> Option<String> {
        self.shares().receivers.get(account).cloned()
    }

    pub(super) fn share_call(
        &self,
        path: &[&str],
        query: &Query,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Answer, Refusal> {
        match path {
            ["receivers", "add"] => self.add_receiver(headers, body),
            ["receivers", "delete"] => self.remove_receiver(body),
            ["orders", "unfreeze"] => self.unfreeze(body),
            ["orders"] => self.share(body),
            ["orders", number] => self.show_share(number, query),
            ["return-orders"] => self.call_back(body),
            ["return-orders", number] => self.show_return(number),
            ["transactions", id, "amounts"] => {
                let unshared = self.paid(id)?.unshared;
                Ok(Answer::Json(json!({ "transaction_id": id, "unsplit_amount": unshared })))
            }
            _ => Err(NOT_EXIST),
        }
    }

    fn add_receiver(&self, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Refusal> {
        let new: NewReceiver = serde_json::from_slice(body).map_err(|_| Refusal::MALFORMED)?;
        let name = match new.name {
            Some(sealed) => sealed_with_ours(headers, &sealed).ok_or(Refusal::MALFORMED)?,
            None if new.kind == "PERSONAL_OPENID" => String::new(),
            _ => return Err(Refusal::MALFORMED),
        };
        if new.appid != APP_ID || new.account.is_empty() {
            return Err(Refusal::MALFORMED);
        }
        self.shares().receivers.insert(new.account.clone(), name);
        Ok(Answer::Json(json!({ "type": new.kind, "account": new.account })))
    }

    fn remove_receiver(&self, body: &[u8]) -> Result<Answer, Refusal> {
        let gone: NewReceiver = serde_json::from_slice(body).map_err(|_| Refusal::MALFORMED)?;
        self.shares().receivers.remove(&gone.account).ok_or(NOT_EXIST)?;
        Ok(Answer::Json(json!({ "type": gone.kind, "account": gone.account })))
    }

    fn share(&self, body: &[u8]) -> Result<Answer, Refusal> {
        let new: NewOrder = serde_json::from_slice(body).map_err(|_| Refusal::MALFORMED)?;
        let (number, finish) = (new.out_order_no, new.unfreeze_unsplit);
        let order = Order { transaction: new.transaction_id, parts: new.receivers, finish };
        let mut shares = self.shares();
        if let Some(known) = shares.orders.get(&number) {
            return if *known == order { Ok(shown(&number, known)) } else { Err(INVALID) };
        }
        let is_sound = |part: &NewPart| part.amount > 0 && !part.description.is_empty();
        if new.appid != APP_ID || order.parts.is_empty() || !order.parts.iter().all(is_sound) {
            return Err(Refusal::MALFORMED);
        }
        if !order.parts.iter().all(|part| shares.receivers.contains_key(&part.account)) {
            return Err(STRANGER);
        }
        let sum: i64 = order.parts.iter().map(|part| part.amount).sum();
        self.draw(&order.transaction, sum, finish)?;
        let answer = shown(&number, &order);
        shares.orders.insert(number, order);
        Ok(answer)
    }

    fn unfreeze(&self, body: &[u8]) -> Result<Answer, Refusal> {
        let new: Unfreeze = serde_json::from_slice(body).map_err(|_| Refusal::MALFORMED)?;
        let mut shares = self.shares();
        if let Some(known) = shares.orders.get(&new.out_order_no) {
            return if known.transaction == new.transaction_id {
                Ok(shown(&new.out_order_no, known))
            } else {
                Err(INVALID)
            };
        }
        let rest = self.paid(&new.transaction_id)?.unshared;
        let own = NewPart {
            kind: "MERCHANT_ID".to_owned(),
            account: MERCHANT_ID.to_owned(),
            amount: rest,
            description: new.description,
        };
        self.draw(&new.transaction_id, rest, true)?;
        let order = Order { transaction: new.transaction_id, parts: vec![own], finish: true };
        let answer = shown(&new.out_order_no, &order);
        shares.orders.insert(new.out_order_no, order);
        Ok(answer)
    }

    fn show_share(&self, number: &str, query: &Query) -> Result<Answer, Refusal> {
        let shares = self.shares();
        let order = shares.orders.get(number).filter(|order| order.transaction == query.get("transaction_id"));
        order.map(|order| shown(number, order)).ok_or(NOT_EXIST)
    }

    fn call_back(&self, body: &[u8]) -> Result<Answer, Refusal> {
        let new: NewReturn = serde_json::from_slice(body).map_err(|_| Refusal::MALFORMED)?;
        let mut shares = self.shares();
        if let Some(known) = shares.returns.get(&new.out_return_no) {
            return if known["amount"] == new.amount { Ok(Answer::Json(known.clone())) } else { Err(INVALID) };
        }
        let order = shares.orders.get(&new.out_order_no).ok_or(NOT_EXIST)?;
        let got = order.parts.iter().filter(|part| part.account == new.return_mchid && part.kind == "MERCHANT_ID");
        let got: i64 = got.map(|part| part.amount).sum();
        let back = shares.returns.values().filter(|known| known["out_order_no"] == new.out_order_no.as_str());
        let back = back.filter(|known| known["return_mchid"] == new.return_mchid.as_str());
        let back: i64 = back.filter_map(|known| known["amount"].as_i64()).sum();
        if new.amount <= 0 || back + new.amount > got {
            return Err(TOO_MUCH);
        }
        let made = json!({
            "out_order_no": new.out_order_no,
            "out_return_no": new.out_return_no,
            "return_mchid": new.return_mchid,
            "amount": new.amount,
            "result": "SUCCESS",
        });
        shares.returns.insert(new.out_return_no, made.clone());
        Ok(Answer::Json(made))
    }

    fn show_return(&self, number: &str) -> Result<Answer, Refusal> {
        self.shares().returns.get(number).cloned().map(Answer::Json).ok_or(NOT_EXIST)
    }

    pub(super) fn paid(&self, transaction: &str) -> Result<Trade, Refusal> {
        let book = self.book();
        book.trades.values().find(|trade| trade.id == transaction && trade.pay_time.is_some()).cloned().ok_or(NOT_EXIST)
    }

    fn draw(&self, transaction: &str, amount: i64, finish: bool) -> Result<(), Refusal> {
        let mut book = self.book();
        let trade = book.trades.values_mut().find(|trade| trade.id == transaction && trade.pay_time.is_some());
        let trade = trade.ok_or(NOT_EXIST)?;
        if amount > trade.unshared {
            return Err(TOO_MUCH);
        }
        trade.unshared = if finish { 0 } else { trade.unshared - amount };
        Ok(())
    }
}

fn shown(number: &str, order: &Order) -> Answer {
    let part = |part: &NewPart| {
        json!({ "type": part.kind, "account": part.account, "amount": part.amount, "description": part.description,
                "result": "SUCCESS", "detail_id": format!("{number}{}", part.account) })
    };
    Answer::Json(json!({
        "transaction_id": order.transaction,
        "out_order_no": number,
        "order_id": format!("S{number}"),
        "state": "FINISHED",
        "receivers": order.parts.iter().map(part).collect::<Vec<_>>(),
    }))
}

/// What a merchant has encrypted, if its call names one of the sandbox's keys.
pub(super) fn sealed_with_ours(headers: &HeaderMap, sealed: &str) -> Option<String> {
    let serial = headers.get(SERIAL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    [CERTIFICATE_SERIAL, PUBLIC_KEY_ID].contains(&serial).then_some(())?;
    let key = RsaPrivateKey::from_pkcs8_pem(PLATFORM_KEY).ok()?;
    let text = key.decrypt(rsa::Oaep::new::<sha1::Sha1>(), &BASE64_STANDARD.decode(sealed).ok()?).ok()?;
    String::from_utf8(text).ok()
}
