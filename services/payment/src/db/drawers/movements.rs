//! What came and went in drawers, and what was counted in them.

use jiff_sqlx::ToSqlx;
use kernel::{Currency, Money, Timestamp, Uuid, ids::DrawerId};
use pg::{Error, PgConnection, Result};

use crate::domain::{
    drawer::{Drawer, Movement, MovementKind},
    ledger::Account,
};

/// Notes what came into an open drawer or went out of it; the ledger has it, or gets it in the same transaction.
#[tracing::instrument(name = "db.drawer_movement.insert", skip_all, fields(count = movements.len()))]
pub async fn insert_movements(
    conn: &mut PgConnection,
    drawer: DrawerId,
    now: Timestamp,
    actor: &str,
    movements: &[Movement],
) -> Result<()> {
    if movements.is_empty() {
        return Ok(());
    }
    let (mut kinds, mut accounts, mut ledger_kinds) = (Vec::new(), Vec::new(), Vec::new());
    let (mut sources, mut amounts, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    for movement in movements {
        kinds.push(movement.kind.as_str().to_owned());
        accounts.push(movement.account.code().to_owned());
        ledger_kinds.push(movement.ledger_kind.as_str().to_owned());
        sources.push(movement.source);
        amounts.push(movement.amount.minor());
        reasons.push(movement.reason.clone());
    }
    sqlx::query!(
        "insert into drawer_movement (drawer_id, actor, create_time, kind, account, ledger_kind, source_id, amount_minor,
                                      reason)
         select $1, $2, $3, moved.*
         from unnest($4::text[], $5::text[], $6::text[], $7::uuid[], $8::bigint[], $9::text[]) as moved",
        drawer.uuid(),
        actor,
        now.to_sqlx() as _,
        &kinds,
        &accounts,
        &ledger_kinds,
        &sources,
        &amounts,
        &reasons,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What of one kind came and went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// The kind.
    pub kind: MovementKind,
    /// What it lies on.
    pub account: Account,
    /// How many.
    pub count: i64,
    /// Their sum.
    pub amount: Money,
}

/// What came and went in a drawer, by kind.
#[tracing::instrument(name = "db.drawer_movement.totals", skip_all)]
pub async fn totals(conn: &mut PgConnection, drawer: &Drawer) -> Result<Vec<Total>> {
    let rows = sqlx::query!(
        r#"select kind, account, count(*) as "count!", sum(amount_minor)::bigint as "sum!"
           from drawer_movement where drawer_id = $1 group by kind, account order by kind, account"#,
        drawer.id.uuid(),
    );
    let read = |(kind, account, count, sum): (String, String, i64, i64)| {
        let unfit = || Error::inconsistent("drawer_movement", drawer.id, "is of an unknown kind");
        Ok(Total {
            kind: MovementKind::from_stored(&kind).ok_or_else(unfit)?,
            account: Account::from_stored(&account).ok_or_else(unfit)?,
            count,
            amount: Money::new(sum, drawer.currency()),
        })
    };
    rows.fetch_all(conn).await?.into_iter().map(|row| read((row.kind, row.account, row.count, row.sum))).collect()
}

/// What cash came and went in a drawer since its opening.
///
/// # Errors
/// As [`totals`]; `AMOUNT_OVERFLOW`.
pub fn moved(currency: Currency, totals: &[Total]) -> kernel::Result<Money> {
    let cash = totals.iter().filter(|total| total.account == Account::CashDrawer && total.kind.is_expected());
    Money::try_sum(currency, cash.map(|total| total.amount))
}

/// What was counted in a drawer while it was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// What was in it.
    pub counted: Money,
    /// What should have been.
    pub expected: Money,
    /// When.
    pub time: Timestamp,
}

/// Notes what was counted in a drawer.
#[tracing::instrument(name = "db.drawer_count.insert", skip_all)]
pub async fn insert_count(
    conn: &mut PgConnection,
    id: Uuid,
    drawer: DrawerId,
    actor: &str,
    counted: &Counted,
) -> Result<()> {
    sqlx::query!(
        "insert into drawer_count (id, drawer_id, counted_minor, expected_minor, actor, create_time)
         values ($1, $2, $3, $4, $5, $6)",
        id,
        drawer.uuid(),
        counted.counted.minor(),
        counted.expected.minor(),
        actor,
        counted.time.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What was counted in a drawer while it was open, the oldest first; `limit` at most.
#[tracing::instrument(name = "db.drawer_count.list", skip_all)]
pub async fn counts(conn: &mut PgConnection, drawer: &Drawer, limit: i64) -> Result<Vec<Counted>> {
    let rows = sqlx::query!(
        "select counted_minor, expected_minor, create_time from drawer_count where drawer_id = $1
         order by create_time, id limit $2",
        drawer.id.uuid(),
        limit,
    );
    let money = |minor| Money::new(minor, drawer.currency());
    Ok(rows
        .fetch_all(conn)
        .await?
        .into_iter()
        .map(|row| Counted {
            counted: money(row.counted_minor),
            expected: money(row.expected_minor),
            time: row.create_time.to_jiff(),
        })
        .collect())
}
