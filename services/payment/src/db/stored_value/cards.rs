//! Cards with their lots.

use std::collections::HashMap;

use jiff_sqlx::ToSqlx;
use kernel::{
    Timestamp, Uuid,
    ids::{CardId, CardLotId, MemberId, OrderId, StoreId, TopUpCampaignId},
};
use pg::{Error, PgConnection, Result};

use super::{super::currency, After, lots};
use crate::domain::stored_value::{Card, Lot, Scope, Spending, SpendingOrder, State};

/// Stores a new card. Its lots, if it has any, are another's as yet: [`move_lots`] moves them.
#[tracing::instrument(name = "db.stored_value_card.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, card: &Card) -> Result<()> {
    let (reason, replaced_by) = columns(&card.state);
    sqlx::query!(
        "insert into stored_value_card (id, number, store_id, scope, holder_id, currency, spending, state, reason,
                                        replaced_by, create_time, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        card.id.uuid(),
        card.number,
        card.store.uuid(),
        card.scope.as_str(),
        card.holder.map(MemberId::uuid),
        card.currency.code(),
        card.order.as_str(),
        card.state.as_str(),
        reason,
        replaced_by,
        card.create_time.to_sqlx() as _,
        card.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks a card against every other change of it, then reads it with the lots that have something left. `None` if there is
/// none of that id.
#[tracing::instrument(name = "db.stored_value_card.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: CardId) -> Result<Option<Card>> {
    // Read by a statement of its own after the lock: only that one sees what the holder before us has committed.
    sqlx::query!("select id from stored_value_card where id = $1 for update", id.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    get(conn, id).await
}

/// Locks the card that has the lots of a payment now, then reads it with these lots, whether something is left of them or
/// not, and all others that have something left. `None` if there is no such payment.
#[tracing::instrument(name = "db.stored_value_card.lock_of", skip_all)]
pub async fn lock_of(conn: &mut PgConnection, spending: Uuid) -> Result<Option<(Card, Spending)>> {
    // Lots move from a card only while nothing of it is set aside, but what was spent may have moved since.
    loop {
        let Some(known) = super::spendings::card_of(conn, spending).await? else { return Ok(None) };
        let Some(mut card) = lock(conn, known).await? else { return Ok(None) };
        if super::spendings::card_of(conn, spending).await? != Some(known) {
            continue;
        }
        let Some(spending) = super::spendings::get(conn, spending, card.currency).await? else { return Ok(None) };
        let ids: Vec<Uuid> = spending.shares.iter().map(|share| share.lot.uuid()).collect();
        add(conn, &mut card, &ids).await?;
        return Ok(Some((card, spending)));
    }
}

/// Locks the card that has the lot of a top-up now, then reads it with this lot, whether something is left of it or not,
/// and all others that have something left. `None` if the order has brought no lot.
#[tracing::instrument(name = "db.stored_value_card.lock_of_order", skip_all)]
pub async fn lock_of_order(conn: &mut PgConnection, order: OrderId) -> Result<Option<(Card, CardLotId)>> {
    loop {
        let Some((known, lot)) = lots::of_order(conn, order).await? else { return Ok(None) };
        let Some(mut card) = lock(conn, known).await? else { return Ok(None) };
        if lots::of_order(conn, order).await? == Some((known, lot)) {
            add(conn, &mut card, &[lot.uuid()]).await?;
            return Ok(Some((card, lot)));
        }
    }
}

/// Adds lots that have nothing left.
async fn add(conn: &mut PgConnection, card: &mut Card, ids: &[Uuid]) -> Result<()> {
    for row in lots::these(conn, ids).await? {
        let lot = row.read(card.currency);
        if card.lots.iter().all(|known| known.id != lot.id) {
            card.lots.push(lot);
        }
    }
    card.lots.sort_by_key(|lot| (lot.create_time, lot.id));
    Ok(())
}

/// Reads a card with the lots that have something left. `None` if there is none of that id.
#[tracing::instrument(name = "db.stored_value_card.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: CardId) -> Result<Option<Card>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, number, store_id, scope, holder_id, currency, spending, state, reason, replaced_by, create_time, version
         from stored_value_card where id = $1",
        id.uuid(),
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(complete(conn, rows).await?.pop())
}

