//! Uses of contracts.

use jiff_sqlx::ToSqlx;
use kernel::{
    Money, Timestamp, Uuid,
    ids::{ContractId, ContractUseId, PaymentId, StoreId},
};
use pg::{Error, PgConnection, Result};

use super::super::{currency, money};
use crate::domain::prepaid::{Use, UseState};

/// Stores a new use of a contract that this transaction has locked.
#[tracing::instrument(name = "db.prepaid_use.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, one: &Use) -> Result<()> {
    sqlx::query!(
        "insert into prepaid_use (id, contract_id, item, item_position, ordinal, store_id, value_minor, state, create_time,
                                  payment_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        one.id.uuid(),
        one.contract.uuid(),
        one.item,
        one.position.and_then(|position| i32::try_from(position).ok()),
        i32::try_from(one.ordinal).unwrap_or(i32::MAX),
        one.store.uuid(),
        one.value.minor(),
        one.state.as_str(),
        one.create_time.to_sqlx() as _,
        one.payment.map(PaymentId::uuid),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores how a use was decided.
#[tracing::instrument(name = "db.prepaid_use.decide", skip_all)]
pub async fn decide(conn: &mut PgConnection, one: &Use) -> Result<()> {
    sqlx::query!(
        "update prepaid_use set state = $2, decide_time = $3, return_time = $4 where id = $1",
        one.id.uuid(),
        one.state.as_str(),
        one.state.decide_time().map(|time| time.to_sqlx()) as _,
        one.state.return_time().map(|time| time.to_sqlx()) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a use. `None` if there is none of that id.
#[tracing::instrument(name = "db.prepaid_use.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: ContractUseId) -> Result<Option<Use>> {
    let row = sqlx::query!(
        "select contract_id, item, item_position, ordinal, prepaid_use.store_id, value_minor, currency,
                prepaid_use.state, prepaid_use.create_time, decide_time, return_time, payment_id
         from prepaid_use join prepaid_contract as contract on contract.id = contract_id
         where prepaid_use.id = $1",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (decided, returned) = (row.decide_time, row.return_time);
    let time = |time: Option<jiff_sqlx::Timestamp>| time.map(jiff_sqlx::Timestamp::to_jiff);
    let state = UseState::from_stored(&row.state, time(decided), time(returned));
    let value: Money = money(currency("prepaid_contract", row.contract_id, &row.currency)?)(row.value_minor);
    Ok(Some(Use {
        id,
        contract: ContractId::from_uuid(row.contract_id),
        item: row.item,
        position: row.item_position.and_then(|position| usize::try_from(position).ok()),
        ordinal: u32::try_from(row.ordinal).unwrap_or_default(),
        store: StoreId::from_uuid(row.store_id),
        value,
        payment: row.payment_id.map(PaymentId::from_uuid),
        state: state.ok_or_else(|| Error::inconsistent("prepaid_use", id, format!("is {}", row.state)))?,
        create_time: row.create_time.to_jiff(),
    }))
}

/// When which item of a contract was had, in order.
#[tracing::instrument(name = "db.prepaid_use.had", skip_all)]
pub async fn had(conn: &mut PgConnection, contract: Uuid) -> Result<Vec<(Timestamp, usize)>> {
    let rows = sqlx::query!(
        r#"select decide_time as "decide_time!", item_position as "item_position!" from prepaid_use
           where contract_id = $1 and state = 'committed' and item_position is not null order by decide_time, id"#,
        contract,
    )
    .fetch_all(conn)
    .await?;
    let had = rows.into_iter().map(|row| {
        let position = usize::try_from(row.item_position).unwrap_or_default();
        (row.decide_time.to_jiff(), position)
    });
    Ok(had.collect())
}
