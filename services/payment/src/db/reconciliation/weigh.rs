//! A bill against what we have: set-based, in temporary tables.

use jiff_sqlx::ToSqlx;
use kernel::{Currency, Money, Timestamp, Uuid, ids::StoreId};
use pg::{PgConnection, Result};

use super::Spool;

/// How long one statement may take; it is more than a server that serves may spend on one.
const STATEMENT_TIMEOUT: &str = "10min";

/// The lines as they came, in the order in which [`Spool`] writes them.
const STAGE: &str = "create temporary table bill_stage (
    position integer not null, what text not null, kind text not null, named_id uuid, payment_id uuid,
    reference text collate \"C\" not null, transaction_id text not null, currency text not null, state text not null,
    amount_minor bigint not null, fee_fine bigint not null, time timestamptz not null
) on commit drop";

const COPY: &str = "copy bill_stage from stdin";

/// Each line beside what we have; and what we have of the day that the bill has not, with a position of null.
const ITEM: &str = "create temporary table bill_item (
    position integer, what text not null, kind text, reference text not null, transaction_id text not null,
    currency text, amount_minor bigint, fee_fine bigint, time timestamptz,
    ours_id uuid, payment_id uuid, ours_minor bigint, store_id uuid not null,
    -- The kind of break in whether it happened and with how much, and what we have more at the provider than we knew.
    broken text, difference_minor bigint not null,
    -- What we have of the day; what fits and is on another day; whether it is on another day with us.
    of_day_minor bigint not null, elsewhere_minor bigint not null, late boolean not null
) on commit drop";

/// `$1` the tenders of the provider, `$2` and `$3` the day, `$4` the currency of the bill.
///
/// It must be one statement: payments go on meanwhile, and all of it must be of one moment.
const WEIGH: &str = "
with ours as (
    select 'sale' as what, payment.id, payment.id as payment_id, payment.amount_minor, of.currency,
           payment.state = 'captured' as done, payment.capture_time as time, of.store_id
    from payment join customer_order as of on of.id = payment.order_id
    where payment.tender = any($1)
      and payment.id in (select payment_id from bill_stage where payment_id is not null
                         union select id from payment
                               where state = 'captured' and capture_time >= $2 and capture_time < $3)
    union all
    select 'refund', refund.id, refund.payment_id, refund.amount_minor, of.currency,
           refund.state = 'succeeded', refund.succeed_time, of.store_id
    from refund join payment on payment.id = refund.payment_id
                join customer_order as of on of.id = refund.order_id
    where payment.tender = any($1)
      and refund.id in (select named_id from bill_stage where what = 'refund' and named_id is not null
                        union select id from refund
                              where state = 'succeeded' and succeed_time >= $2 and succeed_time < $3)
),
theirs as (
    select *, row_number() over same as nth, count(*) over same as copies, sum(amount_minor) over same as together,
           min(currency) over same = max(currency) over same as alike,
           bool_or(kind = 'sale') over (partition by what, reference) as has_sale
    from bill_stage
    window same as (partition by what, reference, kind order by position
                    rows between unbounded preceding and unbounded following)
),
beside as (
    select theirs.position, coalesce(theirs.what, ours.what) as what, theirs.kind, theirs.reference,
           theirs.transaction_id, theirs.currency, theirs.state, theirs.amount_minor, theirs.fee_fine, theirs.time,
           theirs.copies, theirs.together, theirs.alike, theirs.has_sale, coalesce(theirs.nth, 1) = 1 as is_first,
           ours.id as ours_id, coalesce(ours.payment_id, sale.id) as payment_id, ours.currency as ours_currency,
           ours.amount_minor as ours_minor, coalesce(ours.done, false) as done,
           coalesce(ours.done and ours.time >= $2 and ours.time < $3, false) as today,
           coalesce(ours.store_id, sale.store_id) as store_id, coalesce(sale.done, false) as sale_done,
           exists (select from bill_line as line where line.named_id = coalesce(theirs.named_id, ours.id)) as earlier,
           case when coalesce(theirs.what, ours.what) = 'refund' then -1 else 1 end as sign,
           case when theirs.currency = $4 then theirs.amount_minor else 0 end as theirs_in,
           case when ours.currency = $4 then ours.amount_minor else 0 end as ours_in
    from theirs full join ours on ours.what = theirs.what and ours.id = theirs.named_id
         left join ours as sale on theirs.what = 'refund' and sale.what = 'sale' and sale.id = theirs.payment_id
),
judged as (
    select *,
           case when kind is null then case when today and not earlier then 'missing_there' end
                when kind = 'revoked' then case when done then 'state' end
                when kind = 'refund' and not sale_done then 'refund_without_sale'
                when ours_id is null then 'missing_here'
                when earlier then 'duplicate'
                when not done then 'state'
                when copies > 1 and alike and currency = ours_currency and together = ours_minor
                    then case when is_first then 'split' end
                when not is_first then 'duplicate'
                when currency <> ours_currency then 'currency'
                when amount_minor <> ours_minor then 'amount'
                when kind = 'refund' and state in ('FAIL', 'CHANGE') then 'state'
           end as broken,
           -- The one row that counts what we have.
           is_first and (kind is distinct from 'revoked' or not has_sale) as is_head,
           -- It stands for what we have, or is the only word on something that was undone.
           done and is_first and not earlier
               and (kind = 'sale' or kind = 'refund' and sale_done) is true as stands,
           done and is_first and not earlier and kind = 'revoked' and not has_sale as undone
    from beside
)
insert into bill_item
select position, what, kind, coalesce(reference, ''), coalesce(transaction_id, ''), currency, amount_minor, fee_fine, time,
       ours_id, payment_id, ours_minor, coalesce(store_id, '00000000-0000-0000-0000-000000000000'), broken,
       case when broken = 'missing_there' then -sign * ours_in
            when kind = 'revoked' then case when undone then -ours_in else 0 end
            when broken in ('currency', 'amount') then sign * (theirs_in - ours_in)
            when broken in ('refund_without_sale', 'missing_here', 'duplicate') then sign * theirs_in
            when broken = 'state' and not done then sign * theirs_in
            else 0 end,
       case when today and is_head then sign * ours_in else 0 end,
       case when (stands or undone) and not today then sign * ours_in
            when today and earlier and is_head then -sign * ours_in
            else 0 end,
       coalesce(stands and not today, false)
