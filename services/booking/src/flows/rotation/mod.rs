//! Turn lists: every change is written with its log entry and its event in one transaction.

mod desk;
mod read;
mod rules;

use kernel::{
    Result, Timestamp,
    ids::{BookingId, StoreId},
};
use pg::{
    PgConnection, Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;

pub use self::{
    desk::{AtDesk, change_turn},
    read::rotation,
    rules::set_rules,
};
use crate::{
    App,
    db::{self, rotation::Duty},
    domain::{
        assignment::rotation::{Change, Deed, Entry, Rotation},
        policy::AssignmentPolicy,
    },
    flows::sweep::sweep_all,
    rpc::convert::rotation::to_entry,
};

/// Who does what follows from a visit or a shift.
const ACTOR: &str = "services/booking";

/// What the log says besides the change.
#[derive(Debug)]
pub(crate) struct Note {
    booking: Option<BookingId>,
    shift_start: Option<Timestamp>,
    actor: String,
    reason: String,
    now: Timestamp,
}

impl Note {
    /// Of a change that a visit makes.
    pub(crate) fn of_booking(booking: BookingId, now: Timestamp) -> Self {
        Self { booking: Some(booking), shift_start: None, actor: ACTOR.to_owned(), reason: String::new(), now }
    }
}

/// Makes a change: the list, its log and the event. The store's assignments must be locked.
pub(crate) async fn write(
    tx: &mut Tx,
    store: StoreId,
    rotation: &mut Rotation,
    change: Change,
    note: Note,
) -> Result<()> {
    rotation.apply(&change);
    let entry = Entry {
        version: rotation.version,
        change,
        booking: note.booking,
        shift_start: note.shift_start,
        actor: note.actor,
        reason: note.reason,
        create_time: note.now,
    };
    db::rotation::append(tx, store, rotation, &entry).await?;
    // An aggregate of its own: the store has versions, too.
    let aggregate = kernel::ids::derive(store.uuid(), "rotation");
    let changed = pb::RotationChanged { store: store.name(), entry: Some(to_entry(&entry)) };
    outbox::append(tx, NewEvent::new(aggregate, entry.version, note.now, &changed)).await?;
    Ok(())
}

/// Brings the turn lists of the chain up to now: those whose shift has started join at the end, in the order of their
/// shifts; those whose shift has ended leave. Returns how many lists changed. One that fails does not hold up the others
/// ([`sweep_all`]).
pub async fn follow_shifts(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let by_default = app.policy.store_defaults().assignment == AssignmentPolicy::Rotation;
    let stores = db::rotation::stores(&mut *app.pg.conn().await?, by_default).await?;
    sweep_all(stores, |store| follow_shifts_of(app, store, now)).await
}

async fn follow_shifts_of(app: &App, store: StoreId, now: Timestamp) -> Result<bool> {
    // Most often nothing is due: that is seen without keeping anybody waiting.
    let mut conn = app.pg.conn().await?;
    let rotation = db::rotation::get(&mut conn, store).await?;
    let duties = db::rotation::duties(&mut conn, store, &rotation, now).await?;
    if duties.iter().all(|duty| due(&rotation, duty).is_none()) {
        return Ok(false);
    }
    drop(conn);
    let mut tx = app.pg.begin().await?;
    db::rotation::lock(&mut tx, store).await?;
    follow_shifts_in_tx(&mut tx, store, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// The turn list of a store as it is when what is due is done, without doing it.
pub(crate) async fn as_of(conn: &mut PgConnection, store: StoreId, now: Timestamp) -> Result<Rotation> {
    let mut rotation = db::rotation::get(&mut *conn, store).await?;
    for duty in db::rotation::duties(conn, store, &rotation, now).await? {
        if let Some(deed) = due(&rotation, &duty) {
            let change = rotation.plan(duty.therapist, deed)?;
            rotation.apply(&change);
        }
    }
    Ok(rotation)
}

/// The same for one store, whose assignments must be locked; returns the list.
pub(crate) async fn follow_shifts_in_tx(tx: &mut Tx, store: StoreId, now: Timestamp) -> Result<Rotation> {
    let mut rotation = db::rotation::get(tx, store).await?;
    for duty in db::rotation::duties(tx, store, &rotation, now).await? {
        let Some(deed) = due(&rotation, &duty) else { continue };
        let change = rotation.plan(duty.therapist, deed)?;
        let note =
            Note { booking: None, shift_start: duty.shift_start, actor: ACTOR.to_owned(), reason: String::new(), now };
        write(tx, store, &mut rotation, change, note).await?;
    }
    Ok(rotation)
}

/// What a shift makes of a therapist's place. Each shift puts him on the list once, so that whoever was taken off in the
/// middle of it stays off; and whoever came without a shift stays until the desk takes him off, or a shift of his ends.
fn due(rotation: &Rotation, duty: &Duty) -> Option<Deed> {
    match (rotation.turn(duty.therapist), duty.shift_start) {
        (_, Some(_)) if duty.shift_start == duty.followed => None,
        (None, Some(_)) => Some(Deed::Join),
        (Some(_), Some(_)) => Some(Deed::StartShift),
        (Some(_), None) if duty.followed.is_some() => Some(Deed::Leave),
        (_, None) => None,
    }
}
