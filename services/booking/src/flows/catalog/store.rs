//! Stores.

use kernel::{Error, Result, Timestamp, ids::StoreId};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::Caller;

use super::{detail, own};
use crate::{
    App, db,
    domain::{
        catalog::{Store, StoreDetails},
        etag,
        span::{Span, list, minute, minute_after},
    },
    flows::{
        Once,
        edit::{Frame, Started},
        stranded::refuse,
    },
    rpc::convert::{self, Edit, View, to_store},
};

/// Minutes of the longest day, the one on which clocks are set back: no opening is longer.
const DAY: i64 = 25 * 60;

/// Opens a store.
pub async fn create_store(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreateStoreRequest>,
    (store, details): (Store, StoreDetails),
) -> Result<pb::Store> {
    details.policy.check(&app.policy.store_defaults())?;
    let now = store.create_time;
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    // Whoever edits an item or package gives every store's roster another version, and must not miss this one.
    db::roster::share_menu(&mut frame.tx).await?;
    db::catalog::insert_store(&mut frame.tx, &store).await?;
    db::catalog::put_store_details(&mut frame.tx, store.id, &details, now).await?;
    tell(&mut frame.tx, &store, now).await?;
    let reply = to_store(&store, &details, View::Staff, now);
    frame.finish_with(caller, "store.create", store.id.name(), detail(store.version, &[]), reply).await
}

/// Changes a store, unless visits would then lie outside of its opening hours.
pub async fn update_store(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::UpdateStoreRequest>,
    id: StoreId,
    edit: Edit<pb::Store>,
) -> Result<pb::Store> {
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    let now = frame.now;
    own(&mut frame.tx, id).await?;
    let before = db::catalog::get_store(&mut frame.tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    etag::check("store.etag", edit.etag(), before.version)?;
    let details = db::catalog::store_details(&mut frame.tx, &[id]).await?.remove(&id).unwrap_or_default();
    let wanted = edit.onto(to_store(&before, &details, View::Staff, now))?;
    let (after, details) = convert::store(wanted, now)?;
    let after = Store { id, version: before.version + 1, create_time: before.create_time, ..after };
    details.policy.check(&app.policy.store_defaults())?;
    check_openings(&mut frame.tx, &before, &after, now).await?;
    db::catalog::update_store(&mut frame.tx, &after).await?;
    db::catalog::put_store_details(&mut frame.tx, id, &details, now).await?;
    tell(&mut frame.tx, &after, now).await?;
    let reply = to_store(&after, &details, View::Staff, now);
    frame.finish_with(caller, "store.update", id.name(), detail(after.version, &edit.fields), reply).await
}

/// Refuses to close while visits go on. What already lies outside of the hours, since somebody allowed it, is left alone.
async fn check_openings(tx: &mut Tx, before: &Store, after: &Store, now: Timestamp) -> Result<()> {
    let same = before.time_zone == after.time_zone
        && before.opening_hours == after.opening_hours
        && before.special_days == after.special_days;
    if same {
        return Ok(());
    }
    let which = db::catalog::Which { store: Some(before.id), ..db::catalog::Which::default() };
    let mut stranded = Vec::new();
    for part in db::catalog::live_parts(tx, which, now).await? {
        let treatment = Span::new(minute(part.start_time), minute_after(part.end_time));
        let around = Span::new(treatment.start - DAY, treatment.end + DAY);
        let open = |store: &Store| {
            let open = list(store.openings(around)?);
            Ok::<_, Error>(open.iter().any(|span| span.contains(treatment)))
        };
        if open(before)? && !open(after)? {
            stranded.push(part.booking);
        }
    }
    refuse(stranded)
}

async fn tell(tx: &mut Tx, store: &Store, now: Timestamp) -> Result<()> {
    let changed = pb::StoreChanged {
        store: store.id.name(),
        display_name: store.display_name.clone(),
        time_zone: store.time_zone.clone(),
        currency_code: store.currency.code().to_owned(),
    };
    outbox::append(tx, NewEvent::new(store.id.uuid(), store.version, now, &changed)).await?;
    Ok(())
}
