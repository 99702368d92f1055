//! Orders with their lines, payments and refunds.

use std::collections::HashMap;

use jiff_sqlx::ToSqlx;
use kernel::{
    Timestamp, Uuid,
    ids::{BookingId, MemberId, OrderId, StoreId},
};
use pg::{Error, PgConnection, Result};

use super::{checkouts, currency, money, payments, refunds, returns};
use crate::domain::{Line, Order, State, Subject};

/// Stores a new order. `false` if there is one of that id; then nothing is stored.
#[tracing::instrument(name = "db.customer_order.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, order: &Order) -> Result<bool> {
    let stored = StoredState::of(&order.state);
    let currency = order.currency();
    let visit = order.subject.visit().map(BookingId::uuid);
    let other = visit.is_none().then(|| order.subject.id());
    let inserted = sqlx::query!(
        "insert into customer_order (id, booking_id, customer_id, store_id, currency, total_minor, deposit_minor,
                                     paid_minor, refunded_minor, state, close_reason, close_time, create_time, version,
                                     subject_kind, subject_id, discount_minor)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         on conflict (id) do nothing",
        order.id.uuid(),
        visit,
        order.customer.uuid(),
        order.store.uuid(),
        currency.code(),
        order.total.minor(),
        order.deposit.minor(),
        order.paid.minor(),
        order.refunded.minor(),
        stored.word,
        stored.close_reason,
        stored.close_time.map(|time| time.to_sqlx()) as _,
        order.create_time.to_sqlx() as _,
        order.version,
        order.subject.kind(),
        other,
        order.discount.minor(),
    )
    .execute(&mut *conn)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    insert_lines(conn, order, 0).await?;
    Ok(true)
}

