//! Checkouts, what internal tenders have set aside, and what is given back of orders that go on.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "checkout.whole",
        rule: "the payments of a checkout have come to pass together, or none counts, and its row says which; at most one is \
               taken at a provider",
        look: Look::Rows(
            "with of as (
                 select checkout.id, checkout.state, count(*) as payments,
                        count(*) filter (where payment.state = 'captured' and not payment.surplus) as counted,
                        count(*) filter (where payment.state in ('pending', 'reserved')) as waiting,
                        count(*) filter (where payment.tender not in ('cash', 'card_terminal', 'stored_value',
                                                                      'prepaid_session', 'points_voucher', 'coupon')
                                        ) as external
                 from checkout join payment on payment.checkout_id = checkout.id group by checkout.id
             )
             select format('checkouts/%s is %s: %s of %s payments count, %s wait', id, state, counted, payments, waiting)
             from of
             where external > 1 or counted not in (0, payments) or (state = 'captured') <> (counted = payments)
                or (state = 'open' and (counted > 0 or waiting = 0))
                or exists (select from payment where checkout_id = of.id and payment.state = 'reserved' and of.state <> 'open')",
        ),
    },
    Invariant {
        name: "tender.set_aside",
        rule: "what a card or contract, points or a coupon pay is set aside in the ledger while its payment waits, posted once it is captured, \
               and free once it failed",
        look: Look::Rows(
            "select format('payments/%s is %s, its transfer is %s', payment.id, payment.state, coalesce(transfer.state, 'missing'))
             from payment
                  left join ledger_transfer as transfer on transfer.kind = 'capture' and transfer.source_id = payment.id
             where payment.tender in ('stored_value', 'prepaid_session', 'points_voucher', 'coupon')
               and case payment.state when 'reserved' then transfer.state is distinct from 'pending'
                                      when 'captured' then transfer.state is distinct from 'posted'
                                      else transfer.state in ('pending', 'posted') end",
        ),
    },
    Invariant {
        name: "order_return.lines",
        rule: "no line has given back more than it cost",
        look: Look::Rows(
            "select format('orders/%s: line %s cost %s and has given back %s', of.order_id, line.line_position,
                           cost.amount_minor, sum(line.amount_minor))
             from order_return_line as line join order_return as of on of.id = line.return_id
                  left join order_line as cost on cost.order_id = of.order_id and cost.position = line.line_position
             group by of.order_id, line.line_position, cost.amount_minor
             having cost.amount_minor is null or sum(line.amount_minor) > cost.amount_minor",
        ),
    },
];
