//! A quote, for the wire.

use proto::payment::v1::{self as pb, refund_law_quote as pbq};
use rpc::convert::to_money;

use super::super::date::to_date;
use crate::domain::refund_law::{
    Attribution, Basis, Cause, Ground, GroundKind, Line, Note, Operand, Quote, Source, Value,
};

/// A quote.
pub fn quote(quote: &Quote) -> pb::RefundLawQuote {
    pb::RefundLawQuote {
        refund: Some(to_money(quote.refund)),
        principal: Some(to_money(quote.principal)),
        interest: Some(to_money(quote.interest)),
        rules: quote.rules.to_owned(),
        basis: match quote.basis {
            Basis::InForce => pbq::Basis::InForce,
            Basis::ByAnalogy => pbq::Basis::ByAnalogy,
        }
        .into(),
        ground: Some(ground(quote.ground)),
        attribution: match quote.attribution {
            Attribution::Merchant => pbq::Attribution::Merchant,
            Attribution::Consumer => pbq::Attribution::Consumer,
            Attribution::Neither => pbq::Attribution::Neither,
        }
        .into(),
        lines: quote.lines.iter().map(line).collect(),
        notes: quote.notes.iter().map(note).collect(),
    }
}

/// Why money goes back.
pub fn to_cause(cause: Cause) -> pb::RefundCause {
    use pb::RefundCause as Wire;
    match cause {
        Cause::MerchantMoved => Wire::MerchantMoved,
        Cause::MerchantHandedOver => Wire::MerchantHandedOver,
        Cause::MerchantCannotServe => Wire::MerchantCannotServe,
        Cause::MerchantBreach => Wire::MerchantBreach,
        Cause::ConsumerHealth => Wire::ConsumerHealth,
        Cause::ConsumerDeath => Wire::ConsumerDeath,
        Cause::ChangedCircumstances => Wire::ChangedCircumstances,
        Cause::ForceMajeure => Wire::ForceMajeure,
        Cause::Incapacity => Wire::Incapacity,
        Cause::ConsumerWish => Wire::ConsumerWish,
        Cause::ConsumerBreach => Wire::ConsumerBreach,
    }
}

fn ground(ground: Ground) -> pbq::Ground {
    use pbq::ground::Kind;
    let (kind, last) = match ground.kind {
        GroundKind::CoolingOff(last) => (Kind::CoolingOff, Some(last)),
        GroundKind::AgreedCoolingOff(last) => (Kind::AgreedCoolingOff, Some(last)),
        GroundKind::Right => (Kind::Right, None),
        GroundKind::Consent => (Kind::Consent, None),
    };
    pbq::Ground { kind: kind.into(), last_date: last.map(to_date), provision: Some(provision(ground.source)) }
}

fn provision(source: Source) -> pbq::Provision {
    pbq::Provision { reference: source.reference().to_owned(), gist: source.gist().to_owned() }
}

fn line(line: &Line) -> pbq::Line {
    pbq::Line {
        label: line.label.key().to_owned(),
        amount: Some(to_money(line.amount)),
        formula: line.label.formula().to_owned(),
        operands: line.operands.iter().map(operand).collect(),
        provision: Some(provision(line.source)),
    }
}

fn note(note: &Note) -> pbq::Note {
    pbq::Note {
        label: note.label.key().to_owned(),
        operands: note.operands.iter().map(operand).collect(),
        provision: Some(provision(note.source)),
    }
}

fn operand(operand: &Operand) -> pbq::Operand {
    use pbq::operand::Value as Wire;
    let value = match &operand.value {
        Value::Money(amount) => Wire::Money(to_money(*amount)),
        Value::Count(count) => Wire::Count(*count),
        Value::Day(day) => Wire::Date(to_date(*day)),
        Value::Ppm(ppm) => Wire::Ppm(ppm.0),
        Value::Text(text) => Wire::Text(text.clone()),
    };
    pbq::Operand { name: operand.name.to_owned(), value: Some(value) }
}
