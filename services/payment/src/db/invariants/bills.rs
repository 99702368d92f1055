//! Providers' bills against our books.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "bill.lines",
        rule: "the lines that are kept of a bill are as many, and add up to as much, as the proof of its day says",
        look: Look::Rows(
            "with counted as (
                 select proof_id, count(*) as lines,
                        coalesce(sum(amount_minor) filter (where kind = 'sale' and line.currency = proof.currency), 0) as sales,
                        coalesce(sum(amount_minor) filter (where kind = 'refund' and line.currency = proof.currency), 0) as refunds
                 from bill_line as line left join day_proof as proof on proof.id = proof_id group by proof_id
             )
             select format('%s of %s: %s lines with %s sold and %s given back are kept, its proof says %s, %s and %s',
                           provider, date, coalesce(counted.lines, 0), sales, refunds, proof.lines, sales_minor, refunds_minor)
             from day_proof as proof full join counted on proof_id = proof.id
             where coalesce(counted.lines, 0) is distinct from proof.lines
                or coalesce(sales, 0) is distinct from sales_minor or coalesce(refunds, 0) is distinct from refunds_minor",
        ),
    },
    Invariant {
        name: "bill.breaks",
        rule: "the breaks of a bill say what the proof of its day says, and those that are open are what lies in suspense",
        look: Look::Rows(
            "with told as (select proof_id, sum(difference_minor) as minor from reconciliation_break group by proof_id),
             open as (
                 select store_id, currency, sum(difference_minor) as minor from reconciliation_break
                 where state = 'open' group by store_id, currency
             ),
             held as (
                 select entry.store_id, entry.currency, -sum(entry.amount_minor) as minor
                 from ledger_entry as entry join ledger_transaction as booked on booked.id = entry.transaction_id
                 where entry.account = 'suspense' and booked.kind in ('breaks_found', 'break_settled')
                 group by entry.store_id, entry.currency
             )
             select format('%s of %s: its breaks say %s, its proof %s', provider, date, coalesce(minor, 0), in_breaks_minor)
             from day_proof as proof left join told on proof_id = proof.id where in_breaks_minor <> coalesce(minor, 0)
             union all
             select format('stores/%s: open breaks say %s %s, in suspense are %s', store_id, coalesce(open.minor, 0), currency,
                           coalesce(held.minor, 0))
             from open full join held using (store_id, currency) where coalesce(open.minor, 0) <> coalesce(held.minor, 0)",
        ),
    },
    Invariant {
        name: "bill.fees",
        rule: "what a bill says that the provider keeps is booked once",
        look: Look::Rows(
            "with booked as (
                 select booked.source_id, sum(entry.amount_minor) as minor
                 from ledger_transaction as booked join ledger_entry as entry on entry.transaction_id = booked.id
                 where booked.kind = 'provider_fees' and entry.account = 'provider_fees' group by booked.source_id
             )
             select format('%s of %s: fees of %s are due, %s are booked', provider, date, fees_minor, coalesce(minor, 0))
             from day_proof as proof full join booked on source_id = proof.id
             where fees_minor is distinct from coalesce(minor, 0)",
        ),
    },
    Invariant {
        name: "bill.ledger",
        rule: "what a proof says that we captured and gave back on its day is what the ledger has booked at the provider then",
        look: Look::Rows(
            // On the provider's clock, which is that of China.
            "with booked as (
                 select entry.party, entry.currency, (booked.create_time at time zone 'Asia/Shanghai')::date as date,
                        sum(entry.amount_minor) as minor
                 from ledger_transaction as booked join ledger_entry as entry on entry.transaction_id = booked.id
                 where booked.kind in ('capture', 'refund_done') and entry.account = 'provider_receivable'
                 group by 1, 2, 3
             )
             select format('%s of %s: %s moved by orders, %s by the ledger', provider, proof.date,
                           our_sales_minor - our_refunds_minor, coalesce(minor, 0))
             from day_proof as proof
                  left join booked on party = 'providers/' || provider and booked.date = proof.date
                                  and booked.currency = proof.currency
             where state = 'reconciled' and our_sales_minor - our_refunds_minor <> coalesce(minor, 0)",
        ),
    },
];
