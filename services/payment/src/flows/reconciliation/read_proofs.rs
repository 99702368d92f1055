//! Proofs and breaks are read.

use kernel::{Error, Result, Timestamp, Uuid};
use proto::payment::v1 as pb;
use rpc::{
    Ctx,
    paging::{Listing, PageRequest},
};

use super::all_stores;
use crate::{
    App, db,
    db::reconciliation::Filter,
    domain::reconciliation::{Break, DayName, DayProof},
    rpc::convert,
};

/// Reads the proof of a day.
///
/// # Errors
/// `NotFound`; `InvalidArgument` for a name that is none.
pub async fn get_day_proof(app: &App, ctx: Ctx, request: pb::GetDayProofRequest) -> Result<DayProof> {
    all_stores(&ctx)?;
    let name = DayName::parse("name", &request.name)?;
    let proof = db::reconciliation::find(&mut *app.pg.conn().await?, &name).await?;
    proof.ok_or_else(|| Error::not_found(&name))
}

/// A page of breaks, those found last first, and the token of the next page.
///
/// # Errors
/// `InvalidArgument` for a name that is none or a bad page.
pub async fn list_breaks(app: &App, ctx: Ctx, request: pb::ListBreaksRequest) -> Result<(Vec<Break>, String)> {
    all_stores(&ctx)?;
    let given = !request.parent.is_empty();
    let filter = Filter {
        day: given.then(|| DayName::parse("parent", &request.parent)).transpose()?,
        kind: convert::reconciliation::read_kind(request.kind()),
        open: convert::reconciliation::read_state(request.state()),
    };
    let listing = Listing::new(ctx.method).with(&request.parent).with(format!("{:?} {:?}", filter.kind, filter.open));
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let after =
        page.after().map(|key| read_place(key).ok_or_else(|| Error::invalid("page_token", "must be one of this list")));
    let rows = db::reconciliation::list(&mut *app.pg.conn().await?, &filter, after.transpose()?, page.limit()).await?;
    Ok(page.cut(rows, |last| format!("{} {} {}", last.create_time, last.proof, last.name.number)))
}

fn read_place(key: &str) -> Option<(Timestamp, Uuid, i32)> {
    let mut parts = key.split(' ');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
