//! Opening sessions and giving tokens.

use kernel::{
    Error, Result, Timestamp,
    ids::{SessionId, StoreId},
};
use pg::Tx;
use proto::{access::Role, membership::v1 as pb};
use rpc::{
    convert::to_timestamp,
    token::{AUDIENCE, Claims, Issuer, Signer},
};

use crate::{App, db, domain::session::Owner, secrets};

/// Whoever gets tokens.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    /// Who.
    pub(super) owner: Owner,
    /// His roles, if he is staff.
    pub(super) roles: Vec<Role>,
    /// The store that he is bound to.
    pub(super) store: Option<StoreId>,
    /// The member, if he is one.
    pub(super) member: Option<pb::Member>,
}

/// Opens a session and gives its first tokens.
pub(super) async fn open(
    app: &App,
    tx: &mut Tx,
    signer: &Signer,
    holder: Holder,
    now: Timestamp,
) -> Result<(SessionId, pb::SignInResponse)> {
    let session = SessionId::new(now);
    db::session::insert(tx, session, holder.owner, now, now + app.policy.refresh_token()).await?;
    let tokens = grant(app, tx, signer, session, holder, now).await?;
    Ok((session, tokens))
}

/// Gives the next tokens of a session.
pub(super) async fn grant(
    app: &App,
    tx: &mut Tx,
    signer: &Signer,
    session: SessionId,
    holder: Holder,
    now: Timestamp,
) -> Result<pb::SignInResponse> {
    let (refresh_token, hash) = secrets::refresh_token()?;
    db::session::insert_token(tx, session, &hash, now, now + app.policy.refresh_token()).await?;
    // Tokens count in whole seconds.
    let expire = now.as_second() + app.policy.access_token().as_secs();
    let access_token = signer.sign(&Claims {
        iss: Issuer::Membership.as_str().to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: holder.owner.name(),
        iat: now.as_second(),
        exp: expire,
        roles: holder.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        store: holder.store.map(StoreId::name),
        sid: Some(session.name()),
    })?;
    Ok(pb::SignInResponse {
        subject: holder.owner.name(),
        access_token,
        access_token_expire_time: Some(to_timestamp(Timestamp::from_second(expire).map_err(Error::internal)?)),
        refresh_token,
        member: holder.member,
    })
}