from judged";

const KEEP_LINES: &str = "
insert into bill_line (proof_id, position, kind, named_id, reference, transaction_id, amount_minor, currency, fee_fine, time)
select $1, position, kind, named_id, reference, transaction_id, amount_minor, currency, fee_fine, time from bill_stage";

/// Lines whose fee is off by a fen or more, whose day is not that of the bill, or that we have on another day, are breaks
/// beside what they are broken in otherwise. `$1` the proof, `$2` the currency, `$3` now, `$4` and `$5` the day, `$6` the
/// agreed fee in hundred-thousandths.
const KEEP_BREAKS: &str = "
insert into reconciliation_break (proof_id, number, kind, payment_id, refund_id, reference, transaction_id, store_id,
                                  ours_minor, theirs_minor, theirs_currency, currency, difference_minor, state, create_time)
select $1,
       (select coalesce(max(number), 0) from reconciliation_break where proof_id = $1)
           + row_number() over (order by position nulls last, ours_id, found.kind),
       found.kind, payment_id, case when what = 'refund' then ours_id end, reference, transaction_id, store_id,
       ours_minor, case when found.kind = 'fee' then fee_fine else amount_minor end, currency, $2, found.difference,
       'open', $3
from bill_item
     cross join lateral (values
         (broken, difference_minor),
         (case when kind = 'sale' and abs(fee_fine - amount_minor * $6 / 100) >= 1000
                 or kind = 'refund' and fee_fine <> 0 and abs(fee_fine + amount_minor * $6 / 100) >= 1000 then 'fee' end, 0),
         (case when time < $4 or time >= $5 then 'date' end, 0),
         (case when late then 'late' end, 0)
     ) as found (kind, difference)
where found.kind is not null";

const SUMS: &str = "
select count(position), count(position) filter (where broken is null),
       coalesce(sum(amount_minor) filter (where kind = 'sale' and currency = $1), 0)::bigint,
       coalesce(sum(amount_minor) filter (where kind = 'refund' and currency = $1), 0)::bigint,
       coalesce(sum(of_day_minor) filter (where what = 'sale'), 0)::bigint,
       coalesce(-sum(of_day_minor) filter (where what = 'refund'), 0)::bigint,
       coalesce(sum(difference_minor), 0)::bigint, coalesce(sum(elsewhere_minor), 0)::bigint
from bill_item";

/// Rounded so that the parts of all stores add up to the rounded sum.
const FEES: &str = "
select store_id, (round(upto / 1000) - round((upto - fee) / 1000))::bigint
from (select store_id, fee, sum(fee) over (order by store_id) as upto
      from (select store_id, sum(fee_fine) as fee from bill_item where position is not null and currency = $1
            group by store_id) as by_store) as summed
order by store_id";

const FOUND: &str = "
select store_id, sum(difference_minor)::bigint from bill_item where difference_minor <> 0 group by store_id order by store_id";

/// The day of a bill.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

