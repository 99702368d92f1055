//! The sights that are kept in memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::SignedDuration;
use kernel::{Error, Result, Timestamp, ids::StoreId};
use pg::PgConnection;

use super::Sight;
use crate::{
    App,
    config::Policy,
    db,
    domain::{
        hours,
        span::{Span, minute},
    },
};

/// So many stores are kept, those asked for last.
const STORES: usize = 128;

/// Shifts are read from so long before now: visits that run may be looked at.
const BACK: SignedDuration = SignedDuration::from_hours(4 * 24);

/// Shifts are read so much farther ahead than times can be booked: visits of the last day are looked at whole.
const AHEAD: SignedDuration = SignedDuration::from_hours(6 * 24);

/// So much more is read of both, so that a sight does for some days.
const SPARE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The sights of the stores asked for last.
#[derive(Debug, Default)]
pub struct Sights {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    sights: HashMap<StoreId, (u64, Arc<Sight>)>,
    /// Counts the questions, which tells who was asked for last.
    clock: u64,
}

impl Sights {
    /// The sight of a store: the one that is kept, or a new one. Whether it is out of date shows when it is
    /// [looked](super::look) through. Not for whoever edits the roster in the same transaction.
    ///
    /// Fails with `NotFound`.
    pub async fn of(&self, app: &App, conn: &mut PgConnection, store: StoreId) -> Result<Arc<Sight>> {
        let now = app.clock.now();
        match self.kept(store, horizon(&app.policy, now, SignedDuration::ZERO)) {
            Some(sight) => Ok(sight),
            None => self.read(app, conn, store).await,
        }
    }

    /// Whether a sight is what is committed; drops it if not. For what is refused by the sight alone, without
    /// [looking](super::look) through it: an edit may have allowed it meanwhile.
    pub async fn is_current(&self, conn: &mut PgConnection, sight: &Sight) -> Result<bool> {
        let is_current = db::roster::version(conn, sight.store.id).await? == sight.version;
        if !is_current {
            self.forget(sight);
        }
        Ok(is_current)
    }

    /// Drops a sight that was found out of date.
    pub fn forget(&self, sight: &Sight) {
        let mut kept = self.lock();
        if kept.sights.get(&sight.store.id).is_some_and(|(_, known)| known.version == sight.version) {
            kept.sights.remove(&sight.store.id);
        }
    }

    async fn read(&self, app: &App, conn: &mut PgConnection, store: StoreId) -> Result<Arc<Sight>> {
        let sight = Arc::new(read(app, conn, store).await?);
        let mut kept = self.lock();
        kept.clock += 1;
        let now = kept.clock;
        // Somebody else may have read it meanwhile, later than this.
        if kept.sights.get(&store).is_none_or(|(_, known)| known.version <= sight.version) {
            kept.sights.insert(store, (now, Arc::clone(&sight)));
        }
        if kept.sights.len() > STORES {
            let oldest = kept.sights.iter().min_by_key(|(_, (asked, _))| *asked).map(|(store, _)| *store);
            oldest.and_then(|store| kept.sights.remove(&store));
        }
        Ok(sight)
    }

    fn kept(&self, store: StoreId, horizon: Span) -> Option<Arc<Sight>> {
        let mut kept = self.lock();
        kept.clock += 1;
        let now = kept.clock;
        let (asked, sight) = kept.sights.get_mut(&store)?;
        *asked = now;
        sight.horizon.contains(horizon).then(|| Arc::clone(sight))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn horizon(policy: &Policy, now: Timestamp, spare: SignedDuration) -> Span {
    let at = |by: SignedDuration| minute(now.saturating_add(by).unwrap_or(now));
    Span::new(at(-(BACK + spare)), at(policy.bookable() + AHEAD + spare))
}

/// The version comes first: what is read after an edit then has the version before it, and is found out of date.
async fn read(app: &App, conn: &mut PgConnection, id: StoreId) -> Result<Sight> {
    let version = db::roster::version(&mut *conn, id).await?;
    let store = db::catalog::get_store(&mut *conn, id).await?.ok_or_else(|| Error::not_found(id))?;
    let zone = hours::time_zone("store.time_zone", &store.time_zone)?;
    let policy = db::policy::of_store(&mut *conn, &app.policy, id).await?;
    let horizon = horizon(&app.policy, app.clock.now(), SPARE);
    let therapists = db::supply::therapists(&mut *conn, id, horizon).await?;
    let places = db::supply::places(conn, id).await?;
    Ok(Sight {
        version,
        store,
        zone,
        policy,
        therapists,
        places,
        horizon,
        items: Mutex::default(),
        packages: Mutex::default(),
    })
}
