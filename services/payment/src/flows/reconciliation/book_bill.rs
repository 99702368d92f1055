//! A whole bill is matched, and what came of it is stored and booked: all of it, or nothing.

use kernel::{Currency, Error, Money, Result, Timestamp};
use pg::Tx;

use crate::{
    db::{
        self,
        reconciliation::{Bounds, Matched, Spool},
    },
    domain::{
        Tender,
        reconciliation::{DayName, Resolution, fees, found, settled},
    },
    peers::china_time,
};

/// In what providers state their bills.
pub const CURRENCY: Currency = Currency::CNY;

/// What somebody who asks later reads of a break that has settled itself.
const ARRIVED: &str = "a later bill has it";

/// A bill that is whole.
#[derive(Debug)]
pub struct WholeBill {
    /// Its lines.
    pub lines: Spool,
    /// SHA-256 of the file; `None` if the provider has none of the day, as nothing happened.
    pub sha256: Option<[u8; 32]>,
}

/// Matches a bill, keeps its lines, breaks and proof, and books its fees and what the breaks say. `false` if that was done
/// before: then nothing was changed.
///
/// `fee_rate` is what was agreed with the provider, in hundred-thousandths of a sale.
///
/// # Errors
/// Those of the database.
pub async fn book_bill(tx: &mut Tx, now: Timestamp, name: &DayName, bill: WholeBill, fee_rate: u32) -> Result<bool> {
    let (day, proof, tenders) = (bounds(name)?, name.id(), tenders(&name.provider));
    db::reconciliation::stage(tx, bill.lines).await?;
    db::reconciliation::weigh(tx, &tenders, day, CURRENCY).await?;
    let sums = db::reconciliation::sums(tx, CURRENCY).await?;
    let kept = db::reconciliation::fees_by_store(tx, CURRENCY).await?;
    let matched = Matched {
        sha256: bill.sha256.as_ref().map_or(&[], |digest| digest.as_slice()),
        sums,
        fees: Money::try_sum(CURRENCY, kept.iter().map(|(_, fee)| *fee))?,
    };
    if !db::reconciliation::insert(tx, now, name, matched).await? {
        return Ok(false);
    }
    db::reconciliation::keep_lines(tx, proof).await?;
    let breaks = db::reconciliation::keep_breaks(tx, proof, now, day, CURRENCY, fee_rate).await?;

    let differences = db::reconciliation::found_by_store(tx, CURRENCY).await?;
    let mut postings = Vec::new();
    postings.extend(fees(proof, &name.provider, &kept)?);
    postings.extend(found(proof, &name.provider, &differences)?);
    for arrived in db::reconciliation::arrived(tx, proof).await? {
        postings.extend(settled(&arrived, Resolution::Arrived)?);
        db::reconciliation::resolve(tx, now, &arrived, Resolution::Arrived, ARRIVED).await?;
    }
    db::ledger::post_all(tx, now, &postings).await?;
    tracing::info!(day = %name, lines = sums.lines, matched = sums.matched, breaks, "bill matched");
    Ok(true)
}

/// The day on the provider's clock.
///
/// # Errors
/// `InvalidArgument` if it is at the end of time.
pub fn bounds(name: &DayName) -> Result<Bounds> {
    let end = name.date.tomorrow().ok().and_then(china_time::start_of);
    let bounds = china_time::start_of(name.date).zip(end).map(|(start, end)| Bounds { start, end });
    bounds.ok_or_else(|| Error::invalid("name", "must have a date that has come"))
}

fn tenders(provider: &str) -> Vec<String> {
    let of = Tender::PLAIN.into_iter().filter(|tender| tender.provider() == Some(provider));
    of.map(|tender| tender.as_str().to_owned()).collect()
}
