//! Payments as they are found again, with what went back of them and what the provider keeps.

use jiff_sqlx::ToSqlx;
use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{MemberId, OrderId, PaymentId, RefundId, StoreId},
};
use pg::{PgConnection, Result};

use super::currency;

/// Which payments are meant: those that satisfy all that is stated.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this customer.
    pub customer: Option<MemberId>,
    /// Only of this store.
    pub store: Option<StoreId>,
    /// Only for this order.
    pub order: Option<OrderId>,
    /// Only in the state of this word.
    pub state: Option<&'static str>,
    /// Only in the way to pay of this word.
    pub tender: Option<&'static str>,
    /// Only what the provider calls so.
    pub transaction: Option<String>,
    /// The payment that has the number [`Filter::transaction`] with providers; it is found too.
    pub number: Option<Uuid>,
    /// Only in this currency.
    pub currency: Option<Currency>,
    /// At least so much, in minor units.
    pub min_minor: Option<i64>,
    /// At most so much, in minor units.
    pub max_minor: Option<i64>,
    /// Only those started then or later.
    pub start: Option<Timestamp>,
    /// Only those started before.
    pub end: Option<Timestamp>,
}

/// A payment as it is found again; words are those that are stored.
#[derive(Debug, Clone)]
pub struct PaymentRecord {
    /// Its id.
    pub id: PaymentId,
    /// What it pays.
    pub order: OrderId,
    /// Who pays.
    pub customer: MemberId,
    /// Where.
    pub store: StoreId,
    /// Which part it pays.
    pub purpose: String,
    /// The way to pay.
    pub tender: String,
    /// Where it is in its life.
    pub state: String,
    /// How much.
    pub amount: Money,
    /// How much of it has gone back.
    pub refunded: Money,
    /// How much of it is on its way back.
    pub refunding: Money,
    /// What the provider keeps, if its bill was matched.
    pub fee: Option<Money>,
    /// The provider's own id.
    pub transaction: Option<String>,
    /// The number of a slip; may be empty.
    pub reference: String,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// Whether it came when it was no longer owed.
    pub surplus: bool,
    /// When it was started.
    pub create_time: Timestamp,
    /// When the money came.
    pub capture_time: Option<Timestamp>,
}

/// A refund of such a payment.
#[derive(Debug, Clone)]
pub struct RefundRecord {
    /// Its id.
    pub id: RefundId,
    /// Of which payment.
    pub payment: PaymentId,
    /// Where it is in its life, as a word.
    pub state: String,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// What the provider gives back of its fee, in minor units and below zero, if its bill was matched.
    pub fee_minor: Option<i64>,
    /// Why.
    pub reason: String,
    /// When it was decided.
    pub create_time: Timestamp,
    /// When it was back with the customer.
    pub succeed_time: Option<Timestamp>,
}

/// Payments after a place, the newest first, `limit` at most.
#[tracing::instrument(name = "db.payment.search", skip_all)]
pub async fn search(
    conn: &mut PgConnection,
    filter: &Filter,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<PaymentRecord>> {
    let (time, id) = after.unzip();
    let rows = sqlx::query!(
        r#"with page as (
               select payment.id, payment.order_id, of.customer_id, of.store_id, of.currency, purpose, tender, amount_minor,
                      payment.state, failure_reason, capture_time, surplus, transaction_id, reference,
                      payment.create_time
               from payment join customer_order as of on of.id = payment.order_id
               where ($1::uuid is null or of.customer_id = $1) and ($2::uuid is null or of.store_id = $2)
                 and ($3::uuid is null or payment.order_id = $3) and ($4::text is null or payment.state = $4)
                 and ($5::text is null or tender = $5)
                 and ($6::text is null or transaction_id = $6 or payment.id = $7)
                 and ($8::text is null or of.currency = $8)
                 and ($9::bigint is null or amount_minor >= $9) and ($10::bigint is null or amount_minor <= $10)
                 and ($11::timestamptz is null or payment.create_time >= $11)
                 and ($12::timestamptz is null or payment.create_time < $12)
                 and ($13::timestamptz is null or (payment.create_time, payment.id) < ($13, $14))
               order by payment.create_time desc, payment.id desc limit $15
           )
           select page.*, coalesce(back.done, 0)::bigint as "done!", coalesce(back.going, 0)::bigint as "going!",
                  kept.fee as "fee?"
           from page
                cross join lateral (
                    select sum(amount_minor) filter (where state = 'succeeded') as done,
                           sum(amount_minor) filter (where state <> 'succeeded') as going
                    from refund where payment_id = page.id
                ) as back
                cross join lateral (
                    select round(sum(fee_fine) / 1000)::bigint as fee from bill_line where named_id = page.id
                ) as kept
           order by page.create_time desc, page.id desc"#,
        filter.customer.map(MemberId::uuid),
        filter.store.map(StoreId::uuid),
        filter.order.map(OrderId::uuid),
        filter.state,
        filter.tender,
        filter.transaction.as_deref(),
        filter.number,
        filter.currency.as_ref().map(Currency::code),
        filter.min_minor,
        filter.max_minor,
        filter.start.map(|at| at.to_sqlx()) as _,
        filter.end.map(|at| at.to_sqlx()) as _,
        time.map(|at| at.to_sqlx()) as _,
        id,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let read = rows.into_iter().map(|row| {
        let currency = currency("customer_order", row.order_id, &row.currency)?;
        let money = |minor| Money::new(minor, currency);
        Ok(PaymentRecord {
            id: PaymentId::from_uuid(row.id),
            order: OrderId::from_uuid(row.order_id),
            customer: MemberId::from_uuid(row.customer_id),
            store: StoreId::from_uuid(row.store_id),
            purpose: row.purpose,
            tender: row.tender,
            state: row.state,
            amount: money(row.amount_minor),
            refunded: money(row.done),
            refunding: money(row.going),
            fee: row.fee.map(money),
            transaction: row.transaction_id,
            reference: row.reference,
            failure_reason: row.failure_reason,
            surplus: row.surplus,
            create_time: row.create_time.to_jiff(),
            capture_time: row.capture_time.map(|at| at.to_jiff()),
        })
    });
    read.collect()
}

/// The refunds of some payments, by payment, the oldest first.
#[tracing::instrument(name = "db.refund.of_payments", skip_all)]
pub async fn refunds(conn: &mut PgConnection, payments: &[Uuid]) -> Result<Vec<RefundRecord>> {
    let rows = sqlx::query!(
        r#"select id, payment_id, state, amount_minor, reason, create_time, succeed_time,
                  (select round(sum(fee_fine) / 1000)::bigint from bill_line where named_id = refund.id) as fee
           from refund where payment_id = any($1) order by payment_id, position"#,
        payments,
    )
    .fetch_all(conn)
    .await?;
    let read = rows.into_iter().map(|row| RefundRecord {
        id: RefundId::from_uuid(row.id),
        payment: PaymentId::from_uuid(row.payment_id),
        state: row.state,
        amount_minor: row.amount_minor,
        fee_minor: row.fee,
        reason: row.reason,
        create_time: row.create_time.to_jiff(),
        succeed_time: row.succeed_time.map(|at| at.to_jiff()),
    });
    Ok(read.collect())
}
