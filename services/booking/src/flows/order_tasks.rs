//! Making, amending and closing the order of a booking at payment, as tasks that outlive the process. The tasks of the
//! [waitlist] run with them.

use std::{sync::Arc, time::Duration};

use kernel::{
    Error, ErrorKind, Money, Result, Timestamp, Uuid, crash,
    ids::{BookingId, OrderId},
};
use pg::{
    Tx,
    tasks::{self, Handler, NewTask, Task},
};
use tokio::time::timeout;

use prost::Message;
use proto::payment::v1 as payment;

use super::{
    group,
    record::{self, Happened},
    waitlist,
};
use crate::{
    App, db,
    domain::booking::{Booking, State},
    peers::{NewOrder, Return},
};

const CREATE_ORDER: &str = "create_order";
const AMEND_ORDER: &str = "amend_order";
const CLOSE_ORDER: &str = "close_order";

/// How long an answer waits for the task that came of it.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Who does what a task does.
const ACTOR: &str = "services/booking";

/// Has the order made, at the price of now: what changes it later amends the order.
pub async fn create_order(tx: &mut Tx, booking: &Booking, now: Timestamp) -> Result<Uuid> {
    let payload = booking.price.minor().to_be_bytes().to_vec();
    let task = NewTask { kind: CREATE_ORDER, aggregate_id: booking.id.uuid(), payload, due_time: now };
    Ok(tasks::add(tx, now, task).await?)
}

/// Has a line added to the order: what a longer visit costs more, or one at another time more or less.
pub async fn amend_order(tx: &mut Tx, booking: BookingId, line: &payment::OrderLine, now: Timestamp) -> Result<Uuid> {
    let payload = line.encode_to_vec();
    let task = NewTask { kind: AMEND_ORDER, aggregate_id: booking.uuid(), payload, due_time: now };
    Ok(tasks::add(tx, now, task).await?)
}

/// Has the order closed at `due_time`. All that was paid goes back but for `fee`.
pub async fn close_order(
    tx: &mut Tx,
    booking: &Booking,
    fee: Money,
    due_time: Timestamp,
    now: Timestamp,
) -> Result<Uuid> {
    let payload = if fee.is_zero() { Vec::new() } else { fee.minor().to_be_bytes().to_vec() };
    let task = NewTask { kind: CLOSE_ORDER, aggregate_id: booking.id.uuid(), payload, due_time };
    Ok(tasks::add(tx, now, task).await?)
}

/// Calls off closing the order of a booking that goes on after all.
pub async fn call_off_close(tx: &mut Tx, booking: BookingId, now: Timestamp) -> Result<()> {
    tasks::call_off(tx, now, booking.uuid(), CLOSE_ORDER).await?;
    Ok(())
}

/// Does one task at once; the worker sees to it if that fails.
///
/// What is committed must not miss its answer because payment is slow or the database busy, so this returns after two
/// seconds at the latest. The task runs on by itself, also if the caller goes away meanwhile: dropped halfway it would
/// lie under its lease until that runs out.
pub async fn run_now(app: &Arc<App>, task: Uuid) {
    let app = Arc::clone(app);
    let running = async move {
        if let Err(error) = tasks::run_now(&app.pg, || app.clock.now(), task, &OrderTasks(&app)).await {
            tracing::warn!(error = kernel::Error::from(error).chain(), "left a task to the worker");
        }
        app.poke();
    };
    if timeout(ANSWER_WITHIN, tokio::spawn(running)).await.is_err() {
        tracing::info!(%task, "answered before its task was done");
    }
}

/// Does all tasks that are due; returns how many were taken up.
pub async fn drain(app: &App) -> Result<usize> {
    tasks::drain(&app.pg, || app.clock.now(), &OrderTasks(app)).await
}

struct OrderTasks<'a>(&'a App);

impl Handler for OrderTasks<'_> {
    async fn handle(&self, task: &Task) -> Result<()> {
        let booking = BookingId::from_uuid(task.aggregate_id);
        match task.kind.as_str() {
            CREATE_ORDER => create(self.0, task, booking).await,
            AMEND_ORDER => amend(self.0, task, booking).await,
            CLOSE_ORDER => close(self.0, task, booking).await,
            waitlist::follow::SERVE => waitlist::serve::serve(self.0, task).await,
            other => Err(Error::precondition("UNKNOWN_TASK", format!("no task is called {other}"))),
        }
    }
}

