//! What payment tells: the deposit of a booking is there.

use feed::{Consumer, Event};
use kernel::{ErrorKind, Money, Result, Timestamp, crash, ids::BookingId};
use pg::Tx;
use proto::payment::v1 as payment;
use rpc::convert::money;

use super::{
    keep::{self, Plan, Wanted},
    order_tasks, present_visit,
    record::{self, Happened},
};
use crate::{
    App,
    db::{self, locks::Name},
    domain::{
        booking::{Booking, State},
        span::minute,
    },
};

/// Who does what a fact of payment does.
const ACTOR: &str = "services/payment";

/// Reads payment's feed.
#[derive(Debug)]
pub struct DepositPaid(pub std::sync::Arc<App>);

impl Consumer for DepositPaid {
    const NAME: &'static str = "booking";

    async fn apply(&self, tx: &mut Tx, event: &Event) -> Result<()> {
        let Some(captured) = event.decode::<payment::PaymentCaptured>()? else { return Ok(()) };
        let order = captured.order.unwrap_or_default();
        if order.booking.is_empty() {
            // It is not for a visit.
            return Ok(());
        }
        let id = BookingId::parse_name("booking", &order.booking)?;
        // What may have to be taken again, or will have to be when its row is locked, is taken on a roster that stays: it
        // comes before any row.
        let may_expire = |state| matches!(state, State::Held | State::AwaitingPayment | State::Expired);
        if let Some(kept) = db::booking::get(tx, id).await?.filter(|booking| may_expire(booking.state)) {
            // Two visits that don't overlap can still be too much work together.
            let names: Vec<_> = kept.work().into_iter().map(|(therapist, _)| Name::Therapist(therapist)).collect();
            db::roster::share(tx, kept.store, &names).await?;
        }
        let Some(booking) = db::booking::lock(tx, id).await? else {
            tracing::error!(booking = %id, "payment took money for a booking that does not exist");
            return Ok(());
        };
        if money("paid", order.paid.as_ref())?.minor() < booking.deposit.minor() {
            return Ok(());
        }
        let now = self.0.clock.now();
        match booking.state {
            State::Held | State::AwaitingPayment => {
                let change = booking.confirm(now, ACTOR)?;
                record::store(tx, &change, Happened::Confirmed { reinstated: false }, now).await?;
            }
            State::Expired => late(&self.0, tx, booking, now).await?,
            // The balance of a visit that goes on; or it is over, and closing its order gives the money back.
            _ => {}
        }
        crash::point("booking.confirm.applied");
        Ok(())
    }
}

/// The hold had run out. The same time again if it is still free; else the money goes back by itself.
async fn late(app: &App, tx: &mut Tx, booking: Booking, now: Timestamp) -> Result<()> {
    let open = booking.start_time > now && !db::booking::given_up(tx, booking.id).await?;
    if open && retake(app, tx, &booking).await? {
        order_tasks::call_off_close(tx, booking.id, now).await?;
        let change = booking.reinstate(now, ACTOR)?;
        record::store(tx, &change, Happened::Confirmed { reinstated: true }, now).await?;
    } else {
        let nothing = Money::zero(booking.price.currency());
        order_tasks::close_order(tx, &booking, nothing, now, now).await?;
    }
    Ok(())
}

/// A plan to serve it exactly as before; `None` if that can't be had.
async fn again(app: &App, tx: &mut Tx, booking: &Booking) -> Result<Option<Plan>> {
    // Nobody edits the roster until this transaction ends, so what is read now holds.
    let present = match present_visit::read(tx, booking, &[]).await {
        Err(refused) if refused.kind() == ErrorKind::FailedPrecondition => return Ok(None),
        present => present?,
    };
    let mut visit = present.visit.extended(i64::from(booking.extension_minutes));
    keep::fix(&mut visit, &present.assignment, |_| true);
    let visits = [visit];
    let start = minute(booking.start_time);
    loop {
        let sight = app.sights.of(app, tx, booking.store).await?;
        let customer = booking.customer;
        let wanted = Wanted { sight: &sight, customer, visits: &visits, start, without: &[], overbook: false };
        match keep::plan(app, tx, wanted).await {
            // What was kept of the roster was out of date; what is read now can't be.
            Ok(None) => {}
            Err(refused) if refused.kind() == ErrorKind::FailedPrecondition => return Ok(None),
            plan => return plan,
        }
    }
}

async fn retake(app: &App, tx: &mut Tx, booking: &Booking) -> Result<bool> {
    let Some(plan) = again(app, tx, booking).await? else { return Ok(false) };
    let taken = keep::take(tx, booking.id, &plan).await?;
    if !taken {
        db::allocation::release(tx, booking.id).await?;
    }
    Ok(taken)
}
