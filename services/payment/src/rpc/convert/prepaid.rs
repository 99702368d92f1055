//! Prepaid contracts.

use jiff::civil::Date;
use kernel::{
    Error, ErrorKind, FieldViolation, Money, Result, Timestamp,
    ids::{PaymentId, PayoutId},
};
use proto::payment::v1::{self as pb, refund_law_contract as pbc};
use rpc::convert::{money, to_money, to_timestamp};

use super::{date::to_date, refund_law};
use crate::domain::{
    prepaid::{Change, Contract, Item, Settlement, State, Terms, Use, UseState},
    refund_law::{self as law, Cause, DeliveredTerm, InterestFrom, Quote},
};

/// What shall be agreed, which came in as `terms`.
pub fn terms(wire: &pb::ContractTerms) -> Result<Terms> {
    let item = |(n, wire): (usize, &pb::contract_terms::Item)| -> Result<Item> {
        Ok(Item {
            item: wire.item.clone(),
            display_name: wire.display_name.clone(),
            quantity: count(&format!("terms.items[{n}].quantity"), wire.quantity)?,
            bonus: count(&format!("terms.items[{n}].bonus_quantity"), wire.bonus_quantity)?,
            list_price: money(&format!("terms.items[{n}].list_price"), wire.list_price.as_ref())?,
        })
    };
    let days = count("terms.days", wire.days)?;
    Ok(Terms {
        price: money("terms.price", wire.price.as_ref())?,
        items: wire.items.iter().enumerate().map(item).collect::<Result<_>>()?,
        days: (days > 0).then_some(days),
        max_freeze_days: count("terms.max_freeze_days", wire.max_freeze_days)?,
        known_service: refund_law::known_service(wire.known_service()),
        refund: wire.refund_terms.as_ref().map(refund_terms).transpose()?.unwrap_or_default(),
    })
}

fn count<N: TryFrom<i32>>(field: &str, wire: i32) -> Result<N> {
    N::try_from(wire).map_err(|_| Error::invalid(field, "must not be below zero, and not as large"))
}

fn refund_terms(wire: &pbc::Terms) -> Result<law::Terms> {
    refund_law::terms(wire).map_err(|error| {
        if error.kind() != ErrorKind::InvalidArgument || error.violations().is_empty() {
            return error;
        }
        let renamed = error.violations().iter().map(|violation| FieldViolation {
            field: violation.field.replacen("contract.terms.", "terms.refund_terms.", 1),
            description: violation.description.clone(),
        });
        Error::invalid_fields(renamed.collect())
    })
}

/// A contract as it is on `today`.
pub fn contract(contract: &Contract, today: Date) -> pb::Contract {
    let positions = 0..contract.terms.items.len();
    let counted = |had: bool| -> Vec<i32> {
        let count = |position| {
            let sessions = contract.sessions.iter().filter(|of| of.position == Some(position) && of.had == had);
            i32::try_from(sessions.count()).unwrap_or(i32::MAX)
        };
        positions.clone().map(count).collect()
    };
    let days = |days: &law::Days| pb::RefundLawDays {
        start_date: Some(to_date(days.first)),
        end_date: Some(to_date(days.last)),
    };
    pb::Contract {
        name: contract.id.name(),
        order: contract.order.name(),
        store: contract.store.name(),
        holder: contract.holder.name(),
        terms: Some(to_terms(&contract.terms)),
        state: state(contract.state, contract.rests(today)).into(),
        start_date: contract.start.map(to_date),
        end_date: contract.end.map(to_date),
        frozen: contract.frozen.iter().map(days).collect(),
        used: counted(true),
        reserved: counted(false),
        recognised: Some(to_money(contract.recognised)),
        create_time: Some(to_timestamp(contract.create_time)),
        version: contract.version,
    }
}

fn state(state: State, rests: bool) -> pb::contract::State {
    use pb::contract::State as Wire;
    match state {
        State::Draft => Wire::Draft,
        State::Active if rests => Wire::Frozen,
        State::Active => Wire::Active,
        State::UsedUp => Wire::UsedUp,
        State::Expired => Wire::Expired,
        State::Refunded => Wire::Refunded,
        State::Cancelled => Wire::Cancelled,
    }
}