/// Which cards to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this holder.
    pub holder: Option<MemberId>,
    /// Only those that can be used at this store.
    pub store: Option<StoreId>,
    /// Only that with this number.
    pub number: Option<String>,
    /// Only those in this state, as it is stored.
    pub state: Option<&'static str>,
    /// Only those after this one.
    pub after: After,
}

/// Cards, the newest first, `limit` at most.
#[tracing::instrument(name = "db.stored_value_card.list", skip_all)]
pub async fn list(conn: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<Card>> {
    let (time, id) = filter.after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, number, store_id, scope, holder_id, currency, spending, state, reason, replaced_by, create_time, version
         from stored_value_card
         where ($1::uuid is null or holder_id = $1) and ($2::uuid is null or store_id = $2 or scope = 'chain')
           and ($3::text is null or number = $3) and ($4::text is null or state = $4)
           and ($5::timestamptz is null or (create_time, id) < ($5, $6))
         order by create_time desc, id desc
         limit $7",
        filter.holder.map(MemberId::uuid),
        filter.store.map(StoreId::uuid),
        filter.number,
        filter.state,
        time.map(|time| time.to_sqlx()) as _,
        id,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    complete(conn, rows).await
}

/// A page of all lots of a card, the newest first.
#[tracing::instrument(name = "db.stored_value_lot.list", skip_all)]
pub async fn list_lots(conn: &mut PgConnection, card: &Card, after: After, limit: i64) -> Result<Vec<Lot>> {
    let rows = lots::page(conn, card.id, after, limit).await?;
    Ok(rows.into_iter().map(|row| row.read(card.currency)).collect())
}

/// How often a card has had a campaign.
#[tracing::instrument(name = "db.stored_value_lot.count_of", skip_all)]
pub async fn times(conn: &mut PgConnection, card: CardId, campaign: TopUpCampaignId) -> Result<u32> {
    let count = sqlx::query_scalar!(
        r#"select (select count(*) from stored_value_lot where campaign_id = $1 and card_id = $2)
                + (select count(*) from top_up where campaign_id = $1 and card_id = $2 and state = 'open') as "count!""#,
        campaign.uuid(),
        card.uuid(),
    );
    Ok(u32::try_from(count.fetch_one(conn).await?).unwrap_or(u32::MAX))
}

/// Cards with bonus whose time is over, at most `limit`.
#[tracing::instrument(name = "db.stored_value_lot.lapsed", skip_all)]
pub async fn lapsed(conn: &mut PgConnection, now: Timestamp, limit: i64) -> Result<Vec<CardId>> {
    let rows = sqlx::query_scalar!(
        r#"select distinct card_id as "card_id!" from (
               select card_id from stored_value_lot
               where bonus_expire_time <= $1 and bonus_open_minor > bonus_held_minor
               order by bonus_expire_time limit $2
           ) as due"#,
        now.to_sqlx() as _,
        limit,
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(CardId::from_uuid).collect())
}

/// Stores what differs between a card as it was locked and as it is now; a lot that was not there is new. Lots that are no
/// longer there are left alone: see [`move_lots`].
#[tracing::instrument(name = "db.stored_value_card.save", skip_all)]
pub async fn save(conn: &mut PgConnection, before: &Card, after: &Card) -> Result<()> {
    if (before.version, &before.state, before.holder) != (after.version, &after.state, after.holder) {
        let (reason, replaced_by) = columns(&after.state);
        let updated = sqlx::query!(
            "update stored_value_card set holder_id = $3, state = $4, reason = $5, replaced_by = $6, version = $7
             where id = $1 and version = $2",
            after.id.uuid(),
            before.version,
            after.holder.map(MemberId::uuid),
            after.state.as_str(),
            reason,
            replaced_by,
            after.version,
        )
        .execute(&mut *conn)
        .await?;
        if updated.rows_affected() != 1 {
            return Err(Error::inconsistent("stored_value_card", after.id, "was changed without being locked"));
        }
    }
    for lot in &after.lots {
        match before.lots.iter().find(|known| known.id == lot.id) {
            None => lots::insert(conn, after.id, lot).await?,
            Some(known) if known != lot => lots::update(conn, after.id, lot).await?,
            Some(_) => {}
        }
    }
    Ok(())
}

