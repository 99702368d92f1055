//! Money that is set aside, taken and let go.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

use kernel::{Error, Result};
use serde_json::{Value, json};

use super::{AlipaySandbox, Answer, Refusal, done, text};
use crate::peers::yuan;

const NOT_EXIST: Refusal = Refusal("40004", "AUTH_ORDER_NOT_EXIST");
const STATUS: Refusal = Refusal("40004", "ORDER_ALREADY_CLOSED");
const TOO_MUCH: Refusal = Refusal("40004", "FREEZE_AMOUNT_NOT_ENOUGH");

/// An authorisation.
#[derive(Debug, Clone)]
pub struct Freeze {
    id: String,
    request: String,
    amount: i64,
    rest: i64,
    stage: Stage,
    /// The operations on it, by the merchant's numbers: the provider's numbers and amounts.
    released: BTreeMap<String, (String, i64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asked,
    Agreed,
    Closed,
}

impl AlipaySandbox {
    fn freezes(&self) -> MutexGuard<'_, BTreeMap<String, Freeze>> {
        self.freezes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The customer agrees that money is set aside.
    ///
    /// # Errors
    /// `NotFound`; `FailedPrecondition` if it was agreed to, or given up.
    pub fn agree(&self, order: &str) -> Result<()> {
        let mut freezes = self.freezes();
        let freeze = freezes.get_mut(order).ok_or_else(|| Error::not_found(format!("authorisation {order}")))?;
        if freeze.stage != Stage::Asked {
            return Err(Error::precondition("NOT_ASKED", "nobody asks for that any more"));
        }
        (freeze.stage, freeze.rest) = (Stage::Agreed, freeze.amount);
        Ok(())
    }

    pub(super) fn make_freeze(&self, business: &Value) -> Result<Freeze, Refusal> {
        let amount = yuan::parse("amount", text(business, "amount")).map_err(|_| Refusal::MALFORMED)?;
        let (order, request) = (text(business, "out_order_no"), text(business, "out_request_no"));
        if amount <= 0 || order.is_empty() || request.is_empty() || text(business, "order_title").is_empty() {
            return Err(Refusal::MALFORMED);
        }
        let id = self.book().next_id("2027030110");
        let mut freezes = self.freezes();
        let freeze = freezes.entry(order.to_owned()).or_insert_with(|| Freeze {
            id,
            request: request.to_owned(),
            amount,
            rest: 0,
            stage: Stage::Asked,
            released: BTreeMap::new(),
        });
        if freeze.amount == amount && freeze.request == request { Ok(freeze.clone()) } else { Err(Refusal::MALFORMED) }
    }

    pub(super) fn make_voucher(&self, business: &Value) -> Answer {
        let freeze = self.make_freeze(business)?;
        let code = format!("https://qr.alipay.com/sandbox{}", freeze.id);
        Ok(done(json!({ "out_order_no": text(business, "out_order_no"), "code_type": "qrcode", "code_value": code })))
    }

    pub(super) fn freeze_scanned(&self, business: &Value) -> Answer {
        if text(business, "auth_code").is_empty() {
            return Err(Refusal::MALFORMED);
        }
        self.make_freeze(business)?;
        // The same request again finds it agreed to.
        let _ = self.agree(text(business, "out_order_no"));
        self.show_freeze(business)
    }

    pub(super) fn show_freeze(&self, business: &Value) -> Answer {
        let order = text(business, "out_order_no");
        let freezes = self.freezes();
        let freeze = freezes.get(order).ok_or(NOT_EXIST)?;
        let request = text(business, "out_request_no");
        let (operation, status) = match (freeze.released.get(request), freeze.stage) {
            (Some((operation, _)), _) => (operation.as_str(), "SUCCESS"),
            (None, _) if request != freeze.request => return Err(NOT_EXIST),
            (None, Stage::Asked) => (freeze.id.as_str(), "INIT"),
            (None, Stage::Agreed) => (freeze.id.as_str(), "SUCCESS"),
            (None, Stage::Closed) => (freeze.id.as_str(), "CLOSED"),
        };
        Ok(done(json!({
            "auth_no": freeze.id,
            "out_order_no": order,
            "operation_id": operation,
            "status": status,
            "total_freeze_amount": yuan::format(freeze.amount),
            "rest_amount": yuan::format(freeze.rest),
        })))
    }

    /// Takes of what is set aside.
    pub(super) fn draw(&self, authorisation: &str, amount: i64, complete: bool) -> Result<(), Refusal> {
        let mut freezes = self.freezes();
        let freeze = freezes.values_mut().find(|freeze| freeze.id == authorisation).ok_or(NOT_EXIST)?;
        if freeze.stage != Stage::Agreed {
            return Err(STATUS);
        }
        if amount > freeze.rest {
            return Err(TOO_MUCH);
        }
        freeze.rest = if complete { 0 } else { freeze.rest - amount };
        Ok(())
    }

    pub(super) fn unfreeze(&self, business: &Value) -> Answer {
        let amount = yuan::parse("amount", text(business, "amount")).map_err(|_| Refusal::MALFORMED)?;
        let (authorisation, request) = (text(business, "auth_no"), text(business, "out_request_no"));
        let id = self.book().next_id("2027030111");
        let mut freezes = self.freezes();
        let freeze = freezes.values_mut().find(|freeze| freeze.id == authorisation).ok_or(NOT_EXIST)?;
        if freeze.stage != Stage::Agreed {
            return Err(STATUS);
        }
        let operation = match freeze.released.get(request) {
            Some((operation, known)) if *known == amount => operation.clone(),
            Some(_) => return Err(Refusal::MALFORMED),
            None if amount <= 0 || amount > freeze.rest => return Err(TOO_MUCH),
            None => {
                freeze.rest -= amount;
                freeze.released.insert(request.to_owned(), (id.clone(), amount));
                id
            }
        };
        Ok(done(json!({
            "auth_no": freeze.id,
            "operation_id": operation,
            "status": "SUCCESS",
            "amount": yuan::format(amount),
            "rest_amount": yuan::format(freeze.rest),
        })))
    }

    pub(super) fn cancel_freeze(&self, business: &Value) -> Answer {
        let mut freezes = self.freezes();
        let freeze = freezes.get_mut(text(business, "out_order_no")).ok_or(NOT_EXIST)?;
        (freeze.stage, freeze.rest) = (Stage::Closed, 0);
        Ok(done(json!({ "auth_no": freeze.id, "action": "unfreeze" })))
    }
}
