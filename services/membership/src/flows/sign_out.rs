//! Ends a session.

use kernel::Result;

use crate::{App, db, domain::session::EndReason, secrets};

/// Ends the session of a refresh token, also of one that was used. A token that is not known changes nothing.
pub async fn sign_out(app: &App, token: &str) -> Result<()> {
    let mut tx = app.pg.begin().await?;
    let Some(shown) = db::session::lock_by_token(&mut tx, &secrets::token_digest(token)).await? else { return Ok(()) };
    db::session::end(&mut tx, shown.session, EndReason::SignedOut, app.clock.now()).await?;
    tx.commit().await?;
    Ok(())
}
