//! A contract as the law looks at it.

use jiff::civil::Date;
use kernel::{Error, Result};

use super::Contract;
use crate::domain::refund_law::{self, Cause, Cost, Days, Gift, Package, Pass, Plan, Request, Use};

/// A session that was had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Had {
    /// On which day.
    pub on: Date,
    /// Which item of the terms.
    pub position: usize,
}

/// Why a contract shall end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Why.
    pub cause: Cause,
    /// Of a contract for a time: the first day on which the merchant no longer served, if that was before its end.
    pub stopped_on: Option<Date>,
    /// What was given on top and stays with the consumer.
    pub gifts: Vec<Gift>,
    /// Proven costs of either side.
    pub costs: Vec<Cost>,
}

/// The case of ending the contract today. It is paid out today, too: interest is due only if it was agreed from earlier on.
///
/// # Errors
/// `InvalidArgument` on `stop_date` if the contract is for sessions; internal, if it was never paid.
pub fn case(contract: &Contract, had: &[Had], claim: &Claim, today: Date) -> Result<(refund_law::Contract, Request)> {
    let unpaid = || Error::internal(format!("{} was never paid", contract.id));
    let start = contract.start.ok_or_else(unpaid)?;
    // Made by a desk whose clock is behind, or paid in the minute after midnight.
    let signed_on = contract.day(contract.create_time)?.min(start);
    let terms = &contract.terms;
    if claim.stopped_on.is_some() && !terms.is_pass() {
        return Err(Error::invalid(
            "stop_date",
            "is for contracts for a time; sessions that were not had are not counted",
        ));
    }
    let plan = if terms.is_pass() {
        let last = contract.end.ok_or_else(unpaid)?;
        let frozen = contract.frozen.iter().copied().filter(|days| days.first <= last);
        let frozen = frozen.map(|days| Days { last: days.last.min(last), ..days }).collect();
        Plan::Pass(Pass { term: Days { first: start, last }, frozen, stopped_on: claim.stopped_on })
    } else {
        let items = terms.items.iter().map(|item| refund_law::Item {
            name: item.item.clone(),
            quantity: item.sessions(),
            list_price: item.list_price,
            discount_price: None,
            market_price: None,
        });
        let uses = had.iter().filter_map(|one| {
            let item = terms.items.get(one.position)?.item.clone();
            Some(Use { on: one.on.clamp(signed_on, today), item, quantity: 1 })
        });
        Plan::Package(Package { items: items.collect(), uses: uses.collect() })
    };
    let case = refund_law::Contract {
        paid: terms.price,
        signed_on,
        paid_on: start,
        known_service: terms.known_service,
        supervised: None,
        gifts: claim.gifts.clone(),
        terms: terms.refund.clone(),
        plan,
    };
    Ok((case, Request { costs: claim.costs.clone(), ..Request::on(claim.cause, today) }))
}
