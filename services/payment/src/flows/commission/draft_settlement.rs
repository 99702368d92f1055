//! Somebody drafts a settlement list.

use jiff::tz::TimeZone;
use kernel::{
    Currency, Error, Result,
    ids::{CommissionSettlementId, StoreId},
};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::note;
use crate::{
    App, db,
    domain::{
        commission::{Settlement, SettlementState},
        ledger::Day,
    },
    rpc::convert,
};

/// Drafts a list of all that was earned at a store by visits completed in a period, can be paid out by now, and is in no list;
/// less what was taken back there, whenever, of lists that were confirmed.
///
/// # Errors
/// `NOTHING_TO_SETTLE`; `PermissionDenied` for another store; `InvalidArgument` for dates the wrong way round.
pub async fn draft_settlement(
    app: &App,
    ctx: Ctx,
    request: pb::DraftSettlementRequest,
) -> Result<pb::CommissionSettlement> {
    let store = StoreId::parse_name("store", &request.store)?;
    ctx.caller.see_own(None, Some(store))?;
    let start_date = convert::date::date("start_date", request.start_date.as_ref())?;
    let end_date = convert::date::date("end_date", request.end_date.as_ref())?;
    if end_date < start_date {
        return Err(Error::invalid("end_date", "must not be before start_date"));
    }
    let currency = Currency::parse("currency_code", &request.currency_code)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();

    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let zone = db::stores::zone(&mut tx, store).await?;
    let zone = TimeZone::get(zone.as_deref().unwrap_or(&app.policy.time_zone)).map_err(Error::internal)?;
    let day = |field, date| Day::on(date, &zone).ok_or_else(|| Error::invalid(field, "must be before the end of time"));
    let period = (day("start_date", start_date)?.start, day("end_date", end_date)?.end);
    let draft = Settlement {
        id: CommissionSettlementId::new(now),
        store,
        currency,
        start_date,
        end_date,
        state: SettlementState::Draft,
        create_time: now,
        version: 1,
    };
    if db::commission::insert_settlement(&mut tx, &draft, period).await? == 0 {
        let message = "nothing that can be paid out by now was earned then, or all of it is in a list already";
        return Err(Error::precondition("NOTHING_TO_SETTLE", message));
    }
    let lines = db::commission::settlement_lines(&mut tx, &draft).await?;
    let detail =
        json!({ "store": store.name(), "total_minor": draft.total(&lines)?.minor(), "currency": currency.code() });
    note(&mut tx, now, ctx.caller.subject(), "commission_settlement.draft", draft.id.name(), detail).await?;
    let reply = convert::settlement::to_settlement(&draft, &lines)?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
