//! Money that goes back by hand.

use jiff_sqlx::ToSqlx;
use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{MemberId, OrderId, PayoutId, StoreId},
};
use pg::{Error, PgConnection, Result};

use super::{currency, money};
use crate::domain::payout::{Method, Payout, State};

/// Stores a payout that is due.
#[tracing::instrument(name = "db.payout.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, payout: &Payout) -> Result<()> {
    let currency = payout.amount.currency();
    sqlx::query!(
        "insert into payout (id, order_id, store_id, payee_id, currency, amount_minor, price_minor, reason, state, reference,
                             create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'due', '', $9)",
        payout.id.uuid(),
        payout.order.uuid(),
        payout.store.uuid(),
        payout.payee.uuid(),
        currency.code(),
        payout.amount.minor(),
        payout.of_price.minor(),
        payout.reason,
        payout.create_time.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores that a payout is paid, which this transaction has locked.
#[tracing::instrument(name = "db.payout.save_paid", skip_all)]
pub async fn save_paid(conn: &mut PgConnection, payout: &Payout) -> Result<()> {
    let State::Paid { method, actor, time } = &payout.state else {
        return Err(Error::inconsistent("payout", payout.id, "is not paid"));
    };
    sqlx::query!(
        "update payout set state = 'paid', method = $2, reference = $3, actor = $4, pay_time = $5 where id = $1",
        payout.id.uuid(),
        method.as_str(),
        method.reference(),
        actor,
        time.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks a payout, then reads it. `None` if there is none of that id.
#[tracing::instrument(name = "db.payout.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: PayoutId) -> Result<Option<Payout>> {
    let row = sqlx::query_as!(
        Row,
        "select id, order_id, store_id, payee_id, currency, amount_minor, price_minor, reason, state, method, reference,
                actor, create_time, pay_time
         from payout where id = $1 for update",
        id.uuid(),
    );
    row.fetch_optional(conn).await?.map(Row::read).transpose()
}

/// Which payouts to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only of this payee.
    pub payee: Option<MemberId>,
    /// Only of this store.
    pub store: Option<StoreId>,
    /// Only those that are due, or that are paid.
    pub state: Option<&'static str>,
    /// Only those older than the payout decided then, of that id.
    pub after: Option<(Timestamp, Uuid)>,
}

/// Payouts, the newest first, `limit` at most.
#[tracing::instrument(name = "db.payout.list", skip_all)]
pub async fn list(conn: &mut PgConnection, filter: Filter, limit: i64) -> Result<Vec<Payout>> {
    let (time, id) = filter.after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, order_id, store_id, payee_id, currency, amount_minor, price_minor, reason, state, method, reference,
                actor, create_time, pay_time
         from payout
         where ($1::uuid is null or payee_id = $1) and ($2::uuid is null or store_id = $2)
           and ($3::text is null or state = $3) and ($4::timestamptz is null or (create_time, id) < ($4, $5))
         order by create_time desc, id desc limit $6",
        filter.payee.map(MemberId::uuid),
        filter.store.map(StoreId::uuid),
        filter.state,
        time.map(|time| time.to_sqlx()) as _,
        id,
        limit,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// What of an order's price goes, or went, back by hand.
#[tracing::instrument(name = "db.payout.of_price", skip_all)]
pub async fn of_price(conn: &mut PgConnection, order: OrderId, currency: Currency) -> Result<Money> {
    let sum = sqlx::query_scalar!(
        r#"select coalesce(sum(price_minor), 0)::bigint as "minor!" from payout where order_id = $1"#,
        order.uuid(),
    );
    Ok(Money::new(sum.fetch_one(conn).await?, currency))
}

struct Row {
    id: Uuid,
    order_id: Uuid,
    store_id: Uuid,
    payee_id: Uuid,
    currency: String,
    amount_minor: i64,
    price_minor: i64,
    reason: String,
    state: String,
    method: Option<String>,
    reference: String,
    actor: Option<String>,
    create_time: jiff_sqlx::Timestamp,
    pay_time: Option<jiff_sqlx::Timestamp>,
}

impl Row {
    fn read(self) -> Result<Payout> {
        let unknown = |what: &str| Error::inconsistent("payout", self.id, format!("is {what}"));
        let state = match (self.state.as_str(), self.method, self.actor, self.pay_time) {
            ("due", None, None, None) => State::Due,
            ("paid", Some(word), Some(actor), Some(time)) => {
                let method = Method::from_stored(&word, self.reference).ok_or_else(|| unknown(&word))?;
                State::Paid { method, actor, time: time.to_jiff() }
            }
            (other, ..) => return Err(unknown(other)),
        };
        let money = money(currency("payout", self.id, &self.currency)?);
        Ok(Payout {
            id: PayoutId::from_uuid(self.id),
            order: OrderId::from_uuid(self.order_id),
            store: StoreId::from_uuid(self.store_id),
            payee: MemberId::from_uuid(self.payee_id),
            amount: money(self.amount_minor),
            of_price: money(self.price_minor),
            reason: self.reason,
            state,
            create_time: self.create_time.to_jiff(),
        })
    }
}
