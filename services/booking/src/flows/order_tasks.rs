//! Making, amending and closing the order of a booking at payment, as tasks that outlive the process. The tasks of the
//! [waitlist] run with them.

use std::{sync::Arc, time::Duration};

use kernel::{
    Error, ErrorKind, Money, Result, Timestamp, crash,
    ids::{BookingId, MemberId, OrderId},
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

/// A task that is done as soon as the transaction of its decision has committed.
#[derive(Debug)]
#[must_use = "nobody does it for some seconds unless it is passed to `run_now`"]
pub struct Ready {
    task: Task,
    known: Option<Known>,
}

/// What needn't be read again by whoever has just written it.
#[derive(Debug)]
enum Known {
    /// The order that is to be made.
    Order(NewOrder),
    /// The booking whose order is to be closed. Nothing can bring it back.
    Over(Box<Booking>),
}

/// Has the order made by the worker, at the price of now: what changes it later amends the order.
pub async fn create_order(tx: &mut Tx, booking: &Booking, now: Timestamp) -> Result<()> {
    tasks::add(tx, now, making(booking, now)).await?;
    Ok(())
}

/// Has the order of a new visit made at once; `display_name` is its item's, and `payer` pays.
pub async fn create_order_now(
    tx: &mut Tx,
    booking: &Booking,
    display_name: String,
    payer: MemberId,
    now: Timestamp,
) -> Result<Ready> {
    let task = tasks::take(tx, now, making(booking, now)).await?;
    let order = order(booking, display_name, payer, booking.price);
    Ok(Ready { task, known: Some(Known::Order(order)) })
}

/// Has a line added to the order at once: what a longer visit costs more, or one at another time more
/// or less.
pub async fn amend_order(tx: &mut Tx, booking: BookingId, line: &payment::OrderLine, now: Timestamp) -> Result<Ready> {
    let payload = line.encode_to_vec();
    let task = NewTask { kind: AMEND_ORDER, aggregate_id: booking.uuid(), payload, due_time: now };
    Ok(Ready { task: tasks::take(tx, now, task).await?, known: None })
}

/// Has the order closed by the worker at `due_time`. All that was paid goes back but for `fee`.
pub async fn close_order(
    tx: &mut Tx,
    booking: &Booking,
    fee: Money,
    due_time: Timestamp,
    now: Timestamp,
) -> Result<()> {
    tasks::add(tx, now, closing(booking, fee, due_time)).await?;
    Ok(())
}

/// The same at once.
pub async fn close_order_now(tx: &mut Tx, booking: &Booking, fee: Money, now: Timestamp) -> Result<Ready> {
    let task = tasks::take(tx, now, closing(booking, fee, now)).await?;
    // A late deposit brings back what has expired, but nothing else.
    let known = (booking.state != State::Expired).then(|| Known::Over(Box::new(booking.clone())));
    Ok(Ready { task, known })
}

fn making(booking: &Booking, due_time: Timestamp) -> NewTask {
    let payload = booking.price.minor().to_be_bytes().to_vec();
    NewTask { kind: CREATE_ORDER, aggregate_id: booking.id.uuid(), payload, due_time }
}

fn closing(booking: &Booking, fee: Money, due_time: Timestamp) -> NewTask {
    let payload = if fee.is_zero() { Vec::new() } else { fee.minor().to_be_bytes().to_vec() };
    NewTask { kind: CLOSE_ORDER, aggregate_id: booking.id.uuid(), payload, due_time }
}

fn order(booking: &Booking, display_name: String, payer: MemberId, price: Money) -> NewOrder {
    NewOrder {
        id: booking.order(),
        booking: booking.id,
        customer: payer,
        store: booking.store,
        item: booking.item,
        display_name,
        price,
        deposit: booking.deposit,
    }
}

/// Calls off closing the order of a booking that goes on after all.
pub async fn call_off_close(tx: &mut Tx, booking: BookingId, now: Timestamp) -> Result<()> {
    tasks::call_off(tx, now, booking.uuid(), CLOSE_ORDER).await?;
    Ok(())
}

/// Does a task at once; the worker sees to it if that fails.
///
/// What is committed must not miss its answer because payment is slow or the database busy, so this returns after two
/// seconds at the latest. The task runs on by itself, also if the caller goes away meanwhile: dropped halfway it would
/// lie under its lease until that runs out.
pub async fn run_now(app: &Arc<App>, Ready { task, known }: Ready) {
    let (app, id) = (Arc::clone(app), task.id);
    let running = async move {
        let handler = OrderTasks { app: &app, known };
        if let Err(error) = tasks::go_on(&app.pg, || app.clock.now(), &task, &handler).await {
            tracing::warn!(error = kernel::Error::from(error).chain(), "left a task to the worker");
        }
        app.poke();
    };
    if timeout(ANSWER_WITHIN, tokio::spawn(running)).await.is_err() {
        tracing::info!(task = %id, "answered before its task was done");
    }
}

/// Does all tasks that are due; returns how many were taken up.
pub async fn drain(app: &App) -> Result<usize> {
    tasks::drain(&app.pg, || app.clock.now(), &OrderTasks { app, known: None }).await
}

struct OrderTasks<'a> {
    app: &'a App,
    /// Of the one task that it is there for.
    known: Option<Known>,
}