/// Stores the lines of an order but for the first `known`.
async fn insert_lines(conn: &mut PgConnection, order: &Order, known: usize) -> Result<()> {
    let (mut positions, mut items, mut names) = (Vec::new(), Vec::new(), Vec::new());
    let (mut amounts, mut discounts, mut amendments) = (Vec::new(), Vec::new(), Vec::new());
    for (position, line) in (0_i32..).zip(&order.lines).skip(known) {
        positions.push(position);
        items.push(line.item.clone());
        names.push(line.display_name.clone());
        amounts.push(line.amount.minor());
        discounts.push(line.discount.minor());
        amendments.push(line.amendment);
    }
    sqlx::query!(
        "insert into order_line (order_id, position, item, display_name, amount_minor, discount_minor, amendment_id)
         select $1, line.*
         from unnest($2::integer[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::uuid[]) line",
        order.id.uuid(),
        &positions,
        &items,
        &names,
        &amounts,
        &discounts,
        &amendments as &[Option<Uuid>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks an order against every other change of it, then reads it. `None` if there is none of that id.
#[tracing::instrument(name = "db.customer_order.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: OrderId) -> Result<Option<Order>> {
    // Read by a statement of its own after the lock: only that one sees what the holder before us has committed. Its key
    // stays as it is: who holds a contract, and books something that names its order, need not wait for who waits for them.
    sqlx::query!("select id from customer_order where id = $1 for no key update", id.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    get(conn, id).await
}

/// Reads an order. `None` if there is none of that id.
#[tracing::instrument(name = "db.customer_order.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: OrderId) -> Result<Option<Order>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, subject_kind, coalesce(booking_id, subject_id) as subject_id, customer_id, store_id, currency,
                total_minor, discount_minor, deposit_minor, paid_minor, refunded_minor, state, close_reason, close_time,
                create_time, version
         from customer_order where id = $1",
        id.uuid(),
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(complete(conn, rows).await?.pop())
}

/// Whose an order is and of which store. `None` if there is none of that id.
#[tracing::instrument(name = "db.customer_order.owner", skip_all)]
pub async fn owner(conn: &mut PgConnection, id: OrderId) -> Result<Option<(MemberId, StoreId)>> {
    let row = sqlx::query!("select customer_id, store_id from customer_order where id = $1", id.uuid());
    let row = row.fetch_optional(conn).await?;
    Ok(row.map(|row| (MemberId::from_uuid(row.customer_id), StoreId::from_uuid(row.store_id))))
}

/// Which orders to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only of this customer.
    pub customer: Option<MemberId>,
    /// Only of this store.
    pub store: Option<StoreId>,
    /// Only those older than the order made then, of that id.
    pub after: Option<(Timestamp, Uuid)>,
}

/// Orders, the newest first, `limit` at most.
#[tracing::instrument(name = "db.customer_order.list", skip_all)]
pub async fn list(conn: &mut PgConnection, filter: Filter, limit: i64) -> Result<Vec<Order>> {
    let (time, id) = filter.after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, subject_kind, coalesce(booking_id, subject_id) as subject_id, customer_id, store_id, currency,
                total_minor, discount_minor, deposit_minor, paid_minor, refunded_minor, state, close_reason, close_time,
                create_time, version
         from customer_order
         where ($1::uuid is null or customer_id = $1) and ($2::uuid is null or store_id = $2)
           and ($3::timestamptz is null or (create_time, id) < ($3, $4))
         order by create_time desc, id desc
         limit $5",
        filter.customer.map(MemberId::uuid),
        filter.store.map(StoreId::uuid),
        time.map(|time| time.to_sqlx()) as _,
        id,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    complete(conn, rows).await
}

/// Stores what differs between an order as it was locked and as it is now.
#[tracing::instrument(name = "db.customer_order.save", skip_all)]
pub async fn save(conn: &mut PgConnection, before: &Order, after: &Order) -> Result<()> {
    let stored = StoredState::of(&after.state);
    let updated = sqlx::query!(
        "update customer_order
         set paid_minor = $3, refunded_minor = $4, state = $5, close_reason = $6, close_time = $7, version = $8,
             total_minor = $9, discount_minor = $10
         where id = $1 and version = $2",
        after.id.uuid(),
        before.version,
        after.paid.minor(),
        after.refunded.minor(),
        stored.word,
        stored.close_reason,
        stored.close_time.map(|time| time.to_sqlx()) as _,
        after.version,
        after.total.minor(),
        after.discount.minor(),
    )
    .execute(&mut *conn)
    .await?;
    if updated.rows_affected() != 1 {
        return Err(Error::inconsistent("customer_order", after.id, "was changed without being locked"));
    }
    if after.lines.len() > before.lines.len() {
        insert_lines(conn, after, before.lines.len()).await?;
    }
    checkouts::insert_new(conn, before, after).await?;
    for (position, payment) in (0..).zip(&after.payments) {
        match before.payment(payment.id) {
            None => payments::insert(conn, after.id, position, payment).await?,
            Some(known) if known != payment => payments::update(conn, payment).await?,
            Some(_) => {}
        }
    }
    checkouts::update(conn, before, after).await?;
    for (position, of) in (0..).zip(&after.returns).skip(before.returns.len()) {
        returns::insert(conn, after, position, of).await?;
    }
    for (position, refund) in (0..).zip(&after.refunds) {
        match before.refund(refund.id) {
            None => refunds::insert(conn, after.id, position, refund).await?,
            Some(known) if known != refund => refunds::update(conn, refund).await?,
            Some(_) => {}
        }
    }
    Ok(())
}

struct Row {
    id: Uuid,
    subject_kind: String,
    subject_id: Option<Uuid>,
    customer_id: Uuid,
    store_id: Uuid,
    currency: String,
    total_minor: i64,
    discount_minor: i64,
    deposit_minor: i64,
    paid_minor: i64,
    refunded_minor: i64,
    state: String,
    close_reason: Option<String>,
    close_time: Option<jiff_sqlx::Timestamp>,
    create_time: jiff_sqlx::Timestamp,
    version: i64,
}

/// Adds lines, payments and refunds to rows of orders, keeping their order.
async fn complete(conn: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Order>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut orders: Vec<Order> = rows.into_iter().map(Row::read).collect::<Result<_>>()?;
    let of: HashMap<Uuid, usize> = ids.iter().copied().zip(0..).collect();
    let lines = sqlx::query!(
        "select order_id, item, display_name, amount_minor, discount_minor, amendment_id
         from order_line where order_id = any($1)
         order by order_id, position",
        &ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    // Every row found is of one of these orders.
    for line in lines {
        let Some(order) = of.get(&line.order_id).and_then(|&i| orders.get_mut(i)) else { continue };
        let money = money(order.currency());
        let (amount, discount) = (money(line.amount_minor), money(line.discount_minor));
        let (item, display_name, amendment) = (line.item, line.display_name, line.amendment_id);
        order.lines.push(Line { item, display_name, amount, discount, amendment });
    }
    for row in payments::of_orders(conn, &ids).await? {
        let Some(order) = of.get(&row.order_id).and_then(|&i| orders.get_mut(i)) else { continue };
        let payment = row.read(money(order.currency()))?;
        order.payments.push(payment);
    }
    for row in refunds::of_orders(conn, &ids).await? {
        let Some(order) = of.get(&row.order_id).and_then(|&i| orders.get_mut(i)) else { continue };
        let refund = row.read(money(order.currency()));
        order.refunds.push(refund);
    }
    // Nothing was given back of an order that has no refunds.
    if orders.iter().any(|order| !order.refunds.is_empty()) {
        for row in returns::of_orders(conn, &ids).await? {
            let Some(order) = of.get(&row.order_id).and_then(|&i| orders.get_mut(i)) else { continue };
            let of = row.read(money(order.currency()));
            order.returns.push(of);
        }
    }
    Ok(orders)
}

impl Row {
    fn read(self) -> Result<Order> {
        let money = money(currency("customer_order", self.id, &self.currency)?);
        let state = match (self.state.as_str(), self.close_reason, self.close_time) {
            ("open", None, None) => State::Open,
            ("deposit_paid", None, None) => State::DepositPaid,
            ("paid", None, None) => State::Paid,
            ("closed", Some(reason), Some(time)) => State::Closed { reason, time: time.to_jiff() },
            (other, ..) => return Err(Error::inconsistent("customer_order", self.id, format!("is {other}"))),
        };
        let subject = self.subject_id.and_then(|id| Subject::from_stored(&self.subject_kind, id));
        let subject =
            subject.ok_or_else(|| Error::inconsistent("customer_order", self.id, "is for nothing we know"))?;
        Ok(Order {
            id: OrderId::from_uuid(self.id),
            subject,
            customer: MemberId::from_uuid(self.customer_id),
            store: StoreId::from_uuid(self.store_id),
            lines: Vec::new(),
            total: money(self.total_minor),
            discount: money(self.discount_minor),
            deposit: money(self.deposit_minor),
            paid: money(self.paid_minor),
            refunded: money(self.refunded_minor),
            state,
            payments: Vec::new(),
            refunds: Vec::new(),
            returns: Vec::new(),
            create_time: self.create_time.to_jiff(),
            version: self.version,
        })
    }
}

/// A state as its three columns.
struct StoredState<'a> {
    word: &'static str,
    close_reason: Option<&'a str>,
    close_time: Option<Timestamp>,
}

impl<'a> StoredState<'a> {
    fn of(state: &'a State) -> Self {
        let (word, close_reason, close_time) = match state {
            State::Open => ("open", None, None),
            State::DepositPaid => ("deposit_paid", None, None),
            State::Paid => ("paid", None, None),
            State::Closed { reason, time } => ("closed", Some(reason.as_str()), Some(*time)),
        };
        Self { word, close_reason, close_time }
    }
}
