//! Gifts (Art. 21) and costs (Art. 15 ¶2, ¶3).
//!
//! What the merchant may set off ends where the remaining prepayment ends: nobody is asked to pay for leaving. A claim
//! beyond that is no matter of the refund.

use kernel::{Money, Result};

use super::{
    amount::{Ratio, Running, negative, smaller},
    cause::Attribution,
    citation::Source,
    contract::{Contract, Gift, GiftClaim},
    explain::{Label, Line, Note, NoteLabel, Operand},
    request::{Cost, CostKind, Party},
};

/// Lines of gifts and costs on a remaining prepayment of `principal`.
pub(super) fn lines(
    contract: &Contract,
    costs: &[Cost],
    attribution: Attribution,
    principal: Money,
    notes: &mut Vec<Note>,
) -> Result<Vec<Line>> {
    let (mut left, mut lines) = (principal, Vec::new());
    let mut unperformed = Running::down(Ratio { part: principal.minor(), whole: contract.paid.minor() });
    for gift in &contract.gifts {
        let Some(awarded) = award(gift, attribution, &mut unperformed, notes)? else { continue };
        let amount = smaller(left, awarded);
        left = left.try_sub(amount)?;
        let mut operands = vec![Operand::new("name", gift.name.as_str()), Operand::new("value", gift.value)];
        operands.extend([
            Operand::new("awarded", awarded),
            Operand::new("principal", principal),
            Operand::new("paid", contract.paid),
        ]);
        lines.push(Line { label: Label::Gift, amount: negative(amount)?, operands, source: Source::Art21 });
    }
    for cost in costs {
        let operands = vec![Operand::new("cost", cost.amount)];
        if cost.kind == CostKind::StaffCommission {
            notes.push(Note { label: NoteLabel::CommissionIsNoCost, operands, source: Source::Art15P3 });
            continue;
        }
        let line = match (cost.borne_by, attribution) {
            (Party::Consumer, Attribution::Merchant) => {
                Line { label: Label::ConsumerCost, amount: cost.amount, operands, source: Source::Art15P2 }
            }
            (Party::Merchant, Attribution::Consumer) => {
                let amount = smaller(left, cost.amount);
                left = left.try_sub(amount)?;
                let amount = negative(amount)?;
                Line { label: Label::MerchantCost, amount, operands, source: Source::Art15P2 }
            }
            _ => {
                notes.push(Note { label: NoteLabel::CostNotOwed, operands, source: Source::Art15P2 });
                continue;
            }
        };
        lines.push(line);
    }
    Ok(lines)
}

/// What the consumer has to bear for a gift; `None` if nothing is asked for.
///
/// Art. 21 names what is to be weighed and no formula. Where nobody has decided, the proposal is nothing unless the
/// consumer is the cause, and then the gift's value in the share of the contract that was not performed: the whole gift
/// belongs to the whole contract. All proposals together are rounded down once.
fn award(
    gift: &Gift,
    attribution: Attribution,
    unperformed: &mut Running,
    notes: &mut Vec<Note>,
) -> Result<Option<Money>> {
    match gift.claim {
        GiftClaim::None => Ok(None),
        GiftClaim::Decided(amount) => Ok(Some(amount)),
        GiftClaim::Open => {
            let proposal = match attribution {
                Attribution::Merchant | Attribution::Neither => 0,
                Attribution::Consumer => unperformed.add(i128::from(gift.value.minor()))?,
            };
            let proposal = Money::new(proposal, gift.value.currency());
            let operands = vec![Operand::new("name", gift.name.as_str()), Operand::new("proposal", proposal)];
            notes.push(Note { label: NoteLabel::GiftToBeWeighed, operands, source: Source::Art21 });
            Ok(Some(proposal))
        }
    }
}
