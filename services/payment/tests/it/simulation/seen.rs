//! What is seen from outside: by the tables of one store, in one look.

use kernel::{Uuid, ids::StoreId};
use pg::Pg;
use serde_json::Value;

/// A payment's names.
#[derive(Debug, Clone)]
pub struct PayId {
    pub id: Uuid,
    /// Where it can be paid, if that is known here.
    pub uri: Option<String>,
    /// The checkout that it is of.
    pub checkout: Option<Uuid>,
}

/// What is seen of one store.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What the model tells too, in its form.
    pub face: Value,
    /// All of it, to see whether anything has changed.
    pub text: String,
    /// The orders and their payments.
    pub orders: Vec<(Uuid, Vec<PayId>)>,
    /// The card that is not replaced.
    pub card: Option<Uuid>,
    /// The contract, and what the law gave beyond what was paid.
    pub contract: Option<(Uuid, i64)>,
    /// The uses and what they are worth.
    pub uses: Vec<(Uuid, i64)>,
}

/// Everything of a store. `wrong` is what must not be, whatever the model says: the issue's rules as far as they are about
/// rows of one store.
const LOOK: &str = r#"
select jsonb_build_object(
  'orders', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'state', o.state,
      'figures', jsonb_build_array(o.total_minor, o.discount_minor, o.paid_minor, o.refunded_minor),
      'lines', (select jsonb_agg(jsonb_build_array(amount_minor, discount_minor) order by position)
                from order_line where order_id = o.id),
      'pays', (select coalesce(jsonb_agg(jsonb_build_array(tender, amount_minor, state, coalesce(surplus, false)) order by position), '[]')
               from payment where order_id = o.id),
      'backs', (select coalesce(jsonb_agg(jsonb_build_array(p.position, r.amount_minor, r.state = 'succeeded',
                                                            r.reason = 'PRICE_LOWERED') order by r.position), '[]')
                from refund r join payment p on p.id = r.payment_id where r.order_id = o.id)
    ) order by o.create_time, o.id), '[]')
    from customer_order o where o.store_id = $1),
  'cards', (
    select coalesce(jsonb_agg(jsonb_build_array(c.state, coalesce(p.posted_minor, 0), coalesce(p.reserved_minor, 0),
                                                coalesce(b.posted_minor, 0), coalesce(b.reserved_minor, 0))
                              order by c.create_time, c.id), '[]')
    from stored_value_card c
    left join ledger_balance p on p.party = 'cards/' || c.id and p.account = 'stored_value_principal' and p.currency = 'CNY'
    left join ledger_balance b on b.party = 'cards/' || c.id and b.account = 'stored_value_bonus' and b.currency = 'CNY'
    where c.store_id = $1),
  'lots', (
    select coalesce(jsonb_agg(jsonb_build_array(
      jsonb_build_array(principal_minor, principal_open_minor, principal_held_minor, principal_spent_minor,
                        principal_refunded_minor, principal_expired_minor),
      jsonb_build_array(bonus_minor, bonus_open_minor, bonus_held_minor, bonus_spent_minor, bonus_expired_minor)
    ) order by l.create_time, l.id), '[]')
    from stored_value_lot l join stored_value_card c on c.id = l.card_id where c.store_id = $1),
  'contracts', (
    select coalesce(jsonb_agg(jsonb_build_array(
      c.state, c.end_date - date '1970-01-01' + 1, c.recognised_minor, coalesce(b.posted_minor, 0), coalesce(b.reserved_minor, 0),
      (select coalesce(jsonb_agg(state order by create_time, id), '[]') from prepaid_use where contract_id = c.id))), '[]')
    from prepaid_contract c
    left join ledger_balance b on b.party = 'contracts/' || c.id and b.account = 'prepaid_liability' and b.currency = 'CNY'
    where c.store_id = $1),
  'books', (
    select coalesce(jsonb_object_agg(account, fen), '{}')
    from (select account || case when account = 'provider_receivable' then ' ' || party else '' end as account, sum(amount_minor) as fen
          from ledger_entry where store_id = $1 group by 1 having sum(amount_minor) <> 0) as books),
  'wrong', (
    select coalesce(jsonb_agg(what), '[]') from (
      select 'a transaction does not balance: ' || transaction_id from ledger_entry where store_id = $1
       group by transaction_id, currency having sum(amount_minor) <> 0
      union all
      select 'the events of ' || o.id || ' are not 1, 2, 3' from customer_order o where store_id = $1
         and o.version <> (select count(*) from outbox where aggregate_id = o.id)
      union all
      select 'the events of ' || c.id || ' are not 1, 2, 3' from stored_value_card c where store_id = $1
         and c.version <> (select count(*) from outbox where aggregate_id = c.id)
      union all
      select 'the events of ' || c.id || ' are not 1, 2, 3' from prepaid_contract c where store_id = $1
         and c.version <> (select count(*) from outbox where aggregate_id = c.id)
    ) as wrong (what))
) as face,
jsonb_build_object(
  'orders', (
    select coalesce(jsonb_agg(jsonb_build_array(o.id, (
      select coalesce(jsonb_agg(jsonb_build_array(id, pay_uri, checkout_id) order by position), '[]')
      from payment where order_id = o.id)) order by o.create_time, o.id), '[]')
    from customer_order o where o.store_id = $1),
  'card', (select id from stored_value_card where store_id = $1 and replaced_by is null limit 1),
  'contract', (select jsonb_build_array(c.id, coalesce(r.beyond_minor, 0))
               from prepaid_contract c left join prepaid_refund r on r.contract_id = c.id where c.store_id = $1 limit 1),
  'uses', (select coalesce(jsonb_agg(jsonb_build_array(u.id, u.value_minor) order by u.create_time, u.id), '[]')
           from prepaid_use u join prepaid_contract c on c.id = u.contract_id where c.store_id = $1),
  'transactions', (select count(distinct transaction_id) from ledger_entry where store_id = $1)
) as names"#;

impl Seen {
    /// Looks.
    pub async fn look(pg: &Pg, store: StoreId) -> Self {
        let (face, names): (Value, Value) =
            sqlx::query_as(LOOK).bind(store.uuid()).fetch_one(pg.pool()).await.expect("the tables");
        let uuid = |value: &Value| value.as_str().map(|text| text.parse::<Uuid>().expect("an id"));
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let pay = |pay: &Value| PayId {
            id: uuid(&pay[0]).expect("a payment has one"),
            uri: pay[1].as_str().map(str::to_owned),
            checkout: uuid(&pay[2]),
        };
        let order =
            |order: &Value| (uuid(&order[0]).expect("an order has one"), list(&order[1]).iter().map(pay).collect());
        let valued = |value: &Value| uuid(&value[0]).map(|id| (id, value[1].as_i64().expect("an amount")));
        Self {
            text: format!("{face} {names}"),
            orders: list(&names["orders"]).iter().map(order).collect(),
            card: uuid(&names["card"]),
            contract: valued(&names["contract"]),
            uses: list(&names["uses"]).iter().filter_map(valued).collect(),
            face,
        }
    }
}
