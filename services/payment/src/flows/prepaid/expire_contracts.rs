//! The worker ends contracts whose time is over, and writes off what nobody can ask for any more.

use jiff::{Span, civil::Date, tz::TimeZone};
use kernel::{Result, ids::ContractId};

use super::{earn_time, lock, record::record};
use crate::{
    App,
    db::{self, prepaid::Watched},
    domain::prepaid::{State, settlement},
};

/// How many contracts one step takes on.
pub const BATCH: usize = 50;

/// Who does it, in the audit trail.
const ACTOR: &str = "services/payment";

/// Lets contracts expire whose last day is over, and writes off as breakage what is left of those that expired longer
/// ago than the limitation period. Returns how many.
///
/// # Errors
/// Those of the database.
pub async fn expire_contracts(app: &App) -> Result<usize> {
    let batch = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let today = app.clock.now().to_zoned(TimeZone::UTC).date();
    // The first day that has begun anywhere is a day ahead of Greenwich's; whether it is over where the contract was
    // sold is looked at again.
    let anywhere = today.saturating_add(Span::new().days(1));
    let lapsed = today.saturating_sub(Span::new().days(i64::from(app.policy.breakage_after_days)));
    let mut done = 0;
    for what in [Watched::Over(anywhere), Watched::Lapsed(lapsed)] {
        let due = db::prepaid::watched(&mut *app.pg.conn().await?, what, batch).await?;
        for id in due {
            done += usize::from(end(app, id, lapsed).await?);
        }
    }
    Ok(done)
}

/// Ends one contract, if it is still due once it is locked.
async fn end(app: &App, id: ContractId, lapsed: Date) -> Result<bool> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let mut contract = lock(&mut tx, id).await?;
    let (before, today) = (contract.version, contract.day(now)?);
    let change = if contract.state == State::Expired {
        let is_due = contract.end.is_some_and(|end| end < lapsed) && !contract.owed()?.is_zero();
        if is_due {
            db::ledger::post(&mut tx, now, &settlement::breakage(&contract)?).await?;
            Some(contract.lapse()?)
        } else {
            None
        }
    } else {
        contract.expire(today)
    };
    let Some(change) = change else { return Ok(false) };
    if contract.state == State::Expired && contract.breakage.is_zero() {
        earn_time(&mut tx, now, &mut contract, today).await?;
    }
    record(&mut tx, now, ACTOR, before, &contract, &[change]).await?;
    tx.commit().await?;
    kernel::crash::point("payment.contract.expired");
    Ok(true)
}
