//! Lists a member's messages.

use kernel::{Result, ids::MemberId};
use pg::audit;
use rpc::{Caller, CallerKind};
use serde_json::json;

use super::Page;
use crate::{App, db, domain::message::Message};

/// A page of a member's messages, the latest first, each with its text. The text is empty once the member's personal
/// data were erased. That staff looked is written into the audit trail.
pub async fn list_messages(
    app: &App,
    caller: &Caller,
    customer: MemberId,
    page: Page,
) -> Result<Vec<(Message, String)>> {
    caller.see_own(Some(customer), None)?;
    let mut tx = app.pg.begin().await?;
    let messages = db::message::list(&mut tx, customer, page.after, page.limit).await?;
    let keys = app.vault.open_many(&mut tx, &[customer.uuid()]).await?;
    let mut texts = Vec::with_capacity(messages.len());
    for message in messages {
        let text = match keys.get(&message.key_owner) {
            Some(key) => key.unseal(db::message::BODY, message.id.uuid(), &message.body)?,
            None => String::new(),
        };
        texts.push((message, text));
    }
    if let CallerKind::Staff { .. } = caller.kind() {
        let entry = audit::Entry {
            actor: caller.subject().to_owned(),
            action: "message.list".to_owned(),
            target: customer.name(),
            detail: json!({ "messages": texts.len() }),
        };
        audit::record(&mut tx, app.clock.now(), entry).await?;
    }
    tx.commit().await?;
    Ok(texts)
}
