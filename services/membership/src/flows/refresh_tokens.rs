//! Gives new tokens for a refresh token.

use kernel::{Error, Result, Timestamp};
use pg::{Tx, audit};
use proto::membership::v1 as pb;
use serde_json::json;

use super::{
    once::{self, Once},
    sign_in, sign_in_staff, signing_keys,
    tokens::{self, Holder},
};
use crate::{
    App, db,
    domain::session::{EndReason, Owner, Shown, Worth},
    secrets,
};

/// Uses a refresh token up and gives the next tokens. A token that comes a second time ends its session, unless it is a
/// repeat of the same request.
pub async fn refresh_tokens(app: &App, once: &Once, token: &str) -> Result<pb::SignInResponse> {
    let signer = signing_keys::signer(app).await?;
    let hash = secrets::token_digest(token);
    let mut tx = app.pg.begin().await?;
    let Some(shown) = db::session::lock_by_token(&mut tx, &hash).await? else {
        return Err(invalid("the refresh token is not known: sign in again"));
    };
    let now = app.clock.now();
    if let Some(reply) = once::answered(app, &mut tx, once).await? {
        return Ok(reply);
    }
    match shown.worth(now) {
        Worth::Good => {}
        Worth::Expired => return Err(invalid("the refresh token is too old: sign in again")),
        Worth::Ended => return Err(ended()),
        Worth::Reused => {
            end_for_theft(tx, &shown, now).await?;
            return Err(ended());
        }
    }
    db::session::use_token(&mut tx, &hash, now).await?;
    let holder = holder(app, &mut tx, shown.owner, now).await?;
    let reply = tokens::grant(app, &mut tx, &signer, shown.session, holder, now).await?;
    once::keep(app, &mut tx, once, shown.owner.uuid(), Some(shown.session), &reply, now).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn holder(app: &App, tx: &mut Tx, owner: Owner, now: Timestamp) -> Result<Holder> {
    match owner {
        Owner::Member(id) => sign_in::holder(app, tx, id, now).await,
        Owner::Staff(id) => {
            let account = db::staff::get(tx, id).await?;
            let account = account.ok_or_else(|| pg::Error::inconsistent("staff", id, "is gone"))?;
            Ok(sign_in_staff::holder(&account))
        }
    }
}

async fn end_for_theft(mut tx: Tx, shown: &Shown, now: Timestamp) -> Result<()> {
    db::session::end(&mut tx, shown.session, EndReason::TokenReused, now).await?;
    let entry = audit::Entry {
        actor: "services/membership".to_owned(),
        action: "session.end".to_owned(),
        target: shown.owner.name(),
        detail: json!({ "session": shown.session.name(), "reason": EndReason::TokenReused.as_str() }),
    };
    audit::record(&mut tx, now, entry).await?;
    tx.commit().await?;
    tracing::warn!(session = %shown.session, "a refresh token came twice; session ended");
    Ok(())
}

fn invalid(message: &'static str) -> Error {
    Error::unauthenticated("REFRESH_TOKEN_INVALID", message)
}

fn ended() -> Error {
    Error::unauthenticated("SESSION_ENDED", "the session was ended: sign in again")
}
