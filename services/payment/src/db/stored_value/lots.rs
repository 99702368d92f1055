//! Lots.

use jiff_sqlx::ToSqlx;
use kernel::{
    Currency, Money, Uuid,
    ids::{CardId, CardLotId, OrderId, TopUpCampaignId},
};
use pg::{PgConnection, Result};

use super::super::money;
use crate::domain::stored_value::{Lot, Pot};

/// A lot as it is stored.
pub(super) struct Row {
    pub id: Uuid,
    pub card_id: Uuid,
    pub order_id: Uuid,
    pub campaign_id: Option<Uuid>,
    pub principal_minor: i64,
    pub principal_open_minor: i64,
    pub principal_held_minor: i64,
    pub principal_spent_minor: i64,
    pub principal_refunded_minor: i64,
    pub principal_expired_minor: i64,
    pub bonus_minor: i64,
    pub bonus_open_minor: i64,
    pub bonus_held_minor: i64,
    pub bonus_spent_minor: i64,
    pub bonus_expired_minor: i64,
    pub bonus_expire_time: Option<jiff_sqlx::Timestamp>,
    pub create_time: jiff_sqlx::Timestamp,
}

impl Row {
    pub(super) fn read(self, currency: Currency) -> Lot {
        let money = money(currency);
        Lot {
            id: CardLotId::from_uuid(self.id),
            order: OrderId::from_uuid(self.order_id),
            campaign: self.campaign_id.map(TopUpCampaignId::from_uuid),
            principal: Pot {
                brought: money(self.principal_minor),
                open: money(self.principal_open_minor),
                held: money(self.principal_held_minor),
                spent: money(self.principal_spent_minor),
                refunded: money(self.principal_refunded_minor),
                expired: money(self.principal_expired_minor),
            },
            bonus: Pot {
                brought: money(self.bonus_minor),
                open: money(self.bonus_open_minor),
                held: money(self.bonus_held_minor),
                spent: money(self.bonus_spent_minor),
                refunded: Money::zero(currency),
                expired: money(self.bonus_expired_minor),
            },
            bonus_expire_time: self.bonus_expire_time.map(jiff_sqlx::Timestamp::to_jiff),
            create_time: self.create_time.to_jiff(),
        }
    }
}

/// The lots of cards with something left, the oldest first.
pub(super) async fn open(conn: &mut PgConnection, cards: &[Uuid]) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, card_id, order_id, campaign_id, principal_minor, principal_open_minor, principal_held_minor,
                principal_spent_minor, principal_refunded_minor, principal_expired_minor, bonus_minor, bonus_open_minor,
                bonus_held_minor, bonus_spent_minor, bonus_expired_minor, bonus_expire_time, create_time
         from stored_value_lot
         where card_id = any($1) and principal_open_minor + bonus_open_minor > 0
         order by card_id, create_time, id",
        cards,
    );
    Ok(rows.fetch_all(conn).await?)
}

/// These lots, the oldest first.
pub(super) async fn these(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, card_id, order_id, campaign_id, principal_minor, principal_open_minor, principal_held_minor,
                principal_spent_minor, principal_refunded_minor, principal_expired_minor, bonus_minor, bonus_open_minor,
                bonus_held_minor, bonus_spent_minor, bonus_expired_minor, bonus_expire_time, create_time
         from stored_value_lot where id = any($1) order by create_time, id",
        ids,
    );
    Ok(rows.fetch_all(conn).await?)
}

/// All lots of a card after one that was shown, the newest first.
pub(super) async fn page(conn: &mut PgConnection, card: CardId, after: super::After, limit: i64) -> Result<Vec<Row>> {
    let (time, id) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, card_id, order_id, campaign_id, principal_minor, principal_open_minor, principal_held_minor,
                principal_spent_minor, principal_refunded_minor, principal_expired_minor, bonus_minor, bonus_open_minor,
                bonus_held_minor, bonus_spent_minor, bonus_expired_minor, bonus_expire_time, create_time
         from stored_value_lot
         where card_id = $1 and ($2::timestamptz is null or (create_time, id) < ($2, $3))
         order by create_time desc, id desc limit $4",
        card.uuid(),
        time.map(|time| time.to_sqlx()) as _,
        id,
        limit,
    );
    Ok(rows.fetch_all(conn).await?)
}

/// Stores a new lot of a card.
pub(super) async fn insert(conn: &mut PgConnection, card: CardId, lot: &Lot) -> Result<()> {
    sqlx::query!(
        "insert into stored_value_lot
             (id, card_id, order_id, campaign_id, principal_minor, principal_open_minor, principal_held_minor,
              principal_spent_minor, principal_refunded_minor, principal_expired_minor, bonus_minor, bonus_open_minor, bonus_held_minor,
              bonus_spent_minor, bonus_expired_minor, bonus_expire_time, create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        lot.id.uuid(),
        card.uuid(),
        lot.order.uuid(),
        lot.campaign.map(TopUpCampaignId::uuid),
        lot.principal.brought.minor(),
        lot.principal.open.minor(),
        lot.principal.held.minor(),
        lot.principal.spent.minor(),
        lot.principal.refunded.minor(),
        lot.principal.expired.minor(),
        lot.bonus.brought.minor(),
        lot.bonus.open.minor(),
        lot.bonus.held.minor(),
        lot.bonus.spent.minor(),
        lot.bonus.expired.minor(),
        lot.bonus_expire_time.map(|time| time.to_sqlx()) as _,
        lot.create_time.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores what has become of a lot, and on which card it is.
pub(super) async fn update(conn: &mut PgConnection, card: CardId, lot: &Lot) -> Result<()> {
    sqlx::query!(
        "update stored_value_lot
         set card_id = $2, principal_open_minor = $3, principal_held_minor = $4, principal_spent_minor = $5,
             principal_refunded_minor = $6, principal_expired_minor = $7, bonus_open_minor = $8, bonus_held_minor = $9,
             bonus_spent_minor = $10, bonus_expired_minor = $11, bonus_expire_time = $12
         where id = $1",
        lot.id.uuid(),
        card.uuid(),
        lot.principal.open.minor(),
        lot.principal.held.minor(),
        lot.principal.spent.minor(),
        lot.principal.refunded.minor(),
        lot.principal.expired.minor(),
        lot.bonus.open.minor(),
        lot.bonus.held.minor(),
        lot.bonus.spent.minor(),
        lot.bonus.expired.minor(),
        lot.bonus_expire_time.map(|time| time.to_sqlx()) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The lot that an order has brought, and the card on which it is now. `None` if it has brought none.
pub(super) async fn of_order(conn: &mut PgConnection, order: OrderId) -> Result<Option<(CardId, CardLotId)>> {
    let row = sqlx::query!("select id, card_id from stored_value_lot where order_id = $1", order.uuid());
    let row = row.fetch_optional(conn).await?;
    Ok(row.map(|row| (CardId::from_uuid(row.card_id), CardLotId::from_uuid(row.id))))
}
