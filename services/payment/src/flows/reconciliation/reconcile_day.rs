//! A provider's bill of a day is fetched and matched: by finance, or by the worker each morning.

use jiff::ToSpan;
use kernel::Result;
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::{
    all_stores,
    book_bill::WholeBill,
    intake::{book, due, known, note_refusal},
};
use crate::{App, db, db::reconciliation::Spool, domain::reconciliation::DayName, peers::china_time, rpc::convert};

/// For how many days back the worker looks for bills that were not matched.
const LOOK_BACK: i64 = 7;

/// Who the worker is in the audit trail.
const WORKER: &str = "services/payment";

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
    let matched = db::reconciliation::find(&mut conn, &name).await?.filter(|proof| proof.refusal.is_none());
    drop(conn);
    let bill = match matched {
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
    let proof = match bill {
        Some(bill) => book(app, &mut tx, ctx.caller.subject(), &name, bill).await?,
        None => known(&mut tx, &name).await?,
    };
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
    book(app, &mut tx, WORKER, name, bill).await?;
    Ok(tx.commit().await?)
}

/// Reads the bill to its end, without any transaction. If it is refused that is noted.
async fn fetch(app: &App, actor: &str, name: &DayName) -> Result<WholeBill> {
    let provider = due(app, name)?;
    let mut lines = Spool::try_new()?;
    match provider.bill(name.date, &mut |line| lines.push(&line)).await {
        Ok(bill) => Ok(WholeBill { lines, sha256: bill.map(|bill| bill.sha256) }),
        Err(error) => {
            note_refusal(app, actor, name, &error).await?;
            Err(error)
        }
    }
}
