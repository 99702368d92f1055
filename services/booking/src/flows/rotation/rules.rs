//! Sets what counts as a turn at a store, and what a refusal costs.

use kernel::{Error, Result, ids::StoreId};
use pg::{
    audit,
    idempotency::{self, Begin},
};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::read;
use crate::{App, db, domain::assignment::rotation::Rules, flows::Once, rpc::convert::rotation::name};

/// Sets the rules of a store's turn list, from now on.
pub async fn set_rules(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::SetRotationRulesRequest>,
    store: StoreId,
    rules: Rules,
) -> Result<pb::Rotation> {
    caller.see_own(None, Some(store))?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    db::catalog::get_store(&mut tx, store).await?.ok_or_else(|| Error::not_found(store))?;
    db::rotation::lock(&mut tx, store).await?;
    db::rotation::set_rules(&mut tx, store, rules).await?;
    let entry = audit::Entry {
        actor: caller.subject().to_owned(),
        action: "rotation.set_rules".to_owned(),
        target: name(store),
        detail: json!({ "requested_counts": rules.requested_counts, "refusal": format!("{:?}", rules.refusal) }),
    };
    audit::record(&mut tx, now, entry).await?;
    let rotation = db::rotation::get(&mut tx, store).await?;
    let reply = read::view(&mut tx, store, rotation, now).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
