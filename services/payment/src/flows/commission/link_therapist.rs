//! An administrator says which member of staff a therapist is.

use kernel::{
    Result,
    ids::{StaffId, TherapistId},
};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;
use serde_json::json;

use super::note;
use crate::{App, db, rpc::convert};

/// Notes which member of staff a therapist is; what was noted of either before is forgotten.
///
/// # Errors
/// `InvalidArgument` for a name that is none.
pub async fn link_therapist(app: &App, ctx: Ctx, request: pb::LinkTherapistRequest) -> Result<pb::TherapistLink> {
    let therapist = TherapistId::parse_name("therapist", &request.therapist)?;
    let staff = StaffId::parse_name("staff", &request.staff)?;
    let key = convert::key(&ctx, &request.request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    db::commission::link(&mut tx, therapist, staff, now).await?;
    let detail = json!({ "staff": staff.name() });
    note(&mut tx, now, ctx.caller.subject(), "therapist.link_staff", therapist.name(), detail).await?;
    let reply = pb::TherapistLink { therapist: therapist.name(), staff: staff.name() };
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
