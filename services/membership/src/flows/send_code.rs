//! Sends a one-time code to a phone.

use kernel::{
    Error, Result, Timestamp, Uuid, crash,
    ids::{self, uuid_v7},
};
use proto::membership::v1 as pb;
use rpc::convert::to_timestamp;

use super::once::reused;
use crate::{
    App, db,
    domain::{
        code::{self, Code},
        phone::Phone,
    },
    secrets,
};

/// Sends a one-time code. Nothing depends on whether the phone is a member's.
///
/// A repeat of a request that was answered sends nothing; a repeat of one that was not sends the same code again, under
/// the same request id to the message service. Fails with `Unavailable` while that can't be reached.
pub async fn send_code(app: &App, phone: &Phone, request_id: Uuid) -> Result<pb::SendCodeResponse> {
    let code = ask(app, phone, request_id).await?;
    if code.send_time.is_some() {
        return Ok(reply(code.expire_time));
    }
    crash::point("membership.send_code.committed");
    let digits = secrets::code_digits(&app.vault, &code);
    app.peers
        .messages
        .send_code(phone, &digits, ids::derive(code.id, "message"))
        .await
        .map_err(|error| Error::unavailable("the message service").caused_by(error))?;
    crash::point("membership.send_code.called");
    let expire_time = db::code::sent(&mut *app.pg.conn().await?, code.id, app.clock.now()).await?;
    Ok(reply(expire_time))
}

/// The code of this request, made now unless it came before.
async fn ask(app: &App, phone: &Phone, request_id: Uuid) -> Result<Code> {
    let now = app.clock.now();
    let index = secrets::phone_index(&app.vault, phone);
    let expire_time = now + app.policy.code();
    let mut tx = app.pg.begin().await?;
    db::lock::digest(&mut tx, &index).await?;
    if let Some((mut known, known_index)) = db::code::by_request(&mut tx, request_id).await? {
        if known_index != index {
            return Err(reused());
        }
        if known.send_time.is_none() {
            db::code::renew(&mut tx, known.id, expire_time).await?;
            known.expire_time = expire_time;
        }
        tx.commit().await?;
        return Ok(known);
    }
    let asked = db::code::times(&mut tx, &index, now - code::WINDOW).await?;
    code::check_rate(&asked, now)?;
    let code =
        Code { id: uuid_v7(now), salt: secrets::random()?, expire_time, send_time: None, use_time: None, try_count: 0 };
    if !db::code::insert(&mut tx, &code, request_id, &index, now).await? {
        return Err(reused());
    }
    tx.commit().await?;
    Ok(code)
}

fn reply(expire_time: Timestamp) -> pb::SendCodeResponse {
    pb::SendCodeResponse { expire_time: Some(to_timestamp(expire_time)) }
}
