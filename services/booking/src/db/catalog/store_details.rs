//! What is not needed to find a time at a store: licences, its own rules, what a cancellation costs.

use std::collections::HashMap;

use kernel::{Timestamp, Uuid, ids::StoreId};
use pg::PgConnection;

use crate::db::sql_date;
use crate::domain::{
    catalog::StoreDetails,
    licence::{Licence, LicenceKind, first_warning},
    policy::{AssignmentPolicy, CancellationTier, OwnPolicy},
};

/// Reads the details of stores; each of them has an entry.
#[tracing::instrument(name = "db.store_details.get", skip_all)]
pub async fn store_details(conn: &mut PgConnection, ids: &[StoreId]) -> pg::Result<HashMap<StoreId, StoreDetails>> {
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let mut all: HashMap<StoreId, StoreDetails> = ids.iter().map(|id| (*id, StoreDetails::default())).collect();
    let licences = sqlx::query!(
        r#"select store_id, kind, number, expire_date as "expire_date: jiff_sqlx::Date" from store_licence
           where store_id = any($1) order by store_id, expire_date, kind collate "C", number collate "C""#,
        &uuids
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in licences {
        let kind = LicenceKind::parse(&row.kind)
            .ok_or_else(|| pg::Error::inconsistent("store_licence", row.store_id, "unknown kind"))?;
        let licence = Licence { kind, number: row.number, expire_date: row.expire_date.to_jiff() };
        all.entry(StoreId::from_uuid(row.store_id)).or_default().licences.push(licence);
    }
    let policies =
        sqlx::query!("select * from store_policy where store_id = any($1)", &uuids).fetch_all(&mut *conn).await?;
    for row in policies {
        let assignment = match row.assignment.as_deref().map(AssignmentPolicy::parse) {
            Some(None) => {
                return Err(pg::Error::inconsistent("store_policy", row.store_id, "unknown assignment policy"));
            }
            known => known.flatten(),
        };
        all.entry(StoreId::from_uuid(row.store_id)).or_default().policy = OwnPolicy {
            assignment,
            hold_minutes: row.hold_minutes,
            hold_limit_minutes: row.hold_limit_minutes,
            lead_minutes: row.lead_minutes,
            no_show_grace_minutes: row.no_show_grace_minutes,
            waitlist_offer_minutes: row.waitlist_offer_minutes,
            check_in_minutes: row.check_in_minutes,
            max_minutes_in_row: row.max_minutes_in_row,
            max_minutes_per_day: row.max_minutes_per_day,
            rest_minutes: row.rest_minutes,
            partner_quota: row.partner_quota,
        };
    }
    let tiers = sqlx::query!(
        "select store_id, notice_minutes, fee_basis_points from cancellation_tier
         where store_id = any($1) and item_id is null order by store_id, notice_minutes desc",
        &uuids
    )
    .fetch_all(conn)
    .await?;
    for row in tiers {
        let tier = CancellationTier {
            notice_minutes: i64::from(row.notice_minutes),
            fee_basis_points: super::narrow("cancellation_tier", row.store_id, i64::from(row.fee_basis_points))?,
        };
        all.entry(StoreId::from_uuid(row.store_id)).or_default().cancellation.push(tier);
    }
    Ok(all)
}

/// Stores the details of a store. A licence that stays as it is keeps what has been told of it; one that got another date
/// is told of anew.
#[tracing::instrument(name = "db.store_details.put", skip_all)]
pub async fn put_store_details(
    conn: &mut PgConnection,
    id: StoreId,
    details: &StoreDetails,
    now: Timestamp,
) -> pg::Result<()> {
    put_licences(&mut *conn, id, &details.licences, now).await?;
    put_policy(&mut *conn, id, &details.policy).await?;
    sqlx::query!("delete from cancellation_tier where store_id = $1 and item_id is null", id.uuid())
        .execute(&mut *conn)
        .await?;
    for tier in &details.cancellation {
        sqlx::query!(
            "insert into cancellation_tier (store_id, notice_minutes, fee_basis_points) values ($1, $2, $3)",
            id.uuid(),
            super::narrow::<i32>("cancellation_tier", id, tier.notice_minutes)?,
            super::narrow::<i32>("cancellation_tier", id, i64::from(tier.fee_basis_points))?,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

async fn put_licences(conn: &mut PgConnection, id: StoreId, licences: &[Licence], now: Timestamp) -> pg::Result<()> {
    let kinds: Vec<String> = licences.iter().map(|licence| licence.kind.as_str().to_owned()).collect();
    let numbers: Vec<String> = licences.iter().map(|licence| licence.number.clone()).collect();
    sqlx::query!(
        "delete from store_licence
         where store_id = $1 and (kind, number) not in (select * from unnest($2::text[], $3::text[]))",
        id.uuid(),
        &kinds,
        &numbers,
    )
    .execute(&mut *conn)
    .await?;
    for licence in licences {
        sqlx::query!(
            "insert into store_licence (id, store_id, kind, number, expire_date, warning_date)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (store_id, kind, number) do update
                 set expire_date = excluded.expire_date, warning_date = excluded.warning_date
                 where store_licence.expire_date <> excluded.expire_date",
            kernel::ids::uuid_v7(now),
            id.uuid(),
            licence.kind.as_str(),
            licence.number,
            sql_date(licence.expire_date) as _,
            sql_date(first_warning(licence.expire_date)) as _,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

async fn put_policy(conn: &mut PgConnection, id: StoreId, policy: &OwnPolicy) -> pg::Result<()> {
    sqlx::query!("delete from store_policy where store_id = $1", id.uuid()).execute(&mut *conn).await?;
    if policy.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into store_policy (store_id, assignment, hold_minutes, hold_limit_minutes, lead_minutes,
                                   no_show_grace_minutes, waitlist_offer_minutes, max_minutes_in_row,
                                   max_minutes_per_day, rest_minutes, partner_quota, check_in_minutes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        id.uuid(),
        policy.assignment.map(AssignmentPolicy::as_str),
        policy.hold_minutes,
        policy.hold_limit_minutes,
        policy.lead_minutes,
        policy.no_show_grace_minutes,
        policy.waitlist_offer_minutes,
        policy.max_minutes_in_row,
        policy.max_minutes_per_day,
        policy.rest_minutes,
        policy.partner_quota,
        policy.check_in_minutes,
    )
    .execute(conn)
    .await?;
    Ok(())
}
