//! Top-ups from their order to their lot.

use jiff_sqlx::ToSqlx;
use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{CardId, OrderId, StoreId, TopUpCampaignId},
};
use pg::{PgConnection, Result};

use super::super::{currency, money};

/// A top-up that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUp {
    /// The order that is to be paid.
    pub order: OrderId,
    /// The card that it is for.
    pub card: CardId,
    /// The store that has issued the card.
    pub store: StoreId,
    /// How much is paid.
    pub amount: Money,
    /// What was promised: which campaign gives how much bonus, good for how many days (`None`: for ever).
    pub promised: Option<(TopUpCampaignId, Money, Option<u32>)>,
    /// When it was begun.
    pub create_time: Timestamp,
    /// When it ends if it is not paid.
    pub expire_time: Timestamp,
}

/// Stores a top-up that was begun.
#[tracing::instrument(name = "db.top_up.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, top_up: &TopUp) -> Result<()> {
    let currency = top_up.amount.currency();
    let promised = top_up.promised;
    sqlx::query!(
        "insert into top_up (order_id, card_id, store_id, currency, amount_minor, campaign_id, bonus_minor, bonus_days, state,
                             create_time, expire_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10)",
        top_up.order.uuid(),
        top_up.card.uuid(),
        top_up.store.uuid(),
        currency.code(),
        top_up.amount.minor(),
        promised.map(|(campaign, ..)| campaign.uuid()),
        promised.map_or(0, |(_, bonus, _)| bonus.minor()),
        promised.and_then(|(.., days)| days).and_then(|days| i32::try_from(days).ok()),
        top_up.create_time.to_sqlx() as _,
        top_up.expire_time.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a top-up becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is paid: there is a lot.
    Loaded,
    /// It was not paid in time.
    Lapsed,
}

/// Ends a top-up; `None` if it has ended already, or the order is of none.
#[tracing::instrument(name = "db.top_up.end", skip_all)]
pub async fn end(conn: &mut PgConnection, order: OrderId, end: End) -> Result<Option<TopUp>> {
    let word = match end {
        End::Loaded => "loaded",
        End::Lapsed => "lapsed",
    };
    let row = sqlx::query_as!(
        Row,
        "update top_up set state = $2 where order_id = $1 and state = 'open'
         returning order_id, card_id, store_id, currency, amount_minor, campaign_id, bonus_minor, bonus_days, create_time,
                   expire_time",
        order.uuid(),
        word,
    );
    row.fetch_optional(conn).await?.map(Row::read).transpose()
}

/// The money of a card's top-ups that are under way.
#[tracing::instrument(name = "db.top_up.under_way", skip_all)]
pub async fn under_way(conn: &mut PgConnection, card: CardId, of: Currency) -> Result<Money> {
    let sum = sqlx::query_scalar!(
        r#"select coalesce(sum(amount_minor), 0)::bigint as "sum!" from top_up where card_id = $1 and state = 'open'"#,
        card.uuid(),
    );
    Ok(Money::new(sum.fetch_one(conn).await?, of))
}

/// Orders of top-ups that were not paid in time, at most `limit`.
#[tracing::instrument(name = "db.top_up.due", skip_all)]
pub async fn due(conn: &mut PgConnection, now: Timestamp, limit: i64) -> Result<Vec<OrderId>> {
    let rows = sqlx::query_scalar!(
        "select order_id from top_up where state = 'open' and expire_time <= $1 order by expire_time, order_id limit $2",
        now.to_sqlx() as _,
        limit,
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(OrderId::from_uuid).collect())
}

struct Row {
    order_id: Uuid,
    card_id: Uuid,
    store_id: Uuid,
    currency: String,
    amount_minor: i64,
    campaign_id: Option<Uuid>,
    bonus_minor: i64,
    bonus_days: Option<i32>,
    create_time: jiff_sqlx::Timestamp,
    expire_time: jiff_sqlx::Timestamp,
}

impl Row {
    fn read(self) -> Result<TopUp> {
        let money = money(currency("top_up", self.order_id, &self.currency)?);
        let days = self.bonus_days.and_then(|days| u32::try_from(days).ok());
        let campaign = self.campaign_id.map(TopUpCampaignId::from_uuid);
        Ok(TopUp {
            order: OrderId::from_uuid(self.order_id),
            card: CardId::from_uuid(self.card_id),
            store: StoreId::from_uuid(self.store_id),
            amount: money(self.amount_minor),
            promised: campaign.map(|campaign| (campaign, money(self.bonus_minor), days)),
            create_time: self.create_time.to_jiff(),
            expire_time: self.expire_time.to_jiff(),
        })
    }
}