/// Makes the order, also of a booking that is over by now if it was asked for before: payment may have made it although
/// we were not told, or may make it yet. Only when it is there for certain can it be closed for certain.
async fn create(app: &App, task: &Task, id: BookingId) -> Result<()> {
    let (booking, names, payer) = {
        let mut conn = app.pg.conn().await?;
        let booking = db::booking::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
        if task.attempt_count == 0 && matches!(booking.state, State::Cancelled | State::Expired) {
            drop(conn);
            return finish(app, task).await;
        }
        let names = db::booking::names(&mut conn, &booking).await?;
        let payer = group::payer(&mut conn, &booking).await?;
        (booking, names, payer)
    };
    let order = NewOrder {
        id: booking.order(),
        booking: id,
        customer: payer,
        store: booking.store,
        item: booking.item,
        display_name: names.item,
        price: amount(&booking, &task.payload).unwrap_or(booking.price),
        deposit: booking.deposit,
    };
    app.peers.payment.create_order(&order, task.request_id()).await?;
    crash::point("booking.order.created");
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let booking = db::booking::lock(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    tasks::finish(&mut tx, now, task.id).await?;
    match booking.state {
        State::Held => {
            let change = booking.order_made(now, ACTOR)?;
            let happened = match change.booking.state {
                State::Confirmed => Happened::Confirmed { reinstated: false },
                _ => Happened::AwaitingPayment,
            };
            record::save(&mut tx, &change, happened, now).await?;
        }
        // It was over before its order was made, so nothing closed that order.
        State::Cancelled | State::Expired => {
            let nothing = Money::zero(booking.price.currency());
            close_order(&mut tx, &booking, nothing, now, now).await?;
        }
        // Paid before we knew that it could be.
        _ => {}
    }
    tx.commit().await?;
    crash::point("booking.order.recorded");
    Ok(())
}

async fn amend(app: &App, task: &Task, id: BookingId) -> Result<()> {
    let line = payment::OrderLine::decode(task.payload.as_slice()).map_err(Error::internal)?;
    let order = OrderId::derive(id.uuid(), "order");
    match app.peers.payment.amend_order(order, task.id, line, task.request_id()).await {
        Err(refused) if matches!(refused.kind(), ErrorKind::NotFound | ErrorKind::FailedPrecondition) => {
            let booking = db::booking::get(&mut *app.pg.conn().await?, id).await?;
            let is_over = booking.is_some_and(|booking| is_over(booking.state));
            match refused.kind() {
                // Nothing is owed any more; the order has ended, or never was.
                _ if is_over => {}
                // The task that makes it is still to be done.
                ErrorKind::NotFound => return Err(Error::aborted("ORDER_NOT_MADE", "the order is not made yet")),
                _ => return Err(refused),
            }
        }
        outcome => outcome?,
    }
    crash::point("booking.amend.called");
    finish(app, task).await
}

fn is_over(state: State) -> bool {
    matches!(state, State::Cancelled | State::Expired | State::NoShow)
}

async fn close(app: &App, task: &Task, id: BookingId) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let booking = db::booking::lock(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    if !is_over(booking.state) {
        // It was brought back while this task lay ready.
        tasks::finish(&mut tx, now, task.id).await?;
        return Ok(tx.commit().await?);
    }
    // From here on a late deposit does not bring the time back: its money goes back instead.
    db::booking::give_up(&mut tx, id).await?;
    tx.commit().await?;
    crash::point("booking.close.given_up");
    let (back, reason) = (back(&booking, &task.payload), reason(booking.state));
    match app.peers.payment.close_order(booking.order(), back, reason, task.request_id()).await {
        // It is not made yet: the task that makes it has it closed.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        outcome => outcome?,
    }
    crash::point("booking.close.called");
    finish(app, task).await
}

async fn finish(app: &App, task: &Task) -> Result<()> {
    let mut tx = app.pg.begin().await?;
    tasks::finish(&mut tx, app.clock.now(), task.id).await?;
    Ok(tx.commit().await?)
}

fn back(booking: &Booking, payload: &[u8]) -> Return {
    amount(booking, payload).map_or(Return::All, Return::AllBut)
}

/// The amount that a task has with it, if it has one.
fn amount(booking: &Booking, payload: &[u8]) -> Option<Money> {
    let minor = payload.try_into().ok()?;
    Some(Money::new(i64::from_be_bytes(minor), booking.price.currency()))
}

fn reason(state: State) -> &'static str {
    match state {
        State::Cancelled => "BOOKING_CANCELLED",
        State::NoShow => "BOOKING_NO_SHOW",
        _ => "BOOKING_EXPIRED",
    }
}
