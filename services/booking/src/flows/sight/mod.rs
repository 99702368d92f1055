//! What plans are made from: the sight of a store.
//!
//! Most of what decides whether a visit can be had changes seldom: hours, policy, therapists with their shifts, rooms,
//! machines, the menu. Every edit of it gives the store's roster another version (see [`db::roster`]), so it is read once
//! and kept in memory under that version ([`Sights`]). What changes all the time, the times that are taken, is read anew
//! for each plan, in one statement with the version: if that is not the one of the sight, the sight is out of date and
//! nothing that was made from it counts. So a plan costs one round trip, and is never made from what is stale.

mod cache;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::tz::TimeZone;
use kernel::{
    Error, Result, Uuid,
    ids::{BookingId, ItemId, MemberId, PackageId, TherapistId},
};
use pg::PgConnection;

pub use self::cache::Sights;
use crate::{
    App,
    db::{
        self,
        supply::{Taken, Times},
    },
    domain::{
        assignment::Liking,
        availability::{Assignment, Resource, Supply},
        catalog::{Item, Package, Store},
        chosen::{Choice, Chosen, Served},
        policy::StorePolicy,
        span::{Minute, Span, list},
        visit::{Class, DAY, ResourceKind, Visit},
    },
};

/// Minutes of the longest day, the one on which clocks are set back: no opening is longer.
const LONGEST_DAY: i64 = 25 * 60;

/// What of a store stays the same from one edit of its roster to the next.
#[derive(Debug)]
pub struct Sight {
    /// The version of the roster.
    pub version: i64,
    /// The store with its hours.
    pub store: Store,
    /// Its zone.
    pub zone: TimeZone,
    /// Its rules.
    pub policy: StorePolicy,
    /// By name; their shifts are those within `horizon`.
    therapists: Vec<Resource>,
    /// By name.
    places: Vec<Resource>,
    horizon: Span,
    /// What was chosen from the menu so far.
    items: Mutex<HashMap<ItemId, Arc<Item>>>,
    packages: Mutex<HashMap<PackageId, Arc<Package>>>,
}

/// A sight, and the visits that are looked for there.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Where.
    pub sight: &'a Sight,
    /// The ways to serve it, best first.
    pub visits: &'a [Visit],
}

impl Sight {
    /// Finds what is chosen on the menu.
    ///
    /// Fails with `NotFound`, and as [`Chosen::check`] does.
    pub async fn choose(&self, conn: &mut PgConnection, choice: &Choice) -> Result<Chosen> {
        let chosen = match choice {
            Choice::Item(id, add_on_ids) => {
                let all: Vec<ItemId> = std::iter::once(*id).chain(add_on_ids.iter().copied()).collect();
                let mut items = self.items(conn, &all).await?;
                let add_ons = items.split_off(1);
                let item = items.pop().ok_or_else(|| Error::not_found(*id))?;
                Chosen::Item { item, add_ons }
            }
            Choice::Package(id) => {
                let package = self.package(&mut *conn, *id).await?;
                let items = self.items(conn, &package.items).await?;
                Chosen::Package { package: Package::clone(&package), items }
            }
        };
        chosen.check(&self.store)?;
        Ok(chosen)
    }

    async fn items(&self, conn: &mut PgConnection, ids: &[ItemId]) -> Result<Vec<Item>> {
        let known = |id: &ItemId| self.items.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        let missing: Vec<ItemId> = ids.iter().filter(|id| known(id).is_none()).copied().collect();
        if !missing.is_empty() {
            let read = db::catalog::get_items(conn, &missing).await?;
            let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
            items.extend(read.into_iter().map(|item| (item.id, Arc::new(item))));
        }
        let found = ids.iter().map(|id| known(id).map(|item| Item::clone(&item)).ok_or_else(|| Error::not_found(*id)));
        found.collect()
    }

