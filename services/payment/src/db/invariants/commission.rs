//! What therapists and partners earn, and what is booked of it.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "commission.booked",
        rule: "what is booked of a visit's commission, by payee, is what was accrued, and what was taken back of it",
        look: Look::Rows(
            "with booked as (
                 select visit.booking_id, entry.party as payee, -sum(entry.amount_minor) as minor
                 from commission_visit as visit
                      join ledger_transaction as booked on booked.kind = 'commission_accrued' and booked.source_id = visit.booking_id
                      join ledger_entry as entry on entry.transaction_id = booked.id and entry.party is not null
                 group by visit.booking_id, entry.party
             ),
             back as (
                 select visit.booking_id, entry.party as payee, sum(entry.amount_minor) as minor
                 from commission_visit as visit
                      join ledger_transaction as booked on booked.kind = 'commission_reversed' and booked.order_id = visit.order_id
                      join ledger_entry as entry on entry.transaction_id = booked.id and entry.party is not null
                 group by visit.booking_id, entry.party
             ),
             accrued as (
                 select booking_id, payee, sum(amount_minor) as amount,
                        sum(reversed_minor + coalesce(clawed, 0)) as reversed
                 from commission_accrual as accrual
                      left join (select accrual_id, sum(amount_minor) as clawed from commission_claw_back
                                 group by accrual_id) as taken on taken.accrual_id = accrual.id
                 group by booking_id, payee
             )
             select format('bookings/%s, %s: %s accrued and %s taken back, but %s and %s booked', booking_id, payee,
                           coalesce(amount, 0), coalesce(reversed, 0), coalesce(booked.minor, 0), coalesce(back.minor, 0))
             from accrued full join booked using (booking_id, payee) full join back using (booking_id, payee)
             where coalesce(amount, 0) <> coalesce(booked.minor, 0) or coalesce(reversed, 0) <> coalesce(back.minor, 0)
                or reversed > amount",
        ),
    },
    Invariant {
        name: "commission.base",
        rule: "the therapists of a visit earn by its price, no more and no less",
        look: Look::Rows(
            "select format('bookings/%s: costs %s, its therapists earn by %s', visit.booking_id, visit.price_minor,
                           coalesce(sum(accrual.base_minor), 0))
             from commission_visit as visit
                  left join commission_accrual as accrual
                       on accrual.booking_id = visit.booking_id and accrual.payee like 'therapists/%'
             group by visit.booking_id, visit.price_minor
             having visit.price_minor <> coalesce(sum(accrual.base_minor), 0)",
        ),
    },
    Invariant {
        name: "commission.payable",
        rule: "what the books owe a payee at a store is what he has earned, less what was taken back and what was paid out",
        look: Look::Rows(
            "with open as (
                 select payee, accrual.store_id, accrual.currency, amount_minor - reversed_minor as minor
                 from commission_accrual as accrual left join commission_settlement as list on list.id = settlement_id
                 where list.state is distinct from 'paid'
                 union all
                 select payee, taken.store_id, taken.currency, -amount_minor
                 from commission_claw_back as taken left join commission_settlement as list on list.id = settlement_id
                 where list.state is distinct from 'paid'
             ),
             owed as (select payee, store_id, currency, sum(minor) as minor from open group by payee, store_id, currency),
             booked as (
                 select party as payee, store_id, currency, -sum(amount_minor) as minor from ledger_entry
                 where account in ('commission_payable', 'partner_payable') group by party, store_id, currency
             )
             select format('%s at stores/%s: %s %s are owed, %s are booked', payee, store_id, currency,
                           coalesce(owed.minor, 0), coalesce(booked.minor, 0))
             from owed full join booked using (payee, store_id, currency)
             where coalesce(owed.minor, 0) <> coalesce(booked.minor, 0)",
        ),
    },
    Invariant {
        name: "commission.settled",
        rule: "what is in a settlement list is of its store and currency, and what is booked of a paid list is what is in it",
        look: Look::Rows(
            "select format('commissionAccruals/%s is in a list of another store or currency', accrual.id)
             from commission_accrual as accrual join commission_settlement as list on list.id = accrual.settlement_id
             where (accrual.store_id, accrual.currency) <> (list.store_id, list.currency)
             union all
             select format('claw-back %s of commissionAccruals/%s is in a list of another store or currency, or from another payee',
                           taken.id, accrual.id)
             from commission_claw_back as taken join commission_accrual as accrual on accrual.id = taken.accrual_id
                  left join commission_settlement as list on list.id = taken.settlement_id
             where (taken.payee, taken.store_id, taken.currency) <> (accrual.payee, accrual.store_id, accrual.currency)
                or (taken.store_id, taken.currency) <> (list.store_id, list.currency)
             union all
             select format('commissionSettlements/%s is %s with %s, booked are %s', list.id, list.state, coalesce(minor, 0),
                           coalesce(booked, 0))
             from commission_settlement as list
                  left join lateral (select sum(minor) as minor
                                     from (select amount_minor - reversed_minor as minor from commission_accrual
                                           where settlement_id = list.id
                                           union all
                                           select -amount_minor from commission_claw_back
                                           where settlement_id = list.id) as part) as held on true
                  left join lateral (select sum(entry.amount_minor) as booked
                                     from ledger_transaction as paid
                                          join ledger_entry as entry on entry.transaction_id = paid.id
                                     where paid.kind = 'commission_paid' and paid.source_id = list.id
                                       and entry.party is not null) as books on true
             where case list.state when 'paid' then coalesce(minor, 0) else 0 end <> coalesce(booked, 0)",
        ),
    },
];
