//! Keeping resources: the one way in which holds, rescheduled and moved visits, parties and offers get theirs.
//!
//! Redis sheds load, Postgres decides. A plan is made from what is committed; then the cells of time that it needs are
//! taken in Redis for a moment. Whoever finds them taken lines up and plans again: by then the other has committed, and
//! the plan is another or says SLOT_TAKEN. The exclusion constraint has the last word; a lost race means another plan.
//!
//! A plan is carried out in one transaction, and everybody locks in one order: the request, the roster of the store,
//! [names](crate::db::locks), the group, the rows of bookings, the resources.

use std::{sync::Arc, time::Duration};

use kernel::{
    Error, ErrorKind, Result, Timestamp, Uuid,
    ids::{BookingId, MemberId, StoreId, TherapistId},
};
use pg::{PgConnection, Tx, idempotency};
use prost::Message;
use slotlock::{SlotKey, Take};

use super::{
    Once, assignment,
    sight::{Ask, Sight, look, look_for},
};
use crate::{
    App,
    db::{self, locks::Name},
    domain::{
        assignment::{Context, candidates, order, rank},
        availability::{self, Assignment, GRID, Offer, Part, Supply},
        booking,
        policy::{AssignmentPolicy, WorkLimits},
        span::{Minute, Span, instant, is_whole_minute, minute, subtract},
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
    pub sight: &'a Arc<Sight>,
    /// For whom.
    pub customer: MemberId,
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
    pub sight: Arc<Sight>,
    /// The way that was chosen.
    pub visit: Visit,
    /// When the visit starts.
    pub start: Minute,
    /// Who and what serves it.
    pub assignment: Assignment,
    /// It overlaps others.
    pub overbooks: bool,
    /// What the choice was made from: all ways, the supply, and what the order of therapists goes by.
    visits: Vec<Visit>,
    supply: Supply,
    context: Context,
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

    /// The parts of the booking after the first.
    pub fn further_parts(&self) -> Vec<booking::Part> {
        self.parts_of(0).split_off(1)
    }

    /// All parts of the booking of one guest of a party; never none.
    pub fn parts_of(&self, guest: usize) -> Vec<booking::Part> {
        let legs = self.visit.legs.iter().zip(self.parts()).filter(|(leg, _)| leg.guest == guest);
        legs.map(|(leg, part)| booking::Part {
            item: leg.item,
            therapist: part.therapist,
            room: part.room,
            equipment: part.equipment,
            start_time: instant(part.time.start),
            end_time: instant(part.time.end),
        })
        .collect()
    }

    /// When the last treatment ends.
    pub fn end(&self) -> Minute {
        self.start + self.visit.treatment.end
    }

    /// How the therapists were found, for people.
    pub fn reason(&self) -> String {
        told(&reasons(self, &self.context), |_| true)
    }

    /// By which policy.
    pub fn policy(&self) -> AssignmentPolicy {
        self.sight.policy.assignment
    }

    fn store(&self) -> StoreId {
        self.sight.store.id
    }

    fn is_limited(&self) -> bool {
        self.supply.limits.is_set() && !self.overbooks
    }

    fn therapists(&self) -> Vec<TherapistId> {
        self.parts().iter().map(|part| part.therapist).collect()
    }
}

/// Plans what is wanted. `None` if the sight is out of date: then it must be got anew, and all that was made from it.
///
/// Fails as [`availability::assign`] does.
pub async fn plan(app: &App, conn: &mut PgConnection, wanted: Wanted<'_>) -> Result<Option<Plan>> {
    plan_beside(app, conn, wanted, &[]).await
}

/// The same, where what was promised to others counts as theirs.
pub async fn plan_beside(
    app: &App,
    conn: &mut PgConnection,
    wanted: Wanted<'_>,
    promised: &[(Uuid, Span)],
) -> Result<Option<Plan>> {
    let Wanted { sight, customer, visits, start, without, overbook } = wanted;
    let policy = sight.policy.assignment;
    // Whom the customer likes does not matter where nobody is to be chosen.
    let customer = Some(customer).filter(|_| visits.iter().any(leaves_a_choice));
    let mut context = assignment::context(&mut *conn, sight.store.id, policy, customer, app.clock.now()).await?;
    let ask = [Ask { sight, visits }];
    let looked = look_for(app, conn, &ask, Span::new(start, start + 1), without, customer).await?;
    let Some((mut supplies, liking)) = looked else { return Ok(None) };
    let Some(mut supply) = supplies.pop() else { return Ok(None) };
    context.liking = liking;
    supply.keep(promised);
    let assign = |supply: &Supply| availability::assign(supply, visits, start, &order(policy, &context, supply));
    let (assignment, overbooks) = match assign(&supply) {
        Err(refused) if overbook && ["SLOT_TAKEN", "WORK_LIMIT"].contains(&refused.reason()) => {
            let (overlapping, assignment) = as_if_free(&supply, assign)?;
            supply = overlapping;
            (assignment, true)
        }
        assigned => (assigned?, false),
    };
    let visit = visits.get(assignment.alternative).cloned();
    let visit = visit.ok_or_else(|| Error::internal("an assignment of an unknown alternative"))?;
    let (sight, visits) = (Arc::clone(sight), visits.to_vec());
    Ok(Some(Plan { sight, visit, start, assignment, overbooks, visits, supply, context }))
}

/// Whether somebody has to be chosen for it.
fn leaves_a_choice(visit: &Visit) -> bool {
    let mut demands = visit.demands.iter();
    demands.any(|demand| demand.class.resource() == ResourceKind::Therapist && demand.wish.is_none())
}

/// Why each therapist of a plan was chosen, and for which guest; whoever was wished for is only called that.
fn reasons(plan: &Plan, context: &Context) -> Vec<(usize, String)> {
    let Plan { supply, visit, start, .. } = plan;
    let (policy, start) = (plan.policy(), *start);
    let order = order(policy, context, supply);
    let visits = std::slice::from_ref(visit);
    let offer = availability::offers(supply, visits, Span::new(start, start + 1), &order, 1).pop();
    let Some(Offer { assignment, therapists, .. }) = offer else { return Vec::new() };
    let chosen = visit.demands.iter().zip(&assignment.resources);
    let of_therapists = chosen.filter(|(demand, _)| demand.class.resource() == ResourceKind::Therapist);
    let mut reasons: Vec<(usize, String)> = Vec::new();
    for ((demand, chosen), able) in of_therapists.zip(&therapists) {
        let reason = if demand.wish.is_some() {
            "asked for by the customer".to_owned()
        } else {
            let kept: Vec<Span> = demand.spans.iter().map(|span| span.moved(start)).collect();
            let ranked = rank(policy, context, &candidates(supply, able, start, &kept));
            let his = ranked.into_iter().find(|ranked| ranked.therapist.uuid() == *chosen);
            his.map(|ranked| ranked.reason).unwrap_or_default()
        };
        let reason = (demand.guest, reason);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

/// The reasons of some guests, for people.
fn told(reasons: &[(usize, String)], of: impl Fn(usize) -> bool) -> String {
    let told: Vec<&str> = reasons.iter().filter(|(guest, _)| of(*guest)).map(|(_, reason)| reason.as_str()).collect();
    told.join("; ")
}

/// What may overlap so that a visit can be had in spite of others, the least first.
const OVERLAPS: [&[ResourceKind]; 8] = {
    use ResourceKind::{Equipment, Room, Therapist};
    [
        &[],
        &[Equipment],
        &[Therapist],
        &[Room],
        &[Equipment, Therapist],
        &[Equipment, Room],
        &[Therapist, Room],
        &[Equipment, Therapist, Room],
    ]
};

/// Assigns whatever the limits on work, with as few sorts of resources as possible counted as free although they are not:
/// where only the therapists are busy, nobody is put into a room that is taken. Only visits may be overlapped: breaks, time
/// off and maintenance stay what they are.
fn as_if_free(supply: &Supply, assign: impl Fn(&Supply) -> Result<Assignment>) -> Result<(Supply, Assignment)> {
    let mut refused = availability::taken();
    for kinds in OVERLAPS {
        let mut supply = Supply { limits: WorkLimits::default(), ..supply.clone() };
        for kind in kinds {
            let pool = match kind {
                ResourceKind::Therapist => &mut supply.therapists,
                ResourceKind::Room => &mut supply.rooms,
                ResourceKind::Equipment => &mut supply.equipment,
            };
            pool.iter_mut().for_each(|resource| resource.busy = subtract(&resource.busy, &resource.work));
        }
        match assign(&supply) {
            Ok(assignment) => return Ok((supply, assignment)),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// Begins to carry out a plan in a transaction that has claimed its request and locked nothing else: joins the roster
/// and locks `names`. `false` if the plan does not hold any more: then the caller must roll back and plan again.
pub async fn enter(app: &App, tx: &mut Tx, plan: &Plan, without: &[BookingId], names: &[Name<'_>]) -> Result<bool> {
    let mut names = names.to_vec();
    if plan.is_limited() {
        names.extend(plan.therapists().into_iter().map(Name::Therapist));
    }
    let (roster, expected) = if plan.overbooks {
        // Whoever overbooks makes everybody else plan again, so that nobody is put beside him unknowingly.
        let roster = db::roster::own(tx, plan.store()).await?;
        if !names.is_empty() {
            db::locks::take(tx, &names).await?;
        }
        (roster, plan.sight.version + 1)
    } else {
        (db::roster::share(tx, plan.store(), &names).await?, plan.sight.version)
    };
    if roster != expected {
        return Ok(false);
    }
    // Two visits that don't overlap can still be too much work together.
    if plan.is_limited() { holds(app, tx, plan, without).await } else { Ok(true) }
}

/// Whether a plan can still be carried out as it is.
async fn holds(app: &App, tx: &mut Tx, plan: &Plan, without: &[BookingId]) -> Result<bool> {
    let mut visit = plan.visit.clone();
    for (demand, resource) in visit.demands.iter_mut().zip(&plan.assignment.resources) {
        demand.wish = Some(*resource);
    }
    let visits = [visit];
    let ask = [Ask { sight: &plan.sight, visits: &visits }];
    let looked = look(app, tx, &ask, Span::new(plan.start, plan.start + 1), without).await?;
    let supply = looked.and_then(|mut supplies| supplies.pop());
    Ok(supply.is_some_and(|supply| availability::assign(&supply, &visits, plan.start, &|_| 0).is_ok()))
}

/// The name under which a store's assignments must be locked to [`settle`] and count them, if its policy has a state.
pub fn assignments(plan: &Plan) -> Option<Name<'static>> {
    let has_state = matches!(plan.policy(), AssignmentPolicy::Rotation | AssignmentPolicy::WeightedFairness);
    has_state.then(|| Name::Assignments(plan.store()))
}

/// How the therapists were found, for people, as of now: the turn list may have moved on since the plan was made. `None`
/// if somebody else comes first by now: then the caller must roll back and plan again. To be called after [`enter`].
pub async fn settle(tx: &mut Tx, plan: &Plan, now: Timestamp) -> Result<Option<String>> {
    Ok(settled(tx, plan, now).await?.map(|reasons| told(&reasons, |_| true)))
}

/// The same for a party, guest by guest.
pub async fn settle_party(tx: &mut Tx, plan: &Plan, now: Timestamp) -> Result<Option<Vec<String>>> {
    let reasons = settled(tx, plan, now).await?;
    Ok(reasons.map(|reasons| (0..plan.visit.guests()).map(|guest| told(&reasons, |of| of == guest)).collect()))
}

async fn settled(tx: &mut Tx, plan: &Plan, now: Timestamp) -> Result<Option<Vec<(usize, String)>>> {
    let policy = plan.policy();
    let Some(context) = assignment::settle(tx, plan.store(), policy, &plan.context, now).await? else {
        return Ok(Some(reasons(plan, &plan.context)));
    };
    let order = order(policy, &context, &plan.supply);
    let assignment = availability::assign(&plan.supply, &plan.visits, plan.start, &order)?;
    let same = assignment == plan.assignment;
    Ok(same.then(|| reasons(plan, &context)))
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

/// The same for the bookings of a party, one for each guest in their order.
pub async fn take_party(tx: &mut Tx, bookings: &[BookingId], plan: &Plan) -> Result<bool> {
    let kept = |(guest, booking): (usize, &BookingId)| {
        let of_guest = plan.assignment.allocations_of(&plan.visit, plan.start, guest).into_iter();
        of_guest.map(|(resource, span)| (*booking, resource, span)).collect::<Vec<_>>()
    };
    Ok(db::allocation::take_all(tx, bookings.iter().enumerate().flat_map(kept).collect()).await?)
}

/// Something that keeps resources.
pub trait Keep: Sync {
    /// What the plan was made from, besides.
    type Basis: Send + Sync;
    /// What comes of it.
    type Reply: Send;

    /// Asks other services what must be known before, while nothing is held.
    fn prepare(&self) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Makes a plan from what is committed. `None` if it was made from a sight that is out of date.
    fn plan(&self, conn: &mut PgConnection) -> impl Future<Output = Result<Option<(Plan, Self::Basis)>>> + Send;

    /// Carries a plan out in one transaction. `None`, changing nothing, if it does not hold any more.
    fn carry_out(&self, plan: &Plan, basis: &Self::Basis) -> impl Future<Output = Result<Option<Self::Reply>>> + Send;
}

/// What was answered before.
trait Answered<R>: Sync {
    /// The answer, if there is one.
    fn answer(&self, conn: &mut PgConnection) -> impl Future<Output = Result<Option<R>>> + Send;
}

impl<Q: Message, R: Message + Default> Answered<R> for Once<'_, Q> {
    async fn answer(&self, conn: &mut PgConnection) -> Result<Option<R>> {
        idempotency::replay(conn, self.key, self.message).await
    }
}

/// Nobody has asked for it.
struct Unasked;

impl<R: Send> Answered<R> for Unasked {
    async fn answer(&self, _: &mut PgConnection) -> Result<Option<R>> {
        Ok(None)
    }
}

/// Plans and carries out until it is done or can't be had.
pub async fn keep<K: Keep>(app: &App, what: &K) -> Result<K::Reply> {
    keep_unless(app, what, &Unasked).await
}

/// [`keep`] for a request that must have one effect and one answer. What it wants may have gone to itself, when it came
/// before, or to a twin of it, sent at the same moment: so its answer is asked for after it was looked what is free.
pub async fn keep_once<Q: Message, R: Message + Default, K: Keep<Reply = R>>(
    app: &App,
    once: &Once<'_, Q>,
    what: &K,
) -> Result<R> {
    keep_unless(app, what, once).await
}

/// Plans and carries out until it is done or can't be had, unless it is `answered`: that is asked when there is the first
/// plan, and before anything is refused.
async fn keep_unless<K: Keep>(app: &App, what: &K, answered: &impl Answered<K::Reply>) -> Result<K::Reply> {
    let (mut is_new, mut lined_up) = (false, None);
    for _ in 0..PLANS {
        let prepared = what.prepare().await;
        let mut conn = app.pg.conn().await?;
        let planned = match prepared {
            Ok(()) => what.plan(&mut conn).await,
            Err(refused) => Err(refused),
        };
        if !is_new || planned.is_err() {
            if let Some(reply) = answered.answer(&mut conn).await? {
                return Ok(reply);
            }
            is_new = true;
        }
        drop(conn);
        let Some((plan, basis)) = planned? else { continue };
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
            Err(refused) if refused.kind() == ErrorKind::FailedPrecondition => {
                return answered.answer(&mut *app.pg.conn().await?).await?.ok_or(refused);
            }
            Err(error) => return Err(error),
        }
        if lined_up.is_none() {
            lined_up = app.contenders.acquire().await.ok();
        }
    }
    answered.answer(&mut *app.pg.conn().await?).await?.ok_or_else(availability::taken)
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
