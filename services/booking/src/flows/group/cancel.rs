//! Gives a group up.

use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use kernel::{Error, ErrorKind, Money, Result, crash, ids::GroupId};
use pg::{
    audit,
    idempotency::{self, Begin},
};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::read;
use crate::{
    App, db,
    domain::{
        booking::{Booking, State, Wish},
        group::Group,
    },
    flows::{
        Once, assignment,
        cancel_booking::{self, ASKED, Cancelled, check_fee},
        order_tasks, record,
    },
};

/// Gives up every visit of a group that the caller can give up, each by its own policy. If `max_fee` is given, only if no
/// more of what was paid stays with the store, of all of them together.
pub async fn cancel_group(
    app: &Arc<App>,
    caller: &Caller,
    once: Once<'_, pb::CancelGroupRequest>,
    id: GroupId,
    wish: Wish,
    max_fee: Option<Money>,
) -> Result<pb::BookingGroup> {
    let (group, mut known) = own(app, caller, id).await?;
    if let Some(reply) = idempotency::replay(&mut *app.pg.conn().await?, once.key, once.message).await? {
        return Ok(reply);
    }
    let now = app.clock.now();
    let (mut tx, ticket, bookings, paid) = 'asked: {
        for _ in 0..ASKED {
            let paid = match max_fee {
                Some(_) => try_join_all(known.iter().map(|booking| cancel_booking::paid(app, booking))).await?,
                None => Vec::new(),
            };
            let mut tx = app.pg.begin().await?;
            let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
                Begin::Replay(reply) => return Ok(reply),
                Begin::Fresh(ticket) => ticket,
            };
            for booking in &known {
                assignment::lock_of(&mut tx, booking.id).await?;
            }
            db::group::lock(&mut tx, id).await?;
            let bookings = db::booking::lock_group(&mut tx, id).await?;
            let versions = |of: &[Booking]| of.iter().map(|booking| (booking.id, booking.version)).collect::<Vec<_>>();
            if max_fee.is_none() || versions(&bookings) == versions(&known) {
                break 'asked (tx, ticket, bookings, paid);
            }
            known = bookings;
            tx.rollback().await?;
        }
        return Err(cancel_booking::changed());
    };
    let mut tasks = Vec::new();
    let mut kept = Vec::new();
    for (index, booking) in bookings.into_iter().enumerate() {
        if !can_be_given_up(caller, &group, &booking) {
            continue;
        }
        let paid = paid.get(index).copied();
        let Cancelled { change, fee, happened, task } =
            cancel_booking::cancel_in_tx(app, &mut tx, booking, (wish, paid), now, caller.subject()).await?;
        kept.push(fee);
        record::store(&mut tx, &change, happened, now).await?;
        tasks.push(task);
    }
    if tasks.is_empty() {
        return Err(Error::precondition("WRONG_STATE", "none of its visits can be given up any more"));
    }
    if let Some(max_fee) = max_fee {
        let nothing = Money::zero(max_fee.currency());
        check_fee(kept.into_iter().try_fold(nothing, Money::try_add)?, max_fee)?;
    }
    if caller.member().is_none() {
        let entry = audit::Entry {
            actor: caller.subject().to_owned(),
            action: "booking.cancel_group".to_owned(),
            target: id.name(),
            detail: json!({ "visits": tasks.len(), "reason": wish.reason() }),
        };
        audit::record(&mut tx, now, entry).await?;
    }
    let (group, bookings) = read::own(&mut tx, caller, id).await?;
    let reply = read::view(&mut tx, caller, &group, &bookings).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    crash::point("booking.cancel_group.committed");
    join_all(tasks.into_iter().map(|task| order_tasks::run_now(app, task))).await;
    Ok(reply)
}

/// A group that the caller may give up.
async fn own(app: &App, caller: &Caller, id: GroupId) -> Result<(Group, Vec<Booking>)> {
    let (group, bookings) = read::own(&mut *app.pg.conn().await?, caller, id).await?;
    if caller.member().is_some_and(|member| member != group.organiser) {
        let text = "only whoever organises a group can give it up; give up your own visit";
        return Err(Error::new(ErrorKind::PermissionDenied, "NOT_ORGANISER", text));
    }
    Ok((group, bookings))
}

/// What others have paid for themselves the organiser can't give up for them: it could cost them a fee.
fn can_be_given_up(caller: &Caller, group: &Group, booking: &Booking) -> bool {
    match booking.state {
        State::Held | State::AwaitingPayment => true,
        State::Confirmed => caller.member().is_none_or(|member| group.payer_for(booking.customer) == member),
        _ => false,
    }
}
