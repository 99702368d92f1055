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
    sight::{Ask, Sight, look_for},
};
use crate::{
    App, db,
    domain::{
        assignment::Context,
        availability::Supply,
        chosen::{Choice, Chosen},
        hours::wall_clock,
        span::{Minute, Span, covers, list, minute, minute_after},
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
        for _ in 0..READS {
            let sight = app.sights.of(app, &mut *conn, store).await?;
            match self.choose(&mut *conn, &sight).await {
                Ok((chosen, visits)) => {
                    let policy = sight.policy.assignment;
                    let context = assignment::context(conn, store, policy, self.customer, app.clock.now()).await?;
                    return Ok(Sought { sight, chosen, visits, context });
                }
                Err(refused) if app.sights.is_current(&mut *conn, &sight).await? => return Err(refused),
                Err(_) => {}
            }
        }
        Err(edited())
    }

    /// The same, by what is committed now: for what goes by the store's rules without [`supplies`].
    pub async fn now_at(&self, app: &App, conn: &mut PgConnection, store: StoreId) -> Result<Sought> {
        for _ in 0..READS {
            let sought = self.at(app, &mut *conn, store).await?;
            if app.sights.is_current(&mut *conn, &sought.sight).await? {
                return Ok(sought);
            }
        }
        Err(edited())
    }

    async fn choose(&self, conn: &mut PgConnection, sight: &Sight) -> Result<(Chosen, Vec<Visit>)> {
        let chosen = sight.choose(conn, &self.choice).await?;
        let visits = chosen.visits(self.guests, &self.wish)?;
        Ok((chosen, visits))
    }

    /// The starts that may be booked at a store now.
    pub fn bookable(&self, app: &App, sight: &Sight) -> Span {
        bookable(app, sight, self.by_staff)
    }

    /// The local days of a store within `window` of which a partner may not book any more, as a list.
    pub async fn full_days(&self, conn: &mut PgConnection, sight: &Sight, window: Span) -> Result<Vec<Span>> {
        if self.by_partner { full_days(conn, sight, window).await } else { Ok(Vec::new()) }
    }
}

/// The starts that may be booked at a store now; its own staff need give no notice.
pub fn bookable(app: &App, sight: &Sight, by_staff: bool) -> Span {
    let all = bookable_anywhere(app);
    if by_staff {
        return all;
    }
    let first = app.clock.now() + SignedDuration::from_mins(sight.policy.lead_minutes);
    Span::new(minute_after(first), all.end)
}

/// The starts that may be booked now where no notice is wanted.
pub fn bookable_anywhere(app: &App) -> Span {
    let now = app.clock.now();
    // What lies exactly at the end of the bookable time can still be held.
    Span::new(minute_after(now), minute(now + app.policy.bookable()) + 1)
}

/// Refuses a start on a day of which partners have booked what they may. To be called when the store's quota is locked.
pub async fn check_quota(conn: &mut PgConnection, sight: &Sight, start: Minute) -> Result<()> {
    let window = Span::new(start, start + 1);
    if covers(&full_days(conn, sight, window).await?, window) {
        let text = "partners have booked what they may of this day; choose another day";
        return Err(Error::precondition("QUOTA", text));
    }
    Ok(())
}

async fn full_days(conn: &mut PgConnection, sight: &Sight, window: Span) -> Result<Vec<Span>> {
    let Some(quota) = sight.policy.partner_quota else { return Ok(Vec::new()) };
    let zone = &sight.store.time_zone;
    let counts = db::booking::by_partners(conn, sight.store.id, zone, window).await?;
    let days = counts.into_iter().filter(|(_, count)| *count >= quota);
    Ok(list(days.filter_map(|(day, _)| whole_day(sight, day)).collect()))
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
/// date are made anew, and all learn whom the customer likes.
pub async fn supplies(
    app: &App,
    conn: &mut PgConnection,
    seek: &Seek,
    sought: &mut [Sought],
    window: Span,
) -> Result<Vec<Supply>> {
    for _ in 0..READS {
        let asks: Vec<Ask<'_>> = sought.iter().map(|of| Ask { sight: &of.sight, visits: &of.visits }).collect();
        if let Some((supplies, liking)) = look_for(app, &mut *conn, &asks, window, &[], seek.customer).await? {
            sought.iter_mut().for_each(|of| of.context.liking = liking.clone());
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
