//! Tips: what therapists are owed.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "tip.owed",
        rule: "what the ledger owes to a therapist is what was paid of their tips, less what went back and was handed over",
        look: Look::Rows(
            "with parts as (
                 select line.item as party, of.currency, line.amount_minor as minor
                 from customer_order as of join order_line as line on line.order_id = of.id
                 where of.subject_kind = 'tip' and of.state = 'paid'
                 union all
                 select line.item, of.currency, -returned.amount_minor
                 from order_return_line as returned
                      join order_return as made on made.id = returned.return_id
                      join customer_order as of on of.id = made.order_id and of.subject_kind = 'tip'
                      join order_line as line on line.order_id = of.id and line.position = returned.line_position
                 union all
                 select 'therapists/' || therapist_id, currency, -amount_minor from tip_payout
                 union all
                 select party, currency, -posted_minor from ledger_balance where account = 'tips_payable'
             )
             select format('%s: %s %s too little owed', party, sum(minor), currency)
             from parts group by party, currency having sum(minor) <> 0",
        ),
    },
    Invariant {
        name: "tip.visit",
        rule: "each tip is of a visit of the same customer and store, and what is handed over is booked",
        look: Look::Rows(
            "select format('orders/%s is a tip of no visit', of.id)
             from customer_order as of
                  left join tip on tip.order_id = of.id and tip.id = of.subject_id
                  left join customer_order as visit on visit.id = tip.visit_order_id and visit.subject_kind = 'visit'
             where of.subject_kind = 'tip'
               and (visit.id is null or (visit.customer_id, visit.store_id) <> (of.customer_id, of.store_id))
             union all
             select format('tipPayouts/%s is not booked', payout.id)
             from tip_payout as payout
             where not exists (select from ledger_transaction as booked
                                      join ledger_entry as entry on entry.transaction_id = booked.id
                                where booked.kind = 'tip_payout' and booked.source_id = payout.id
                                  and entry.account = 'tips_payable' and entry.amount_minor = payout.amount_minor)",
        ),
    },
];
