//! Having a provider make the charge of a payment that is stored already.

use std::{sync::Arc, time::Duration};

use kernel::{
    Error, ErrorKind, Result,
    ids::{OrderId, PaymentId},
};
use pg::Tx;
use proto::payment::v1 as pb;

use super::{is_transient, no_such_order, query_pending::ask_now};
use crate::{
    App, db,
    db::payments::Query,
    domain::{Action, Charge, Order, Outcome, Payment},
    peers::{NewCharge, Provider},
    rpc::convert,
};

/// Why a payment failed whose charge the provider would not make.
const PROVIDER_REFUSED: &str = "PROVIDER_REFUSED";

/// The provider will never make the charge.
pub struct Refused;

/// The charge to be made for a payment of an order.
pub fn new_charge(app: &App, order: &Order, payment: &Payment, payer: Option<&pb::Payer>) -> Result<NewCharge> {
    let minutes = app.policy.charge_minutes;
    let described = order.lines.iter().map(|line| line.display_name.as_str()).find(|name| !name.is_empty());
    Ok(NewCharge {
        payment: payment.id,
        tender: payment.tender,
        amount: payment.amount,
        description: described.map_or_else(|| order.id.name(), str::to_owned),
        minutes,
        expire_time: payment.create_time + Duration::from_secs(u64::from(minutes) * 60),
        payer: payer.map(convert::payer).transpose()?.unwrap_or_default(),
    })
}

/// Makes a charge, or finds the one made before.
///
/// # Errors
/// If the outcome is not known, and the call is worth repeating.
pub async fn make_charge(provider: &Arc<dyn Provider>, new: NewCharge) -> Result<Result<Charge, Refused>> {
    let payment = new.payment;
    match provider.create_charge(new).await {
        Ok(charge) => Ok(Ok(charge)),
        Err(error) if is_transient(&error) => Err(error),
        Err(error) if error.kind() == ErrorKind::Internal => Err(error),
        Err(error) => {
            tracing::warn!(%payment, error = error.chain(), "provider refused a charge");
            Ok(Err(Refused))
        }
    }
}

/// What follows for the order from what the provider has answered; `None` if it was not asked.
pub fn answered(order: Order, payment: PaymentId, made: Option<Result<Charge, Refused>>) -> Result<Outcome> {
    match made {
        None => Ok(Outcome::unchanged(order)),
        Some(Ok(charge)) => Ok(Outcome::unchanged(order.charge_made(payment, charge)?)),
        Some(Err(Refused)) => order.fail(payment, PROVIDER_REFUSED),
    }
}

/// Asks about a payment at once whose customer, at the desk, has nothing more to do: the money is perhaps there already.
pub async fn ask_if_nobody_is_waited_for(app: &App, order: &Order, payment: PaymentId) {
    let done = |charge: &Charge| charge.action == Action::Wait;
    let waiting = order.payment(payment).filter(|payment| payment.is_pending());
    if let Some(payment) = waiting.filter(|payment| payment.charge.as_ref().is_some_and(done)) {
        let (create_time, tender) = (payment.create_time, payment.tender);
        ask_now(app, &Query { payment: payment.id, order: order.id, tender, create_time, asked: 0 }).await;
    }
}

/// Locks an order and reads it.
pub async fn lock(tx: &mut Tx, id: OrderId) -> Result<Order> {
    db::orders::lock(tx, id).await?.ok_or_else(|| no_such_order(id))
}

/// A request id that has named something else before.
pub fn request_id_reused() -> Error {
    Error::new(ErrorKind::InvalidArgument, "REQUEST_ID_REUSED", "this request_id was used for another request")
        .with_violation("request_id", "was used for another request; take a new UUID for each new request")
}
