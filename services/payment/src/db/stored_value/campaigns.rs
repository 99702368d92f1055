//! Campaigns.

use jiff_sqlx::ToSqlx;
use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{StoreId, TopUpCampaignId},
};
use pg::{Error, PgConnection, Result};

use super::{
    super::{currency, money},
    After,
};
use crate::domain::stored_value::Campaign;

/// Stores a new campaign.
#[tracing::instrument(name = "db.top_up_campaign.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, campaign: &Campaign) -> Result<()> {
    let currency = campaign.currency();
    sqlx::query!(
        "insert into top_up_campaign (id, store_id, display_name, currency, threshold_minor, bonus_minor, start_time,
                                      end_time, bonus_days, per_card, budget_minor, granted_minor, create_time, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        campaign.id.uuid(),
        campaign.store.map(StoreId::uuid),
        campaign.display_name,
        currency.code(),
        campaign.threshold.minor(),
        campaign.bonus.minor(),
        campaign.start_time.to_sqlx() as _,
        campaign.end_time.map(|time| time.to_sqlx()) as _,
        stored(campaign.bonus_days),
        stored(campaign.per_card),
        campaign.budget.map(Money::minor),
        campaign.granted.minor(),
        campaign.create_time.to_sqlx() as _,
        campaign.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores what can be changed of a campaign.
#[tracing::instrument(name = "db.top_up_campaign.update", skip_all)]
pub async fn update(conn: &mut PgConnection, campaign: &Campaign) -> Result<()> {
    sqlx::query!(
        "update top_up_campaign set display_name = $2, end_time = $3, per_card = $4, budget_minor = $5, version = $6
         where id = $1",
        campaign.id.uuid(),
        campaign.display_name,
        campaign.end_time.map(|time| time.to_sqlx()) as _,
        stored(campaign.per_card),
        campaign.budget.map(Money::minor),
        campaign.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks a campaign, then reads it. `None` if there is none of that id.
#[tracing::instrument(name = "db.top_up_campaign.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: TopUpCampaignId) -> Result<Option<Campaign>> {
    // Read by a statement of its own after the lock: only that one sees what the holder before us has committed.
    sqlx::query!("select id from top_up_campaign where id = $1 for update", id.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    get(conn, id).await
}

/// Reads a campaign. `None` if there is none of that id.
#[tracing::instrument(name = "db.top_up_campaign.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: TopUpCampaignId) -> Result<Option<Campaign>> {
    let row = sqlx::query_as!(Row, "select id, store_id, display_name, currency, threshold_minor, bonus_minor, start_time, end_time, bonus_days, per_card,
                budget_minor, granted_minor, create_time, version
         from top_up_campaign where id = $1", id.uuid());
    row.fetch_optional(conn).await?.map(Row::read).transpose()
}

/// Campaigns of a store, those of the whole chain included, or all; the newest first, `limit` at most.
#[tracing::instrument(name = "db.top_up_campaign.list", skip_all)]
pub async fn list(conn: &mut PgConnection, store: Option<StoreId>, after: After, limit: i64) -> Result<Vec<Campaign>> {
    let (time, id) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, store_id, display_name, currency, threshold_minor, bonus_minor, start_time, end_time, bonus_days, per_card,
                budget_minor, granted_minor, create_time, version
         from top_up_campaign
         where ($1::uuid is null or store_id is null or store_id = $1)
           and ($2::timestamptz is null or (create_time, id) < ($2, $3))
         order by create_time desc, id desc limit $4",
        store.map(StoreId::uuid),
        time.map(|time| time.to_sqlx()) as _,
        id,
        limit,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// Campaigns that hold at `now` for cards of a store.
#[tracing::instrument(name = "db.top_up_campaign.running", skip_all)]
pub async fn running(
    conn: &mut PgConnection,
    store: StoreId,
    currency: Currency,
    now: Timestamp,
) -> Result<Vec<Campaign>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, store_id, display_name, currency, threshold_minor, bonus_minor, start_time, end_time, bonus_days, per_card,
                budget_minor, granted_minor, create_time, version
         from top_up_campaign
         where currency = $1 and (store_id is null or store_id = $2) and start_time <= $3
           and (end_time is null or end_time > $3)",
        currency.code(),
        store.uuid(),
        now.to_sqlx() as _,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// Promises a bonus; `false` if the budget has not so much left. A bonus below zero takes a promise back.
#[tracing::instrument(name = "db.top_up_campaign.promise", skip_all)]
pub async fn promise(conn: &mut PgConnection, id: TopUpCampaignId, bonus: Money) -> Result<bool> {
    let promised = sqlx::query!(
        "update top_up_campaign set granted_minor = granted_minor + $2
         where id = $1 and (budget_minor is null or granted_minor + $2 <= budget_minor)",
        id.uuid(),
        bonus.minor(),
    );
    Ok(promised.execute(conn).await?.rows_affected() == 1)
}

fn stored(count: Option<u32>) -> Option<i32> {
    count.and_then(|count| i32::try_from(count).ok())
}

struct Row {
    id: Uuid,
    store_id: Option<Uuid>,
    display_name: String,
    currency: String,
    threshold_minor: i64,
    bonus_minor: i64,
    start_time: jiff_sqlx::Timestamp,
    end_time: Option<jiff_sqlx::Timestamp>,
    bonus_days: Option<i32>,
    per_card: Option<i32>,
    budget_minor: Option<i64>,
    granted_minor: i64,
    create_time: jiff_sqlx::Timestamp,
    version: i64,
}

impl Row {
    fn read(self) -> Result<Campaign> {
        let money = money(currency("top_up_campaign", self.id, &self.currency)?);
        let count = |stored: Option<i32>| stored.map(u32::try_from).transpose();
        let below_zero = |error| Error::inconsistent("top_up_campaign", self.id, error);
        Ok(Campaign {
            id: TopUpCampaignId::from_uuid(self.id),
            store: self.store_id.map(StoreId::from_uuid),
            display_name: self.display_name,
            threshold: money(self.threshold_minor),
            bonus: money(self.bonus_minor),
            start_time: self.start_time.to_jiff(),
            end_time: self.end_time.map(jiff_sqlx::Timestamp::to_jiff),
            bonus_days: count(self.bonus_days).map_err(below_zero)?,
            per_card: count(self.per_card).map_err(below_zero)?,
            budget: self.budget_minor.map(&money),
            granted: money(self.granted_minor),
            create_time: self.create_time.to_jiff(),
            version: self.version,
        })
    }
}
