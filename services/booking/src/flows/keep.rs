//! Keeping resources: the one way in which holds, rescheduled and moved visits, parties and offers get theirs.
//!
//! Redis sheds load, Postgres decides. A plan is made from what is committed; then the cells of time that it needs are
//! taken in Redis for a moment. Whoever finds them taken lines up and plans again: by then the other has committed, and
//! the plan is another or says SLOT_TAKEN. The exclusion constraint has the last word; a lost race means another plan.
//!
//! A plan is carried out in one transaction, and everybody locks in one order: the request, the roster of the store,
//! [names](crate::db::locks), the rows of bookings, the resources.

use std::time::Duration;

use kernel::{
    Error, ErrorKind, Result, Timestamp, Uuid,
    ids::{BookingId, StoreId, TherapistId},
};
use pg::{PgConnection, Tx, idempotency};
use prost::Message;
use proto::booking::v1 as pb;
use slotlock::{SlotKey, Take};

use super::{Once, search_slots::supply_without};
use crate::{
    App,
    db::{self, locks::Name},
    domain::{
        availability::{self, Assignment, GRID, Part, Supply},
        catalog::Store,
        policy::WorkLimits,
        span::{Minute, Span, is_whole_minute, minute},
        visit::{ResourceKind, Visit},
    },
};

/// How often a lost race is answered with another plan. Each means that somebody else got a therapist of that time, so
/// that a store runs out of them first.
const PLANS: usize = 100;

/// How long the cells of a plan are kept in Redis at most, should the process die.
const ATTEMPT: Duration = Duration::from_secs(5);

/// What is to be kept.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Where.
    pub store: &'a Store,
    /// The ways to do it, best first.
    pub visits: &'a [Visit],
    /// When the visit starts.
    pub start: Minute,
    /// What these keep counts as free: it is given back when the plan is carried out.
    pub without: &'a [BookingId],
    /// It may overlap others where there is no other way.
    pub overbook: bool,
}

/// What would serve a visit, as far as is known.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where.
    pub store: StoreId,
    /// The way that was chosen.
    pub visit: Visit,
    /// When the visit starts.
    pub start: Minute,
    /// Who and what serves it.
    pub assignment: Assignment,
    /// It overlaps others.
    pub overbooks: bool,
    roster: i64,
    limited: bool,
}

impl Plan {
    /// What serves each leg, in order.
    pub fn parts(&self) -> Vec<Part> {
        self.assignment.parts(&self.visit, self.start)
    }

    /// Which resource is needed when.
    pub fn allocations(&self) -> Vec<(Uuid, Span)> {
        self.assignment.allocations(&self.visit, self.start)
    }

    fn cells(&self) -> Vec<SlotKey> {
        let cells = |&(resource, span): &(Uuid, Span)| SlotKey::covering(resource, span.start, span.end);
        self.allocations().iter().flat_map(cells).collect()
    }

    fn therapists(&self) -> Vec<TherapistId> {
        self.parts().iter().map(|part| part.therapist).collect()
    }
}

/// The version of a store's roster, to be read before all else that a plan is made from.
pub async fn roster(conn: &mut PgConnection, store: StoreId) -> Result<i64> {
    Ok(db::roster::version(conn, store).await?)
}

/// Plans what is wanted; `roster` was read first.
///
/// Fails as [`availability::assign`] does.
pub async fn plan(app: &App, conn: &mut PgConnection, roster: i64, wanted: Wanted<'_>) -> Result<Plan> {
    let Wanted { store, visits, start, without, overbook } = wanted;
    let supply = supply_without(app, conn, store, visits, Span::new(start, start + 1), without).await?;
    let assign = |supply: &Supply| availability::assign(supply, visits, start, &availability::least_work(supply));
    let limited = supply.limits != WorkLimits::default();
    let (assignment, overbooks) = match assign(&supply) {
        Err(refused) if overbook && ["SLOT_TAKEN", "WORK_LIMIT"].contains(&refused.reason()) => {
            (assign(&as_if_free(supply))?, true)
        }
        assigned => (assigned?, false),
    };
    let visit = visits.get(assignment.alternative).cloned();
    let visit = visit.ok_or_else(|| Error::internal("an assignment of an unknown alternative"))?;
    Ok(Plan { store: store.id, visit, start, assignment, overbooks, roster, limited: limited && !overbooks })
}

fn as_if_free(mut supply: Supply) -> Supply {
    let all = supply.therapists.iter_mut().chain(&mut supply.rooms).chain(&mut supply.equipment);
    for resource in all {
        resource.busy.clear();
    }
    supply.limits = WorkLimits::default();
    supply
}

