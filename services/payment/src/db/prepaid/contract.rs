//! Storing contracts.

use jiff_sqlx::ToSqlx;
use kernel::Timestamp;
use pg::{Error, PgConnection, Result};

use crate::domain::{
    prepaid::{Change, Contract},
    refund_law::{DeliveredTerm, InterestFrom, KnownService},
};

/// Stores a new contract. `false` if there is one of that id; then nothing is stored.
#[tracing::instrument(name = "db.prepaid_contract.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, contract: &Contract) -> Result<bool> {
    let terms = &contract.terms;
    let refund = &terms.refund;
    let currency = terms.price.currency();
    let share = match refund.delivered {
        Some(DeliveredTerm::ShareOfList(share)) => Some(ppm(share.0)),
        _ => None,
    };
    let inserted = sqlx::query!(
        "insert into prepaid_contract (id, order_id, store_id, buyer_id, holder_id, time_zone, currency, price_minor, days,
                                       max_freeze_days, known_service, cooling_off_days, cooling_off_known,
                                       at_discount_price, share_of_list_ppm, interest_rate_ppm, interest_from, state,
                                       recognised_minor, breakage_minor, create_time, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0, 0, $19, $20)
         on conflict (id) do nothing",
        contract.id.uuid(),
        contract.order.uuid(),
        contract.store.uuid(),
        contract.buyer.uuid(),
        contract.holder.uuid(),
        contract.time_zone,
        currency.code(),
        terms.price.minor(),
        terms.days.map(i32::from),
        i32::from(terms.max_freeze_days),
        known_service(terms.known_service),
        refund.cooling_off.map(|agreed| i32::from(agreed.days)),
        refund.cooling_off.is_some_and(|agreed| agreed.for_known_service),
        refund.delivered == Some(DeliveredTerm::DiscountPrice),
        share,
        refund.interest_rate.map(|rate| ppm(rate.0)),
        refund.interest_from.and_then(interest_from),
        contract.state.as_str(),
        contract.create_time.to_sqlx() as _,
        contract.version,
    )
    .execute(&mut *conn)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    for (position, item) in (0_i32..).zip(&terms.items) {
        sqlx::query!(
            "insert into prepaid_item (contract_id, position, item, display_name, quantity, bonus, list_minor)
             values ($1, $2, $3, $4, $5, $6, $7)",
            contract.id.uuid(),
            position,
            item.item,
            item.display_name,
            i32::try_from(item.quantity).unwrap_or(i32::MAX),
            i32::try_from(item.bonus).unwrap_or(i32::MAX),
            item.list_price.minor(),
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(true)
}

/// Terms are checked to be a million at most.
fn ppm(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn known_service(known: KnownService) -> &'static str {
    match known {
        KnownService::New => "new",
        KnownService::FromThisMerchant => "this_merchant",
        KnownService::FromAnotherMerchant => "another_merchant",
    }
}

/// A day can't be agreed on ahead.
fn interest_from(from: InterestFrom) -> Option<&'static str> {
    match from {
        InterestFrom::Payment => Some("payment"),
        InterestFrom::Request => Some("request"),
        InterestFrom::Day(_) => None,
    }
}

/// Stores what may have changed of a contract that this transaction has locked when it had version `before`. Its
/// sessions are stored by their uses.
#[tracing::instrument(name = "db.prepaid_contract.save", skip_all)]
pub async fn save(conn: &mut PgConnection, before: i64, contract: &Contract) -> Result<()> {
    let updated = sqlx::query!(
        "update prepaid_contract
         set holder_id = $3, state = $4, start_date = $5, end_date = $6, recognised_minor = $7, breakage_minor = $8,
             version = $9
         where id = $1 and version = $2",
        contract.id.uuid(),
        before,
        contract.holder.uuid(),
        contract.state.as_str(),
        contract.start.map(|date| date.to_sqlx()) as _,
        contract.end.map(|date| date.to_sqlx()) as _,
        contract.recognised.minor(),
        contract.breakage.minor(),
        contract.version,
    )
    .execute(&mut *conn)
    .await?;
    if updated.rows_affected() != 1 {
        return Err(Error::inconsistent("prepaid_contract", contract.id, "was changed without being locked"));
    }
    let first: Vec<_> = contract.frozen.iter().map(|days| days.first.to_sqlx()).collect();
    let last: Vec<_> = contract.frozen.iter().map(|days| days.last.to_sqlx()).collect();
    sqlx::query!(
        "delete from prepaid_freeze where contract_id = $1 and first_date <> all($2::date[])",
        contract.id.uuid(),
        &first as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into prepaid_freeze (contract_id, first_date, last_date)
         select $1, days.* from unnest($2::date[], $3::date[]) as days
         on conflict (contract_id, first_date) do update set last_date = excluded.last_date",
        contract.id.uuid(),
        &first as _,
        &last as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes what happened to a contract.
#[tracing::instrument(name = "db.prepaid_change.record", skip_all)]
pub async fn record_change(
    conn: &mut PgConnection,
    now: Timestamp,
    contract: &Contract,
    actor: &str,
    change: &Change,
) -> Result<()> {
    sqlx::query!(
        "insert into prepaid_change (contract_id, version, create_time, actor, change, about)
         values ($1, $2, $3, $4, $5, $6)",
        contract.id.uuid(),
        change.version,
        now.to_sqlx() as _,
        actor,
        change.word,
        change.about,
    )
    .execute(conn)
    .await?;
    Ok(())
}
