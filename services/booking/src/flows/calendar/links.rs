//! Makes and revokes the addresses of feeds.

use kernel::{
    Error, Result,
    ids::{CalendarLinkId, StoreId, TherapistId},
};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use crate::{
    App, db,
    domain::calendar::link::CalendarLink,
    flows::{
        Once,
        edit::{Frame, Started},
    },
    rpc::convert::calendar::to_link,
};

/// Of which feed a link is to be made.
#[derive(Debug)]
pub struct Wanted {
    /// Of which store.
    pub store: StoreId,
    /// Of which of its therapists; `None` for the whole store.
    pub therapist: Option<TherapistId>,
    /// Who will use it.
    pub display_name: String,
}

/// Makes a link.
pub async fn create(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreateCalendarLinkRequest>,
    wanted: Wanted,
) -> Result<pb::CalendarLink> {
    let Wanted { store, therapist, display_name } = wanted;
    caller.see_own(None, Some(store))?;
    let mut edit = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    db::catalog::get_store(&mut edit.tx, store).await?.ok_or_else(|| Error::not_found(store))?;
    if let Some(id) = therapist {
        let known = db::catalog::get_therapist(&mut edit.tx, id).await?.ok_or_else(|| Error::not_found(id))?;
        if known.store != store {
            return Err(Error::invalid("therapist", "works at another store; name one of this store"));
        }
    }
    let link = CalendarLink {
        id: CalendarLinkId::new(edit.now),
        store,
        therapist,
        display_name,
        creator: caller.subject().to_owned(),
        create_time: edit.now,
        revoke_time: None,
        version: 1,
    };
    db::calendar_link::insert(&mut edit.tx, &link).await?;
    let of = therapist.map_or_else(|| store.name(), |therapist| therapist.name());
    let detail = json!({ "feed": of });
    edit.finish_with(caller, "calendar_link.create", link.id.name(), detail, to_link(&link, &app.links)).await
}

/// Revokes a link.
///
/// # Errors
/// WRONG_STATE if it is revoked already.
pub async fn revoke(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::RevokeCalendarLinkRequest>,
    id: CalendarLinkId,
) -> Result<pb::CalendarLink> {
    let known = db::calendar_link::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(None, Some(known.store))?;
    let mut edit = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    let link = db::calendar_link::lock(&mut edit.tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    let link = link.revoke(edit.now)?;
    db::calendar_link::save(&mut edit.tx, &link).await?;
    edit.finish(caller, "calendar_link.revoke", id.name(), to_link(&link, &app.links)).await
}
