//! Risk for the wire.

use std::time::Duration;

use jiff::SignedDuration;
use kernel::{
    Error, Result, Timestamp,
    ids::{MemberId, RiskRuleId, StoreId},
};
use proto::payment::v1::{self as pb, risk_rule::Pattern as Wire};
use rpc::convert::{duration, money, optional_timestamp, to_duration, to_money, to_timestamp};

use crate::domain::risk::{Decision, OperationKind, Pattern, Review, ReviewState, Rule, Subject};

/// A rule that shall be made now.
///
/// # Errors
/// `InvalidArgument` naming the field.
pub fn rule(rule: Option<&pb::RiskRule>, now: Timestamp) -> Result<Rule> {
    let rule = rule.ok_or_else(|| Error::invalid("rule", "must be given"))?;
    let operation = match rule.operation() {
        pb::RiskOperation::Payment => OperationKind::Payment,
        pb::RiskOperation::Refund => OperationKind::Refund,
        pb::RiskOperation::TopUp => OperationKind::TopUp,
        pb::RiskOperation::Unspecified => return Err(Error::invalid("rule.operation", "must be stated")),
    };
    let given = !rule.store.is_empty();
    Ok(Rule {
        id: RiskRuleId::new(now),
        display_name: rule.display_name.clone(),
        operation,
        store: given.then(|| StoreId::parse_name("rule.store", &rule.store)).transpose()?,
        pattern: pattern(rule.pattern.as_ref())?,
        decision: decision(rule.decision())?,
        enabled: rule.enabled,
        start_time: optional_timestamp("rule.start_time", rule.start_time.as_ref())?.unwrap_or(now),
        end_time: optional_timestamp("rule.end_time", rule.end_time.as_ref())?,
        create_time: now,
        version: 1,
    })
}

/// A rule with what is changed of it.
///
/// # Errors
/// `InvalidArgument` naming the field.
pub fn changed(known: Rule, wanted: &pb::RiskRule) -> Result<Rule> {
    Ok(Rule {
        display_name: wanted.display_name.clone(),
        decision: decision(wanted.decision())?,
        enabled: wanted.enabled,
        end_time: optional_timestamp("rule.end_time", wanted.end_time.as_ref())?,
        version: known.version + 1,
        ..known
    })
}

fn pattern(wire: Option<&Wire>) -> Result<Pattern> {
    let subject = |field: &str, subject: pb::RiskSubject| match subject {
        pb::RiskSubject::Member => Ok(Subject::Member),
        pb::RiskSubject::Card => Ok(Subject::Card),
        pb::RiskSubject::Address => Ok(Subject::Address),
        pb::RiskSubject::Store => Ok(Subject::Store),
        pb::RiskSubject::Staff => Ok(Subject::Staff),
        pb::RiskSubject::Unspecified => Err(Error::invalid(field, "must be stated")),
    };
    let window = |field: &str, length: Option<&prost_types::Duration>| {
        let whole = |seconds: i64| u64::try_from(seconds).map(Duration::from_secs);
        let length = duration(field, length)?;
        match whole(length.as_secs()) {
            Ok(seconds) if length.subsec_nanos() == 0 => Ok(seconds),
            _ => Err(Error::invalid(field, "must be of whole seconds, from 1 to those of 31 days")),
        }
    };
    Ok(match wire {
        Some(Wire::Velocity(of)) => Pattern::Velocity {
            subject: subject("rule.velocity.subject", of.subject())?,
            window: window("rule.velocity.window", of.window.as_ref())?,
            max_count: of.max_count.map(|count| u32::try_from(count).unwrap_or(0)),
            max_amount: match &of.max_amount {
                Some(most) => Some(money("rule.velocity.max_amount", Some(most))?),
                None => None,
            },
        },
        Some(Wire::AmountAbove(of)) => Pattern::AmountAbove(money("rule.amount_above.amount", of.amount.as_ref())?),
        Some(Wire::JustBelow(of)) => Pattern::JustBelow {
            subject: subject("rule.just_below.subject", of.subject())?,
            window: window("rule.just_below.window", of.window.as_ref())?,
            limit: money("rule.just_below.limit", of.limit.as_ref())?,
            margin: money("rule.just_below.margin", of.margin.as_ref())?,
            max_count: u32::try_from(of.max_count).unwrap_or(0),
        },
        Some(Wire::AfterTopUp(of)) => {
            Pattern::AfterTopUp { window: window("rule.after_top_up.window", of.window.as_ref())? }
        }
        None => {
            return Err(Error::invalid("rule.velocity", "must be given, or amount_above, just_below or after_top_up"));
        }
    })
}

