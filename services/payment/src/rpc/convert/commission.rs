//! Commission for the wire.

use kernel::{
    Error, Result, Timestamp,
    ids::{CommissionRuleId, CommissionSettlementId, ItemId, StoreId, TherapistId},
};
use proto::payment::v1 as pb;
use rpc::convert::{money, to_money, to_timestamp};

use super::date::{date, optional_date, to_date};
use crate::{
    db::commission::Accrual,
    domain::commission::{Manner, Part, PayeeKind, Rate, Rule, Share, Visit},
};

/// A rule that shall be made now.
///
/// # Errors
/// `InvalidArgument` naming the field.
pub fn rule(rule: Option<&pb::CommissionRule>, now: Timestamp) -> Result<Rule> {
    use pb::commission_rule::Rate as Wire;
    let rule = rule.ok_or_else(|| Error::invalid("rule", "must be given"))?;
    let payee = match rule.payee() {
        pb::commission_rule::Payee::Therapist => PayeeKind::Therapist,
        pb::commission_rule::Payee::Partner => PayeeKind::Partner,
        pb::commission_rule::Payee::Unspecified => return Err(Error::invalid("rule.payee", "must be stated")),
    };
    let manner = match rule.manner() {
        pb::commission_rule::Manner::Requested => Some(Manner::Requested),
        pb::commission_rule::Manner::Rotation => Some(Manner::Rotation),
        pb::commission_rule::Manner::Unspecified => None,
    };
    let rate = match &rule.rate {
        Some(Wire::BasisPoints(points)) => Rate::BasisPoints(u32::try_from(*points).unwrap_or(u32::MAX)),
        Some(Wire::FixedAmount(amount)) => Rate::Fixed(money("rule.fixed_amount", Some(amount))?),
        None => return Err(Error::invalid("rule.basis_points", "must be given, or fixed_amount")),
    };
    let given = |name: &str| !name.is_empty();
    Ok(Rule {
        id: CommissionRuleId::new(now),
        payee,
        item: given(&rule.item).then(|| ItemId::parse_name("rule.item", &rule.item)).transpose()?,
        store: given(&rule.store).then(|| StoreId::parse_name("rule.store", &rule.store)).transpose()?,
        partner: Some(rule.partner.trim().to_owned()).filter(|partner| !partner.is_empty()),
        grade: i16::try_from(rule.grade).ok().filter(|grade| *grade != 0),
        manner,
        rate,
        start_date: date("rule.start_date", rule.start_date.as_ref())?,
        end_date: optional_date("rule.end_date", rule.end_date.as_ref())?,
        create_time: now,
        retire_time: None,
        version: 1,
    })
}

/// A rule for the wire.
pub fn to_rule(rule: &Rule) -> pb::CommissionRule {
    use pb::commission_rule::Rate as Wire;
    let payee = match rule.payee {
        PayeeKind::Therapist => pb::commission_rule::Payee::Therapist,
        PayeeKind::Partner => pb::commission_rule::Payee::Partner,
    };
    let manner = match rule.manner {
        Some(Manner::Requested) => pb::commission_rule::Manner::Requested,
        Some(Manner::Rotation) => pb::commission_rule::Manner::Rotation,
        None => pb::commission_rule::Manner::Unspecified,
    };
    let rate = match rule.rate {
        Rate::BasisPoints(points) => Wire::BasisPoints(i32::try_from(points).unwrap_or(i32::MAX)),
        Rate::Fixed(amount) => Wire::FixedAmount(to_money(amount)),
    };
    pb::CommissionRule {
        name: rule.id.name(),
        payee: payee.into(),
        item: rule.item.map(ItemId::name).unwrap_or_default(),
        store: rule.store.map(StoreId::name).unwrap_or_default(),
        partner: rule.partner.clone().unwrap_or_default(),
        grade: rule.grade.map_or(0, i32::from),
        manner: manner.into(),
        rate: Some(rate),
        start_date: Some(to_date(rule.start_date)),
        end_date: rule.end_date.map(to_date),
        create_time: Some(to_timestamp(rule.create_time)),
        retire_time: rule.retire_time.map(to_timestamp),
        etag: rule.etag(),
    }
}

/// A visit that might be completed.
///
/// # Errors
/// `InvalidArgument` naming the field.
pub fn visit(request: &pb::PreviewCommissionRequest) -> Result<Visit> {
    let part = |(i, part): (usize, &pb::preview_commission_request::Part)| {
        Ok(Part {
            therapist: TherapistId::parse_name(&format!("parts[{i}].therapist"), &part.therapist)?,
            item: ItemId::parse_name(&format!("parts[{i}].item"), &part.item)?,
            grade: i16::try_from(part.grade).ok(),
            manner: Some(if part.requested { Manner::Requested } else { Manner::Rotation }),
            minutes: u32::try_from(part.minutes).unwrap_or(0),
        })
    };
    Ok(Visit {
        store: StoreId::parse_name("store", &request.store)?,
        date: date("date", request.date.as_ref())?,
        price: money("price", request.price.as_ref())?,
        partner: Some(request.partner.trim().to_owned()).filter(|partner| !partner.is_empty()),
        parts: request.parts.iter().enumerate().map(part).collect::<Result<_>>()?,
    })
}

/// What a visit earns somebody, for the wire.
pub fn to_share(share: &Share) -> pb::CommissionShare {
    pb::CommissionShare {
        payee: share.payee.name(),
        item: share.item.name(),
        base: Some(to_money(share.base)),
        amount: Some(to_money(share.amount)),
        rule: share.rule.map(CommissionRuleId::name).unwrap_or_default(),
        explanation: share.explanation.clone(),
    }
}

/// What somebody has earned, for the wire, as it is `now`.
pub fn to_accrual(accrual: &Accrual, now: Timestamp) -> pb::CommissionAccrual {
    use pb::commission_accrual::State;
    let state = match (accrual.paid, accrual.confirmed) {
        (true, _) => State::Paid,
        (_, true) => State::Confirmed,
        _ if now < accrual.payable_time => State::Pending,
        _ => State::Payable,
    };
    pb::CommissionAccrual {
        name: accrual.id.name(),
        booking: accrual.booking.name(),
        order: accrual.order.name(),
        store: accrual.store.name(),
        share: Some(to_share(&accrual.share)),
        reversed: Some(to_money(accrual.reversed)),
        clawed_back: Some(to_money(accrual.clawed_back)),
        state: state.into(),
        complete_time: Some(to_timestamp(accrual.complete_time)),
        payable_time: Some(to_timestamp(accrual.payable_time)),
        settlement: accrual.settlement.map(CommissionSettlementId::name).unwrap_or_default(),
    }
}