/// What came of a bill; amounts in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// How many lines it has.
    pub lines: i64,
    /// How many of them fit.
    pub matched: i64,
    /// The bill's sales.
    pub sales: i64,
    /// The bill's refunds.
    pub refunds: i64,
    /// What we captured on the day.
    pub our_sales: i64,
    /// What we gave back on the day.
    pub our_refunds: i64,
    /// What the breaks say.
    pub in_breaks: i64,
    /// What other days say.
    pub on_other_days: i64,
}

/// Copies the lines of a bill into a table of the transaction's own.
#[tracing::instrument(name = "db.bill_stage.copy", skip_all, fields(lines = spool.lines()))]
pub async fn stage(conn: &mut PgConnection, spool: Spool) -> Result<()> {
    sqlx::query("select set_config('statement_timeout', $1, true), set_config('work_mem', '64MB', true)")
        .bind(STATEMENT_TIMEOUT)
        .execute(&mut *conn)
        .await?;
    sqlx::raw_sql(STAGE).execute(&mut *conn).await?;
    sqlx::raw_sql(ITEM).execute(&mut *conn).await?;
    let mut copy = conn.copy_in_raw(COPY).await?;
    if let Err(error) = spool.read(&mut copy).await {
        copy.abort("the lines can't be read").await?;
        return Err(error);
    }
    copy.finish().await?;
    sqlx::raw_sql("analyze bill_stage").execute(conn).await?;
    Ok(())
}

/// Sets each line beside what we have, as of one moment.
#[tracing::instrument(name = "db.bill_item.insert", skip_all)]
pub async fn weigh(conn: &mut PgConnection, tenders: &[String], day: Bounds, currency: Currency) -> Result<()> {
    let query = sqlx::query(WEIGH).bind(tenders).bind(day.start.to_sqlx()).bind(day.end.to_sqlx());
    query.bind(currency.code()).execute(conn).await?;
    Ok(())
}

/// Adds up what came of it.
#[tracing::instrument(name = "db.bill_item.sums", skip_all)]
pub async fn sums(conn: &mut PgConnection, currency: Currency) -> Result<Sums> {
    let row: (i64, i64, i64, i64, i64, i64, i64, i64) =
        sqlx::query_as(SUMS).bind(currency.code()).fetch_one(conn).await?;
    let (lines, matched, sales, refunds, our_sales, our_refunds, in_breaks, on_other_days) = row;
    Ok(Sums { lines, matched, sales, refunds, our_sales, our_refunds, in_breaks, on_other_days })
}

/// Keeps the lines, so that one that comes again is known.
#[tracing::instrument(name = "db.bill_line.insert", skip_all)]
pub async fn keep_lines(conn: &mut PgConnection, proof: Uuid) -> Result<()> {
    sqlx::query(KEEP_LINES).bind(proof).execute(conn).await?;
    Ok(())
}

/// Keeps what doesn't fit; how many breaks that is. `fee_rate` is what was agreed, in hundred-thousandths.
#[tracing::instrument(name = "db.reconciliation_break.insert", skip_all)]
pub async fn keep_breaks(
    conn: &mut PgConnection,
    proof: Uuid,
    now: Timestamp,
    day: Bounds,
    currency: Currency,
    fee_rate: u32,
) -> Result<u64> {
    let query = sqlx::query(KEEP_BREAKS).bind(proof).bind(currency.code()).bind(now.to_sqlx());
    let query = query.bind(day.start.to_sqlx()).bind(day.end.to_sqlx()).bind(i64::from(fee_rate));
    Ok(query.execute(conn).await?.rows_affected())
}

/// What the provider keeps, by store.
#[tracing::instrument(name = "db.bill_item.fees", skip_all)]
pub async fn fees_by_store(conn: &mut PgConnection, currency: Currency) -> Result<Vec<(Option<StoreId>, Money)>> {
    let rows = sqlx::query_as(FEES).bind(currency.code()).fetch_all(conn).await?;
    Ok(by_store(rows, currency))
}

/// What the breaks say, by store.
#[tracing::instrument(name = "db.bill_item.found", skip_all)]
pub async fn found_by_store(conn: &mut PgConnection, currency: Currency) -> Result<Vec<(Option<StoreId>, Money)>> {
    Ok(by_store(sqlx::query_as(FOUND).fetch_all(conn).await?, currency))
}

fn by_store(rows: Vec<(Uuid, i64)>, currency: Currency) -> Vec<(Option<StoreId>, Money)> {
    let store = |id: Uuid| (!id.is_nil()).then(|| StoreId::from_uuid(id));
    rows.into_iter().map(|(id, minor)| (store(id), Money::new(minor, currency))).collect()
}
