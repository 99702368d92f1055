//! Invoices. To whom one is made out is sealed with a key of its own.

use jiff_sqlx::ToSqlx;
use kernel::{
    Money, Timestamp, Uuid,
    ids::{InvoiceId, MemberId, OrderId, StoreId},
};
use pg::{
    Error, PgConnection, Result, Tx,
    vault::{Column, Vault},
};

use super::{currency, money};
use crate::domain::invoice::{Buyer, Invoice, Issue, ReverseReason, State, TaxId, Taxation};

const TITLE: Column = Column { table: "invoice", column: "title_sealed" };
const TAX_ID: Column = Column { table: "invoice", column: "tax_id_sealed" };
const EMAIL: Column = Column { table: "invoice", column: "email_sealed" };

/// Stores a new invoice, due to be issued at once.
#[tracing::instrument(name = "db.invoice.insert", skip_all)]
pub async fn insert(tx: &mut Tx, vault: &Vault, invoice: &Invoice, buyer: &Buyer) -> Result<()> {
    let (id, currency) = (invoice.id.uuid(), invoice.amount.currency());
    let key = vault.create_key(tx, invoice.create_time, id).await?;
    let seal = |column, text: Option<&str>| text.map(|text| key.seal(column, id, text)).transpose();
    sqlx::query!(
        "insert into invoice (id, order_id, customer_id, store_id, currency, amount_minor, tax_minor, taxation, rate_bp,
                              transaction_id, title_sealed, tax_id_sealed, email_sealed, state, create_time, version,
                              next_attempt_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'requested', $14, $15, $14)",
        id,
        invoice.order.uuid(),
        invoice.customer.uuid(),
        invoice.store.uuid(),
        currency.code(),
        invoice.amount.minor(),
        invoice.tax.minor(),
        taxation_word(invoice.taxation),
        i32::try_from(invoice.taxation.basis_points()).unwrap_or(i32::MAX),
        invoice.transaction,
        key.seal(TITLE, id, &buyer.title)?,
        seal(TAX_ID, buyer.tax_id.as_ref().map(TaxId::expose))?,
        seal(EMAIL, buyer.email.as_deref())?,
        invoice.create_time.to_sqlx() as _,
        invoice.version,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores what became of an invoice that this transaction has locked as `before`. What is under way then is due at `due`.
#[tracing::instrument(name = "db.invoice.save", skip_all)]
pub async fn save(conn: &mut PgConnection, before: &Invoice, after: &Invoice, due: Timestamp) -> Result<()> {
    let (word, reason) = match &after.state {
        State::Requested => ("requested", None),
        State::Issued { .. } => ("issued", None),
        State::Reversing { reason, .. } => ("reversing", Some(reason.as_str())),
        State::Reversed { reason, .. } => ("reversed", Some(reason.as_str())),
        State::Refused { reason } => ("refused", Some(reason.as_str())),
    };
    let (red_number, reverse_time) = match &after.state {
        State::Reversed { issue, time, .. } => (issue.as_ref().map(|(_, number)| number.as_str()), Some(*time)),
        _ => (None, None),
    };
    let updated = sqlx::query!(
        "update invoice
         set state = $3, reason = $4, number = $5, issue_time = $6, red_number = $7, reverse_time = $8, version = $9,
             next_attempt_time = $10, attempt_count = case when $3 = state then attempt_count else 0 end
         where id = $1 and version = $2",
        after.id.uuid(),
        before.version,
        word,
        reason,
        after.issue().map(|issue| issue.number.as_str()),
        after.issue().map(|issue| issue.time.to_sqlx()) as _,
        red_number,
        reverse_time.map(|time| time.to_sqlx()) as _,
        after.version,
        after.is_under_way().then(|| due.to_sqlx()) as _,
    )
    .execute(conn)
    .await?;
    if updated.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::inconsistent("invoice", after.id, "was changed without being locked"))
    }
}

/// Reads an invoice. `None` if there is none of that id.
#[tracing::instrument(name = "db.invoice.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: InvoiceId) -> Result<Option<Invoice>> {
    let row = sqlx::query_as!(
        Row,
        "select id, order_id, customer_id, store_id, currency, amount_minor, tax_minor, taxation, rate_bp,
                transaction_id, state, number, issue_time, reason, red_number, reverse_time, create_time, version
         from invoice where id = $1",
        id.uuid(),
    );
    row.fetch_optional(conn).await?.map(Row::read).transpose()
}

