//! Drawers on the wire.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{DrawerId, StoreId},
};
use proto::payment::v1 as pb;
use rpc::convert::{to_money, to_timestamp};

use crate::{
    db::drawers::{Counted, DeskPolicy, Total},
    domain::{
        drawer::{Counterpart, Drawer, MovementKind, State},
        ledger::Account,
    },
    flows::drawer::read::Report,
};

/// A drawer; what should be in it only if that is to be told, or it is closed.
///
/// # Errors
/// `AMOUNT_OVERFLOW`.
pub fn drawer(drawer: &Drawer, expected: Option<Money>) -> Result<pb::Drawer> {
    let closing = match &drawer.state {
        State::Open => None,
        State::Closed(closing) => Some(closing),
    };
    let difference = closing.map(|closing| closing.counted.try_sub(closing.expected)).transpose()?;
    Ok(pb::Drawer {
        name: drawer.id.name(),
        store: drawer.store.name(),
        till: drawer.till.clone(),
        number: drawer.number,
        state: if closing.is_some() { pb::drawer::State::Closed } else { pb::drawer::State::Open }.into(),
        opened_by: drawer.opened_by.clone(),
        open_time: Some(to_timestamp(drawer.open_time)),
        opening_float: Some(to_money(drawer.float)),
        opening_difference: Some(to_money(drawer.opening_difference()?)),
        expected: closing.map(|closing| closing.expected).or(expected).map(to_money),
        closed_by: closing.map(|closing| closing.by.clone()).unwrap_or_default(),
        close_time: closing.map(|closing| to_timestamp(closing.time)),
        counted: closing.map(|closing| to_money(closing.counted)),
        difference: difference.map(to_money),
        difference_reason: closing.map(|closing| closing.reason.clone()).unwrap_or_default(),
        carried: closing.map(|closing| to_money(closing.carried)),
    })
}

/// What was counted; what should have been there only if that is to be told.
///
/// # Errors
/// `AMOUNT_OVERFLOW`.
pub fn count(drawer: DrawerId, count: &Counted, told: bool) -> Result<pb::DrawerCount> {
    let difference = count.counted.try_sub(count.expected)?;
    Ok(pb::DrawerCount {
        drawer: drawer.name(),
        counted: Some(to_money(count.counted)),
        expected: told.then(|| to_money(count.expected)),
        difference: told.then(|| to_money(difference)),
        create_time: Some(to_timestamp(count.time)),
    })
}

/// What was paid in or out.
pub fn movement(drawer: DrawerId, request: &pb::PayInOutRequest, now: Timestamp) -> pb::DrawerMovement {
    pb::DrawerMovement {
        drawer: drawer.name(),
        direction: request.direction,
        counterpart: request.counterpart,
        amount: request.amount.clone(),
        reason: request.reason.trim().to_owned(),
        create_time: Some(to_timestamp(now)),
    }
}

/// A report.
///
/// # Errors
/// `AMOUNT_OVERFLOW`.
pub fn report(report: &Report) -> Result<pb::DrawerReport> {
    let Report { drawer: of, expected, totals, counts } = report;
    let total = |account, kind| {
        let found = totals.iter().find(|total: &&Total| (total.account, total.kind) == (account, kind));
        let (count, amount) = found.map_or((0, Money::zero(of.currency())), |total| (total.count, total.amount));
        pb::DrawerTotal { count, amount: Some(to_money(amount)) }
    };
    let (cash, terminal) = (Account::CashDrawer, Account::CardTerminal);
    Ok(pb::DrawerReport {
        drawer: Some(drawer(of, Some(*expected))?),
        cash_sales: Some(total(cash, MovementKind::Sale)),
        cash_refunds: Some(total(cash, MovementKind::Refund)),
        paid_in: Some(total(cash, MovementKind::PaidIn)),
        paid_out: Some(total(cash, MovementKind::PaidOut)),
        banked: total(cash, MovementKind::Banked).amount,
        terminal_sales: Some(total(terminal, MovementKind::Sale)),
        terminal_refunds: Some(total(terminal, MovementKind::Refund)),
        counts: counts.iter().map(|counted| count(of.id, counted, true)).collect::<Result<_>>()?,
    })
}

/// Where cash comes from or goes to.
///
/// # Errors
/// `InvalidArgument` if it is not stated.
pub fn read_counterpart(counterpart: pb::drawer_movement::Counterpart) -> Result<Counterpart> {
    match counterpart {
        pb::drawer_movement::Counterpart::Bank => Ok(Counterpart::Bank),
        pb::drawer_movement::Counterpart::Other => Ok(Counterpart::Other),
        pb::drawer_movement::Counterpart::Unspecified => Err(Error::invalid("counterpart", "must be stated")),
    }
}

/// The store of a policy.
///
/// # Errors
/// `InvalidArgument` for what is no policy's name.
pub fn read_policy_name(field: &'static str, name: &str) -> Result<StoreId> {
    let store = name.strip_suffix("/drawerPolicy");
    let store = store.ok_or_else(|| Error::invalid(field, "must be stores/<uuid>/drawerPolicy"))?;
    StoreId::parse_name(field, store)
}

/// A policy.
pub fn policy(store: StoreId, policy: DeskPolicy) -> pb::DrawerPolicy {
    use pb::drawer_policy::CashDrawer;
    pb::DrawerPolicy {
        name: format!("{}/drawerPolicy", store.name()),
        cash_drawer: if policy.required { CashDrawer::Required } else { CashDrawer::Optional }.into(),
        update_time: policy.update_time.map(to_timestamp),
    }
}
