//! What customers see of the sandbox.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Sandbox,
    charge::{Charge, State as ChargeState},
    faults::Fault,
    notices::announce_in_tx,
    reply::Refusal,
    store,
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
pub async fn show(State(sandbox): State<Arc<Sandbox>>, Path(charge_id): Path<String>) -> Result<Html<String>, Refusal> {
    sandbox.faults.suffer().await?;
    let charge = store::charge_by_charge_id(&mut *sandbox.pg.conn().await?, &charge_id).await?;
    Ok(page(&charge.ok_or(Refusal::NOT_FOUND)?))
}

/// `POST /pay/{charge_id}`: answered with the page, or as JSON if JSON came. A charge that has its outcome keeps it.
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
    } else if charge.state != ChargeState::Pending || charge.expire_time <= now {
        return Err(Refusal::WRONG_STATE);
    } else {
        charge.state = state;
        store::set_charge_state(&mut tx, &charge).await?;
        announce_in_tx(&mut tx, now, &charge, options.fault).await?;
        tx.commit().await?;
        sandbox.wake();
    }
    Ok(if is_json { Json(charge.view(&sandbox.public_url)).into_response() } else { page(&charge).into_response() })
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

/// Nothing in it comes from outside unchecked: the ids are made here, amount and currency were checked.
fn page(charge: &Charge) -> Html<String> {
    let amount = kernel::Currency::parse("currency", &charge.currency)
        .map(|currency| kernel::Money::new(charge.amount_minor, currency).to_string())
        .unwrap_or_else(|_| format!("{} minor units of {}", charge.amount_minor, charge.currency));
    let below = match charge.state {
        ChargeState::Pending => {
            "<form method=\"post\"><button name=\"outcome\" value=\"succeed\">Pay</button> \
             <button name=\"outcome\" value=\"fail\">Fail</button></form>"
        }
        ChargeState::Succeeded => "<p>Paid. You can close this page.</p>",
        ChargeState::Failed { .. } => "<p>The payment failed. Go back and try again.</p>",
        ChargeState::Expired => "<p>It is too late to pay this. Go back and try again.</p>",
    };
    Html(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Sandbox payment</title></head>\n\
         <body><main><h1>{amount}</h1><p>Sandbox: no money moves. Charge {}</p>{below}</main></body></html>\n",
        charge.charge_id,
    ))
}
