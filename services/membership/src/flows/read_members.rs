//! Reading members. What staff read is recorded; what services read is not.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::{Error, Result, ids::MemberId};
use pg::audit;
use rpc::{
    Caller, CallerKind,
    paging::{Listing, PageRequest, time_key},
};
use serde_json::json;

use super::profile;
use crate::{
    App, db,
    domain::{
        member::{Person, Profile},
        phone::Phone,
        points::Entry,
    },
    secrets,
};

/// Reads a member.
pub async fn get_member(app: &App, caller: &Caller, id: MemberId) -> Result<Profile> {
    // A member belongs to the chain, not to a store.
    caller.see_own(Some(id), None)?;
    let profile = {
        let mut conn = app.pg.conn().await?;
        let member = db::member::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
        profile::profile(app, &mut conn, member, app.clock.now()).await?.ok_or_else(|| Error::not_found(id))?
    };
    record(app, caller, "member.read", id.name(), json!({})).await?;
    Ok(profile)
}

/// What a list of members shows.
#[derive(Debug, Clone)]
pub struct MemberSearch<'a> {
    /// Only the member with this phone.
    pub phone: Option<Phone>,
    /// As in the request.
    pub page_size: i32,
    /// As in the request.
    pub page_token: &'a str,
}

/// Lists members by time of registration, the newest first, with the token of the next page.
pub async fn list_members(app: &App, caller: &Caller, search: MemberSearch<'_>) -> Result<(Vec<Profile>, String)> {
    let index = search.phone.as_ref().map(|phone| secrets::phone_index(&app.vault, phone));
    // The index, since page tokens end up in logs of web servers.
    let filter = index.map(|index| URL_SAFE_NO_PAD.encode(index)).unwrap_or_default();
    let page = PageRequest::parse(search.page_size, search.page_token, Listing::new("ListMembers").with(filter))?;
    let (profiles, next) = {
        let mut conn = app.pg.conn().await?;
        let rows = db::member::list(&mut conn, index.as_ref(), page.after_time()?, page.limit()).await?;
        let (rows, next) = page.cut(rows, |(member, _)| time_key(member.create_time, member.id.uuid()));
        (profile::profiles(app, &mut conn, rows, app.clock.now()).await?, next)
    };
    let shown: Vec<_> = profiles.iter().map(|profile| profile.member.id.uuid()).collect();
    let detail = json!({ "by_phone": index.is_some(), "members": shown });
    record(app, caller, "member.list", "members".to_owned(), detail).await?;
    Ok((profiles, next))
}

/// Where to reach a member. Fails with `FailedPrecondition`, reason `PERSONAL_DATA_SHREDDED`, if that was erased.
pub async fn get_contact(app: &App, id: MemberId) -> Result<Person> {
    let mut conn = app.pg.conn().await?;
    let (member, sealed) = db::member::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
    let key = app.vault.open(&mut conn, id.uuid()).await?;
    profile::unseal(&key, &member, &sealed)
}

/// Lists what came to and went from a member's points, the newest first, with the token of the next page.
pub async fn list_points_entries(
    app: &App,
    caller: &Caller,
    id: MemberId,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<Entry>, String)> {
    caller.see_own(Some(id), None)?;
    let page = PageRequest::parse(page_size, page_token, Listing::new("ListPointsEntries").with(id.name()))?;
    let rows = {
        let mut conn = app.pg.conn().await?;
        db::member::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
        db::points::entries(&mut conn, id, page.after_time()?, page.limit()).await?
    };
    record(app, caller, "member.points.read", id.name(), json!({})).await?;
    Ok(page.cut(rows, |entry| time_key(entry.create_time, entry.id)))
}

/// Records what staff read, before it is answered.
async fn record(app: &App, caller: &Caller, action: &str, target: String, detail: serde_json::Value) -> Result<()> {
    if !matches!(caller.kind(), CallerKind::Staff { .. }) {
        return Ok(());
    }
    let entry = audit::Entry { actor: caller.subject().to_owned(), action: action.to_owned(), target, detail };
    let mut tx = app.pg.begin().await?;
    audit::record(&mut tx, app.clock.now(), entry).await?;
    tx.commit().await?;
    Ok(())
}
