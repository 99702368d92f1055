//! Telling merchants what became of a charge: signed, later, at least once.

use std::time::Duration;

use kernel::{Error, Result, Timestamp, ids::uuid_v7};
use pg::Tx;
use serde::Deserialize;
use serde_json::json;

use super::{
    Sandbox,
    charge::{Charge, State},
    faults::Fault,
    store::{self, Delivery, Spoil},
};
use crate::peers::signature::{NONCE, SIGNATURE, TIMESTAMP};

/// How many notices one step takes on.
pub const BATCH: usize = 20;

/// How much later a late notice comes.
const LATE: Duration = Duration::from_secs(20);

/// How old the timestamp of a stale notice is, in seconds.
const STALE: i64 = 600;

/// How long no other worker sends the same notice.
const LEASE: Duration = Duration::from_secs(30);

/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// After how many attempts a notice is given up.
const MAX_ATTEMPTS: i32 = 30;

#[derive(Deserialize)]
struct Acknowledgement {
    code: String,
}

/// Queues the notice of a charge's new state, spoiled by `fault`.
pub async fn announce_in_tx(tx: &mut Tx, now: Timestamp, charge: &Charge, fault: Option<Fault>) -> Result<()> {
    let plain = body(now, charge, &charge.state, charge.amount_minor)?;
    let send = async |tx: &mut Tx, body: &[u8], spoil, at| store::insert_notice(tx, charge.id, body, spoil, at).await;
    match fault {
        None => send(tx, &plain, None, now).await?,
        Some(Fault::Lost) => {}
        Some(Fault::Late) => send(tx, &plain, None, now + LATE).await?,
        Some(Fault::Twice) => {
            send(tx, &plain, None, now).await?;
            send(tx, &plain, None, now).await?;
        }
        Some(Fault::Reordered) => {
            send(tx, &plain, None, now).await?;
            send(tx, &body(now, charge, &State::Pending, charge.amount_minor)?, None, now).await?;
        }
        Some(Fault::WrongAmount) => {
            send(tx, &body(now, charge, &charge.state, charge.amount_minor.saturating_add(1))?, None, now).await?;
        }
        Some(Fault::BadSignature) => send(tx, &plain, Some(Spoil::BadSignature), now).await?,
        Some(Fault::Stale) => send(tx, &plain, Some(Spoil::Stale), now).await?,
    }
    Ok(())
}

fn body(now: Timestamp, charge: &Charge, state: &State, amount_minor: i64) -> Result<Vec<u8>> {
    let notice = json!({
        "id": uuid_v7(now),
        "type": format!("charge.{}", state.as_str()),
        "create_time": now.to_string(),
        "charge": {
            "id": charge.id,
            "charge_id": charge.charge_id,
            "amount_minor": amount_minor,
            "currency": charge.currency,
            "state": state.as_str(),
            "failure_reason": state.failure_reason(),
        },
    });
    serde_json::to_vec(&notice).map_err(Error::internal)
}

impl Sandbox {
    /// Sends the notices that are due. Returns how many it took on.
    ///
    /// # Errors
    /// What the database answers; a merchant's failure only puts a notice off.
    pub async fn deliver_due(&self) -> Result<usize> {
        if self.faults.is_down() {
            return Ok(0);
        }
        let now = self.clock.now();
        let mut tx = self.pg.begin().await?;
        let batch = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let deliveries = store::claim_notices(&mut tx, now, now + LEASE, batch).await?;
        tx.commit().await?;
        for delivery in &deliveries {
            let mut conn = match self.send(delivery).await {
                Ok(()) => {
                    let mut conn = self.pg.conn().await?;
                    store::finish_notice(&mut conn, delivery.number, self.clock.now()).await?;
                    continue;
                }
                Err(why) => {
                    tracing::debug!(notice = delivery.number, attempts = delivery.attempts, why, "notice not accepted");
                    self.pg.conn().await?
                }
            };
            if delivery.attempts >= MAX_ATTEMPTS {
                tracing::warn!(notice = delivery.number, attempts = delivery.attempts, "notice given up");
                store::finish_notice(&mut conn, delivery.number, self.clock.now()).await?;
            } else {
                store::send_again(&mut conn, delivery.number, self.clock.now() + pause(delivery.attempts)).await?;
            }
        }
        Ok(deliveries.len())
    }

    /// Ends charges that were not paid in time, and tells their merchants. Returns how many.
    ///
    /// # Errors
    /// What the database answers.
    pub async fn expire_due(&self) -> Result<usize> {
        let now = self.clock.now();
        let mut tx = self.pg.begin().await?;
        let expired = store::expire_charges(&mut tx, now).await?;
        for charge in &expired {
            announce_in_tx(&mut tx, now, charge, None).await?;
        }
        tx.commit().await?;
        Ok(expired.len())
    }

    /// Sends a notice once; the error says why it is not acknowledged.
    async fn send(&self, delivery: &Delivery) -> Result<(), String> {
        let mut timestamp = self.clock.now().as_second();
        let mut signer = &self.signer;
        match delivery.spoil {
            None => {}
            Some(Spoil::BadSignature) => signer = &self.wrong_signer,
            Some(Spoil::Stale) => timestamp -= STALE,
        }
        let nonce = uuid_v7(self.clock.now()).to_string();
        let signature = signer.sign(timestamp, &nonce, &delivery.body).map_err(|error| error.chain())?;
        let answer = self
            .http
            .post(&delivery.notify_url)
            .header(SIGNATURE, signature)
            .header(TIMESTAMP, timestamp)
            .header(NONCE, nonce)
            .header("content-type", "application/json")
            .body(delivery.body.clone())
            .send()
            .await
            .map_err(|error| error.without_url().to_string())?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| error.without_url().to_string())?;
        let acknowledged = serde_json::from_slice(&body).is_ok_and(|answer: Acknowledgement| answer.code == "SUCCESS");
        if status.is_success() && acknowledged { Ok(()) } else { Err(format!("the merchant answered {status}")) }
    }
}

fn pause(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts).unwrap_or(0).saturating_sub(1).min(6);
    Duration::from_secs(1 << doublings).min(MAX_PAUSE)
}
