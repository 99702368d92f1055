//! What a store's board shows of one date.

use std::collections::HashMap;

use jiff::{ToSpan, civil::Date};
use kernel::{Error, Result, Timestamp, Uuid, ids::StoreId};
use rpc::Caller;

use crate::{
    App, db,
    db::catalog::TherapistFilter,
    db::day::Visit,
    domain::{
        catalog::{Store, Therapist},
        hours,
        roster::{
            block::{Block, Resource},
            shift::Shift,
        },
        span::{Span, minute, minute_after},
    },
};

/// How many of anything a board can show.
const MOST: i64 = 10_000;

/// A date at a store.
#[derive(Debug)]
pub struct Day {
    /// The store.
    pub store: Store,
    /// When it is open.
    pub openings: Vec<Span>,
    /// Every therapist, by name.
    pub therapists: Vec<TherapistDay>,
    /// What is blocked of rooms and machines, by start.
    pub place_blocks: Vec<Block>,
}

/// A therapist's date.
#[derive(Debug)]
pub struct TherapistDay {
    /// Who.
    pub therapist: Therapist,
    /// Shifts that touch the date, by start.
    pub shifts: Vec<Shift>,
    /// Breaks, time off and other blocks, by start.
    pub blocks: Vec<Block>,
    /// Visits, by start.
    pub visits: Vec<Visit>,
}

/// Reads a date at a store.
pub async fn get_day(app: &App, caller: &Caller, store: StoreId, date: Date) -> Result<Day> {
    caller.see_own(None, Some(store))?;
    let mut conn = app.pg.conn().await?;
    let id = store;
    let store = db::catalog::get_store(&mut conn, store).await?.ok_or_else(|| Error::not_found(id))?;
    let zone = hours::time_zone("store.time_zone", &store.time_zone)?;
    let midnight = |date: Date| date.to_zoned(zone.clone()).map(|at| at.timestamp());
    let whole: Option<(Timestamp, Timestamp)> =
        midnight(date).ok().zip(date.checked_add(1.day()).ok().and_then(|next| midnight(next).ok()));
    let (from, to) = whole.ok_or_else(|| Error::invalid("date", "must be a date of this age"))?;
    let all = TherapistFilter { store: Some(id), retired: true };
    let mut therapists = db::catalog::list_therapists(&mut conn, all, None, MOST).await?;
    therapists.retain(|therapist| therapist.retire_time.is_none_or(|at| at > from));
    let mut shifts: HashMap<Uuid, Vec<Shift>> = HashMap::new();
    for shift in db::shift::list_of_store(&mut conn, id, (from, to), None, MOST).await? {
        shifts.entry(shift.therapist.uuid()).or_default().push(shift);
    }
    let (mut blocks, mut place_blocks) = (HashMap::<Uuid, Vec<Block>>::new(), Vec::new());
    for block in db::block::list(&mut conn, id, None, (from, to), None, MOST).await? {
        match block.resource {
            Resource::Therapist(therapist) => blocks.entry(therapist.uuid()).or_default().push(block),
            Resource::Room(_) => place_blocks.push(block),
        }
    }
    let mut visits: HashMap<Uuid, Vec<Visit>> = HashMap::new();
    for visit in db::day::visits(&mut conn, id, (from, to)).await? {
        visits.entry(visit.therapist.uuid()).or_default().push(visit);
    }
    let window = Span::new(minute(from), minute_after(to));
    Ok(Day {
        openings: hours::openings(&store.opening_hours, &store.special_days, &zone, window),
        store,
        therapists: therapists
            .into_iter()
            .map(|therapist| {
                let id = therapist.id.uuid();
                TherapistDay {
                    therapist,
                    shifts: shifts.remove(&id).unwrap_or_default(),
                    blocks: blocks.remove(&id).unwrap_or_default(),
                    visits: visits.remove(&id).unwrap_or_default(),
                }
            })
            .collect(),
        place_blocks,
    })
}
