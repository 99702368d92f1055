//! What merchants may ask of the sandbox.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use kernel::Uuid;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    Sandbox,
    charge::{Charge, State as ChargeState, charge_id},
    reply::Refusal,
    store::{self, Refund},
};
use crate::peers::signature::{NONCE, SIGNATURE, Signed, TIMESTAMP};

/// How far a merchant's timestamp may be off, in seconds.
const TOLERANCE: i64 = 300;

/// For how long a charge can be paid if the merchant doesn't say, in minutes.
const DEFAULT_MINUTES: u32 = 30;

/// The longest that a charge can be paid, in minutes.
const MAX_MINUTES: u32 = 24 * 60;

#[derive(Deserialize)]
struct NewCharge {
    id: Uuid,
    amount_minor: i64,
    currency: String,
    notify_url: String,
    minutes: Option<u32>,
}

#[derive(Deserialize)]
struct NewRefund {
    id: Uuid,
    charge: Uuid,
    amount_minor: i64,
    currency: String,
}

/// `POST /v1/charges`.
pub async fn create_charge(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let new: NewCharge = sandbox.read(&headers, &body).await?;
    let minutes = new.minutes.unwrap_or(DEFAULT_MINUTES);
    let is_code = new.currency.len() == 3 && new.currency.bytes().all(|byte| byte.is_ascii_uppercase());
    if new.amount_minor <= 0 || !is_code || !(1..=MAX_MINUTES).contains(&minutes) || new.notify_url.len() > 1_000 {
        return Err(Refusal::MALFORMED);
    }
    let now = sandbox.clock.now();
    let charge = Charge {
        id: new.id,
        charge_id: charge_id(new.id),
        amount_minor: new.amount_minor,
        currency: new.currency,
        notify_url: new.notify_url,
        state: ChargeState::Pending,
        expire_time: now + Duration::from_secs(u64::from(minutes) * 60),
    };
    let mut tx = sandbox.pg.begin().await?;
    store::insert_charge(&mut tx, now, &charge).await?;
    let stored = store::charge_by_id(&mut tx, charge.id).await?.ok_or(Refusal::NOT_FOUND)?;
    if (stored.amount_minor, &stored.currency) != (charge.amount_minor, &charge.currency) {
        return Err(Refusal::ID_REUSED);
    }
    tx.commit().await?;
    Ok(Json(stored.view(&sandbox.public_url)).into_response())
}

/// `GET /v1/charges/{id}`.
pub async fn get_charge(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    sandbox.admit(&headers, &[]).await?;
    let charge = store::charge_by_id(&mut *sandbox.pg.conn().await?, id).await?.ok_or(Refusal::NOT_FOUND)?;
    Ok(Json(charge.view(&sandbox.public_url)).into_response())
}

/// `POST /v1/charges/{id}/close`.
pub async fn close_charge(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    sandbox.admit(&headers, &body).await?;
    let mut tx = sandbox.pg.begin().await?;
    let mut charge = store::lock_charge(&mut tx, id).await?.ok_or(Refusal::NOT_FOUND)?;
    match charge.state {
        ChargeState::Succeeded => return Err(Refusal::WRONG_STATE),
        ChargeState::Pending => {
            charge.state = ChargeState::Expired;
            store::set_charge_state(&mut tx, &charge).await?;
            tx.commit().await?;
        }
        ChargeState::Failed { .. } | ChargeState::Expired => {}
    }
    Ok(Json(charge.view(&sandbox.public_url)).into_response())
}

/// `POST /v1/refunds`.
pub async fn create_refund(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let new: NewRefund = sandbox.read(&headers, &body).await?;
    if new.amount_minor <= 0 {
        return Err(Refusal::MALFORMED);
    }
    let refund = Refund { id: new.id, charge: new.charge, amount_minor: new.amount_minor };
    let mut tx = sandbox.pg.begin().await?;
    let charge = store::lock_charge(&mut tx, refund.charge).await?.ok_or(Refusal::NOT_FOUND)?;
    match store::refund(&mut tx, refund.id).await? {
        Some(known) if known == refund => {}
        Some(_) => return Err(Refusal::ID_REUSED),
        None if charge.state != ChargeState::Succeeded => return Err(Refusal::WRONG_STATE),
        None => {
            let left = charge.amount_minor - store::refunded(&mut tx, charge.id).await?;
            if refund.amount_minor > left || new.currency != charge.currency {
                return Err(Refusal::TOO_MUCH);
            }
            store::insert_refund(&mut tx, sandbox.clock.now(), &refund).await?;
        }
    }
    tx.commit().await?;
    Ok(shown(&refund))
}

/// `GET /v1/refunds/{id}`.
pub async fn get_refund(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    sandbox.admit(&headers, &[]).await?;
    let refund = store::refund(&mut *sandbox.pg.conn().await?, id).await?.ok_or(Refusal::NOT_FOUND)?;
    Ok(shown(&refund))
}

fn shown(refund: &Refund) -> Response {
    let Refund { id, charge, amount_minor } = refund;
    Json(json!({ "id": id, "charge": charge, "amount_minor": amount_minor, "state": "succeeded" })).into_response()
}

impl Sandbox {
    /// Lets a merchant's call in.
    async fn admit(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
        self.faults.suffer().await?;
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let message = Signed { signature: text(SIGNATURE), timestamp: text(TIMESTAMP), nonce: text(NONCE), body };
        Ok(self.signer.check(message, self.clock.now().as_second(), TOLERANCE)?)
    }

    async fn read<T: DeserializeOwned>(&self, headers: &HeaderMap, body: &[u8]) -> Result<T, Refusal> {
        self.admit(headers, body).await?;
        serde_json::from_slice(body).map_err(|_| Refusal::MALFORMED)
    }
}
