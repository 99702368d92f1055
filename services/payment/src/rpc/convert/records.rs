//! Payments that are found again, on the wire.

use kernel::{
    Currency, Error, Result, Uuid,
    ids::{MemberId, OrderId, StoreId},
};
use proto::payment::v1 as pb;
use rpc::convert::{optional_timestamp, to_money, to_timestamp};

use super::{purpose, tender};
use crate::{
    db::records::{Filter, PaymentRecord},
    domain::{Purpose, Tender},
    peers::port::number_of,
};

/// The states of payments, on the wire and as they are stored.
const STATES: [(pb::payment::State, &str); 4] = [
    (pb::payment::State::Pending, "pending"),
    (pb::payment::State::Reserved, "reserved"),
    (pb::payment::State::Captured, "captured"),
    (pb::payment::State::Failed, "failed"),
];

/// The ways to pay of which more is to be said, on the wire and as they are stored.
const SOURCED: [(pb::payment::Tender, &str); 2] =
    [(pb::payment::Tender::StoredValue, "stored_value"), (pb::payment::Tender::PrepaidSession, "prepaid_session")];

/// Which payments are meant; errors name the field below `filter`.
///
/// # Errors
/// `InvalidArgument`.
pub fn read_filter(wire: Option<&pb::PaymentFilter>) -> Result<Filter> {
    let Some(wire) = wire else { return Ok(Filter::default()) };
    let given = |text: &str| !text.is_empty();
    let name = |field: &str| format!("filter.{field}");
    let customer = given(&wire.customer).then(|| MemberId::parse_name(&name("customer"), &wire.customer));
    let store = given(&wire.store).then(|| StoreId::parse_name(&name("store"), &wire.store));
    let order = given(&wire.order).then(|| OrderId::parse_name(&name("order"), &wire.order));
    let currency = given(&wire.currency_code).then(|| Currency::parse(&name("currency_code"), &wire.currency_code));
    let filter = Filter {
        customer: customer.transpose()?,
        store: store.transpose()?,
        order: order.transpose()?,
        state: read_state(wire.state)?,
        tender: read_tender(wire.tender)?,
        transaction: given(&wire.transaction).then(|| wire.transaction.clone()),
        number: Uuid::try_parse(&wire.transaction).ok().filter(|id| number_of(*id) == wire.transaction),
        currency: currency.transpose()?,
        min_minor: (wire.min_amount_minor > 0).then_some(wire.min_amount_minor),
        max_minor: (wire.max_amount_minor > 0).then_some(wire.max_amount_minor),
        start: optional_timestamp(&name("start_time"), wire.start_time.as_ref())?,
        end: optional_timestamp(&name("end_time"), wire.end_time.as_ref())?,
    };
    if filter.min_minor.zip(filter.max_minor).is_some_and(|(min, max)| max < min) {
        return Err(Error::invalid(name("max_amount_minor"), "must not be below min_amount_minor"));
    }
    if filter.start.zip(filter.end).is_some_and(|(start, end)| end <= start) {
        return Err(Error::invalid(name("end_time"), "must be after start_time"));
    }
    Ok(filter)
}

fn read_state(wire: i32) -> Result<Option<&'static str>> {
    let unknown = |_| Error::invalid("filter.state", "must be a state of payments");
    let wire = pb::payment::State::try_from(wire).map_err(unknown)?;
    Ok(STATES.into_iter().find(|(known, _)| *known == wire).map(|(_, word)| word))
}

fn read_tender(wire: i32) -> Result<Option<&'static str>> {
    let unknown = |_| Error::invalid("filter.tender", "must be a way to pay");
    let wire = pb::payment::Tender::try_from(wire).map_err(unknown)?;
    Ok(tenders().find(|(known, _)| *known == wire).map(|(_, word)| word))
}

fn tenders() -> impl Iterator<Item = (pb::payment::Tender, &'static str)> {
    Tender::PLAIN.into_iter().map(|plain| (tender(plain), plain.as_str())).chain(SOURCED)
}

/// A payment that was found.
pub fn record(of: &PaymentRecord) -> pb::PaymentRecord {
    let state = STATES.into_iter().find(|(_, word)| *word == of.state).map(|(wire, _)| wire);
    let tender = tenders().find(|(_, word)| *word == of.tender).map(|(wire, _)| wire);
    pb::PaymentRecord {
        name: of.id.name(),
        order: of.order.name(),
        customer: of.customer.name(),
        store: of.store.name(),
        purpose: Purpose::from_stored(&of.purpose).map(purpose).unwrap_or_default().into(),
        tender: tender.unwrap_or_default().into(),
        state: state.unwrap_or_default().into(),
        amount: Some(to_money(of.amount)),
        refunded: Some(to_money(of.refunded)),
        refunding: Some(to_money(of.refunding)),
        fee: of.fee.map(to_money),
        transaction: of.transaction.clone().unwrap_or_default(),
        reference: of.reference.clone(),
        failure_reason: of.failure_reason.clone().unwrap_or_default(),
        surplus: of.surplus,
        create_time: Some(to_timestamp(of.create_time)),
        capture_time: of.capture_time.map(to_timestamp),
    }
}
