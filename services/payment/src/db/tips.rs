//! Tips, and what was handed over of them.

use jiff_sqlx::ToSqlx;
use kernel::{
    Money, Timestamp,
    ids::{OrderId, StoreId, TherapistId, TipId, TipPayoutId},
};
use pg::{PgConnection, Result};

/// Stores which visit a tip is for.
#[tracing::instrument(name = "db.tip.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, id: TipId, order: OrderId, visit: OrderId, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "insert into tip (id, order_id, visit_order_id, create_time) values ($1, $2, $3, $4)",
        id.uuid(),
        order.uuid(),
        visit.uuid(),
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How tips are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In cash, from a drawer.
    Drawer,
    /// By bank transfer.
    Transfer,
}

impl Way {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drawer => "drawer",
            Self::Transfer => "transfer",
        }
    }
}

/// Tips that were handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payout {
    /// Its id.
    pub id: TipPayoutId,
    /// To whom.
    pub therapist: TherapistId,
    /// By which store.
    pub store: StoreId,
    /// How much; above zero.
    pub amount: Money,
    /// How.
    pub way: Way,
    /// When.
    pub create_time: Timestamp,
}

/// Stores what was handed over.
#[tracing::instrument(name = "db.tip_payout.insert", skip_all)]
pub async fn insert_payout(conn: &mut PgConnection, payout: &Payout, actor: &str) -> Result<()> {
    let currency = payout.amount.currency();
    sqlx::query!(
        "insert into tip_payout (id, therapist_id, store_id, currency, amount_minor, way, actor, create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        payout.id.uuid(),
        payout.therapist.uuid(),
        payout.store.uuid(),
        currency.code(),
        payout.amount.minor(),
        payout.way.as_str(),
        actor,
        payout.create_time.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
