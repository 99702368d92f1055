//! Invoices.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "order.invoiced",
        rule: "the invoices of an order that stand are no more than what money came less what goes or went back",
        look: Look::Rows(
            "with captured as (
                 select order_id, sum(amount_minor) as minor from payment
                 where state = 'captured' and source_id is null group by order_id
             ),
             back as (
                 select refund.order_id, sum(refund.amount_minor) as minor
                 from refund join payment on payment.id = payment_id
                 where payment.source_id is null group by refund.order_id
             ),
             by_hand as (
                 select order_id, sum(price_minor) as minor from payout group by order_id
             ),
             standing as (
                 select order_id, sum(amount_minor) as minor from invoice
                 where state in ('requested', 'issued') group by order_id
             )
             select format('orders/%s: %s invoiced, %s captured, %s given back', order_id, standing.minor,
                           coalesce(captured.minor, 0), coalesce(back.minor, 0) + coalesce(by_hand.minor, 0))
             from standing left join captured using (order_id) left join back using (order_id)
                  left join by_hand using (order_id)
             where standing.minor > greatest(coalesce(captured.minor, 0) - coalesce(back.minor, 0) - coalesce(by_hand.minor, 0),
                                             0)",
        ),
    },
    Invariant {
        name: "invoice.events",
        rule: "each version of an invoice has exactly one event",
        look: Look::Rows(
            "with told as (
                 select aggregate_id, count(*) as events, count(distinct aggregate_version) as versions,
                        max(aggregate_version) as newest
                 from outbox where type = 'meridian.payment.v1.InvoiceChanged' group by aggregate_id
             )
             select format('invoices/%s has version %s and %s events, the newest of version %s', of.id, of.version,
                           coalesce(events, 0), newest)
             from invoice as of left join told on told.aggregate_id = of.id
             where events is distinct from of.version or versions is distinct from of.version
                or newest is distinct from of.version",
        ),
    },
];
