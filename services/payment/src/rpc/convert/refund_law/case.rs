//! A case, from the wire.

use jiff::civil::Date;
use kernel::{Error, Money, Result};
use proto::{
    google::r#type::Money as PbMoney,
    payment::v1::{self as pb, refund_law_contract as pbc, refund_law_request::cost as pbk},
};
use rpc::convert::money;

use super::super::date::{date, optional_date};
use crate::domain::refund_law::{
    AgreedCoolingOff, Cause, Charge, Contract, Cost, CostKind, Days, DeliveredTerm, Gift, GiftClaim, InterestFrom,
    Item, KnownService, Package, Party, Pass, Plan, Ppm, Request, StoredValue, Supervised, Terms, Use,
};

/// The contract, which came in as `contract`.
pub fn contract(wire: &pb::RefundLawContract) -> Result<Contract> {
    let paid = money("contract.paid", wire.paid.as_ref())?;
    let signed_on = date("contract.sign_date", wire.sign_date.as_ref())?;
    let supervised = |wire: &pbc::Supervised| -> Result<Supervised> {
        let balance = money("contract.supervised.balance", wire.balance.as_ref())?;
        Ok(Supervised { balance, rate: Ppm(wire.rate_ppm) })
    };
    Ok(Contract {
        paid,
        signed_on,
        paid_on: optional_date("contract.pay_date", wire.pay_date.as_ref())?.unwrap_or(signed_on),
        known_service: known_service(wire.known_service()),
        supervised: wire.supervised.as_ref().map(supervised).transpose()?,
        gifts: each(&wire.gifts, "contract.gifts", gift)?,
        terms: wire.terms.as_ref().map(terms).transpose()?.unwrap_or_default(),
        plan: match &wire.plan {
            Some(pbc::Plan::StoredValue(plan)) => Plan::StoredValue(stored_value(plan, paid)?),
            Some(pbc::Plan::Package(plan)) => Plan::Package(package(plan)?),
            Some(pbc::Plan::Pass(plan)) => Plan::Pass(pass(plan)?),
            None => return Err(Error::invalid("contract.plan", "must be stored_value, package or pass")),
        },
    })
}

/// What is asked for, which came in as `request`.
pub fn demand(wire: &pb::RefundLawRequest) -> Result<Request> {
    let requested_on = date("request.request_date", wire.request_date.as_ref())?;
    let ended_on = optional_date("request.end_date", wire.end_date.as_ref())?.unwrap_or(requested_on);
    let payout_on = optional_date("request.payout_date", wire.payout_date.as_ref())?;
    Ok(Request {
        cause: cause("request.cause", wire.cause())?,
        requested_on,
        ended_on,
        payout_on: payout_on.unwrap_or(ended_on.max(requested_on)),
        costs: each(&wire.costs, "request.costs", cost)?,
    })
}

/// Goods and services that were given on top, which came in as `gifts`.
pub fn gifts(wire: &[pbc::Gift]) -> Result<Vec<Gift>> {
    each(wire, "gifts", gift)
}

/// Costs of either side, which came in as `costs`.
pub fn costs(wire: &[pb::refund_law_request::Cost]) -> Result<Vec<Cost>> {
    each(wire, "costs", cost)
}

/// Why money goes back, which came in as `field`.
pub fn cause(field: &str, wire: pb::RefundCause) -> Result<Cause> {
    use pb::RefundCause as Wire;
    Ok(match wire {
        Wire::Unspecified => return Err(Error::invalid(field, "must be stated")),
        Wire::MerchantMoved => Cause::MerchantMoved,
        Wire::MerchantHandedOver => Cause::MerchantHandedOver,
        Wire::MerchantCannotServe => Cause::MerchantCannotServe,
        Wire::MerchantBreach => Cause::MerchantBreach,
        Wire::ConsumerHealth => Cause::ConsumerHealth,
        Wire::ConsumerDeath => Cause::ConsumerDeath,
        Wire::ChangedCircumstances => Cause::ChangedCircumstances,
        Wire::ForceMajeure => Cause::ForceMajeure,
        Wire::Incapacity => Cause::Incapacity,
        Wire::ConsumerWish => Cause::ConsumerWish,
        Wire::ConsumerBreach => Cause::ConsumerBreach,
    })
}

/// Reads each of `wire` with the path at which it came in.
fn each<W, D>(wire: &[W], path: &str, read: impl Fn(&W, &str) -> Result<D>) -> Result<Vec<D>> {
    wire.iter().enumerate().map(|(n, one)| read(one, &format!("{path}[{n}]"))).collect()
}

fn optional_money(field: &str, wire: Option<&PbMoney>) -> Result<Option<Money>> {
    wire.map(|wire| money(field, Some(wire))).transpose()
}

/// Whether the consumer knew the service.
pub fn known_service(wire: pbc::KnownService) -> KnownService {
    match wire {
        pbc::KnownService::Unspecified | pbc::KnownService::New => KnownService::New,
        pbc::KnownService::FromThisMerchant => KnownService::FromThisMerchant,
        pbc::KnownService::FromAnotherMerchant => KnownService::FromAnotherMerchant,
    }
}

/// Whether the consumer knew the service, for the wire.
pub fn to_known_service(known: KnownService) -> pbc::KnownService {
    match known {
        KnownService::New => pbc::KnownService::New,
        KnownService::FromThisMerchant => pbc::KnownService::FromThisMerchant,
        KnownService::FromAnotherMerchant => pbc::KnownService::FromAnotherMerchant,
    }
}