/// Moves all lots of a card to the one that takes its place, those with nothing left as well: refunds go to them.
#[tracing::instrument(name = "db.stored_value_lot.move", skip_all)]
pub async fn move_lots(conn: &mut PgConnection, from: CardId, to: CardId) -> Result<()> {
    let moved = sqlx::query!("update stored_value_lot set card_id = $2 where card_id = $1", from.uuid(), to.uuid());
    moved.execute(&mut *conn).await?;
    let open =
        sqlx::query!("update top_up set card_id = $2 where card_id = $1 and state = 'open'", from.uuid(), to.uuid());
    open.execute(conn).await?;
    Ok(())
}

struct Row {
    id: Uuid,
    number: String,
    store_id: Uuid,
    scope: String,
    holder_id: Option<Uuid>,
    currency: String,
    spending: String,
    state: String,
    reason: Option<String>,
    replaced_by: Option<Uuid>,
    create_time: jiff_sqlx::Timestamp,
    version: i64,
}

/// Adds lots to rows of cards, keeping their order.
async fn complete(conn: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Card>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut cards: Vec<Card> = rows.into_iter().map(Row::read).collect::<Result<_>>()?;
    let of: HashMap<Uuid, usize> = ids.iter().copied().zip(0..).collect();
    // Every row found is of one of these cards.
    for row in lots::open(conn, &ids).await? {
        let Some(card) = of.get(&row.card_id).and_then(|&i| cards.get_mut(i)) else { continue };
        let lot = row.read(card.currency);
        card.lots.push(lot);
    }
    Ok(cards)
}

impl Row {
    fn read(self) -> Result<Card> {
        let unknown = |what: &str| Error::inconsistent("stored_value_card", self.id, format!("has the {what}"));
        let state = match (self.state.as_str(), self.reason, self.replaced_by) {
            ("active", None, None) => State::Active,
            ("lost", None, None) => State::Lost,
            ("frozen", Some(reason), None) => State::Frozen { reason },
            ("closed", Some(reason), by) => State::Closed { reason, replaced_by: by.map(CardId::from_uuid) },
            (other, ..) => return Err(unknown(&format!("state {other}"))),
        };
        Ok(Card {
            id: CardId::from_uuid(self.id),
            number: self.number,
            store: StoreId::from_uuid(self.store_id),
            scope: read_scope(self.id, &self.scope)?,
            holder: self.holder_id.map(MemberId::from_uuid),
            currency: currency("stored_value_card", self.id, &self.currency)?,
            order: SpendingOrder::from_stored(&self.spending)
                .ok_or_else(|| unknown(&format!("spending {}", self.spending)))?,
            state,
            lots: Vec::new(),
            create_time: self.create_time.to_jiff(),
            version: self.version,
        })
    }
}

fn read_scope(card: Uuid, word: &str) -> Result<Scope> {
    let unknown = || Error::inconsistent("stored_value_card", card, format!("has the scope {word}"));
    Scope::from_stored(word).ok_or_else(unknown)
}

/// A state's reason and the card that took the place.
fn columns(state: &State) -> (Option<&str>, Option<Uuid>) {
    match state {
        State::Active | State::Lost => (None, None),
        State::Frozen { reason } => (Some(reason), None),
        State::Closed { reason, replaced_by } => (Some(reason), replaced_by.map(CardId::uuid)),
    }
}