fn to_terms(terms: &Terms) -> pb::ContractTerms {
    let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let item = |item: &Item| pb::contract_terms::Item {
        item: item.item.clone(),
        display_name: item.display_name.clone(),
        quantity: number(item.quantity),
        bonus_quantity: number(item.bonus),
        list_price: Some(to_money(item.list_price)),
    };
    pb::ContractTerms {
        price: Some(to_money(terms.price)),
        items: terms.items.iter().map(item).collect(),
        days: terms.days.map_or(0, i32::from),
        max_freeze_days: terms.max_freeze_days.into(),
        known_service: refund_law::to_known_service(terms.known_service).into(),
        refund_terms: (terms.refund != law::Terms::default()).then(|| to_refund_terms(&terms.refund)),
    }
}

fn to_refund_terms(terms: &law::Terms) -> pbc::Terms {
    use pbc::terms::{Delivered, InterestFrom as Wire};
    pbc::Terms {
        cooling_off_days: terms.cooling_off.map_or(0, |agreed| agreed.days.into()),
        cooling_off_for_known_service: terms.cooling_off.is_some_and(|agreed| agreed.for_known_service),
        delivered: terms.delivered.map(|term| match term {
            DeliveredTerm::DiscountPrice => Delivered::AtDiscountPrice(true),
            DeliveredTerm::ShareOfList(share) => Delivered::ShareOfListPpm(share.0),
            DeliveredTerm::Amount(amount) => Delivered::Amount(to_money(amount)),
        }),
        interest_rate_ppm: terms.interest_rate.map(|rate| rate.0),
        interest_from: match terms.interest_from {
            Some(InterestFrom::Payment) => Wire::Payment,
            Some(InterestFrom::Request) => Wire::Request,
            Some(InterestFrom::Day(_)) | None => Wire::Unspecified,
        }
        .into(),
    }
}

/// A use.
pub fn used(one: &Use) -> pb::ContractUse {
    use pb::contract_use::State as Wire;
    pb::ContractUse {
        name: one.id.name(),
        contract: one.contract.name(),
        item: one.item.clone(),
        store: one.store.name(),
        state: match one.state {
            UseState::Reserved => Wire::Reserved,
            UseState::Committed(_) => Wire::Committed,
            UseState::Voided(_) => Wire::Voided,
            UseState::Returned { .. } => Wire::Returned,
        }
        .into(),
        value: Some(to_money(one.value)),
        create_time: Some(to_timestamp(one.create_time)),
        decide_time: one.state.decide_time().map(to_timestamp),
        payment: one.payment.map(PaymentId::name).unwrap_or_default(),
    }
}

/// What the end of a contract gives back; without a time it is a preview.
pub fn refund(
    contract: &Contract,
    cause: Cause,
    quote: &Quote,
    settlement: &Settlement,
    payout: Option<PayoutId>,
    time: Option<Timestamp>,
) -> pb::ContractRefund {
    let amount = |amount: Money| Some(to_money(amount));
    pb::ContractRefund {
        contract: contract.id.name(),
        cause: refund_law::to_cause(cause).into(),
        quote: Some(refund_law::quote(quote)),
        to_sources: amount(settlement.to_sources),
        beyond_sources: amount(settlement.beyond_sources),
        create_time: time.map(to_timestamp),
        at_desk: amount(settlement.at_desk),
        payout: payout.map(PayoutId::name).unwrap_or_default(),
    }
}

/// The event of a change.
pub fn changed(contract: &Contract, change: &Change, today: Date) -> pb::ContractChanged {
    pb::ContractChanged {
        contract: Some(pb::ContractFacts {
            contract: contract.id.name(),
            order: contract.order.name(),
            holder: contract.holder.name(),
            store: contract.store.name(),
            state: state(change.state, contract.rests(today)).into(),
            recognised: Some(to_money(contract.recognised)),
        }),
        change: change.word.to_owned(),
        about: change.about.clone(),
    }
}