impl Handler for OrderTasks<'_> {
    async fn handle(&self, task: &Task) -> Result<()> {
        let booking = BookingId::from_uuid(task.aggregate_id);
        match task.kind.as_str() {
            CREATE_ORDER => create(self.app, task, booking, self.known.as_ref()).await,
            AMEND_ORDER => amend(self.app, task, booking).await,
            CLOSE_ORDER => close(self.app, task, booking, self.known.as_ref()).await,
            waitlist::follow::SERVE => waitlist::serve::serve(self.app, task).await,
            other => Err(Error::precondition("UNKNOWN_TASK", format!("no task is called {other}"))),
        }
    }
}

/// Makes the order, also of a booking that is over by now if it was asked for before: payment may have made it although
/// we were not told, or may make it yet. Only when it is there for certain can it be closed for certain.
async fn create(app: &App, task: &Task, id: BookingId, known: Option<&Known>) -> Result<()> {
    let order = match known {
        Some(Known::Order(order)) => Some(order.clone()),
        _ => wanted(app, task, id).await?,
    };
    let Some(order) = order else { return finish(app, task).await };
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
            record::store(&mut tx, &change, happened, now).await?;
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

/// The order that a booking wants; `None` if it is over and payment can't know of it.
async fn wanted(app: &App, task: &Task, id: BookingId) -> Result<Option<NewOrder>> {
    let mut conn = app.pg.conn().await?;
    let booking = db::booking::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
    if task.attempt_count == 0 && matches!(booking.state, State::Cancelled | State::Expired) {
        return Ok(None);
    }
    let names = db::booking::names(&mut conn, &booking).await?;
    let payer = group::payer(&mut conn, &booking).await?;
    let price = amount(&booking, &task.payload).unwrap_or(booking.price);
    Ok(Some(order(&booking, names.item, payer, price)))
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

async fn close(app: &App, task: &Task, id: BookingId, known: Option<&Known>) -> Result<()> {
    let booking = match known {
        Some(Known::Over(booking)) => Some(Booking::clone(booking)),
        _ => give_up(app, id).await?,
    };
    // It was brought back while this task lay ready.
    let Some(booking) = booking else { return finish(app, task).await };
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

/// Sees to it that a late deposit does not bring a booking back from here on: its money goes back instead. `None` if the
/// booking goes on.
async fn give_up(app: &App, id: BookingId) -> Result<Option<Booking>> {
    let mut tx = app.pg.begin().await?;
    let booking = db::booking::lock(&mut tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    if !is_over(booking.state) {
        return Ok(None);
    }
    db::booking::give_up(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Some(booking))
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
