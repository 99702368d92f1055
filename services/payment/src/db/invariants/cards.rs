//! Cards: lots, what is paid with them, and what the ledger owes them.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "card.lots",
        rule: "of the money and the bonus of each lot, what it brought is what is open, spent, refunded and expired, and no \
               more is set aside than is open",
        look: Look::Rows(
            "select format('cardLots/%s: %s of money and %s of bonus too much', id,
                           principal_open_minor + principal_spent_minor + principal_refunded_minor + principal_expired_minor
                               - principal_minor,
                           bonus_open_minor + bonus_spent_minor + bonus_expired_minor - bonus_minor)
             from stored_value_lot
             where principal_minor <> principal_open_minor + principal_spent_minor + principal_refunded_minor
                                    + principal_expired_minor
                or bonus_minor <> bonus_open_minor + bonus_spent_minor + bonus_expired_minor
                or principal_held_minor > principal_open_minor or bonus_held_minor > bonus_open_minor
                or least(principal_open_minor, principal_held_minor, principal_spent_minor, principal_refunded_minor,
                         principal_expired_minor, bonus_open_minor, bonus_held_minor, bonus_spent_minor,
                         bonus_expired_minor) < 0",
        ),
    },
    Invariant {
        name: "card.owed",
        rule: "what is open in a card's lots is what the ledger owes the card, and what is set aside in them is what is \
               reserved there; money and bonus each for itself",
        look: Look::Rows(
            "with lots as (
                 select 'cards/' || card_id as party, sum(principal_open_minor) as principal,
                        sum(principal_held_minor) as principal_held, sum(bonus_open_minor) as bonus,
                        sum(bonus_held_minor) as bonus_held
                 from stored_value_lot group by card_id
             ),
             owed as (
                 select party,
                        sum(posted_minor) filter (where account = 'stored_value_principal') as principal,
                        sum(reserved_minor) filter (where account = 'stored_value_principal') as principal_held,
                        sum(posted_minor) filter (where account = 'stored_value_bonus') as bonus,
                        sum(reserved_minor) filter (where account = 'stored_value_bonus') as bonus_held
                 from ledger_balance where account in ('stored_value_principal', 'stored_value_bonus') group by party
             )
             select format('%s: lots have %s and %s (%s and %s set aside), the ledger owes %s and %s (%s and %s reserved)',
                           card.party, coalesce(lots.principal, 0), coalesce(lots.bonus, 0), coalesce(lots.principal_held, 0),
                           coalesce(lots.bonus_held, 0), coalesce(owed.principal, 0), coalesce(owed.bonus, 0),
                           coalesce(owed.principal_held, 0), coalesce(owed.bonus_held, 0))
             from (select 'cards/' || id as party from stored_value_card) as card
                  left join lots using (party) left join owed using (party)
             where coalesce(lots.principal, 0) <> coalesce(owed.principal, 0)
                or coalesce(lots.bonus, 0) <> coalesce(owed.bonus, 0)
                -- A transfer that has expired is released in the lots a moment later.
                or coalesce(lots.principal_held, 0) < coalesce(owed.principal_held, 0)
                or coalesce(lots.bonus_held, 0) < coalesce(owed.bonus_held, 0)",
        ),
    },
    Invariant {
        name: "card.shares",
        rule: "what is set aside and spent of a lot is what it bears of payments that are held and spent, less what came back",
        look: Look::Rows(
            "with borne as (
                 select share.lot_id,
                        coalesce(sum(share.principal_minor) filter (where of.state = 'held'), 0) as principal_held,
                        coalesce(sum(share.bonus_minor) filter (where of.state = 'held'), 0) as bonus_held,
                        coalesce(sum(share.principal_minor - share.principal_returned_minor)
                                     filter (where of.state = 'spent'), 0) as principal_spent,
                        coalesce(sum(share.bonus_minor - share.bonus_returned_minor)
                                     filter (where of.state = 'spent'), 0) as bonus_spent
                 from stored_value_share as share join stored_value_spending as of on of.id = share.spending_id
                 group by share.lot_id
             )
             select format('cardLots/%s: %s + %s set aside and %s + %s spent, but payments have %s + %s and %s + %s', lot.id,
                           principal_held_minor, bonus_held_minor, principal_spent_minor, bonus_spent_minor,
                           coalesce(principal_held, 0), coalesce(bonus_held, 0), coalesce(principal_spent, 0),
                           coalesce(bonus_spent, 0))
             from stored_value_lot as lot left join borne on borne.lot_id = lot.id
             where principal_held_minor <> coalesce(principal_held, 0) or bonus_held_minor <> coalesce(bonus_held, 0)
                or principal_spent_minor <> coalesce(principal_spent, 0) or bonus_spent_minor <> coalesce(bonus_spent, 0)",
        ),
    },
    Invariant {
        name: "card.top_ups",
        rule: "a top-up has a lot exactly if its order was paid, and no campaign has given away more than its budget",
        look: Look::Rows(
            "select format('orders/%s is %s, its top-up %s, and it has %s lots', of.id, of.state, top_up.state, lots.count)
             from top_up join customer_order as of on of.id = top_up.order_id
                  cross join lateral (select count(*) from stored_value_lot where order_id = of.id) as lots
             where (top_up.state = 'loaded') <> (lots.count = 1) or lots.count > 1
                or of.state = 'paid' and top_up.state <> 'loaded' or of.state = 'deposit_paid' and top_up.state <> 'open'
             union all
             select format('topUpCampaigns/%s has given away %s of %s', id, granted_minor, budget_minor)
             from top_up_campaign where granted_minor > budget_minor",
        ),
    },
    Invariant {
        name: "card.events",
        rule: "each version of a card has exactly one event",
        look: Look::Rows(
            "with told as (
                 select aggregate_id, count(*) as events, count(distinct aggregate_version) as versions,
                        max(aggregate_version) as newest
                 from outbox where type = 'meridian.payment.v1.CardChanged' group by aggregate_id
             )
             select format('cards/%s has version %s and %s events, the newest of version %s', of.id, of.version,
                           coalesce(events, 0), newest)
             from stored_value_card as of left join told on told.aggregate_id = of.id
             where events is distinct from of.version or versions is distinct from of.version
                or newest is distinct from of.version",
        ),
    },
];
