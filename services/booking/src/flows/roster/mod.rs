//! Editing the roster. Every flow owns the roster of its store first ([`crate::db::roster`]), edits, and then sees to it
//! that no live booking was stranded.

pub mod blocks;
pub mod calendars;
pub mod day;
mod events;
pub mod exceptions;
pub mod extend;
pub mod patterns;
mod settle;
mod shifts;
pub mod single_shifts;
pub mod time_off;

use kernel::{Error, Result, ids::TherapistId};
use rpc::Caller;

use crate::{App, db, domain::catalog::Therapist};

/// Reads a therapist whom the caller may see.
pub(in crate::flows) async fn therapist(app: &App, caller: &Caller, id: TherapistId) -> Result<Therapist> {
    let therapist = db::catalog::get_therapist(&mut *app.pg.conn().await?, id).await?;
    let therapist = therapist.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(None, Some(therapist.store))?;
    Ok(therapist)
}
