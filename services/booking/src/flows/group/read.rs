//! Reads groups.

use std::collections::HashMap;

use kernel::{
    Error, Result, Timestamp, Uuid,
    ids::{GroupId, MemberId},
};
use pg::PgConnection;
use proto::booking::v1 as pb;
use rpc::Caller;

use crate::{
    App, db,
    db::group::Filter,
    domain::{booking::Booking, group::Group},
    rpc::convert::group::{Viewer, to_group},
};

/// A group that the caller may see, with its visits.
pub async fn own(conn: &mut PgConnection, caller: &Caller, id: GroupId) -> Result<(Group, Vec<Booking>)> {
    let group = db::group::get(&mut *conn, id).await?.ok_or_else(|| Error::not_found(id))?;
    let bookings = db::booking::of_group(conn, id).await?;
    let member = caller.member().filter(|member| group.belongs_to(*member, &bookings));
    caller.see_own(Some(member.unwrap_or(group.organiser)), Some(group.store))?;
    Ok((group, bookings))
}

/// A group as the caller may see it.
pub async fn get_group(app: &App, caller: &Caller, id: GroupId) -> Result<pb::BookingGroup> {
    let mut conn = app.pg.conn().await?;
    let (group, bookings) = own(&mut conn, caller, id).await?;
    view(&mut conn, caller, &group, &bookings).await
}

/// The same for a group that was read.
pub async fn view(
    conn: &mut PgConnection,
    caller: &Caller,
    group: &Group,
    bookings: &[Booking],
) -> Result<pb::BookingGroup> {
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.id.uuid()).collect();
    let steps = db::booking::histories(conn, &ids).await?;
    to_group(viewer(caller.member(), group), group, bookings, &steps)
}

/// Groups as the caller may see them, the one made last first; each with when and as what it was made.
pub async fn list_groups(
    app: &App,
    caller: &Caller,
    filter: &Filter,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<(Group, pb::BookingGroup)>> {
    let mut conn = app.pg.conn().await?;
    let groups = db::group::list(&mut conn, filter, after, limit).await?;
    let ids: Vec<Uuid> = groups.iter().map(|group| group.id.uuid()).collect();
    let mut of_groups: HashMap<GroupId, Vec<Booking>> = HashMap::new();
    for booking in db::booking::of_groups(&mut conn, &ids).await? {
        if let Some(group) = booking.group {
            of_groups.entry(group).or_default().push(booking);
        }
    }
    let ids: Vec<Uuid> = of_groups.values().flatten().map(|booking| booking.id.uuid()).collect();
    let steps = db::booking::histories(&mut conn, &ids).await?;
    let seen = groups.into_iter().map(|group| {
        let bookings = of_groups.remove(&group.id).unwrap_or_default();
        let view = to_group(viewer(caller.member(), &group), &group, &bookings, &steps)?;
        Ok((group, view))
    });
    seen.collect()
}

fn viewer(member: Option<MemberId>, group: &Group) -> Viewer {
    match member {
        Some(member) if member != group.organiser => Viewer::Guest(member),
        _ => Viewer::Whole,
    }
}
