//! Reconciliation for the wire.

use kernel::{
    Error, Result,
    ids::{PaymentId, RefundId},
};
use proto::payment::v1 as pb;
use rpc::convert::{to_money, to_timestamp};

use super::{date::to_date, ledger::store};
use crate::domain::reconciliation::{Break, BreakKind, DayProof, Resolution};

/// The proof of a day.
pub fn proof(proof: &DayProof) -> pb::DayProof {
    use pb::day_proof::State;
    pb::DayProof {
        name: proof.name.to_string(),
        date: Some(to_date(proof.name.date)),
        state: if proof.refusal.is_some() { State::Refused } else { State::Reconciled }.into(),
        refusal: proof.refusal.clone().unwrap_or_default(),
        sha256: proof.sha256.clone(),
        lines: proof.lines,
        matched: proof.matched,
        sales: Some(to_money(proof.sales)),
        refunds: Some(to_money(proof.refunds)),
        fees: Some(to_money(proof.fees)),
        our_sales: Some(to_money(proof.our_sales)),
        our_refunds: Some(to_money(proof.our_refunds)),
        in_breaks: Some(to_money(proof.in_breaks)),
        on_other_days: Some(to_money(proof.on_other_days)),
        breaks: proof.breaks,
        open_breaks: proof.open_breaks,
        create_time: Some(to_timestamp(proof.create_time)),
    }
}

/// A break.
pub fn broken(of: &Break) -> pb::ReconciliationBreak {
    use pb::reconciliation_break::State;
    let (how, note, time) = match &of.resolved {
        Some((how, note, time)) => (resolution(*how), note.clone(), Some(to_timestamp(*time))),
        None => (pb::reconciliation_break::Resolution::Unspecified, String::new(), None),
    };
    pb::ReconciliationBreak {
        name: of.name.to_string(),
        kind: kind(of.kind).into(),
        state: if of.resolved.is_some() { State::Resolved } else { State::Open }.into(),
        payment: of.payment.map(|id| PaymentId::from_uuid(id).name()).unwrap_or_default(),
        refund: of.refund.map(|id| RefundId::from_uuid(id).name()).unwrap_or_default(),
        reference: of.reference.clone(),
        transaction: of.transaction.clone(),
        store: store(of.store),
        ours: of.ours.map(to_money),
        theirs_minor: of.theirs_minor.unwrap_or_default(),
        theirs_currency_code: of.theirs_currency.clone().unwrap_or_default(),
        difference: Some(to_money(of.difference)),
        resolution: how.into(),
        note,
        create_time: Some(to_timestamp(of.create_time)),
        resolve_time: time,
    }
}

fn kind(kind: BreakKind) -> pb::reconciliation_break::Kind {
    use pb::reconciliation_break::Kind;
    match kind {
        BreakKind::MissingThere => Kind::MissingThere,
        BreakKind::MissingHere => Kind::MissingHere,
        BreakKind::Amount => Kind::Amount,
        BreakKind::Fee => Kind::Fee,
        BreakKind::State => Kind::State,
        BreakKind::Currency => Kind::Currency,
        BreakKind::Date => Kind::Date,
        BreakKind::Duplicate => Kind::Duplicate,
        BreakKind::RefundWithoutSale => Kind::RefundWithoutSale,
        BreakKind::Split => Kind::Split,
        BreakKind::UnknownMerchant => Kind::UnknownMerchant,
        BreakKind::Late => Kind::Late,
    }
}

/// A kind from the wire; `None` if none is stated.
pub fn read_kind(wire: pb::reconciliation_break::Kind) -> Option<BreakKind> {
    BreakKind::ALL.iter().copied().find(|known| kind(*known) == wire)
}

/// Whether a break shall be open; `None` if nothing is stated.
pub fn read_state(wire: pb::reconciliation_break::State) -> Option<bool> {
    match wire {
        pb::reconciliation_break::State::Unspecified => None,
        pb::reconciliation_break::State::Open => Some(true),
        pb::reconciliation_break::State::Resolved => Some(false),
    }
}

fn resolution(how: Resolution) -> pb::reconciliation_break::Resolution {
    use pb::reconciliation_break::Resolution as Wire;
    match how {
        Resolution::Arrived => Wire::Arrived,
        Resolution::BookedHere => Wire::BookedHere,
        Resolution::CorrectedThere => Wire::CorrectedThere,
        Resolution::WrittenOff => Wire::WrittenOff,
        Resolution::Explained => Wire::Explained,
    }
}

/// A resolution from the wire that somebody may choose.
pub fn read_resolution(wire: pb::reconciliation_break::Resolution) -> Result<Resolution> {
    let known = Resolution::ALL.iter().copied().find(|known| resolution(*known) == wire);
    known
        .filter(|how| *how != Resolution::Arrived)
        .ok_or_else(|| Error::invalid("resolution", "must be stated, and not be ARRIVED, which is found by itself"))
}
