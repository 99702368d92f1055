//! What other services keep that pays a part of an order.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "peer_tender.payment",
        rule: "what a payment by points or a coupon counts on is set aside, spent or free as the payment says, with its amount \
               and source; and nothing is spent without a payment",
        look: Look::Rows(
            "select format('payments/%s is %s, its keeper has %s', coalesce(payment.id, kept.payment_id),
                           coalesce(payment.state, 'missing'), coalesce(kept.state, 'nothing'))
             from (select * from payment where tender in ('points_voucher', 'coupon')) as payment
                  full join peer_tender as kept on kept.payment_id = payment.id
             where (payment.id is null and kept.state not in ('asked', 'voided'))
                or (payment.id is not null
                    and (kept.state is distinct from case payment.state when 'failed' then 'voided' else payment.state end
                         or (kept.amount_minor, kept.tender, kept.order_id, kept.checkout_id)
                            <> (payment.amount_minor, payment.tender, payment.order_id, payment.checkout_id)
                         or kept.source_id is distinct from payment.source_id))",
        ),
    },
    Invariant {
        name: "peer_tender.returned",
        rule: "what goes back of a payment by points or a coupon is what was refunded of it, once for each refund",
        look: Look::Rows(
            "select format('refunds/%s gives back %s, its keeper gets %s', coalesce(refund.id, back.refund_id),
                           coalesce(refund.amount_minor, 0), coalesce(back.amount_minor, 0))
             from (select refund.* from refund join payment on payment.id = refund.payment_id
                   where payment.tender in ('points_voucher', 'coupon') and refund.state = 'succeeded') as refund
                  full join peer_tender_return as back on back.refund_id = refund.id
             where (refund.amount_minor, refund.payment_id) is distinct from (back.amount_minor, back.payment_id)",
        ),
    },
    Invariant {
        name: "peer_tender.told",
        rule: "who keeps a tender knows what was decided and what went back, or is still to be told, and has not refused it",
        look: Look::Rows(
            "with due as (
                 select payment_id, state as what, tell_time, trouble from peer_tender where state in ('captured', 'voided')
                 union all select payment_id, 'a return', tell_time, trouble from peer_tender_return
                 union all select payment_id, state, null, null from peer_tender where state = 'asked'
             )
             select format('payments/%s: %s is not known to its keeper: %s', payment_id, what,
                           coalesce(trouble, 'and nobody tells him'))
             from due
             where trouble is not null
                or (tell_time is null
                    and not exists (select from task where aggregate_id = payment_id and done_time is null))",
        ),
    },
];
