//! What the database itself refuses, and what is on record.

use std::time::Duration;

use pg::audit::{self, Verdict};
use proto::payment::v1::payment::Purpose;
use sqlx::AssertSqlSafe;

use crate::house::House;

/// What the database says to statements of one transaction, which is then given up; empty if it takes them.
async fn refused_by(house: &House, statements: &[String]) -> String {
    let mut tx = house.db.pg.begin().await.expect("a transaction");
    for statement in statements {
        if let Err(error) = sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut *tx).await {
            return error.to_string();
        }
    }
    String::new()
}

#[tokio::test]
async fn the_ledger_takes_no_unsound_entry() {
    let house = House::open().await;
    let order = house.order().await;
    house.cash(&order, Purpose::Deposit).await;
    const LATER: &str = "insert into ledger_entry select id, 9, 'takings', 'CNY', 1 from ledger_transaction";
    const EMPTY: &str = "insert into ledger_transaction (id, kind, source_id, create_time)
                         select id, 'empty', id, create_time from ledger_transaction";
    const PAIR: &str = "with booked as (
            insert into ledger_transaction (id, kind, source_id, create_time)
            values ('00000000-0000-7000-8000-000000000000', 'x', gen_random_uuid(), to_timestamp(0)) returning id
        )
        insert into ledger_entry select id, 0, 'cash_drawer', 'CNY', 5, ";
    let pair =
        |first: &str, second: &str| format!("{PAIR}{first} from booked union all select id, 1, {second} from booked");
    let here = "'00000000-0000-0000-0000-000000000001'::uuid";
    assert!(refused_by(&house, &[LATER.to_owned()]).await.contains("another one's"));
    assert!(
        refused_by(&house, &[EMPTY.replace("select id", "select gen_random_uuid()")]).await.contains("is_its_time")
    );
    let unsound = [
        (format!("'takings', 'CNY', -4, {here}"), "does not balance"),
        ("'takings', 'CNY', -5, '00000000-0000-0000-0000-000000000002'::uuid".to_owned(), "does not balance"),
        (format!("'takings', 'USD', -5, {here}"), "does not balance"),
        (format!("'slush_fund', 'CNY', -5, {here}"), "not in the chart"),
        (format!("'takings', 'CNY', 0, {here}"), "amount_minor_check"),
    ];
    for (second, found) in unsound {
        let refusal = refused_by(&house, &[pair(here, &second)]).await;
        assert!(refusal.contains(found), "{second}: {refusal}");
    }
    let sound = pair(here, &format!("'takings', 'CNY', -5, {here}"));
    let bare = "insert into ledger_transaction (id, kind, source_id, create_time)
                values ('00000000-0000-7000-8000-000000000000', 'x', gen_random_uuid(), to_timestamp(0))";
    assert!(refused_by(&house, &[bare.to_owned()]).await.contains("has no entries"));
    let older = "set transaction isolation level repeatable read".to_owned();
    assert!(refused_by(&house, &[older, sound.clone()]).await.contains("read committed"));
    let again = sound.replace("7000-8000-000000000000", "7000-8000-000000000001");
    assert_eq!(refused_by(&house, &[sound, again]).await, "", "the test's own statements are sound");
    house.balances().await;
}

/// What is append-only, and what of it may be added to by statements only.
const APPEND_ONLY: [&str; 9] = [
    "ledger_account",
    "ledger_transaction",
    "ledger_entry",
    "ledger_transfer_entry",
    "ledger_seal",
    "ledger_cutoff",
    "ledger_fence",
    "ledger_sheet",
    "ledger_day",
];

#[tokio::test]
async fn what_is_booked_never_changes_whoever_asks() {
    let house = House::open().await;
    let order = house.order().await;
    house.cash(&order, Purpose::Deposit).await;
    for table in APPEND_ONLY.into_iter().chain(["ledger_transfer", "ledger_balance", "ledger_rollup"]) {
        for change in ["delete from", "truncate"] {
            let refusal = refused_by(&house, &[format!("{change} {table}")]).await;
            assert!(refusal.contains("permission denied"), "{change} {table}: {refusal}");
        }
    }
    for table in APPEND_ONLY {
        let column = format!("select attname from pg_attribute where attrelid = '{table}'::regclass and attnum = 1");
        let column: String =
            sqlx::query_scalar(AssertSqlSafe(column)).fetch_one(house.db.pg.pool()).await.expect("a column");
        let update = format!("update {table} set {column} = {column}");
        assert!(refused_by(&house, std::slice::from_ref(&update)).await.contains("permission denied"), "{table}");
        // Whoever owns the table may give himself the right; the trigger is there still.
        let grant = format!("grant update, delete, truncate on {table} to current_user");
        for change in [update, format!("delete from {table}"), format!("truncate {table}")] {
            let refusal = refused_by(&house, &[grant.clone(), change.clone()]).await;
            assert!(refusal.contains("append-only"), "{change}: {refusal}");
        }
    }
    house.balances().await;
}

#[tokio::test]
async fn the_database_holds_the_limits_too() {
    let house = House::open().await;
    let order = house.order().await;
    house.cash(&order, Purpose::Deposit).await;
    house.close(&order, Some(1_000)).await;
    const MORE: &str = "insert into refund select gen_random_uuid(), order_id, 1, payment_id, 1001, 'pending', 'X',
                        create_time, null, create_time from refund";
    const ENOUGH: &str = "insert into refund select gen_random_uuid(), order_id, 1, payment_id, 1000, 'pending', 'X',
                          create_time, null, create_time from refund limit 1";
    const RAISE: &str = "update refund set amount_minor = amount_minor + 1";
    const PAID: &str = "update customer_order set paid_minor = 30001";
    const BACK: &str = "update customer_order set refunded_minor = 6001";
    let limits: [(&[&str], &str); 4] = [
        (&[MORE], "exceed what was captured"),
        (&[ENOUGH, RAISE], "exceed"),
        (&[PAID], "paid_within_total"),
        (&[BACK], "refunded_within_paid"),
    ];
    for (statements, limit) in limits {
        let statements: Vec<String> = statements.iter().map(|text| (*text).to_owned()).collect();
        let refusal = refused_by(&house, &statements).await;
        assert!(refusal.contains(limit), "{statements:?}: {refusal}");
    }
}

#[tokio::test]
async fn every_change_of_money_is_on_record() {
    let house = House::open().await;
    let order = house.order().await;
    house.cash(&order, Purpose::Deposit).await;
    house.close(&order, Some(1_000)).await;
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("select actor, action, target from audit_entry order by position")
            .fetch_all(house.db.pg.pool())
            .await
            .expect("the audit trail");
    let actions: Vec<_> = rows.iter().map(|row| row.1.as_str()).collect();
    assert_eq!(actions, ["payment.capture", "payment.refund_decided", "payment.refund_done", "payment.forfeit"]);
    assert!(rows[0].0.starts_with("staff/") && rows[1].0 == "services/booking");
    assert!(rows.iter().all(|row| row.2 == order));

    // Sealed is what no transaction still running in the same Postgres could get in before.
    let intact = testkit::eventually(Duration::from_secs(20), || async {
        payment::worker::seal_audit(&house.app).await.expect("sealed");
        let verdict = audit::verify(&mut house.db.pg.conn().await.expect("a connection")).await.expect("a verdict");
        matches!(verdict, Verdict::Intact { entries: 4, .. })
    });
    intact.await;
}