fn decision(wire: pb::RiskDecision) -> Result<Decision> {
    match wire {
        pb::RiskDecision::Allow => Ok(Decision::Allow),
        pb::RiskDecision::Review => Ok(Decision::Review),
        pb::RiskDecision::Refuse => Ok(Decision::Refuse),
        pb::RiskDecision::Unspecified => Err(Error::invalid("rule.decision", "must be stated")),
    }
}

/// A rule for the wire.
pub fn to_rule(rule: &Rule) -> pb::RiskRule {
    let decision = match rule.decision {
        Decision::Allow => pb::RiskDecision::Allow,
        Decision::Review => pb::RiskDecision::Review,
        Decision::Refuse => pb::RiskDecision::Refuse,
    };
    pb::RiskRule {
        name: rule.id.name(),
        display_name: rule.display_name.clone(),
        operation: to_operation(rule.operation).into(),
        store: rule.store.map(StoreId::name).unwrap_or_default(),
        pattern: Some(to_pattern(&rule.pattern)),
        decision: decision.into(),
        enabled: rule.enabled,
        start_time: Some(to_timestamp(rule.start_time)),
        end_time: rule.end_time.map(to_timestamp),
        create_time: Some(to_timestamp(rule.create_time)),
        etag: crate::domain::etag::etag(rule.version),
    }
}

fn to_operation(operation: OperationKind) -> pb::RiskOperation {
    match operation {
        OperationKind::Payment => pb::RiskOperation::Payment,
        OperationKind::Refund => pb::RiskOperation::Refund,
        OperationKind::TopUp => pb::RiskOperation::TopUp,
    }
}

fn to_pattern(pattern: &Pattern) -> Wire {
    let subject = |subject| match subject {
        Subject::Member => pb::RiskSubject::Member,
        Subject::Card => pb::RiskSubject::Card,
        Subject::Address => pb::RiskSubject::Address,
        Subject::Store => pb::RiskSubject::Store,
        Subject::Staff => pb::RiskSubject::Staff,
    };
    let window = |window: Duration| {
        let seconds = i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
        Some(to_duration(SignedDuration::from_secs(seconds)))
    };
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    match pattern {
        Pattern::Velocity { subject: of, window: length, max_count, max_amount } => {
            Wire::Velocity(pb::risk_rule::Velocity {
                subject: subject(*of).into(),
                window: window(*length),
                max_count: max_count.map(count),
                max_amount: max_amount.map(to_money),
            })
        }
        Pattern::AmountAbove(most) => Wire::AmountAbove(pb::risk_rule::AmountAbove { amount: Some(to_money(*most)) }),
        Pattern::JustBelow { subject: of, window: length, limit, margin, max_count } => {
            Wire::JustBelow(pb::risk_rule::JustBelow {
                subject: subject(*of).into(),
                window: window(*length),
                limit: Some(to_money(*limit)),
                margin: Some(to_money(*margin)),
                max_count: count(*max_count),
            })
        }
        Pattern::AfterTopUp { window: length } => {
            Wire::AfterTopUp(pb::risk_rule::AfterTopUp { window: window(*length) })
        }
    }
}

/// A review for the wire.
pub fn to_review(review: &Review) -> pb::RiskReview {
    use pb::risk_review::State;
    let (state, resolved) = match &review.state {
        ReviewState::Open => (State::Open, None),
        ReviewState::Refused => (State::Refused, None),
        ReviewState::Resolved { approved: true, time, by, reason } => (State::Approved, Some((time, by, reason))),
        ReviewState::Resolved { approved: false, time, by, reason } => (State::Rejected, Some((time, by, reason))),
    };
    pb::RiskReview {
        name: review.id.name(),
        operation: to_operation(review.operation).into(),
        target: review.target.clone(),
        customer: MemberId::name(review.customer),
        store: review.store.name(),
        actor: review.actor.clone(),
        amount: Some(to_money(review.amount)),
        rules: review.reasons.iter().map(|reason| reason.rule.name()).collect(),
        reasons: review.reasons.iter().map(|reason| reason.text.clone()).collect(),
        held: review.held.is_some(),
        state: state.into(),
        create_time: Some(to_timestamp(review.create_time)),
        resolve_time: resolved.map(|(time, ..)| to_timestamp(*time)),
        resolver: resolved.map(|(_, by, _)| by.clone()).unwrap_or_default(),
        resolution: resolved.map(|(.., reason)| reason.clone()).unwrap_or_default(),
    }
}
