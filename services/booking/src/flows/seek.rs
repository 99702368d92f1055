//! What is looked for at a store, whatever the time: the same for searching, explaining and holding.

use std::sync::Arc;

use jiff::{SignedDuration, civil::Date};
use kernel::{
    Error, Result,
    ids::{MemberId, StoreId},
};
use pg::PgConnection;

use super::{
    assignment,
    sight::{Ask, Sight, look},
};
use crate::{
    App, db,
    domain::{
        assignment::Context,
        availability::Supply,
        chosen::{Choice, Chosen},
        hours::wall_clock,
        span::{Minute, Span, list, minute, minute_after},
        visit::{Visit, Wish},
    },
};

/// How often a roster may be edited while it is being read.
pub(super) const READS: usize = 10;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Seek {
    /// What.
    pub choice: Choice,
    /// For how many people; each gets the same at the same time.
    pub guests: usize,
    /// With whom.
    pub wish: Wish,
    /// For whom, if that is known.
    pub customer: Option<MemberId>,
    /// It would come through a partner platform.
    pub by_partner: bool,
    /// The store's own staff ask, who need no notice.
    pub by_staff: bool,
}

/// What is looked for, as one store would serve it.
#[derive(Debug)]
pub struct Sought {
    /// The store.
    pub sight: Arc<Sight>,
    /// What was chosen.
    pub chosen: Chosen,
    /// The ways to serve it, best first.
    pub visits: Vec<Visit>,
    /// What the store's order of therapists goes by.
    pub context: Context,
}

impl Seek {
    /// Finds what is looked for at a store.
    ///
    /// Fails with `NotFound`, and as [`Chosen::check`] and [`Chosen::visits`] do.
    pub async fn at(&self, app: &App, conn: &mut PgConnection, store: StoreId) -> Result<Sought> {
        let sight = app.sights.of(app, &mut *conn, store).await?;
        let chosen = sight.choose(&mut *conn, &self.choice).await?;
        let visits = chosen.visits(self.guests, &self.wish)?;
        let policy = sight.policy.assignment;
        let context = assignment::context(conn, store, policy, self.customer, app.clock.now()).await?;
        Ok(Sought { sight, chosen, visits, context })
    }

    /// The starts that may be booked at a store now.
    pub fn bookable(&self, app: &App, sight: &Sight) -> Span {
        bookable(app, sight, self.by_staff)
    }

    /// The local days of a store within `window` of which a partner may not book any more, as a list.
    pub async fn full_days(&self, conn: &mut PgConnection, sight: &Sight, window: Span) -> Result<Vec<Span>> {
        let Some(quota) = sight.policy.partner_quota.filter(|_| self.by_partner) else { return Ok(Vec::new()) };
        let zone = &sight.store.time_zone;
        let counts = db::booking::by_partners(conn, sight.store.id, zone, window).await?;
        let days = counts.into_iter().filter(|(_, count)| *count >= quota);
        Ok(list(days.filter_map(|(day, _)| whole_day(sight, day)).collect()))
    }
}

/// The starts that may be booked at a store now; its own staff need give no notice.
pub fn bookable(app: &App, sight: &Sight, by_staff: bool) -> Span {
    let now = app.clock.now();
    let notice = if by_staff { 0 } else { sight.policy.lead_minutes };
    let first = minute_after(now + SignedDuration::from_mins(notice));
    // What lies exactly at the end of the bookable time can still be held.
    Span::new(first, minute(now + app.policy.bookable()) + 1)
}

/// A local day of a store.
fn whole_day(sight: &Sight, day: Date) -> Option<Span> {
    let midnight = |day: Date| wall_clock(day, 0, &sight.zone);
    Some(Span::new(midnight(day)?, midnight(day.tomorrow().ok()?)?))
}

/// The local day of a store in which a minute lies.
pub fn day_of(sight: &Sight, at: Minute) -> Option<Span> {
    whole_day(sight, crate::domain::span::instant(at).to_zoned(sight.zone.clone()).date())
}

/// What the stores could use within `window`, in the order of `sought`; those that were made from a sight that is out of
/// date are made anew.
pub async fn supplies(
    app: &App,
    conn: &mut PgConnection,
    seek: &Seek,
    sought: &mut [Sought],
    window: Span,
) -> Result<Vec<Supply>> {
    for _ in 0..READS {
        let asks: Vec<Ask<'_>> = sought.iter().map(|of| Ask { sight: &of.sight, visits: &of.visits }).collect();
        if let Some(supplies) = look(app, &mut *conn, &asks, window, &[]).await? {
            return Ok(supplies);
        }
        for of in &mut *sought {
            *of = seek.at(app, &mut *conn, of.sight.store.id).await?;
        }
    }
    Err(edited())
}

/// The roster changes faster than it can be read.
pub(super) fn edited() -> Error {
    Error::aborted("ROSTER_EDITED", "the roster of the store is just being edited; try again")
}
