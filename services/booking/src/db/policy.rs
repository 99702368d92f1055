//! The rules of stores.

use kernel::ids::{ItemId, StoreId};
use pg::PgConnection;

use crate::{
    config::Policy,
    domain::cancellation::Rule,
    domain::policy::{AssignmentPolicy, CancellationTier, StorePolicy, WorkLimits},
};

/// Reads the rules of a store: its own where it has some, else the chain's.
#[tracing::instrument(name = "db.store_policy.get", skip_all)]
pub async fn of_store(conn: &mut PgConnection, chain: &Policy, store: StoreId) -> pg::Result<StorePolicy> {
    let chain = chain.store_defaults();
    let row = sqlx::query!("select * from store_policy where store_id = $1", store.uuid()).fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(chain) };
    let assignment = match row.assignment.as_deref().map(AssignmentPolicy::parse) {
        None => chain.assignment,
        Some(Some(policy)) => policy,
        Some(None) => return Err(pg::Error::inconsistent("store_policy", store, "unknown assignment policy")),
    };
    let limit = |minutes: Option<i32>| minutes.filter(|minutes| *minutes > 0).map(i64::from);
    Ok(StorePolicy {
        assignment,
        hold_minutes: row.hold_minutes.map_or(chain.hold_minutes, i64::from),
        hold_limit_minutes: row.hold_limit_minutes.map_or(chain.hold_limit_minutes, i64::from),
        lead_minutes: row.lead_minutes.map_or(chain.lead_minutes, i64::from),
        no_show_grace_minutes: row.no_show_grace_minutes.map_or(chain.no_show_grace_minutes, i64::from),
        waitlist_offer_minutes: row.waitlist_offer_minutes.map_or(chain.waitlist_offer_minutes, i64::from),
        check_in_minutes: row.check_in_minutes.map_or(chain.check_in_minutes, i64::from),
        limits: WorkLimits {
            in_row: limit(row.max_minutes_in_row),
            per_day: limit(row.max_minutes_per_day),
            rest: row.rest_minutes.map_or(0, i64::from),
        },
        partner_quota: row.partner_quota.map(i64::from),
    })
}

/// Reads what a cancellation of `item` at `store` costs: by the item's own tiers, else the store's, else the chain's rule.
#[tracing::instrument(name = "db.cancellation_tier.list", skip_all)]
pub async fn cancellation(conn: &mut PgConnection, chain: &Policy, store: StoreId, item: ItemId) -> pg::Result<Rule> {
    let rows = sqlx::query!(
        "select item_id, notice_minutes, fee_basis_points from cancellation_tier
         where store_id = $1 and (item_id is null or item_id = $2)",
        store.uuid(),
        item.uuid(),
    )
    .fetch_all(conn)
    .await?;
    if rows.is_empty() {
        return Ok(Rule::Deposit { notice: chain.cancel_notice() });
    }
    let own = rows.iter().any(|row| row.item_id.is_some());
    let tiers = rows
        .iter()
        .filter(|row| row.item_id.is_some() == own)
        .map(|row| {
            Ok(CancellationTier {
                notice_minutes: i64::from(row.notice_minutes),
                fee_basis_points: u32::try_from(row.fee_basis_points)
                    .map_err(|_| pg::Error::inconsistent("cancellation_tier", store, "a negative fee"))?,
            })
        })
        .collect::<pg::Result<_>>()?;
    Ok(Rule::Tiers { own, tiers })
}
