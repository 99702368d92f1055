//! Signs a member in with a one-time code.

use kernel::{Error, ErrorKind, Result, Timestamp, ids::MemberId};
use pg::Tx;
use proto::membership::v1 as pb;

use super::{
    check_code::check_code,
    once::{self, Once},
    profile, signing_keys,
    tokens::{self, Holder},
};
use crate::{
    App, db,
    domain::{phone::Phone, session::Owner},
    rpc::convert::{Sight, to_member},
    secrets,
};

/// Signs a member in. That a phone is unknown is told only after the code was right; the code is then good for
/// registering.
pub async fn sign_in(app: &App, once: &Once, phone: &Phone, code: &str) -> Result<pb::SignInResponse> {
    let signer = signing_keys::signer(app).await?;
    let index = secrets::phone_index(&app.vault, phone);
    let mut tx = app.pg.begin().await?;
    db::lock::digest(&mut tx, &index).await?;
    let now = app.clock.now();
    if let Some(reply) = once::answered(app, &mut tx, once).await? {
        return Ok(reply);
    }
    let (mut tx, code) = check_code(app, tx, &index, code, now).await?;
    let Some(id) = db::member::by_phone(&mut tx, &index).await? else {
        return Err(Error::new(
            ErrorKind::NotFound,
            "PHONE_UNKNOWN",
            "nobody has registered with this phone: register with the same code",
        ));
    };
    db::code::used(&mut tx, code, now).await?;
    let holder = holder(app, &mut tx, id, now).await?;
    let (session, reply) = tokens::open(app, &mut tx, &signer, holder, now).await?;
    once::keep(app, &mut tx, once, id.uuid(), Some(session), &reply, now).await?;
    tx.commit().await?;
    Ok(reply)
}

/// A member as one who gets tokens.
pub(super) async fn holder(app: &App, tx: &mut Tx, id: MemberId, now: Timestamp) -> Result<Holder> {
    let missing = || pg::Error::inconsistent("member", id, "is gone");
    let member = db::member::get(tx, id).await?.ok_or_else(missing)?;
    let profile = profile::profile(app, tx, member, now).await?.ok_or_else(missing)?;
    let member = Some(to_member(&profile, Sight::Clear));
    Ok(Holder { owner: Owner::Member(id), roles: Vec::new(), store: None, member })
}
