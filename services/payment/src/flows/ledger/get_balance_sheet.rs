//! The balance sheet of a day of a store.

use jiff::civil::Date;
use kernel::{Error, Result, Timestamp, ids::StoreId};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::close_days;
use crate::{App, db, db::ledger::SheetLine, domain::ledger::Day};

/// The balance sheet of a day.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Whose.
    pub store: StoreId,
    /// Of which day.
    pub day: Day,
    /// When it was made; `None` if the day is not closed, and these are the figures as of now.
    pub close_time: Option<Timestamp>,
    /// By account and currency.
    pub lines: Vec<SheetLine>,
}

/// Reads the balance sheet of a day.
///
/// # Errors
/// `InvalidArgument` for a name that is none or a day to come; `PermissionDenied` for staff of another store.
pub async fn get_balance_sheet(app: &App, ctx: Ctx, request: pb::GetBalanceSheetRequest) -> Result<Sheet> {
    let (store, date) = parse_name(&request.name)?;
    ctx.caller.see_own(None, Some(store))?;
    // Read as of one moment, lest a day is closed between two looks.
    let mut tx = app.pg.begin().await?;
    let of = Some(store);
    let last = db::ledger::last_closed(&mut tx, of, date).await?;
    if let Some(closed) = last
        && closed.day.date == date
    {
        let lines = db::ledger::sheet(&mut tx, of, date).await?;
        return Ok(Sheet { store, day: closed.day, close_time: Some(closed.close_time), lines });
    }
    let zone = close_days::zone(app, &mut tx, of).await?;
    let end_of_time = || Error::invalid("name", "must have a date that has come");
    let mut day = Day::on(date, &zone).ok_or_else(end_of_time)?;
    if day.start > app.clock.now() {
        return Err(end_of_time());
    }
    let before = last.map(|closed| closed.day);
    if let Some(before) = before
        && before.date.tomorrow().is_ok_and(|next| next == date)
    {
        day.start = before.end;
    }
    let lines = db::ledger::preview(&mut tx, of, before.as_ref(), &day).await?;
    Ok(Sheet { store, day, close_time: None, lines })
}

fn parse_name(name: &str) -> Result<(StoreId, Date)> {
    let form = || Error::invalid("name", "must be of the form stores/<uuid>/balanceSheets/<yyyy-mm-dd>");
    let (store, date) = name.split_once("/balanceSheets/").ok_or_else(form)?;
    let store = StoreId::parse_name("name", store).map_err(|_| form())?;
    Ok((store, date.parse().map_err(|_| form())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_store_and_day() {
        let store = "stores/0192f3c4-7d9e-7000-8000-3f2a51c0ffee";
        let (of, date) = parse_name(&format!("{store}/balanceSheets/2026-11-22")).expect("a name");
        assert_eq!((of.name(), date), (store.to_owned(), jiff::civil::date(2026, 11, 22)));
        for bad in ["", store, "stores/x/balanceSheets/2026-11-22", &format!("{store}/balanceSheets/2026-02-30")] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
    }
}
