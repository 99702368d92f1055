//! People who come together: finding a time for all of them, keeping it as a whole, and what becomes of the group while
//! each of its visits goes its own way.

pub mod cancel;
pub mod follow;
pub mod hold;
pub mod read;
pub mod search;

use std::sync::Arc;

use kernel::{
    Error, Result,
    ids::{MemberId, StoreId},
};
use pg::PgConnection;

use super::{seek, sight::Sight};
use crate::{
    App, db,
    domain::{
        booking::Booking,
        chosen::{Choice, Chosen},
        party::ways,
        span::Span,
        visit::{Visit, Wish},
    },
};

/// One who comes.
#[derive(Debug, Clone)]
pub struct Guest {
    /// What for.
    pub choice: Choice,
    /// With whom.
    pub wish: Wish,
}

/// Those who come, and how far from each other they may start.
#[derive(Debug, Clone)]
pub struct Party {
    /// One or more.
    pub guests: Vec<Guest>,
    /// Minutes after the first at which the last may start.
    pub within: i64,
    /// The store's own staff ask, who need no notice.
    pub by_staff: bool,
}

/// A party as one store would serve it.
#[derive(Debug)]
pub struct Sought {
    /// The store.
    pub sight: Arc<Sight>,
    /// What each guest has chosen.
    pub chosen: Vec<Chosen>,
    /// The ways to serve them all, best first.
    pub ways: Vec<Visit>,
}

impl Party {
    /// Finds what the guests want at a store.
    ///
    /// Fails with `NotFound`, and as [`Chosen::check`] and [`Chosen::visits`] do, at `guests[…]`.
    pub async fn at(&self, app: &App, conn: &mut PgConnection, store: StoreId) -> Result<Sought> {
        let sight = app.sights.of(app, &mut *conn, store).await?;
        let mut chosen = Vec::with_capacity(self.guests.len());
        let mut visits = Vec::with_capacity(self.guests.len());
        for (index, guest) in self.guests.iter().enumerate() {
            let his = sight.choose(&mut *conn, &guest.choice).await.map_err(|error| of_guest(error, index))?;
            visits.push(his.visits(1, &guest.wish).map_err(|error| of_guest(error, index))?);
            chosen.push(his);
        }
        Ok(Sought { sight, chosen, ways: ways(&visits, self.within) })
    }

    /// The starts that may be booked at a store now.
    pub fn bookable(&self, app: &App, sight: &Sight) -> Span {
        seek::bookable(app, sight, self.by_staff)
    }
}

/// Says which guest an error is about.
pub fn of_guest(error: Error, index: usize) -> Error {
    match error.violations() {
        [] => error.with("guest", index),
        violations => {
            let mut violations = violations.to_vec();
            violations
                .iter_mut()
                .for_each(|violation| violation.field = format!("guests[{index}].{}", violation.field));
            Error::invalid_fields(violations)
        }
    }
}

/// Who owes the order of a booking: its customer, unless somebody pays for his whole group.
pub async fn payer(conn: &mut PgConnection, booking: &Booking) -> Result<MemberId> {
    let Some(id) = booking.group else { return Ok(booking.customer) };
    let group = db::group::get(conn, id).await?.ok_or_else(|| Error::internal("a booking of an unknown group"))?;
    Ok(group.payer_for(booking.customer))
}

/// Whose booking it is to this caller: whoever pays for a guest may do with the visit what the guest may.
pub async fn owner_for(conn: &mut PgConnection, caller: &rpc::Caller, booking: &Booking) -> Result<MemberId> {
    match caller.member() {
        Some(member) if member != booking.customer && payer(conn, booking).await? == member => Ok(member),
        _ => Ok(booking.customer),
    }
}
