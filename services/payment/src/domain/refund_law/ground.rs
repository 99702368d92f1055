//! Whether the consumer may have the money back, and at whose door it is laid (Art. 10, 13, 14).

use super::{
    cause::{Attribution, Cause},
    citation::Source,
    contract::{Contract, KnownService},
    explain::{Ground, GroundKind, Note, NoteLabel, Operand},
    request::Request,
    rules::{Basis, IN_FORCE, RuleBook, Rules},
};

/// What the claim rests upon and at whose door it is laid.
///
/// A return without a reason is looked for only where the cause is the consumer's own: any other cause gives him at
/// least as much without it.
pub(super) fn ground(
    book: &RuleBook,
    rules: &Rules,
    contract: &Contract,
    request: &Request,
    notes: &mut Vec<Note>,
) -> (Ground, Attribution) {
    note_basis(rules, contract, notes);
    if request.cause == Cause::ConsumerDeath {
        notes.push(Note { label: NoteLabel::DeathNotNamed, operands: vec![], source: Source::Art13P2 });
    }
    let attribution = request.cause.attribution();
    if attribution == Attribution::Consumer {
        if let Some(ground) = cooling_off(book, rules, contract, request, notes) {
            return (ground, rules.cooling_off_counts_as);
        }
        notes.push(Note {
            label: NoteLabel::NoRightToEnd,
            operands: vec![Operand::new("cause", request.cause.key())],
            source: request.cause.source(),
        });
        return (Ground { kind: GroundKind::Consent, source: request.cause.source() }, attribution);
    }
    (Ground { kind: GroundKind::Right, source: request.cause.source() }, attribution)
}

fn note_basis(rules: &Rules, contract: &Contract, notes: &mut Vec<Note>) {
    let in_force = || vec![Operand::new("in_force_from", IN_FORCE)];
    match rules.basis {
        Basis::ByAnalogy => {
            notes.push(Note { label: NoteLabel::NotInForce, operands: in_force(), source: Source::Art27 });
            for source in [Source::ConsumerLaw53, Source::CivilCode566] {
                notes.push(Note { label: NoteLabel::GovernedBy, operands: vec![], source });
            }
        }
        Basis::InForce if contract.signed_on < IN_FORCE => {
            notes.push(Note { label: NoteLabel::OlderContract, operands: in_force(), source: Source::Art27 });
        }
        Basis::InForce => {}
    }
}

/// The return without a reason, by law first, else by contract.
fn cooling_off(
    book: &RuleBook,
    rules: &Rules,
    contract: &Contract,
    request: &Request,
    notes: &mut Vec<Note>,
) -> Option<Ground> {
    let within = |days: u16| {
        let last = book.calendar().last_day(contract.paid_on, days);
        (request.requested_on <= last).then_some(last)
    };
    if let Some(last) = rules.cooling_off_days.and_then(within) {
        let exception = match contract.known_service {
            KnownService::New => {
                return Some(Ground { kind: GroundKind::CoolingOff(last), source: Source::Art14P1 });
            }
            KnownService::FromThisMerchant => Source::Art14P1Item1,
            KnownService::FromAnotherMerchant => Source::Art14P1Item2,
        };
        let operands = vec![Operand::new("last_day", last)];
        notes.push(Note { label: NoteLabel::CoolingOffExcepted, operands, source: exception });
    }
    let agreed = contract.terms.cooling_off?;
    let open = agreed.for_known_service || contract.known_service == KnownService::New;
    let last = within(agreed.days).filter(|_| open)?;
    Some(Ground { kind: GroundKind::AgreedCoolingOff(last), source: Source::Art14P2 })
}
