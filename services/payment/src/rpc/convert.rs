//! Wire types ↔ domain types.

pub mod checkout;
pub mod commission;
pub mod date;
pub mod drawer;
pub mod giving_back;
pub mod invoice;
pub mod ledger;
pub mod payout;
pub mod prepaid;
pub mod reconciliation;
pub mod records;
pub mod refund_law;
pub mod risk;
pub mod settlement;
pub mod stored_value;
pub mod tip;

use kernel::{
    Error, Money, Result,
    ids::{BookingId, ItemId, MemberId, OrderId, StoreId, parse_uuid},
};
use pg::idempotency::Key;
use proto::{google::r#type::Money as PbMoney, payment::v1 as pb};
use rpc::{
    Ctx,
    convert::{money, to_money, to_timestamp},
};

use crate::{
    db::ledger::Balance,
    domain::{
        Action, Amendment, Facts, JsapiParams, Line, NewOrder, Order, Payment, Purpose, Refund, State, Subject, Tender,
        payment, refund,
    },
    peers::Payer,
};

/// What identifies the request of a call.
pub fn key<'a>(ctx: &'a Ctx, request_id: &str) -> Result<Key<'a>> {
    Ok(Key { caller: ctx.caller.subject(), method: ctx.method, request_id: parse_uuid("request_id", request_id)? })
}

/// What an order shall be made from.
pub fn new_order(request: &pb::CreateOrderRequest) -> Result<NewOrder> {
    let line = |(i, line): (usize, &pb::OrderLine)| {
        let amount = money(&format!("lines[{i}].amount"), line.amount.as_ref())?;
        Ok(Line {
            item: line.item.clone(),
            display_name: line.display_name.clone(),
            amount,
            discount: discount(&format!("lines[{i}].discount"), line.discount.as_ref(), amount)?,
            amendment: None,
        })
    };
    let deposit = money("deposit", request.deposit.as_ref())?;
    Ok(NewOrder {
        id: OrderId::from_uuid(parse_uuid("order_id", &request.order_id)?),
        subject: Subject::Visit(BookingId::parse_name("booking", &request.booking)?),
        customer: MemberId::parse_name("customer", &request.customer)?,
        store: StoreId::parse_name("store", &request.store)?,
        lines: request.lines.iter().enumerate().map(line).collect::<Result<_>>()?,
        discount: discount("discount", request.discount.as_ref(), deposit)?,
        deposit,
    })
}

/// A reduction from the wire; nothing if it is absent, in the currency of `beside`.
fn discount(field: &str, wire: Option<&PbMoney>, beside: Money) -> Result<Money> {
    wire.map_or(Ok(Money::zero(beside.currency())), |wire| money(field, Some(wire)))
}

/// What shall be added to an order; the validation rules have seen that there is a line.
pub fn amendment(request: &pb::AmendOrderRequest) -> Result<Amendment> {
    let line = request.line.clone().unwrap_or_default();
    let amount = money("line.amount", line.amount.as_ref())?;
    Ok(Amendment {
        id: parse_uuid("amendment_id", &request.amendment_id)?,
        amount,
        discount: discount("line.discount", line.discount.as_ref(), amount)?,
        item: line.item,
        display_name: line.display_name,
    })
}

/// An order for the wire.
pub fn order(order: &Order) -> pb::Order {
    pb::Order {
        name: order.id.name(),
        booking: booking(order),
        customer: order.customer.name(),
        store: order.store.name(),
        lines: order.lines.iter().map(line).collect(),
        total: Some(to_money(order.total)),
        deposit: Some(to_money(order.deposit)),
        paid: Some(to_money(order.paid)),
        refunded: Some(to_money(order.refunded)),
        state: state(&order.state).into(),
        payments: order.payments.iter().map(|of| payment(order.id, of)).collect(),
        refunds: order.refunds.iter().map(refund).collect(),
        create_time: Some(to_timestamp(order.create_time)),
        version: order.version,
        subject: order.subject.name(),
        discount: Some(to_money(order.discount)),
    }
}

/// The visit of an order; empty if it is for something else.
fn booking(order: &Order) -> String {
    order.subject.visit().map(BookingId::name).unwrap_or_default()
}

/// A line for the wire.
pub fn line(line: &Line) -> pb::OrderLine {
    pb::OrderLine {
        item: line.item.clone(),
        display_name: line.display_name.clone(),
        amount: Some(to_money(line.amount)),
        discount: Some(to_money(line.discount)),
    }
}

fn state(state: &State) -> pb::order::State {
    match state {
        State::Open => pb::order::State::Open,
        State::DepositPaid => pb::order::State::DepositPaid,
        State::Paid => pb::order::State::Paid,
        State::Closed { .. } => pb::order::State::Closed,
    }
}

/// A payment for the wire.
pub fn payment(order: OrderId, payment: &Payment) -> pb::Payment {
    use pb::payment::State as Wire;
    let (state, capture_time) = match payment.state {
        payment::State::Pending => (Wire::Pending, None),
        payment::State::Reserved => (Wire::Reserved, None),
        payment::State::Captured { time, .. } => (Wire::Captured, Some(to_timestamp(time))),
        payment::State::Failed { .. } => (Wire::Failed, None),
    };
    pb::Payment {
        name: payment.id.name(),
        order: order.name(),
        purpose: purpose(payment.purpose).into(),
        tender: tender(payment.tender).into(),
        amount: Some(to_money(payment.amount)),
        state: state.into(),
        pay_uri: match payment.charge.as_ref().map(|charge| &charge.action) {
            Some(Action::Open { uri }) => uri.clone(),
            _ => String::new(),
        },
        failure_reason: failure_reason(payment),
        create_time: Some(to_timestamp(payment.create_time)),
        capture_time,
        action: payment.charge.as_ref().and_then(|charge| action(&charge.action)),
        checkout: payment.checkout.map(|checkout| checkout.id.name()).unwrap_or_default(),
        reference: payment.reference.clone(),
        source: match payment.tender {
            Tender::StoredValue(card) => card.name(),
            Tender::PrepaidSession { contract, .. } => contract.name(),
            Tender::Coupon(coupon) => coupon.name(),
            _ => String::new(),
        },
        item: payment.tender.item().map(ItemId::name).unwrap_or_default(),
    }
}

