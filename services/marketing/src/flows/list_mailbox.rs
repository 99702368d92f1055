//! Reads the demo mailbox of a phone.

use kernel::{Error, Result};

use super::Page;
use crate::{
    App,
    db::{self, mailbox::Letter},
    domain::phone::Phone,
};

/// A page of what is in the mailbox of a phone, the latest first, each with its text.
///
/// # Errors
/// `DEMO_MAILBOX_OFF` unless the policy allows it.
pub async fn list_mailbox(app: &App, phone: &Phone, page: Page) -> Result<Vec<(Letter, String)>> {
    if !app.policy.demo_mailbox {
        return Err(Error::precondition("DEMO_MAILBOX_OFF", "the demo mailbox can't be read here"));
    }
    let owner = db::key::phone_owner(&app.vault, phone);
    let index = db::key::phone_index(&app.vault, phone);
    let mut conn = app.pg.conn().await?;
    let letters = db::mailbox::list(&mut conn, index, page.after, page.limit).await?;
    let Some(key) = app.vault.open_many(&mut conn, &[owner]).await?.remove(&owner) else { return Ok(Vec::new()) };
    letters
        .into_iter()
        .map(|letter| {
            let text = key.unseal(db::mailbox::BODY, letter.message.uuid(), &letter.body)?;
            Ok((letter, text))
        })
        .collect()
}
