//! Payments of a period with their refunds, as a table that comes piece by piece.

use std::sync::Arc;

use futures_util::{Stream, stream};
use jiff::SignedDuration;
use kernel::{Error, Money, Result, Timestamp, Uuid, ids::PaymentId};
use pg::audit;
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::search_payments::within_reach;
use crate::{
    App, db,
    db::records::{Filter, PaymentRecord, RefundRecord},
    domain::csv::{Cell, Table},
    rpc::convert::records as convert,
};

/// The longest period: a year.
const MOST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// How many payments are read at once: what is in memory of an export, however long it is.
const PIECE: i64 = 1_000;

const COLUMNS: [&str; 17] = [
    "kind",
    "name",
    "payment",
    "order",
    "customer",
    "store",
    "tender",
    "purpose",
    "state",
    "currency",
    "amount",
    "fee",
    "transaction",
    "reference",
    "reason",
    "create_time",
    "done_time",
];

/// The pieces of a table. No connection is held between two of them: whoever reads slowly holds up nobody.
///
/// # Errors
/// `InvalidArgument` naming the field of the filter; `PermissionDenied` for staff of another store. Later, in the stream,
/// those of the database.
pub async fn export_payments(
    app: &Arc<App>,
    ctx: Ctx,
    request: pb::ExportPaymentsRequest,
) -> Result<impl Stream<Item = Result<String>> + Send + use<>> {
    let now = app.clock.now();
    let filter = within_reach(&ctx, convert::read_filter(request.filter.as_ref())?)?;
    let filter = bounded(filter, now)?;
    let detail = json!({
        "store": filter.store.map(|store| store.name()),
        "customer": filter.customer.map(|customer| customer.name()),
        "start_time": filter.start.map(|at| at.to_string()),
        "end_time": filter.end.map(|at| at.to_string()),
    });
    let entry = audit::Entry {
        actor: ctx.caller.subject().to_owned(),
        action: "payment.records_exported".to_owned(),
        target: "payments".to_owned(),
        detail,
    };
    let mut tx = app.pg.begin().await?;
    audit::record(&mut tx, now, entry).await?;
    tx.commit().await?;

    let reader = Reader { app: Arc::clone(app), filter, at: Place::Columns };
    Ok(stream::try_unfold(reader, Reader::next))
}

/// The filter with both times, the later one not after now: what is to come would be in one export or another by chance.
fn bounded(filter: Filter, now: Timestamp) -> Result<Filter> {
    let needed = |field: &str| Error::invalid(field, "must be stated for an export");
    let start = filter.start.ok_or_else(|| needed("filter.start_time"))?;
    let end = filter.end.ok_or_else(|| needed("filter.end_time"))?;
    if end.duration_since(start) > MOST {
        return Err(Error::invalid("filter.end_time", "must be at most 366 days after start_time"));
    }
    Ok(Filter { end: Some(end.min(now)), ..filter })
}

/// Where an export is.
struct Reader {
    app: Arc<App>,
    filter: Filter,
    at: Place,
}

enum Place {
    Columns,
    After(Option<(Timestamp, Uuid)>),
    End,
}

impl Reader {
    async fn next(mut self) -> Result<Option<(String, Self)>> {
        let after = match self.at {
            Place::Columns => {
                self.at = Place::After(None);
                return Ok(Some((Table::with_columns(&COLUMNS).into_string(), self)));
            }
            Place::After(after) => after,
            Place::End => return Ok(None),
        };
        let mut conn = self.app.pg.conn().await?;
        let payments = db::records::search(&mut conn, &self.filter, after, PIECE).await?;
        let Some(last) = payments.last() else { return Ok(None) };
        let is_full = i64::try_from(payments.len()).is_ok_and(|count| count == PIECE);
        self.at = if is_full { Place::After(Some((last.create_time, last.id.uuid()))) } else { Place::End };
        let ids: Vec<Uuid> = payments.iter().map(|payment| payment.id.uuid()).collect();
        let mut refunds = db::records::refunds(&mut conn, &ids).await?;
        drop(conn);
        refunds.sort_by_key(|refund| refund.payment);
        let mut table = Table::default();
        for payment in &payments {
            payment_row(&mut table, payment);
            of(&refunds, payment.id).for_each(|refund| refund_row(&mut table, payment, refund));
        }
        Ok(Some((table.into_string(), self)))
    }
}

/// The refunds of a payment, of refunds that are sorted by payment.
fn of(refunds: &[RefundRecord], payment: PaymentId) -> impl Iterator<Item = &RefundRecord> {
    let first = refunds.partition_point(|refund| refund.payment < payment);
    refunds.iter().skip(first).take_while(move |refund| refund.payment == payment)
}

fn payment_row(table: &mut Table, of: &PaymentRecord) {
    let (name, done) = (of.id.name(), of.capture_time.map(|at| at.to_string()).unwrap_or_default());
    let (order, customer, store) = (of.order.name(), of.customer.name(), of.store.name());
    let (currency, started) = (of.amount.currency().to_string(), of.create_time.to_string());
    table.row([
        Cell::Text("payment"),
        Cell::Text(&name),
        Cell::Text(&name),
        Cell::Text(&order),
        Cell::Text(&customer),
        Cell::Text(&store),
        Cell::Text(&of.tender),
        Cell::Text(&of.purpose),
        Cell::Text(&of.state),
        Cell::Text(&currency),
        Cell::Amount(Some(of.amount)),
        Cell::Amount(of.fee),
        Cell::Text(of.transaction.as_deref().unwrap_or_default()),
        Cell::Text(&of.reference),
        Cell::Text(of.failure_reason.as_deref().unwrap_or_default()),
        Cell::Text(&started),
        Cell::Text(&done),
    ]);
}

fn refund_row(table: &mut Table, of: &PaymentRecord, refund: &RefundRecord) {
    let (name, payment) = (refund.id.name(), of.id.name());
    let done = refund.succeed_time.map(|at| at.to_string()).unwrap_or_default();
    let (order, customer, store) = (of.order.name(), of.customer.name(), of.store.name());
    let (currency, started) = (of.amount.currency(), refund.create_time.to_string());
    let money = |minor: i64| Money::new(minor, currency);
    let code = currency.to_string();
    table.row([
        Cell::Text("refund"),
        Cell::Text(&name),
        Cell::Text(&payment),
        Cell::Text(&order),
        Cell::Text(&customer),
        Cell::Text(&store),
        Cell::Text(&of.tender),
        Cell::Text(&of.purpose),
        Cell::Text(&refund.state),
        Cell::Text(&code),
        Cell::Amount(Some(money(-refund.amount_minor))),
        Cell::Amount(refund.fee_minor.map(money)),
        Cell::Text(of.transaction.as_deref().unwrap_or_default()),
        Cell::Text(&of.reference),
        Cell::Text(&refund.reason),
        Cell::Text(&started),
        Cell::Text(&done),
    ]);
}