/// Why a payment failed; empty if it didn't.
pub fn failure_reason(payment: &Payment) -> String {
    match &payment.state {
        payment::State::Failed { reason } => reason.clone(),
        _ => String::new(),
    }
}

/// Why an order ended; empty if it didn't.
pub fn close_reason(state: &State) -> String {
    match state {
        State::Closed { reason, .. } => reason.clone(),
        _ => String::new(),
    }
}

fn refund(refund: &Refund) -> pb::Refund {
    let state = match refund.state {
        refund::State::Pending => pb::refund::State::Pending,
        refund::State::Succeeded { .. } => pb::refund::State::Succeeded,
    };
    pb::Refund {
        name: refund.id.name(),
        payment: refund.payment.name(),
        amount: Some(to_money(refund.amount)),
        state: state.into(),
        reason: refund.reason.clone(),
        create_time: Some(to_timestamp(refund.create_time)),
    }
}

/// What an event tells of its order.
pub fn order_facts(order: &Order, facts: &Facts) -> pb::OrderFacts {
    pb::OrderFacts {
        order: order.id.name(),
        booking: booking(order),
        customer: order.customer.name(),
        store: order.store.name(),
        total: Some(to_money(order.total)),
        paid: Some(to_money(facts.paid)),
        refunded: Some(to_money(facts.refunded)),
        state: state(&facts.state).into(),
        subject: order.subject.name(),
    }
}

/// An account for the wire.
pub fn ledger_account(balance: Balance) -> pb::LedgerAccount {
    pb::LedgerAccount { code: balance.account, balance: Some(to_money(balance.amount)) }
}

/// A purpose for the wire.
pub fn purpose(purpose: Purpose) -> pb::payment::Purpose {
    match purpose {
        Purpose::Deposit => pb::payment::Purpose::Deposit,
        Purpose::Balance => pb::payment::Purpose::Balance,
    }
}

/// A purpose from the wire.
pub fn read_purpose(purpose: pb::payment::Purpose) -> Result<Purpose> {
    match purpose {
        pb::payment::Purpose::Deposit => Ok(Purpose::Deposit),
        pb::payment::Purpose::Balance => Ok(Purpose::Balance),
        pb::payment::Purpose::Unspecified => Err(Error::invalid("purpose", "must be stated")),
    }
}

/// A tender for the wire.
pub fn tender(tender: Tender) -> pb::payment::Tender {
    use pb::payment::Tender as Wire;
    match tender {
        Tender::Sandbox => Wire::Sandbox,
        Tender::Cash => Wire::Cash,
        Tender::WechatJsapi => Wire::WechatJsapi,
        Tender::WechatNative => Wire::WechatNative,
        Tender::WechatH5 => Wire::WechatH5,
        Tender::AlipayPage => Wire::AlipayPage,
        Tender::AlipayApp => Wire::AlipayApp,
        Tender::AlipayInStore => Wire::AlipayInStore,
        Tender::CardTerminal => Wire::CardTerminal,
        Tender::StoredValue(_) => Wire::StoredValue,
        Tender::PrepaidSession { .. } => Wire::PrepaidSession,
        Tender::PointsVoucher => Wire::PointsVoucher,
        Tender::Coupon(_) => Wire::Coupon,
    }
}

/// A tender from the wire that can stand alone.
pub fn read_tender(wire: pb::payment::Tender) -> Result<Tender> {
    use pb::payment::Tender as Wire;
    let in_checkouts_only =
        [Wire::CardTerminal, Wire::StoredValue, Wire::PrepaidSession, Wire::PointsVoucher, Wire::Coupon];
    if in_checkouts_only.contains(&wire) {
        return Err(Error::invalid("tender", "needs a checkout, which says more of it"));
    }
    let known = Tender::PLAIN.into_iter().find(|known| tender(*known) == wire);
    known.ok_or_else(|| Error::invalid("tender", "must be stated"))
}

/// What the customer's side does to pay.
fn action(action: &Action) -> Option<pb::PaymentAction> {
    use pb::payment_action::{Action as Wire, WechatJsapi};
    let action = match action.clone() {
        Action::Open { uri } => Wire::OpenUri(uri),
        Action::Show { code } => Wire::ShowCode(code),
        Action::App { order } => Wire::AppOrder(order),
        Action::Jsapi(JsapiParams { app_id, time_stamp, nonce_str, package, sign_type, pay_sign }) => {
            Wire::WechatJsapi(WechatJsapi { app_id, time_stamp, nonce_str, package, sign_type, pay_sign })
        }
        Action::Wait => return None,
    };
    Some(pb::PaymentAction { action: Some(action) })
}

/// What is known of a payer.
///
/// # Errors
/// `InvalidArgument` if the browser shall come back to what is no page.
pub fn payer(payer: &pb::Payer) -> Result<Payer> {
    let pb::Payer { id, ip, auth_code, return_uri } = payer.clone();
    let is_page = return_uri.starts_with("https://") || return_uri.starts_with("http://");
    if !return_uri.is_empty() && !is_page {
        return Err(Error::invalid("payer.return_uri", "must be the address of a page"));
    }
    Ok(Payer { id, ip, auth_code, return_uri })
}
