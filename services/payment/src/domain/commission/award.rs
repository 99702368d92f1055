//! What a visit earns whom.

use kernel::{
    Error, Money, Result,
    ids::{CommissionRuleId, ItemId, TherapistId},
};

use super::{Part, PayeeKind, Rule, Visit, rule};
use crate::domain::ledger::{Account, Party};

/// Who earns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payee {
    /// A therapist.
    Therapist(TherapistId),
    /// A partner platform, by the name that booking has of it.
    Partner(String),
}

impl Payee {
    /// The collection of partners in resource names.
    const PARTNERS: &'static str = "partners/";

    /// The resource name: `therapists/<uuid>` or `partners/<name>`.
    pub fn name(&self) -> String {
        match self {
            Self::Therapist(id) => id.name(),
            Self::Partner(name) => format!("{}{name}", Self::PARTNERS),
        }
    }

    /// Reads a resource name that came in as `field`.
    ///
    /// # Errors
    /// `InvalidArgument` if it is neither a therapist's nor a partner's.
    pub fn parse_name(field: &str, name: &str) -> Result<Self> {
        match name.strip_prefix(Self::PARTNERS) {
            Some(partner) if !partner.is_empty() => Ok(Self::Partner(partner.to_owned())),
            _ => TherapistId::parse_name(field, name)
                .map(Self::Therapist)
                .map_err(|_| Error::invalid(field, "must be therapists/<uuid> or partners/<name>")),
        }
    }

    /// Whom ledger entries name.
    pub fn party(&self) -> Party {
        Party::from_stored(self.name())
    }

    /// The account on which he is owed.
    pub const fn account(&self) -> Account {
        match self {
            Self::Therapist(_) => Account::CommissionPayable,
            Self::Partner(_) => Account::PartnerPayable,
        }
    }
}

/// What a visit earns somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Who.
    pub payee: Payee,
    /// What he gave; for a partner the item of the first part.
    pub item: ItemId,
    /// The part of the price that is his to earn by.
    pub base: Money,
    /// What he earns.
    pub amount: Money,
    /// The rule that won; `None` if none fits.
    pub rule: Option<CommissionRuleId>,
    /// Why, for people.
    pub explanation: String,
}

/// What a visit earns by the rules: each part its therapist, in order, and then the whole visit its partner.
///
/// # Errors
/// `InvalidArgument` for a visit without parts or with a price below zero.
pub fn award(rules: &[Rule], visit: &Visit) -> Result<Vec<Share>> {
    let first = visit.parts.first().ok_or_else(|| Error::invalid("parts", "must have one at least"))?;
    if visit.price.is_negative() {
        return Err(Error::invalid("price", "must not be below zero"));
    }
    let mut shares = Vec::with_capacity(visit.parts.len() + 1);
    for (part, base) in visit.parts.iter().zip(bases(visit)?) {
        shares.push(share(rules, PayeeKind::Therapist, Payee::Therapist(part.therapist), visit, (part, base))?);
    }
    if let Some(partner) = visit.partner.clone() {
        shares.push(share(rules, PayeeKind::Partner, Payee::Partner(partner), visit, (first, visit.price))?);
    }
    Ok(shares)
}

/// The price, split over the parts by their minutes; in equal parts if none has any.
fn bases(visit: &Visit) -> Result<Vec<Money>> {
    let minutes: Vec<u64> = visit.parts.iter().map(|part| u64::from(part.minutes)).collect();
    let equal = vec![1; minutes.len()];
    visit.price.split(if minutes.iter().all(|minutes| *minutes == 0) { &equal } else { &minutes })
}

fn share(rules: &[Rule], kind: PayeeKind, payee: Payee, visit: &Visit, of: (&Part, Money)) -> Result<Share> {
    let (part, base) = of;
    let item = part.item;
    let Some((rule, others)) = rule::winner(rules, kind, visit, part) else {
        let explanation = format!("no rule fits on {}", visit.date);
        let amount = Money::zero(base.currency());
        return Ok(Share { payee, item, base, amount, rule: None, explanation });
    };
    let amount = rule.rate.of(base)?;
    let conditions = match rule.conditions() {
        none if none.is_empty() => "which fits every visit".to_owned(),
        stated => format!("which is for {}", stated.join(", ")),
    };
    let mut explanation = format!("{} of {base} by {}, {conditions}", rule.rate, rule.id);
    if let Some(next) = others.first() {
        let (next_id, why) = (next.id, rule::why(rule, next));
        explanation.push_str(&format!("; {} more fit, and it goes before {next_id} as {why}", others.len()));
    }
    Ok(Share { payee, item, base, amount, rule: Some(rule.id), explanation })
}
