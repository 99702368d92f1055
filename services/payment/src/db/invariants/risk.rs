//! What risk has held or refused, and what was made of it.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "risk.held",
        rule: "a refund that was held has happened if, and only if, it was approved, and then to the amount that was looked at",
        look: Look::Rows(
            "select format('riskReviews/%s is %s and about %s, and %s went back', review.id, review.state,
                           review.amount_minor, coalesce(made.amount_minor::text, 'nothing'))
             from risk_review as review left join order_return as made on made.id = review.source_id
             where review.held is not null
               and case review.state when 'approved' then made.amount_minor is distinct from review.amount_minor
                                     else made.id is not null end",
        ),
    },
    Invariant {
        name: "risk.resolved",
        rule: "nobody has resolved a review of what he has done himself, and who resolved it is in the audit trail",
        look: Look::Rows(
            "select format('riskReviews/%s is of %s and was resolved by %s', id, actor, resolver)
             from risk_review as review
             where resolver = actor
                or resolver is not null
                   and not exists (select from audit_entry as entry
                                   where entry.action = 'risk_review.resolve' and entry.actor = review.resolver
                                     and entry.target = format('riskReviews/%s', review.id))",
        ),
    },
];
