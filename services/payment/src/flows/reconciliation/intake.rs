//! What bills that are fetched and bills that are sent as files have in common: when they are due, what is noted of one
//! that is refused, and how one that is whole is booked.

use std::sync::Arc;

use jiff::civil::Date;
use kernel::{Error, Result};
use pg::{Tx, audit};
use serde_json::json;

use super::book_bill::{CURRENCY, WholeBill, book_bill, bounds};
use crate::{
    App, db,
    domain::reconciliation::{DayName, DayProof},
    peers::{Provider, china_time},
};

/// The hour, on the provider's clock, at which the bill of the day before is ready.
const READY_HOUR: i8 = 10;

/// Why a bill is refused for good, so that it is noted.
const REFUSALS: [&str; 5] = ["BILL_FOREIGN", "BILL_BROKEN", "BILL_UNREADABLE", "BILL_OF_OTHER_DAY", "BILL_TOO_LARGE"];

/// Whose bill it is, if there can be one of that day by now.
///
/// # Errors
/// `NotFound` for a provider that there is no account with; `InvalidArgument` for the end of time; `BILL_NOT_READY`.
pub(super) fn due<'a>(app: &'a App, name: &DayName) -> Result<&'a Arc<dyn Provider>> {
    let unknown = || Error::not_found(format!("providers/{}", name.provider));
    let provider = app.peers.providers.named(&name.provider).ok_or_else(unknown)?;
    bounds(name)?;
    ready(app, name.date)?;
    Ok(provider)
}

fn ready(app: &App, date: Date) -> Result<()> {
    let now = china_time::local(app.clock.now());
    let made = date.tomorrow().ok().map(|next| next.at(READY_HOUR, 0, 0, 0));
    if made.is_some_and(|made| made <= now) {
        return Ok(());
    }
    let message = "the bill of a day is made until ten o'clock of the next; try again then";
    Err(Error::precondition("BILL_NOT_READY", message).with("date", date))
}

/// Notes why a bill is not taken, if that is for good: in the proof of its day, unless a bill of that day counts, and in
/// the audit trail.
pub(super) async fn note_refusal(app: &App, actor: &str, name: &DayName, refused: &Error) -> Result<()> {
    let Some(reason) = REFUSALS.into_iter().find(|reason| *reason == refused.reason()) else { return Ok(()) };
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let noted = db::reconciliation::refuse(&mut tx, now, name, CURRENCY, reason).await?;
    if noted && reason == "BILL_FOREIGN" {
        db::reconciliation::insert_foreign(&mut tx, now, name.id(), CURRENCY).await?;
    }
    audit::record(&mut tx, now, entry(actor, "payment.bill_refused", name, json!({ "reason": reason }))).await?;
    Ok(tx.commit().await?)
}

/// Matches a bill and books what comes of it, unless one of that day counts already; the proof of the day.
pub(super) async fn book(app: &App, tx: &mut Tx, actor: &str, name: &DayName, bill: WholeBill) -> Result<DayProof> {
    let now = app.clock.now();
    let matched = book_bill(tx, now, name, bill, app.policy.provider_fee_rate).await?;
    let proof = known(tx, name).await?;
    if matched {
        let detail = json!({ "sha256": proof.sha256, "lines": proof.lines, "breaks": proof.breaks });
        audit::record(tx, now, entry(actor, "payment.bill_matched", name, detail)).await?;
    }
    Ok(proof)
}

/// The proof of a day of which there is one.
pub(super) async fn known(tx: &mut Tx, name: &DayName) -> Result<DayProof> {
    let missing = || Error::internal(format!("{name} was made and is not there"));
    db::reconciliation::find(tx, name).await?.ok_or_else(missing)
}

fn entry(actor: &str, action: &str, name: &DayName, detail: serde_json::Value) -> audit::Entry {
    audit::Entry { actor: actor.to_owned(), action: action.to_owned(), target: name.to_string(), detail }
}
