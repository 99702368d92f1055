//! What is known when a therapist is chosen, and what the choice changes.
//!
//! Two policies have a state: the turn list and the credited work. It changes in the transaction that keeps the visit,
//! and one transaction at a time works on that of a store, so that no turn is given twice. The order of locks is: roster
//! of the store, caps, **assignments of the store**, bookings, allocations. [`crate::domain::assignment`] says how a flow
//! uses what is here.
//!
//! A visit that is given up before it began (its hold ran out, it was cancelled, nobody came) was no work: [`give_back`]
//! puts the therapist to the front of the turn list, and takes the credited minutes back. Should a late deposit bring the
//! visit back, that stays so: who pays late does not cost the therapist his turn.

use kernel::{
    Result, Timestamp,
    ids::{BookingId, MemberId, StoreId, TherapistId},
};
use pg::{PgConnection, Tx};

use super::rotation::{self, Note};
use crate::{
    db::{
        self,
        fairness::{Counted, Credit},
    },
    domain::{
        assignment::{Context, rotation::Deed},
        policy::AssignmentPolicy,
    },
};

/// A visit, or the part of it, that a therapist is given.
#[derive(Debug, Clone, Copy)]
pub struct Given {
    /// The visit.
    pub booking: BookingId,
    /// Who gives it.
    pub therapist: TherapistId,
    /// The customer asked for him.
    pub requested: bool,
    /// How long he works, in all parts of the visit together.
    pub minutes: i32,
}

/// Reads what `policy` goes by at `store`; `customer` for whom the visit is, if that is known. Whom he likes is left to
/// [`look_for`](super::sight::look_for), which reads it with what else may change at any time.
pub async fn context(
    conn: &mut PgConnection,
    store: StoreId,
    policy: AssignmentPolicy,
    customer: Option<MemberId>,
    now: Timestamp,
) -> Result<Context> {
    let mut context = Context { now, ..Context::default() };
    match (policy, customer) {
        (AssignmentPolicy::Rotation, _) => {
            context.rotation = rotation::as_of(conn, store, now).await?;
            context.last_turns = db::rotation::last_turns(conn, store).await?;
        }
        (AssignmentPolicy::WeightedFairness, _) => context.ledger = db::fairness::get(conn, store).await?,
        (AssignmentPolicy::Preference, Some(customer)) => {
            context.visits = db::preference::visits(conn, customer, now).await?;
        }
        (AssignmentPolicy::Rating, _) => context.ratings = db::preference::ratings(conn, store).await?,
        (AssignmentPolicy::LeastFragmentation, _) => {
            context.shortest_visit = db::preference::shortest_item(conn).await?;
        }
        (AssignmentPolicy::LeastWork | AssignmentPolicy::Preference, _) => {}
    }
    Ok(context)
}

/// Keeps the state of the store's assignments for this transaction, if its policy has one, and brings the turn list up to
/// `now`. Gives another context if `planned` is out of date: whoever would be first by that one is the right one.
pub async fn settle(
    tx: &mut Tx,
    store: StoreId,
    policy: AssignmentPolicy,
    planned: &Context,
    now: Timestamp,
) -> Result<Option<Context>> {
    match policy {
        AssignmentPolicy::Rotation => {
            db::rotation::lock(tx, store).await?;
            let rotation = rotation::follow_shifts_in_tx(tx, store, now).await?;
            if rotation == planned.rotation {
                return Ok(None);
            }
            let last_turns = db::rotation::last_turns(tx, store).await?;
            Ok(Some(Context { rotation, last_turns, ..planned.clone() }))
        }
        AssignmentPolicy::WeightedFairness => {
            db::rotation::lock(tx, store).await?;
            if db::fairness::version(tx, store).await? == planned.ledger.version {
                return Ok(None);
            }
            Ok(Some(Context { ledger: db::fairness::get(tx, store).await?, ..planned.clone() }))
        }
        _ => Ok(None),
    }
}

/// Counts a visit for its therapist, as the policy and the rules of the store say. To be called once for each therapist
/// of the visit, after [`settle`] and after the booking is stored.
pub async fn record(tx: &mut Tx, store: StoreId, policy: AssignmentPolicy, given: Given, now: Timestamp) -> Result<()> {
    if !matches!(policy, AssignmentPolicy::Rotation | AssignmentPolicy::WeightedFairness) {
        return Ok(());
    }
    // Taken already by whoever called `settle`; it may be taken again.
    db::rotation::lock(tx, store).await?;
    if given.requested && !db::rotation::rules(tx, store).await?.requested_counts {
        return Ok(());
    }
    let counted = if policy == AssignmentPolicy::Rotation {
        let mut list = db::rotation::get(tx, store).await?;
        let deed = if given.requested { Deed::UseTurnByRequest } else { Deed::UseTurn };
        let change = list.plan(given.therapist, deed)?;
        rotation::write(tx, store, &mut list, change, Note::of_booking(given.booking, now)).await?;
        Counted::Turn(list.version)
    } else {
        let mut ledger = db::fairness::get(tx, store).await?;
        let added = ledger.credit(given.therapist, i64::from(given.minutes));
        db::fairness::save(tx, store, &ledger, given.therapist).await?;
        Counted::Work(added)
    };
    let Given { booking, therapist, requested, minutes } = given;
    db::fairness::insert_credit(tx, &Credit { booking, therapist, store, requested, minutes, counted }, now).await?;
    Ok(())
}

/// Counts a visit anew for a therapist who gives it as before, but for longer or shorter. A turn is a turn, however long.
pub async fn recount(tx: &mut Tx, credit: Credit, minutes: i32) -> Result<()> {
    let Credit { therapist, store, .. } = credit;
    let Counted::Work(added) = credit.counted else { return Ok(()) };
    if minutes == credit.minutes {
        return Ok(());
    }
    db::rotation::lock(tx, store).await?;
    let mut ledger = db::fairness::get(tx, store).await?;
    let counted = Counted::Work(ledger.recredit(therapist, added, i64::from(minutes)));
    db::fairness::save(tx, store, &ledger, therapist).await?;
    db::fairness::update_credit(tx, &Credit { minutes, counted, ..credit }).await?;
    Ok(())
}

/// Keeps the state of the store's assignments if the visit counted in it; to be called before the booking is locked by
/// whoever will [`give_back`].
pub async fn lock_of(tx: &mut Tx, booking: BookingId) -> Result<()> {
    if let Some(credit) = db::fairness::credits(tx, booking).await?.first() {
        db::rotation::lock(tx, credit.store).await?;
    }
    Ok(())
}

/// Takes back what a visit counted for all of its therapists, or for `only` one from whom it is taken. The visit has not
/// begun.
pub async fn give_back(tx: &mut Tx, booking: BookingId, only: Option<TherapistId>, now: Timestamp) -> Result<()> {
    for credit in db::fairness::credits(tx, booking).await? {
        let Credit { therapist, store, .. } = credit;
        if only.is_some_and(|only| only != therapist) {
            continue;
        }
        db::rotation::lock(tx, store).await?;
        match credit.counted {
            Counted::Turn(_) => {
                let mut list = db::rotation::get(tx, store).await?;
                let change = list.plan(therapist, Deed::ReturnTurn)?;
                rotation::write(tx, store, &mut list, change, Note::of_booking(booking, now)).await?;
            }
            Counted::Work(added) => {
                let mut ledger = db::fairness::get(tx, store).await?;
                ledger.give_back(therapist, added);
                db::fairness::save(tx, store, &ledger, therapist).await?;
            }
        }
        db::fairness::give_back(tx, booking, therapist).await?;
    }
    Ok(())
}