/// Reads the invoices of an order, the oldest first. Whoever changes any of them has locked the order.
#[tracing::instrument(name = "db.invoice.of_order", skip_all)]
pub async fn of_order(conn: &mut PgConnection, order: OrderId) -> Result<Vec<Invoice>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, order_id, customer_id, store_id, currency, amount_minor, tax_minor, taxation, rate_bp,
                transaction_id, state, number, issue_time, reason, red_number, reverse_time, create_time, version
         from invoice where order_id = $1 order by create_time, id",
        order.uuid(),
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// To whom an invoice is made out.
///
/// # Errors
/// `PERSONAL_DATA_SHREDDED` if that was erased.
#[tracing::instrument(name = "db.invoice.buyer", skip_all)]
pub async fn buyer(conn: &mut PgConnection, vault: &Vault, id: InvoiceId) -> Result<Buyer> {
    let key = vault.open(&mut *conn, id.uuid()).await?;
    let row = sqlx::query!("select title_sealed, tax_id_sealed, email_sealed from invoice where id = $1", id.uuid())
        .fetch_one(conn)
        .await?;
    let unseal =
        |column, sealed: Option<Vec<u8>>| sealed.map(|sealed| key.unseal(column, id.uuid(), &sealed)).transpose();
    let tax_id = unseal(TAX_ID, row.tax_id_sealed)?.map(|text| TaxId::try_new("tax_id", &text)).transpose();
    Ok(Buyer {
        title: key.unseal(TITLE, id.uuid(), &row.title_sealed)?,
        tax_id: tax_id.map_err(|error| Error::inconsistent("invoice", id, error))?,
        email: unseal(EMAIL, row.email_sealed)?,
    })
}

/// Which invoices to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only of this order.
    pub order: Option<OrderId>,
    /// Only of this customer.
    pub customer: Option<MemberId>,
    /// Only of this store.
    pub store: Option<StoreId>,
    /// Only those older than the one asked for then, of that id.
    pub after: Option<(Timestamp, Uuid)>,
}

/// Invoices, the newest first, `limit` at most.
#[tracing::instrument(name = "db.invoice.list", skip_all)]
pub async fn list(conn: &mut PgConnection, filter: Filter, limit: i64) -> Result<Vec<Invoice>> {
    let (time, id) = filter.after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, order_id, customer_id, store_id, currency, amount_minor, tax_minor, taxation, rate_bp,
                transaction_id, state, number, issue_time, reason, red_number, reverse_time, create_time, version
         from invoice
         where ($1::uuid is null or order_id = $1) and ($2::uuid is null or customer_id = $2)
           and ($3::uuid is null or store_id = $3)
           and ($4::timestamptz is null or (create_time, id) < ($4, $5))
         order by create_time desc, id desc
         limit $6",
        filter.order.map(OrderId::uuid),
        filter.customer.map(MemberId::uuid),
        filter.store.map(StoreId::uuid),
        time.map(|time| time.to_sqlx()) as _,
        id,
        limit,
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::read).collect()
}

/// The provider's own id of a payment of `provider` that alone covers `amount` with what is left of it.
#[tracing::instrument(name = "db.invoice.transaction_for", skip_all)]
pub async fn transaction_for(
    conn: &mut PgConnection,
    order: OrderId,
    provider: &str,
    amount: Money,
) -> Result<Option<String>> {
    let row = sqlx::query!(
        "select transaction_id from payment
         where order_id = $1 and state = 'captured' and transaction_id is not null
           and split_part(tender, '_', 1) = $2
           and amount_minor - coalesce((select sum(amount_minor) from refund where payment_id = payment.id), 0)
               - coalesce((select sum(amount_minor) from invoice
                           where transaction_id = payment.transaction_id and state in ('requested', 'issued')), 0) >= $3::bigint
         order by position limit 1",
        order.uuid(),
        provider,
        amount.minor(),
    );
    Ok(row.fetch_optional(conn).await?.and_then(|row| row.transaction_id))
}

/// An invoice that is to be seen to at the provider.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// Which.
    pub invoice: InvoiceId,
    /// Its order, whose row guards it.
    pub order: OrderId,
    /// How often it was tried in its state, this time included.
    pub attempts: u32,
}

