//! Signs somebody in who works for the chain.

use kernel::{Error, Result};
use proto::membership::v1 as pb;

use super::{
    once::{self, Once},
    signing_keys,
    tokens::{self, Holder},
};
use crate::{
    App,
    db::{self, staff::Stored},
    domain::{
        session::Owner,
        staff::{FAILURE_WINDOW, check_failures},
    },
    secrets,
};

/// Signs somebody in with name and password. The answer and the time it takes are the same for a name that does not exist
/// and a wrong password.
///
/// The password is checked outside the transaction, since that takes long; then those who try the same name line up, so
/// that no more than the allowed tries are told whether they were right, however many come at once.
pub async fn sign_in_staff(app: &App, once: &Once, user_name: &str, password: &str) -> Result<pb::SignInResponse> {
    let signer = signing_keys::signer(app).await?;
    let index = secrets::user_name_index(&app.vault, user_name);
    let (failures, account) = {
        let mut conn = app.pg.conn().await?;
        let since = app.clock.now() - FAILURE_WINDOW;
        let failures = db::sign_in_failure::failures(&mut conn, &index, since).await?;
        (failures, db::staff::by_name(&mut conn, user_name).await?)
    };
    check_failures(failures)?;
    let hash = account.as_ref().map(|account| account.password_hash.as_str());
    let right = app.passwords.verify(password, hash).await?;
    let mut tx = app.pg.begin().await?;
    db::lock::digest(&mut tx, &index).await?;
    let now = app.clock.now();
    check_failures(db::sign_in_failure::failures(&mut tx, &index, now - FAILURE_WINDOW).await?)?;
    let Some(account) = account.filter(|_| right) else {
        db::sign_in_failure::insert(&mut tx, &index, now).await?;
        tx.commit().await?;
        return Err(Error::unauthenticated("SIGN_IN_FAILED", "the user name or the password is wrong"));
    };
    if let Some(reply) = once::answered(app, &mut tx, once).await? {
        return Ok(reply);
    }
    db::sign_in_failure::forget(&mut tx, &index).await?;
    let (session, reply) = tokens::open(app, &mut tx, &signer, holder(&account), now).await?;
    once::keep(app, &mut tx, once, account.id.uuid(), Some(session), &reply, now).await?;
    tx.commit().await?;
    Ok(reply)
}

/// An account as one that gets tokens.
pub(super) fn holder(account: &Stored) -> Holder {
    Holder { owner: Owner::Staff(account.id), roles: account.roles.clone(), store: account.store, member: None }
}
