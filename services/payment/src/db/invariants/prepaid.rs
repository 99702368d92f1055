//! Prepaid contracts, their uses and refunds.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "prepaid.owed",
        rule: "what the ledger owes to a contract is what was paid for it less what was earned, and nothing once it has \
               ended; what is set aside is what its reserved uses are worth",
        look: Look::Rows(
            "with due as (
                 select id, state, currency,
                        case when state in ('active', 'used_up', 'expired') then price_minor - recognised_minor else 0 end as debt,
                        (select coalesce(sum(value_minor), 0) from prepaid_use
                          where contract_id = prepaid_contract.id and state = 'reserved') as uses
                 from prepaid_contract
             )
             select format('contracts/%s is %s: %s owed and %s set aside, should be %s and %s', due.id, due.state,
                           coalesce(posted_minor, 0), coalesce(reserved_minor, 0), debt, uses)
             from due left join ledger_balance as balance
                       on balance.account = 'prepaid_liability' and balance.party = 'contracts/' || due.id
                      and balance.currency = due.currency
             where coalesce(posted_minor, 0) <> debt or coalesce(reserved_minor, 0) <> uses",
        ),
    },
    Invariant {
        name: "prepaid.earned",
        rule: "what was earned of a contract for sessions is what those are worth that were had, and breakage; all of it \
               once all were had",
        look: Look::Rows(
            "with had as (
                 select contract.id, state, price_minor, recognised_minor, breakage_minor,
                        (select coalesce(sum(value_minor), 0) from prepaid_use as one
                          where one.contract_id = contract.id and one.state = 'committed') as earned
                 from prepaid_contract as contract
                 where state in ('active', 'used_up', 'expired')
                   and exists (select from prepaid_item where contract_id = contract.id)
             )
             select format('contracts/%s is %s: %s earned, but %s had and %s breakage', id, state, recognised_minor, earned,
                           breakage_minor)
             from had
             where recognised_minor <> earned + breakage_minor or (state = 'used_up' and recognised_minor <> price_minor)",
        ),
    },
    Invariant {
        name: "prepaid.sessions",
        rule: "a payment by a session has a use of its contract, which is decided as the payment is; the session is free again \
               only if all of the payment has gone back",
        look: Look::Rows(
            "select format('payments/%s is %s, its use %s', payment.id, payment.state, coalesce(used.state, 'missing'))
             from payment left join prepaid_use as used on used.payment_id = payment.id
             where payment.tender = 'prepaid_session'
               and (used.contract_id is distinct from payment.source_id
                    or case payment.state when 'reserved' then used.state <> 'reserved'
                                          when 'captured' then used.state not in ('committed', 'returned')
                                          else used.state <> 'voided' end
                    or used.state = 'returned'
                       and payment.amount_minor <> (select coalesce(sum(amount_minor), 0) from refund
                                                    where payment_id = payment.id and refund.state = 'succeeded'))
             union all
             select format('contractUses/%s is of payments/%s, which is by %s', used.id, payment.id, payment.tender)
             from prepaid_use as used join payment on payment.id = used.payment_id
             where payment.tender <> 'prepaid_session'",
        ),
    },
    Invariant {
        name: "prepaid.refunded",
        rule: "a contract that was ended has the quote by which it was; its order gives back what the quote says, to where it \
               was paid from or by hand, and what is beyond all that was paid by hand",
        look: Look::Rows(
            "with going as (
                 select order_id, sum(amount_minor) as minor from refund group by order_id
             ),
             by_hand as (
                 select order_id, sum(price_minor) as price, sum(amount_minor - price_minor) as beyond
                 from payout group by order_id
             )
             select format('contracts/%s: %s and %s beyond by the quote, %s + %s and %s go back', contract.id,
                           quoted.refund_minor - beyond_minor, beyond_minor, coalesce(going.minor, 0), coalesce(price, 0),
                           coalesce(beyond, 0))
             from prepaid_contract as contract
                  left join prepaid_refund as quoted on quoted.contract_id = contract.id
                  left join going on going.order_id = contract.order_id
                  left join by_hand on by_hand.order_id = contract.order_id
             where (contract.state = 'refunded') <> (quoted.contract_id is not null)
                or quoted.refund_minor - beyond_minor <> coalesce(going.minor, 0) + coalesce(price, 0)
                or beyond_minor <> coalesce(beyond, 0)",
        ),
    },
    Invariant {
        name: "prepaid.events",
        rule: "each version of a contract has exactly one event and one line of its history",
        look: Look::Rows(
            "with told as (
                 select aggregate_id, count(*) as events, max(aggregate_version) as newest
                 from outbox where type = 'meridian.payment.v1.ContractChanged' group by aggregate_id
             ),
             noted as (
                 select contract_id, count(*) as lines, max(version) as newest from prepaid_change group by contract_id
             )
             select format('contracts/%s has version %s, %s events and %s lines of history', contract.id, contract.version,
                           coalesce(events, 0), coalesce(lines, 0))
             from prepaid_contract as contract
                  left join told on told.aggregate_id = contract.id left join noted on noted.contract_id = contract.id
             where events is distinct from contract.version or told.newest is distinct from contract.version
                or lines is distinct from contract.version or noted.newest is distinct from contract.version",
        ),
    },
];
