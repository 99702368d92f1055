//! Finance sends a provider's bill as a file, piece by piece.

use std::sync::Arc;

use kernel::{Error, Result};
use pg::idempotency::{self, Begin};
use proto::payment::v1::{self as pb, import_bill_request::Part};
use rpc::{Ctx, validate_as};
use tonic::{Code, Status, Streaming};
use tracing::Instrument;

use super::{
    all_stores,
    book_bill::{WholeBill, bounds},
    intake::{book, due, note_refusal},
};
use crate::{
    App,
    db::reconciliation::Spool,
    domain::reconciliation::DayName,
    peers::{BillLine, BillReader},
    rpc::convert,
};

/// Takes in a bill: `first` says what it is, `rest` brings it. Nothing is stored before all of it has come and is sound,
/// and no transaction is open until then; if it is refused that is noted.
///
/// # Errors
/// `InvalidArgument` if the messages are not as they must be; `NotFound` for a provider that there is no account with;
/// `NO_BILLS`; `BILL_NOT_READY`; `BILL_BROKEN`, `BILL_UNREADABLE`, `BILL_FOREIGN`, `BILL_OF_OTHER_DAY` or
/// `BILL_TOO_LARGE`, which are noted; `DAY_RECONCILED`; `Unavailable` if the file breaks off.
pub async fn import_bill(
    app: &Arc<App>,
    ctx: Ctx,
    first: pb::ImportBillRequest,
    rest: Streaming<pb::ImportBillRequest>,
) -> Result<pb::DayProof> {
    all_stores(&ctx)?;
    let Some(Part::Header(header)) = &first.part else {
        return Err(Error::invalid("header", "must come in the first message"));
    };
    let name = DayName::parse("header.name", &header.name)?;
    let key = convert::key(&ctx, &header.request_id)?;
    if let Some(reply) = idempotency::replay(&mut *app.pg.conn().await?, key, &first).await? {
        return Ok(reply);
    }
    let no_bills = || Error::precondition("NO_BILLS", "this provider gives no bills");
    let reader = due(app, &name)?.bill_reader().ok_or_else(no_bills)?;
    let bill = match read(reader, &name, &header.sha1, rest).await {
        Ok(bill) => bill,
        Err(error) => {
            note_refusal(app, ctx.caller.subject(), &name, &error).await?;
            return Err(error);
        }
    };
    kernel::crash::point("payment.bill.received");
    // Whoever has sent all of it need not wait: it is matched anyway.
    let app = Arc::clone(app);
    let matching = async move { book_once(&app, &ctx, &first, &name, bill).await };
    tokio::spawn(matching.in_current_span()).await.map_err(Error::internal)?
}

async fn book_once(
    app: &App,
    ctx: &Ctx,
    first: &pb::ImportBillRequest,
    name: &DayName,
    bill: WholeBill,
) -> Result<pb::DayProof> {
    let Some(Part::Header(header)) = &first.part else { return Err(Error::internal("a bill without a header")) };
    let digest = bill.sha256;
    let mut tx = app.pg.begin().await?;
    let ticket =
        match idempotency::begin(&mut tx, app.clock.now(), convert::key(ctx, &header.request_id)?, first).await? {
            Begin::Replay(reply) => return Ok(reply),
            Begin::Fresh(ticket) => ticket,
        };
    let proof = book(app, &mut tx, ctx.caller.subject(), name, bill).await?;
    if digest.map(hex) != Some(proof.sha256.clone()) {
        let message = "another bill of that day counts already, and stays";
        return Err(Error::precondition("DAY_RECONCILED", message).with("sha256", proof.sha256));
    }
    let reply = convert::reconciliation::proof(&proof);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.bill.booked");
    Ok(reply)
}

/// Reads the file to its end.
async fn read(
    mut reader: Box<dyn BillReader>,
    name: &DayName,
    sha1: &str,
    mut rest: Streaming<pb::ImportBillRequest>,
) -> Result<WholeBill> {
    let (day, mut lines) = (bounds(name)?, Spool::try_new()?);
    let (mut of_day, mut of_others) = (0_u64, 0_u64);
    let mut sink = |line: BillLine| {
        let count = if day.start <= line.time && line.time < day.end { &mut of_day } else { &mut of_others };
        *count += 1;
        lines.push(&line)
    };
    let mut is_empty = true;
    while let Some(message) = rest.message().await.map_err(broken_off)? {
        validate_as("message", &message)?;
        let Some(Part::Piece(piece)) = message.part else {
            return Err(Error::invalid("piece", "must be in each message but the first"));
        };
        is_empty &= piece.is_empty();
        reader.push(&piece, &mut sink)?;
    }
    if is_empty {
        return Err(Error::invalid("piece", "must come after the header: there is no file"));
    }
    let bill = reader.finish(sha1, &mut sink)?;
    // A line of another day is a break; a bill of other days is a mistake, and its day would be reconciled for ever.
    if of_others > of_day {
        let message = "most lines of the bill are of other days than the one that was named";
        return Err(Error::precondition("BILL_OF_OTHER_DAY", message).with("lines", of_others).with("date", name.date));
    }
    Ok(WholeBill { lines, sha256: Some(bill.sha256) })
}

fn broken_off(status: Status) -> Error {
    match status.code() {
        Code::OutOfRange => Error::invalid("piece", "must be at most a mebibyte").caused_by(status),
        _ => Error::unavailable("the rest of the bill").caused_by(status),
    }
}

fn hex(digest: [u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
