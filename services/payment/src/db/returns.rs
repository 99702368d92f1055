//! What was given back of orders that go on.

use std::collections::HashMap;

use jiff_sqlx::ToSqlx;
use kernel::{Money, Timestamp, Uuid, ids::OrderReturnId};
use pg::{PgConnection, Result};

use crate::domain::{Order, order::Return};

/// Stores one, the one at `position` among those of its order.
#[tracing::instrument(name = "db.order_return.insert", skip_all)]
pub(super) async fn insert(conn: &mut PgConnection, order: &Order, position: i32, of: &Return) -> Result<()> {
    let (lines, amounts): (Vec<i32>, Vec<i64>) =
        of.lines.iter().map(|(line, amount)| (i32::try_from(*line).unwrap_or(i32::MAX), amount.minor())).unzip();
    sqlx::query!(
        "insert into order_return (id, order_id, position, amount_minor, reason, create_time)
         values ($1, $2, $3, $4, $5, $6)",
        of.id.uuid(),
        order.id.uuid(),
        position,
        of.amount.minor(),
        of.reason,
        of.create_time.to_sqlx() as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into order_return_line (return_id, line_position, amount_minor)
         select $1, line.* from unnest($2::integer[], $3::bigint[]) as line",
        of.id.uuid(),
        &lines,
        &amounts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) struct Row {
    id: Uuid,
    pub(super) order_id: Uuid,
    amount_minor: i64,
    reason: String,
    create_time: Timestamp,
    lines: Vec<(usize, i64)>,
}

/// Those of some orders, the oldest first.
pub(super) async fn of_orders(conn: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<Row>> {
    let rows = sqlx::query!(
        "select id, order_id, amount_minor, reason, create_time from order_return where order_id = any($1)
         order by order_id, position",
        orders,
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut lines: HashMap<Uuid, Vec<(usize, i64)>> = HashMap::new();
    if !ids.is_empty() {
        let found = sqlx::query!(
            "select return_id, line_position, amount_minor from order_return_line where return_id = any($1)
             order by return_id, line_position",
            &ids,
        )
        .fetch_all(conn)
        .await?;
        for line in found {
            let position = usize::try_from(line.line_position).unwrap_or(usize::MAX);
            lines.entry(line.return_id).or_default().push((position, line.amount_minor));
        }
    }
    Ok(rows
        .into_iter()
        .map(|row| Row {
            lines: lines.remove(&row.id).unwrap_or_default(),
            id: row.id,
            order_id: row.order_id,
            amount_minor: row.amount_minor,
            reason: row.reason,
            create_time: row.create_time.to_jiff(),
        })
        .collect())
}

impl Row {
    pub(super) fn read(self, money: impl Fn(i64) -> Money) -> Return {
        Return {
            id: OrderReturnId::from_uuid(self.id),
            amount: money(self.amount_minor),
            lines: self.lines.into_iter().map(|(position, minor)| (position, money(minor))).collect(),
            reason: self.reason,
            create_time: self.create_time,
        }
    }
}
