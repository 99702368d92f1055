//! What customers see of the sandbox.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Sandbox, charge::State as ChargeState, faults::Fault, notices::announce_in_tx, page, reply::Refusal, store,
};

/// Why a charge fails that the customer was told to fail.
const DECLINED: &str = "DECLINED";

#[derive(Deserialize)]
struct Payment {
    outcome: Outcome,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Succeed,
    Fail,
}

/// The query of `POST /pay/{charge_id}`.
#[derive(Debug, Deserialize)]
pub struct Options {
    fault: Option<Fault>,
}

/// `GET /pay/{charge_id}`.
pub async fn show(State(sandbox): State<Arc<Sandbox>>, Path(charge_id): Path<String>) -> Result<Response, Refusal> {
    sandbox.faults.suffer().await?;
    let charge = store::charge_by_charge_id(&mut *sandbox.pg.conn().await?, &charge_id).await?;
    Ok(match charge {
        Some(charge) => page::of(&charge, sandbox.clock.now()).into_response(),
        None => (StatusCode::NOT_FOUND, page::of_nothing()).into_response(),
    })
}

/// `POST /pay/{charge_id}`: answered with the page, or as JSON if JSON came. A charge that has its outcome keeps it:
/// the other one is refused (409).
pub async fn pay(
    State(sandbox): State<Arc<Sandbox>>,
    Path(charge_id): Path<String>,
    Query(options): Query<Options>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    sandbox.faults.suffer().await?;
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    let state = match read(is_json, &body).ok_or(Refusal::MALFORMED)? {
        Outcome::Succeed => ChargeState::Succeeded,
        Outcome::Fail => ChargeState::Failed { reason: DECLINED.to_owned() },
    };
    let now = sandbox.clock.now();
    let mut tx = sandbox.pg.begin().await?;
    let charge = store::charge_by_charge_id(&mut tx, &charge_id).await?.ok_or(Refusal::NOT_FOUND)?;
    let mut charge = store::lock_charge(&mut tx, charge.id).await?.ok_or(Refusal::NOT_FOUND)?;
    if charge.state == state {
        // The button was pressed twice.
    } else if !charge.is_payable(now) {
        return match is_json {
            true => Err(Refusal::WRONG_STATE),
            false => Ok((StatusCode::CONFLICT, page::of(&charge, now)).into_response()),
        };
    } else {
        charge.state = state;
        store::set_charge_state(&mut tx, &charge).await?;
        announce_in_tx(&mut tx, now, &charge, options.fault).await?;
        tx.commit().await?;
        sandbox.wake();
    }
    Ok(if is_json {
        Json(charge.view(&sandbox.public_url)).into_response()
    } else {
        page::of(&charge, now).into_response()
    })
}

fn read(is_json: bool, body: &[u8]) -> Option<Outcome> {
    if is_json {
        return serde_json::from_slice(body).ok().map(|payment: Payment| payment.outcome);
    }
    let outcome = form_urlencoded::parse(body).find(|(key, _)| key == "outcome")?.1;
    match outcome.as_ref() {
        "succeed" => Some(Outcome::Succeed),
        "fail" => Some(Outcome::Fail),
        _ => None,
    }
}