/// Takes invoices that are due. No other worker gets them before `lease_until`.
#[tracing::instrument(name = "db.invoice.claim", skip_all)]
pub async fn claim(conn: &mut PgConnection, now: Timestamp, lease_until: Timestamp, limit: i64) -> Result<Vec<Task>> {
    let rows = sqlx::query!(
        "update invoice set next_attempt_time = $2, attempt_count = attempt_count + 1
         where id in (select id from invoice where next_attempt_time <= $1
                      order by next_attempt_time limit $3 for update skip locked)
         returning id, order_id, attempt_count",
        now.to_sqlx() as _,
        lease_until.to_sqlx() as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let task = |(id, order, attempts): (Uuid, Uuid, i32)| Task {
        invoice: InvoiceId::from_uuid(id),
        order: OrderId::from_uuid(order),
        attempts: u32::try_from(attempts).unwrap_or(1),
    };
    Ok(rows.into_iter().map(|row| task((row.id, row.order_id, row.attempt_count))).collect())
}

/// Whether the provider was perhaps asked for it already. The order's row is locked.
#[tracing::instrument(name = "db.invoice.was_tried", skip_all)]
pub async fn was_tried(conn: &mut PgConnection, id: InvoiceId) -> Result<bool> {
    // A claim that has not committed yet is waited for: its worker asks the provider as soon as it has.
    let row = sqlx::query!("select attempt_count from invoice where id = $1 for update", id.uuid());
    Ok(row.fetch_one(conn).await?.attempt_count > 0)
}

/// Puts off the next attempt of an invoice that is still under way.
#[tracing::instrument(name = "db.invoice.try_again", skip_all)]
pub async fn try_again(conn: &mut PgConnection, id: InvoiceId, at: Timestamp) -> Result<()> {
    sqlx::query!(
        "update invoice set next_attempt_time = $2 where id = $1 and next_attempt_time is not null",
        id.uuid(),
        at.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Row {
    id: Uuid,
    order_id: Uuid,
    customer_id: Uuid,
    store_id: Uuid,
    currency: String,
    amount_minor: i64,
    tax_minor: i64,
    taxation: String,
    rate_bp: i32,
    transaction_id: Option<String>,
    state: String,
    number: Option<String>,
    issue_time: Option<jiff_sqlx::Timestamp>,
    reason: Option<String>,
    red_number: Option<String>,
    reverse_time: Option<jiff_sqlx::Timestamp>,
    create_time: jiff_sqlx::Timestamp,
    version: i64,
}

impl Row {
    fn read(self) -> Result<Invoice> {
        let unfit = |what: &'static str| Error::inconsistent("invoice", self.id, what);
        let money = money(currency("invoice", self.id, &self.currency)?);
        let basis_points = u32::try_from(self.rate_bp).map_err(|_| unfit("has a rate below zero"))?;
        let taxation = match self.taxation.as_str() {
            "taxed" => Taxation::Taxed { basis_points },
            "not_taxable" => Taxation::NotTaxable,
            _ => return Err(unfit("has an unknown taxation")),
        };
        let issue = self.number.clone().zip(self.issue_time);
        let issue = issue.map(|(number, time)| Issue { number, time: time.to_jiff() });
        let word = self.reason.as_deref().unwrap_or_default();
        let reason = || ReverseReason::from_stored(word).ok_or_else(|| unfit("has an unknown reason"));
        let state = match (self.state.as_str(), issue, self.red_number.clone(), self.reverse_time) {
            ("requested", None, None, None) => State::Requested,
            ("issued", Some(issue), None, None) => State::Issued { issue },
            ("reversing", issue, None, None) => State::Reversing { issue, reason: reason()? },
            ("reversed", issue, red_number, Some(time)) => {
                State::Reversed { issue: issue.zip(red_number), reason: reason()?, time: time.to_jiff() }
            }
            ("refused", None, None, None) => State::Refused { reason: word.to_owned() },
            _ => return Err(unfit("is in a state that its columns don't fit")),
        };
        Ok(Invoice {
            id: InvoiceId::from_uuid(self.id),
            order: OrderId::from_uuid(self.order_id),
            customer: MemberId::from_uuid(self.customer_id),
            store: StoreId::from_uuid(self.store_id),
            amount: money(self.amount_minor),
            tax: money(self.tax_minor),
            taxation,
            transaction: self.transaction_id,
            state,
            create_time: self.create_time.to_jiff(),
            version: self.version,
        })
    }
}

fn taxation_word(taxation: Taxation) -> &'static str {
    match taxation {
        Taxation::Taxed { .. } => "taxed",
        Taxation::NotTaxable => "not_taxable",
    }
}