fn gift(wire: &pbc::Gift, path: &str) -> Result<Gift> {
    use pbc::gift::Claim;
    let field = format!("{path}.decided");
    let decided = optional_money(&field, wire.decided.as_ref())?;
    let claim = match (wire.claim(), decided) {
        (Claim::Unspecified | Claim::None, None) => GiftClaim::None,
        (Claim::Open, None) => GiftClaim::Open,
        (Claim::Decided, Some(amount)) => GiftClaim::Decided(amount),
        (Claim::Decided, None) => return Err(Error::invalid(field, "must be given with CLAIM_DECIDED")),
        (_, Some(_)) => return Err(Error::invalid(field, "must be given with CLAIM_DECIDED only")),
    };
    let value = money(&format!("{path}.value"), wire.value.as_ref())?;
    Ok(Gift { name: wire.display_name.clone(), value, claim })
}

/// Terms on refunds, which came in as `contract.terms`.
pub fn terms(wire: &pbc::Terms) -> Result<Terms> {
    let too_many = |_| Error::invalid("contract.terms.cooling_off_days", "must be at most 3650");
    let days = u16::try_from(wire.cooling_off_days).map_err(too_many)?;
    let for_known_service = wire.cooling_off_for_known_service;
    Ok(Terms {
        cooling_off: (days > 0).then_some(AgreedCoolingOff { days, for_known_service }),
        delivered: match &wire.delivered {
            None | Some(pbc::terms::Delivered::AtDiscountPrice(false)) => None,
            Some(pbc::terms::Delivered::AtDiscountPrice(true)) => Some(DeliveredTerm::DiscountPrice),
            Some(pbc::terms::Delivered::ShareOfListPpm(share)) => Some(DeliveredTerm::ShareOfList(Ppm(*share))),
            Some(pbc::terms::Delivered::Amount(amount)) => {
                Some(DeliveredTerm::Amount(money("contract.terms.amount", Some(amount))?))
            }
        },
        interest_rate: wire.interest_rate_ppm.map(Ppm),
        interest_from: match wire.interest_from() {
            pbc::terms::InterestFrom::Unspecified => None,
            pbc::terms::InterestFrom::Payment => Some(InterestFrom::Payment),
            pbc::terms::InterestFrom::Request => Some(InterestFrom::Request),
        },
    })
}

fn stored_value(wire: &pbc::StoredValue, paid: Money) -> Result<StoredValue> {
    let charge = |wire: &pbc::stored_value::Charge, path: &str| {
        let list_price = money(&format!("{path}.list_price"), wire.list_price.as_ref())?;
        let agreed = optional_money(&format!("{path}.agreed_price"), wire.agreed_price.as_ref())?;
        Ok(Charge {
            on: date(&format!("{path}.date"), wire.date.as_ref())?,
            item: wire.item.clone(),
            quantity: wire.quantity,
            list_price,
            agreed_price: agreed.unwrap_or(list_price),
            market_price: optional_money(&format!("{path}.market_price"), wire.market_price.as_ref())?,
        })
    };
    let bonus = optional_money("contract.stored_value.bonus", wire.bonus.as_ref())?;
    Ok(StoredValue {
        bonus: bonus.unwrap_or(Money::zero(paid.currency())),
        charges: each(&wire.charges, "contract.stored_value.charges", charge)?,
    })
}

fn package(wire: &pbc::Package) -> Result<Package> {
    let item = |wire: &pbc::package::Item, path: &str| {
        Ok(Item {
            name: wire.item.clone(),
            quantity: wire.quantity,
            list_price: money(&format!("{path}.list_price"), wire.list_price.as_ref())?,
            discount_price: optional_money(&format!("{path}.discount_price"), wire.discount_price.as_ref())?,
            market_price: optional_money(&format!("{path}.market_price"), wire.market_price.as_ref())?,
        })
    };
    let had = |wire: &pbc::package::Use, path: &str| {
        let on = date(&format!("{path}.date"), wire.date.as_ref())?;
        Ok(Use { on, item: wire.item.clone(), quantity: wire.quantity })
    };
    Ok(Package {
        items: each(&wire.items, "contract.package.items", item)?,
        uses: each(&wire.uses, "contract.package.uses", had)?,
    })
}

fn pass(wire: &pbc::Pass) -> Result<Pass> {
    let first = date("contract.pass.start_date", wire.start_date.as_ref())?;
    let last = date("contract.pass.end_date", wire.end_date.as_ref())?;
    let frozen = |wire: &pb::RefundLawDays, path: &str| {
        let first = date(&format!("{path}.start_date"), wire.start_date.as_ref())?;
        days(first, date(&format!("{path}.end_date"), wire.end_date.as_ref())?, &format!("{path}.end_date"))
    };
    Ok(Pass {
        term: days(first, last, "contract.pass.end_date")?,
        frozen: each(&wire.frozen, "contract.pass.frozen", frozen)?,
        stopped_on: optional_date("contract.pass.stop_date", wire.stop_date.as_ref())?,
    })
}

fn days(first: Date, last: Date, field: &str) -> Result<Days> {
    if last < first {
        return Err(Error::invalid(field, "must not be before the first day"));
    }
    Ok(Days { first, last })
}

fn cost(wire: &pb::refund_law_request::Cost, path: &str) -> Result<Cost> {
    Ok(Cost {
        borne_by: match wire.borne_by() {
            pbk::Party::Unspecified => return Err(Error::invalid(format!("{path}.borne_by"), "must be stated")),
            pbk::Party::Consumer => Party::Consumer,
            pbk::Party::Merchant => Party::Merchant,
        },
        kind: match wire.kind() {
            pbk::Kind::Unspecified | pbk::Kind::Reasonable => CostKind::Reasonable,
            pbk::Kind::StaffCommission => CostKind::StaffCommission,
        },
        amount: money(&format!("{path}.amount"), wire.amount.as_ref())?,
    })
}