/// Begins to carry out a plan in a transaction that has claimed its request and locked nothing else: joins the roster
/// and locks `names`. `false` if the plan does not hold any more: then the caller must roll back and plan again.
pub async fn enter(app: &App, tx: &mut Tx, plan: &Plan, without: &[BookingId], names: &[Name<'_>]) -> Result<bool> {
    // Whoever overbooks makes everybody else plan again, so that nobody is put beside him unknowingly.
    let (roster, expected) = match plan.overbooks {
        true => (db::roster::own(tx, plan.store).await?, plan.roster + 1),
        false => (db::roster::share(tx, plan.store).await?, plan.roster),
    };
    if roster != expected {
        return Ok(false);
    }
    let mut names = names.to_vec();
    if plan.limited {
        names.extend(plan.therapists().into_iter().map(Name::Therapist));
    }
    if !names.is_empty() {
        db::locks::take(tx, &names).await?;
    }
    // Two visits that don't overlap can still be too much work together.
    if plan.limited { holds(app, tx, plan, without).await } else { Ok(true) }
}

/// Whether a plan can still be carried out as it is.
async fn holds(app: &App, tx: &mut Tx, plan: &Plan, without: &[BookingId]) -> Result<bool> {
    let Some(store) = db::catalog::get_store(tx, plan.store).await? else { return Ok(false) };
    let mut visit = plan.visit.clone();
    for (demand, resource) in visit.demands.iter_mut().zip(&plan.assignment.resources) {
        demand.wish = Some(*resource);
    }
    let visits = [visit];
    let supply = supply_without(app, tx, &store, &visits, Span::new(plan.start, plan.start + 1), without).await?;
    Ok(availability::assign(&supply, &visits, plan.start, &|_| 0).is_ok())
}

/// Takes all that a plan needs for one booking. `false` if somebody else has some of it: then the caller must roll back
/// and plan again.
pub async fn take(tx: &mut Tx, booking: BookingId, plan: &Plan) -> Result<bool> {
    if !plan.overbooks {
        return Ok(db::allocation::take(tx, booking, &plan.allocations()).await?);
    }
    let wanted = plan.allocations().into_iter().map(|(resource, span)| (booking, resource, span)).collect();
    db::allocation::overbook(tx, wanted).await?;
    Ok(true)
}

/// Something that keeps resources.
pub trait Keep: Sync {
    /// What the plan was made from, besides.
    type Basis: Send + Sync;
    /// What comes of it.
    type Reply: Send;

    /// Makes a plan from what is committed.
    fn plan(&self) -> impl Future<Output = Result<(Plan, Self::Basis)>> + Send;

    /// Carries a plan out in one transaction. `None`, changing nothing, if it does not hold any more.
    fn carry_out(&self, plan: &Plan, basis: &Self::Basis) -> impl Future<Output = Result<Option<Self::Reply>>> + Send;
}

/// Plans and carries out until it is done or can't be had.
pub async fn keep<K: Keep>(app: &App, what: &K) -> Result<K::Reply> {
    let mut lined_up = None;
    for _ in 0..PLANS {
        let (plan, basis) = what.plan().await?;
        let (owner, cells) = (kernel::ids::uuid_v7(app.clock.now()), plan.cells());
        if app.locks.take(owner, &cells, ATTEMPT).await == Take::Busy && lined_up.is_none() {
            lined_up = app.contenders.acquire().await.ok();
            continue;
        }
        let kept = what.carry_out(&plan, &basis).await;
        app.locks.release(owner, &cells).await;
        match kept {
            Ok(Some(reply)) => return Ok(reply),
            Ok(None) => {}
            // Whoever gives an old time back and takes a new one may meet another who does so from the other side.
            Err(error) if error.kind() == ErrorKind::Aborted => {}
            Err(error) => return Err(error),
        }
        if lined_up.is_none() {
            lined_up = app.contenders.acquire().await.ok();
        }
    }
    Err(availability::taken())
}

/// [`keep`] for a request that must have one effect and one answer.
pub async fn keep_once<Q: Message, K: Keep<Reply = pb::Booking>>(
    app: &App,
    once: &Once<'_, Q>,
    what: &K,
) -> Result<pb::Booking> {
    if let Some(reply) = answered(app, once).await? {
        return Ok(reply);
    }
    match keep(app, what).await {
        // What it wants may have gone to a twin of this request, sent at the same moment.
        Err(refused) if refused.kind() == ErrorKind::FailedPrecondition => answered(app, once).await?.ok_or(refused),
        outcome => outcome,
    }
}

async fn answered<Q: Message>(app: &App, once: &Once<'_, Q>) -> Result<Option<pb::Booking>> {
    idempotency::replay(&mut *app.pg.conn().await?, once.key, once.message).await
}

/// Refuses a start that is off the grid, past or too far ahead.
pub fn check_start(app: &App, start: Timestamp) -> Result<()> {
    let now = app.clock.now();
    if !is_whole_minute(start) || minute(start).rem_euclid(GRID) != 0 {
        return Err(Error::invalid("start_time", format!("must be a multiple of {GRID} minutes")));
    }
    if start < now {
        return Err(Error::invalid("start_time", "is past; choose a later time"));
    }
    if start > now + app.policy.bookable() {
        let days = app.policy.bookable_days;
        return Err(Error::invalid("start_time", format!("is more than {days} days ahead; choose an earlier time")));
    }
    Ok(())
}

/// Has a demand served by what serves it now.
pub fn fix(visit: &mut Visit, assignment: &Assignment, wanted: impl Fn(ResourceKind) -> bool) {
    for (demand, resource) in visit.demands.iter_mut().zip(&assignment.resources) {
        if wanted(demand.class.resource()) {
            demand.wish = Some(*resource);
        }
    }
}
