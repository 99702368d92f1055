//! Orders, payments and refunds, and what is booked of them.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "order.lines",
        rule: "the lines of an order add up to its total, and none is below zero but an amendment that makes it cheaper",
        look: Look::Rows(
            "select format('orders/%s: lines add up to %s, the total is %s', of.id, coalesce(sum(line.amount_minor), 0),
                           of.total_minor)
             from customer_order as of left join order_line as line on line.order_id = of.id
             group by of.id, of.total_minor
             having coalesce(sum(line.amount_minor), 0) <> of.total_minor
                 or min(line.amount_minor) filter (where line.amendment_id is null) < 0",
        ),
    },
    Invariant {
        name: "order.paid",
        rule: "what of an order counts as paid and as refunded is what was captured and went back of it; what it became \
               cheaper by counts as neither",
        look: Look::Rows(
            "with counted as (
                 select order_id, amount_minor as paid, 0 as refunded from payment
                 where state = 'captured' and not surplus
                 union all
                 select refund.order_id,
                        case when refund.reason = 'PRICE_LOWERED' then -refund.amount_minor else 0 end,
                        case when refund.reason <> 'PRICE_LOWERED' and refund.state = 'succeeded' then refund.amount_minor else 0 end
                 from refund join payment on payment.id = refund.payment_id where not payment.surplus
             ),
             sums as (
                 select order_id, sum(paid) as paid, sum(refunded) as refunded from counted group by order_id
             )
             select format('orders/%s: %s paid and %s refunded, but %s captured and %s given back', of.id, of.paid_minor,
                           of.refunded_minor, coalesce(paid, 0), coalesce(refunded, 0))
             from customer_order as of left join sums on sums.order_id = of.id
             where of.paid_minor <> coalesce(paid, 0) or of.refunded_minor <> coalesce(refunded, 0)
                or of.paid_minor > of.total_minor or of.refunded_minor > of.paid_minor",
        ),
    },
    Invariant {
        name: "payment.refunded",
        rule: "no more of a payment has gone back, or is on its way back, than was captured",
        look: Look::Rows(
            "select format('payments/%s: %s go back of %s captured', payment.id, sum(refund.amount_minor),
                           case payment.state when 'captured' then payment.amount_minor else 0 end)
             from payment join refund on refund.payment_id = payment.id
             group by payment.id, payment.state, payment.amount_minor
             having sum(refund.amount_minor) > case payment.state when 'captured' then payment.amount_minor else 0 end",
        ),
    },
    Invariant {
        name: "payment.booked",
        rule: "each payment that was captured, and each refund that was decided and done, is booked once with its amount",
        look: Look::Rows(
            "with expected as (
                 select 'capture' as kind, id as source_id, amount_minor from payment where state = 'captured'
                 union all select 'refund_decided', id, amount_minor from refund
                 union all select 'refund_done', id, amount_minor from refund where state = 'succeeded'
             ),
             booked as (
                 select booked.kind, booked.source_id, sum(entry.amount_minor) filter (where entry.amount_minor > 0) as minor
                 from ledger_transaction as booked join ledger_entry as entry on entry.transaction_id = booked.id
                 where booked.kind in ('capture', 'refund_decided', 'refund_done')
                 group by booked.kind, booked.source_id
             )
             select format('%s of %s: %s are due, %s are booked', kind, source_id, coalesce(amount_minor, 0),
                           coalesce(minor, 0))
             from expected full join booked using (kind, source_id) where minor is distinct from amount_minor",
        ),
    },
    Invariant {
        name: "order.owed",
        rule: "what is held for an order is what was paid for it until it is settled, and what is payable is what of its \
               refunds is on its way, and what is still to be paid out by hand",
        look: Look::Rows(
            "with held as (
                 select booked.order_id,
                        coalesce(-sum(entry.amount_minor) filter (where entry.account = 'customer_deposits'), 0) as deposits,
                        coalesce(-sum(entry.amount_minor) filter (where entry.account = 'refunds_payable'), 0) as payable
                 from ledger_transaction as booked join ledger_entry as entry on entry.transaction_id = booked.id
                 where entry.account in ('customer_deposits', 'refunds_payable') and booked.order_id is not null
                 group by booked.order_id
             ),
             going as (
                 select order_id, sum(amount_minor) as pending
                 from (select order_id, amount_minor from refund where state = 'pending'
                       union all select order_id, amount_minor from payout where state = 'due') as under_way
                 group by order_id
             )
             select format('orders/%s is %s: %s held and %s payable, should be %s and %s', of.id, of.state,
                           coalesce(deposits, 0), coalesce(payable, 0),
                           case when of.state in ('open', 'deposit_paid') then of.paid_minor else 0 end,
                           coalesce(pending, 0))
             from customer_order as of left join held on held.order_id = of.id left join going on going.order_id = of.id
             where coalesce(deposits, 0) <> case when of.state in ('open', 'deposit_paid') then of.paid_minor else 0 end
                or coalesce(payable, 0) <> coalesce(pending, 0)",
        ),
    },
    Invariant {
        name: "order.events",
        rule: "each version of an order has exactly one event",
        look: Look::Rows(
            "with told as (
                 select aggregate_id, count(*) as events, count(distinct aggregate_version) as versions,
                        max(aggregate_version) as newest
                 from outbox where type like 'meridian.payment.v1.%' group by aggregate_id
             )
             select format('orders/%s has version %s and %s events, the newest of version %s', of.id, of.version,
                           coalesce(events, 0), newest)
             from customer_order as of left join told on told.aggregate_id = of.id
             where events is distinct from of.version or versions is distinct from of.version
                or newest is distinct from of.version",
        ),
    },
];
