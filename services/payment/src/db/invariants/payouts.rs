//! What goes back by hand, and cards that were given back.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "payout.booked",
        rule: "each payout that was made is booked once with its amount, and none that is due",
        look: Look::Rows(
            "with made as (
                 select id as source_id, amount_minor from payout where state = 'paid'
             ),
             booked as (
                 select booked.source_id, sum(entry.amount_minor) filter (where entry.amount_minor > 0) as minor
                 from ledger_transaction as booked join ledger_entry as entry on entry.transaction_id = booked.id
                 where booked.kind = 'payout_done' group by booked.source_id
             )
             select format('payouts/%s: %s paid, %s booked', source_id, coalesce(amount_minor, 0), coalesce(minor, 0))
             from made full join booked using (source_id) where minor is distinct from amount_minor",
        ),
    },
    Invariant {
        name: "card.refunded",
        rule: "what cards that were given back gave back is what their top-ups' refunds and payouts are",
        look: Look::Rows(
            "with told as (
                 select order_id, sum(to_sources_minor) as to_sources, sum(at_desk_minor) as at_desk
                 from card_refund_part group by order_id
             ),
             going as (
                 select order_id, sum(amount_minor) as minor from refund where reason = 'CARD_REFUNDED' group by order_id
             ),
             by_hand as (
                 select order_id, sum(price_minor) as minor from payout where reason = 'CARD_REFUNDED' group by order_id
             )
             select format('orders/%s: %s and %s by the quotes, but %s and %s go back', order_id, coalesce(to_sources, 0),
                           coalesce(at_desk, 0), coalesce(going.minor, 0), coalesce(by_hand.minor, 0))
             from told full join going using (order_id) full join by_hand using (order_id)
             where coalesce(to_sources, 0) <> coalesce(going.minor, 0)
                or coalesce(at_desk, 0) <> coalesce(by_hand.minor, 0)",
        ),
    },
];
