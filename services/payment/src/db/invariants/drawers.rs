//! Cash drawers: what should be in them, and what the ledger has of it.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "drawer.booked",
        rule: "whatever came into a drawer or went out of it is one transaction of the ledger, with its amount, at its store",
        look: Look::Rows(
            "with moved as (
                 select movement.*, drawer.store_id, drawer.currency
                 from drawer_movement as movement join drawer on drawer.id = movement.drawer_id
             ),
             booked as (
                 select moved.ledger_kind, moved.source_id, moved.account, sum(entry.amount_minor) as minor
                 from moved
                      join ledger_transaction as booked on (booked.kind, booked.source_id) = (moved.ledger_kind, moved.source_id)
                      join ledger_entry as entry
                        on entry.transaction_id = booked.id and entry.account = moved.account
                       and entry.store_id = moved.store_id and entry.currency = moved.currency
                 group by moved.ledger_kind, moved.source_id, moved.account
             )
             select format('drawers/%s: %s of %s moved %s, %s are booked on %s', drawer_id, ledger_kind, source_id, amount_minor,
                           coalesce(minor, 0), account)
             from moved left join booked using (ledger_kind, source_id, account)
             where minor is distinct from amount_minor",
        ),
    },
    Invariant {
        name: "drawer.opened",
        rule: "what was counted as a drawer was opened is what the till's last one had left, what was loose, and what was \
               booked for it; no till has two open, and none but its last is",
        look: Look::Rows(
            "with chained as (
                 select drawer.*, lag(carried_minor) over sessions as left_minor, lag(state) over sessions as state_before,
                        row_number() over sessions as place,
                        (select coalesce(sum(amount_minor), 0) from drawer_movement as moved
                          where moved.drawer_id = drawer.id and kind in ('float', 'opening_difference')) as booked
                 from drawer window sessions as (partition by store_id, till, currency order by number)
             )
             select format('drawers/%s, number %s: %s counted, %s left before, %s loose, %s booked', id, number, float_minor,
                           coalesce(left_minor, 0), loose_in_minor, booked)
             from chained
             where float_minor <> carried_in_minor + loose_in_minor + booked or carried_in_minor <> coalesce(left_minor, 0)
                or number <> place or state_before = 'open'",
        ),
    },
    Invariant {
        name: "drawer.closed",
        rule: "what should have been in a drawer as it was closed is what was counted at its opening and what came and went; \
               what was missing, and what went to the bank, is booked",
        look: Look::Rows(
            "with sums as (
                 select drawer.id, drawer.float_minor, expected_minor, counted_minor, carried_minor,
                        coalesce(sum(amount_minor) filter (where kind in ('sale', 'refund', 'paid_in', 'paid_out')), 0) as moved,
                        coalesce(sum(amount_minor) filter (where kind = 'difference'), 0) as difference,
                        coalesce(sum(amount_minor) filter (where kind = 'banked'), 0) as banked
                 from drawer left join drawer_movement as movement
                           on movement.drawer_id = drawer.id and account = 'cash_drawer'
                 where state = 'closed' group by drawer.id
             )
             select format('drawers/%s: %s expected, %s counted, %s carried; but %s moved, %s missing and %s to the bank', id,
                           expected_minor, counted_minor, carried_minor, moved, difference, banked)
             from sums
             where expected_minor <> float_minor + moved or counted_minor <> expected_minor + difference
                or carried_minor <> counted_minor + banked",
        ),
    },
];
