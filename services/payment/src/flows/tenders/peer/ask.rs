//! Having set aside what a checkout is to spend of points and coupons, before it is stored.

use kernel::{
    Error, Result,
    ids::{CheckoutId, CouponId, OrderId},
};
use pg::tasks::{self, NewTask};

use super::{GIVE_UP, HOLD, PATIENCE, TELL, ended};
use crate::{
    App,
    db::{self, peer_tenders as stored},
    domain::{
        NewCheckout, NewTender, Order,
        peer_tender::{Kept, PeerTender, State},
    },
    flows::charge::{lock, request_id_reused},
    peers::tender::Hold,
};

/// Has it set aside. Nothing is asked of anybody if the checkout has none of these, is stored already, or can't be.
///
/// # Errors
/// Those of [`Order::start_checkout`] and of the keepers; `TENDER_NOT_OFFERED`; `CHECKOUT_ENDED` if it was given up before;
/// `REQUEST_ID_REUSED`; `Unavailable` if a keeper can't be reached: then the same request goes on from here.
pub async fn ask(app: &App, order: OrderId, new: &NewCheckout) -> Result<()> {
    for tender in kept_by_peers(new) {
        app.peer_tenders.of(tender.tender)?;
    }
    if kept_by_peers(new).next().is_none() {
        return Ok(());
    }
    let Some(holds) = note(app, order, new).await? else { return Ok(()) };
    kernel::crash::point("payment.peer_tender.asked");
    for (tender, hold) in &holds {
        match app.peer_tenders.of(tender.tender)?.reserve(hold).await {
            Ok(()) => {}
            Err(error) if tasks::may_pass(&error) => return Err(error),
            // Another twin has stored the checkout, and it may be over already.
            Err(_) if give_up(app, order, new).await? => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    kernel::crash::point("payment.peer_tender.set_aside");
    Ok(())
}

/// Gives up what a refused checkout had set aside. True if the checkout is stored all the same.
///
/// # Errors
/// Only those of the database.
pub async fn give_up(app: &App, order: OrderId, new: &NewCheckout) -> Result<bool> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    if lock(&mut tx, order).await?.checkout_state(new.id).is_some() {
        return Ok(true);
    }
    for tender in kept_by_peers(new) {
        if stored::give_up(&mut tx, tender.id, now).await? {
            tasks::call_off(&mut tx, now, tender.id.uuid(), GIVE_UP).await?;
            let (aggregate_id, payload) = (tender.id.uuid(), Vec::new());
            tasks::add(&mut tx, now, NewTask { kind: TELL, aggregate_id, payload, due_time: now }).await?;
        }
    }
    tx.commit().await?;
    Ok(false)
}

/// Stores what will be asked for. `None` if the checkout is stored already.
async fn note<'a>(app: &App, id: OrderId, new: &'a NewCheckout) -> Result<Option<Vec<(&'a NewTender, Hold)>>> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let order = lock(&mut tx, id).await?;
    if order.checkout_state(new.id).is_some() {
        return Ok(None);
    }
    if db::checkouts::order_of(&mut tx, new.id).await?.is_some() {
        return Err(request_id_reused());
    }
    // What can't be is refused before anybody is asked.
    order.clone().start_checkout(new.clone(), now)?;
    let mut holds = Vec::new();
    for tender in kept_by_peers(new) {
        let wanted = wanted(&order, new.id, tender, new.expire_time + HOLD);
        if stored::insert(&mut tx, &wanted, now).await? {
            let task = NewTask {
                kind: GIVE_UP,
                aggregate_id: tender.id.uuid(),
                payload: Vec::new(),
                due_time: now + PATIENCE,
            };
            tasks::add(&mut tx, now, task).await?;
        }
        let known = stored::get(&mut tx, tender.id).await?.ok_or_else(|| Error::internal("a row is missing"))?;
        match known.state {
            _ if !known.is_same(&wanted) => return Err(request_id_reused()),
            State::Asked => {}
            State::Reserved | State::Captured | State::Voided => return Err(ended()),
        }
        let (amount, expire_time) = (known.amount, known.hold_until);
        let hold = Hold { of: known.kept, store: order.store, amount, total: order.total, expire_time };
        holds.push((tender, hold));
    }
    tx.commit().await?;
    Ok(Some(holds))
}

fn wanted(order: &Order, checkout: CheckoutId, of: &NewTender, hold_until: kernel::Timestamp) -> PeerTender {
    let coupon = of.tender.source().map(CouponId::from_uuid);
    PeerTender {
        kept: Kept { payment: of.id, order: order.id, customer: order.customer, coupon },
        checkout,
        tender: of.tender,
        amount: of.amount,
        state: State::Asked,
        hold_until,
        told: false,
    }
}

fn kept_by_peers(new: &NewCheckout) -> impl Iterator<Item = &NewTender> {
    new.tenders.iter().filter(|tender| tender.tender.is_kept_by_peer())
}
