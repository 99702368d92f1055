//! What becomes of an operation.

use kernel::ids::RiskRuleId;

use super::{Decision, Operation, Rule, Tally};

/// A rule that is broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Which rule.
    pub rule: RiskRuleId,
    /// Why, for people.
    pub text: String,
}

/// What becomes of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It happens.
    Allow,
    /// Somebody has to look at it.
    Review(Vec<Reason>),
    /// It doesn't happen.
    Refuse(Vec<Reason>),
}

/// Decides, given each rule that looks at the operation with what was counted for it before.
pub fn judge<'a>(operation: &Operation, rules: impl IntoIterator<Item = (&'a Rule, Tally)>) -> Verdict {
    let (mut allowed, mut reviews, mut refusals) = (false, Vec::new(), Vec::new());
    for (rule, before) in rules {
        let Some(why) = rule.broken(operation, before) else { continue };
        let reason = Reason { rule: rule.id, text: format!("{}: {why}", rule.display_name) };
        match rule.decision {
            Decision::Allow => allowed = true,
            Decision::Review => reviews.push(reason),
            Decision::Refuse => refusals.push(reason),
        }
    }
    match (allowed, refusals.is_empty(), reviews.is_empty()) {
        (true, ..) | (_, true, true) => Verdict::Allow,
        (_, false, _) => Verdict::Refuse(refusals),
        (_, true, false) => Verdict::Review(reviews),
    }
}
