//! A provider's bill of a day is fetched and matched: by finance, or by the worker each morning.

use jiff::{ToSpan, civil::Date};
use kernel::{Error, Result};
use pg::{
    Tx, audit,
    idempotency::{self, Begin},
};
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::{
    all_stores,
    book_bill::{CURRENCY, WholeBill, book_bill, bounds},
};
use crate::{
    App, db,
    db::reconciliation::Spool,
    domain::reconciliation::{DayName, DayProof},
    peers::china_time,
    rpc::convert,
};

/// The hour, on the provider's clock, at which the bill of the day before is ready.
const READY_HOUR: i8 = 10;

/// For how many days back the worker looks for bills that were not matched.
const LOOK_BACK: i64 = 7;

/// Who the worker is in the audit trail.
const WORKER: &str = "services/payment";

/// Why a bill is refused for good, so that it is noted.
const REFUSALS: [&str; 3] = ["BILL_FOREIGN", "BILL_BROKEN", "BILL_UNREADABLE"];

/// Fetches the bill of a day and matches it. A day that is matched stays as it is.
///
/// # Errors
/// `NotFound` for a provider that there is no account with; `NO_BILLS`; `BILL_NOT_READY`; `BILL_BROKEN`,
/// `BILL_UNREADABLE` or `BILL_FOREIGN`, which are noted; `Unavailable`.
pub async fn reconcile_day(app: &App, ctx: Ctx, request: pb::ReconcileDayRequest) -> Result<pb::DayProof> {
    all_stores(&ctx)?;
    let name = DayName::parse("name", &request.name)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let mut conn = app.pg.conn().await?;
    if let Some(reply) = idempotency::replay(&mut conn, key, &request).await? {
        return Ok(reply);
    }
    let known = db::reconciliation::find(&mut conn, &name).await?.filter(|proof| proof.refusal.is_none());
    drop(conn);
    let bill = match known {
        Some(_) => None,
        None => Some(fetch(app, ctx.caller.subject(), &name).await?),
    };
    kernel::crash::point("payment.bill.fetched");
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let proof = book(app, &mut tx, ctx.caller.subject(), &name, bill).await?;
    let reply = convert::reconciliation::proof(&proof);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.bill.booked");
    Ok(reply)
}

/// Fetches and matches one bill that is due and was not matched yet, the oldest first. Returns how many: none or one.
///
/// # Errors
/// Those of the database. A bill that can't be had or is refused is tried again later, and doesn't hold up others.
pub async fn reconcile_due(app: &App) -> Result<usize> {
    let today = china_time::local(app.clock.now()).date();
    for provider in app.peers.providers.iter().filter(|provider| provider.has_bills()) {
        let Ok(first) = today.checked_sub(LOOK_BACK.days()) else { return Ok(0) };
        let mut conn = app.pg.conn().await?;
        let done = db::reconciliation::reconciled_since(&mut conn, provider.name(), first).await?;
        drop(conn);
        let days = first.series(1.day()).take_while(|day| *day < today).filter(|day| !done.contains(day));
        for date in days {
            let name = DayName { provider: provider.name().to_owned(), date };
            match reconcile(app, &name).await {
                Ok(()) => return Ok(1),
                Err(error) => tracing::warn!(day = %name, error = %error.chain(), "bill not matched"),
            }
        }
    }
    Ok(0)
}

async fn reconcile(app: &App, name: &DayName) -> Result<()> {
    let bill = fetch(app, WORKER, name).await?;
    let mut tx = app.pg.begin().await?;
    book(app, &mut tx, WORKER, name, Some(bill)).await?;
    Ok(tx.commit().await?)
}

/// Reads the bill to its end, without any transaction. If it is refused that is noted.
async fn fetch(app: &App, actor: &str, name: &DayName) -> Result<WholeBill> {
    let unknown = || Error::not_found(format!("providers/{}", name.provider));
    let provider = app.peers.providers.named(&name.provider).ok_or_else(unknown)?;
    bounds(name)?;
    ready(app, name.date)?;
    let mut lines = Spool::try_new()?;
    match provider.bill(name.date, &mut |line| lines.push(&line)).await {
        Ok(bill) => Ok(WholeBill { lines, sha256: bill.map(|bill| bill.sha256) }),
        Err(error) => {
            if REFUSALS.contains(&error.reason()) {
                note_refusal(app, actor, name, error.reason()).await?;
            }
            Err(error)
        }
    }
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

async fn note_refusal(app: &App, actor: &str, name: &DayName, reason: &'static str) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    if db::reconciliation::refuse(&mut tx, now, name, CURRENCY, reason).await? {
        if reason == "BILL_FOREIGN" {
            db::reconciliation::insert_foreign(&mut tx, now, name.id(), CURRENCY).await?;
        }
        let entry = entry(actor, "payment.bill_refused", name, json!({ "reason": reason }));
        audit::record(&mut tx, now, entry).await?;
    }
    Ok(tx.commit().await?)
}

async fn book(app: &App, tx: &mut Tx, actor: &str, name: &DayName, bill: Option<WholeBill>) -> Result<DayProof> {
    let now = app.clock.now();
    let matched = match bill {
        Some(bill) => book_bill(tx, now, name, bill, app.policy.provider_fee_rate).await?,
        None => false,
    };
    let missing = || Error::internal(format!("{name} was made and is not there"));
    let proof = db::reconciliation::find(tx, name).await?.ok_or_else(missing)?;
    if matched {
        let detail = json!({ "sha256": proof.sha256, "lines": proof.lines, "breaks": proof.breaks });
        audit::record(tx, now, entry(actor, "payment.bill_matched", name, detail)).await?;
    }
    Ok(proof)
}

fn entry(actor: &str, action: &str, name: &DayName, detail: serde_json::Value) -> audit::Entry {
    audit::Entry { actor: actor.to_owned(), action: action.to_owned(), target: name.to_string(), detail }
}