    async fn package(&self, conn: &mut PgConnection, id: PackageId) -> Result<Arc<Package>> {
        let known = self.packages.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        if let Some(package) = known {
            return Ok(package);
        }
        let package = db::catalog::get_package(conn, id).await?.ok_or_else(|| Error::not_found(id))?;
        let package = Arc::new(package);
        self.packages.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&package));
        Ok(package)
    }

    /// A therapist's grade; 0 if he does not work here.
    pub fn grade(&self, therapist: TherapistId) -> i16 {
        let found = self.therapists.iter().find(|known| known.id == therapist.uuid());
        found.map(|known| known.profile.grade).unwrap_or_default()
    }

    /// Who and what serves each leg of `visit` begun at `start`.
    pub fn served(&self, visit: &Visit, assignment: &Assignment, start: Minute) -> Vec<Served> {
        let parts = assignment.parts(visit, start).into_iter();
        parts.map(|part| Served { part, grade: self.grade(part.therapist) }).collect()
    }

    /// Who could have a part in the visits, whatever the time: therapists and places.
    fn resources(&self, visits: &[Visit]) -> (Vec<&Resource>, Vec<(ResourceKind, &Resource)>) {
        let demands = || visits.iter().flat_map(|visit| &visit.demands);
        let serves = |resource: &Resource, kind| {
            demands().any(|demand| match &demand.class {
                // Whoever lacks a paper or another skill is asked all the same, and is told about.
                Class::Therapist { skills, .. } => {
                    kind == ResourceKind::Therapist
                        && skills.first().is_none_or(|skill| resource.profile.skills.contains(skill))
                        && demand.wish.is_none_or(|wanted| wanted == resource.id)
                }
                Class::Room { kind: wanted } | Class::Equipment { kind: wanted } => {
                    demand.class.resource() == kind && *wanted == resource.profile.kind
                }
            })
        };
        let therapists =
            self.therapists.iter().filter(|therapist| serves(therapist, ResourceKind::Therapist)).collect();
        let kinds = [ResourceKind::Room, ResourceKind::Equipment];
        let places = kinds.into_iter().flat_map(|kind| {
            self.places.iter().filter(move |place| serves(place, kind)).map(move |place| (kind, place))
        });
        (therapists, places.collect())
    }

    /// The openings that visits begun in `window` touch, whole, and how far around it they have to be looked at.
    fn days(&self, visits: &[Visit], window: Span) -> Result<(Vec<Span>, Span)> {
        // The last visit may start at the end of the window. And whoever has the least work that day is proposed, so every
        // opening that the window touches is looked at whole.
        let longest = visits.iter().map(|visit| visit.treatment.end).max().unwrap_or(0);
        let touched = Span::new(window.start, window.end + longest);
        let mut openings = self.store.openings(Span::new(touched.start - LONGEST_DAY, touched.end + LONGEST_DAY))?;
        openings.retain(|span| span.overlaps(touched));
        let reach = visits.iter().map(Visit::reach).reduce(Span::hull).unwrap_or(Span::new(0, 0));
        let days = openings.iter().copied().fold(window, Span::hull);
        // A stretch of work may have begun before.
        let before = if self.policy.limits.in_row.is_some() { DAY } else { 0 };
        Ok((openings, Span::new(days.start + reach.start.min(0) - before, days.end + reach.end.max(0) + before)))
    }

    fn supply(&self, visits: &[Visit], openings: Vec<Span>, around: Span, taken: &Taken) -> Supply {
        let (therapists, places) = self.resources(visits);
        let now = |resource: &Resource| {
            let Times { busy, work } = taken.times.get(&resource.id).cloned().unwrap_or_default();
            let first = resource.on.partition_point(|shift| shift.end <= around.start);
            let last = resource.on.partition_point(|shift| shift.start < around.end);
            let on = resource.on.get(first..last).unwrap_or_default().to_vec();
            Resource { id: resource.id, on, busy, work, profile: resource.profile.clone() }
        };
        let of = |wanted| places.iter().filter(|(kind, _)| *kind == wanted).map(|(_, place)| now(place)).collect();
        Supply {
            open: list(openings.clone()),
            openings,
            therapists: therapists.into_iter().map(now).collect(),
            rooms: of(ResourceKind::Room),
            equipment: of(ResourceKind::Equipment),
            limits: self.policy.limits,
        }
    }
}

/// What each store could use for its visits that start within `window`, in the order of `asks`; what the bookings of
/// `without` keep counts as free. `None` if one of the sights is out of date: then it and all that was made from it must be
/// got anew.
pub async fn look(
    app: &App,
    conn: &mut PgConnection,
    asks: &[Ask<'_>],
    window: Span,
    without: &[BookingId],
) -> Result<Option<Vec<Supply>>> {
    let looked = look_for(app, conn, asks, window, without, None).await?;
    Ok(looked.map(|(supplies, _)| supplies))
}

/// The same for a customer, and whom he likes.
pub async fn look_for(
    app: &App,
    conn: &mut PgConnection,
    asks: &[Ask<'_>],
    window: Span,
    without: &[BookingId],
    customer: Option<MemberId>,
) -> Result<Option<(Vec<Supply>, Liking)>> {
    let mut days = Vec::with_capacity(asks.len());
    let (mut stores, mut resources): (Vec<_>, Vec<Uuid>) = (Vec::new(), Vec::new());
    for Ask { sight, visits } in asks {
        days.push(sight.days(visits, window)?);
        stores.push(sight.store.id);
        let (therapists, places) = sight.resources(visits);
        resources.extend(therapists.iter().map(|resource| resource.id));
        resources.extend(places.iter().map(|(_, resource)| resource.id));
    }
    let around = days.iter().map(|(_, around)| *around).fold(window, Span::hull);
    let taken = db::supply::taken(conn, &stores, &resources, around, without, customer).await?;
    let is_old = |sight: &Sight| taken.versions.get(&sight.store.id) != Some(&sight.version);
    let mut old = asks.iter().map(|ask| ask.sight).filter(|sight| is_old(sight)).peekable();
    if old.peek().is_some() {
        old.for_each(|sight| app.sights.forget(sight));
        return Ok(None);
    }
    let supplies = asks.iter().zip(days);
    let supplies = supplies.map(|(ask, (openings, around))| ask.sight.supply(ask.visits, openings, around, &taken));
    Ok(Some((supplies.collect(), taken.liking)))
}
