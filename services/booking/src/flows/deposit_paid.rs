//! What payment tells: the deposit of a booking is there.

use feed::{Consumer, Event};
use kernel::{Money, Result, Timestamp, crash, ids::BookingId};
use pg::Tx;
use proto::payment::v1 as payment;
use rpc::convert::money;

use super::{
    order_tasks,
    record::{self, Happened},
};
use crate::{
    App, db,
    domain::{
        availability::Assignment,
        booking::{Booking, State},
        span::minute,
        visit::Visit,
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
        let id = BookingId::parse_name("booking", &order.booking)?;
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
                record::save(tx, &change, Happened::Confirmed { reinstated: false }, now).await?;
            }
            State::Expired => late(tx, booking, now).await?,
            // The balance of a visit that goes on; or it is over, and closing its order gives the money back.
            _ => {}
        }
        crash::point("booking.confirm.applied");
        Ok(())
    }
}

/// The hold had run out. The same time again if it is still free; else the money goes back by itself.
async fn late(tx: &mut Tx, booking: Booking, now: Timestamp) -> Result<()> {
    let open = booking.start_time > now && !db::booking::given_up(tx, booking.id).await?;
    if open && retake(tx, &booking).await? {
        order_tasks::call_off_close(tx, booking.id, now).await?;
        let change = booking.reinstate(now, ACTOR)?;
        record::save(tx, &change, Happened::Confirmed { reinstated: true }, now).await?;
    } else {
        let nothing = Money::zero(booking.price.currency());
        order_tasks::close_order(tx, &booking, nothing, now, now).await?;
    }
    Ok(())
}

async fn retake(tx: &mut Tx, booking: &Booking) -> Result<bool> {
    let Some(item) = db::catalog::get_item(tx, booking.item).await? else { return Ok(false) };
    let visit = Visit::of_item(&item, &[])?;
    let parts = [(booking.therapist, booking.room, booking.equipment)];
    let Some(assignment) = Assignment::of_parts(&visit, &parts) else { return Ok(false) };
    let wanted = assignment.allocations(&visit, minute(booking.start_time));
    let taken = db::allocation::take(tx, booking.id, &wanted).await?;
    if !taken {
        db::allocation::release(tx, booking.id).await?;
    }
    Ok(taken)
}
