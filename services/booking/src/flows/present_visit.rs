//! What a booking keeps now, as the engine sees it.

use kernel::{Error, Result};
use pg::PgConnection;

use super::keep::Plan;
use crate::{
    db,
    domain::{
        availability::Assignment,
        booking::{Booking, Placement},
        catalog::Item,
        chosen::Chosen,
        span::{instant, minute},
        visit::{Course, Visit},
    },
};

/// The visit of a booking without its extension, and who and what serves it.
#[derive(Debug, Clone)]
pub struct Present {
    /// What it needs, as its items take.
    pub visit: Visit,
    /// What serves it.
    pub assignment: Assignment,
    /// What was chosen from the menu, as it is now.
    pub chosen: Chosen,
}

/// Reads the items of a booking and makes its visit of them; `more` are add-ons besides its own. It takes as long as it did
/// when it was booked, whatever the items take by now.
///
/// Fails with `FailedPrecondition`, reason ITEM_CHANGED, if its items need by now what it does not keep.
pub async fn read(conn: &mut PgConnection, booking: &Booking, more: &[Item]) -> Result<Present> {
    let missing = |id| Error::internal(format!("{id} of {} is missing", booking.id));
    let item = db::catalog::get_item(conn, booking.item).await?.ok_or_else(|| missing(booking.item))?;
    let mut add_ons = Vec::with_capacity(booking.add_ons.len() + more.len());
    for id in &booking.add_ons {
        add_ons.push(db::catalog::get_item(conn, *id).await?.ok_or_else(|| missing(*id))?);
    }
    add_ons.extend_from_slice(more);
    let mut further = Vec::with_capacity(booking.parts.len());
    for part in &booking.parts {
        further.push(db::catalog::get_item(conn, part.item).await?.ok_or_else(|| missing(part.item))?);
    }
    let start = minute(booking.start_time);
    let mut courses = vec![Course { item: &item, add_ons: &add_ons, at: 0 }];
    courses.extend(booking.parts.iter().zip(&further).map(|(part, item)| Course {
        item,
        add_ons: &[],
        at: minute(part.start_time) - start,
    }));
    let visit = Visit::of_courses(&courses, false).map_err(|_| changed())?;
    let added: i32 = more.iter().map(|item| item.duration_minutes).sum();
    let visit = visit.lasting(booking.minutes() - i64::from(booking.extension_minutes) + i64::from(added));
    let visit = visit.ok_or_else(changed)?;
    let mut parts = vec![(booking.therapist, booking.room, booking.equipment)];
    parts.extend(booking.parts.iter().map(|part| (part.therapist, part.room, part.equipment)));
    let assignment = Assignment::of_parts(&visit, &parts);
    let chosen = match booking.package {
        None => Chosen::Item { item, add_ons },
        Some(id) => {
            let package = db::catalog::get_package(conn, id).await?.ok_or_else(|| missing_package(booking))?;
            Chosen::Package { package, items: std::iter::once(item).chain(further).collect() }
        }
    };
    Ok(Present { visit, assignment: assignment.ok_or_else(changed)?, chosen })
}

fn missing_package(booking: &Booking) -> Error {
    Error::internal(format!("the package of {} is missing", booking.id))
}

fn changed() -> Error {
    Error::precondition("ITEM_CHANGED", "what is booked needs something else by now; give it up and book it again")
}

/// Where a plan puts a booking. Who was asked for, and why, stays as it is.
pub fn placement(plan: &Plan, booking: &Booking) -> Result<Placement> {
    let first = plan.parts().into_iter().next().ok_or_else(|| Error::internal("a plan without a part"))?;
    Ok(Placement {
        start_time: instant(plan.start),
        end_time: instant(plan.end()),
        therapist: first.therapist,
        room: first.room,
        equipment: first.equipment,
        parts: plan.further_parts(),
        requested: booking.requested,
        assignment: booking.assignment.clone(),
        overbook_reason: None,
    })
}
