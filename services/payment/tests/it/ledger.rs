//! What the database itself refuses, and what is on record.

use std::time::Duration;

use pg::audit::{self, Verdict};
use proto::payment::v1::payment::Purpose;

use crate::house::House;

async fn refused_by(house: &House, statements: &[&'static str]) -> String {
    let mut tx = house.db.pg.begin().await.expect("a transaction");
    for statement in statements {
        if let Err(error) = sqlx::query(*statement).execute(&mut *tx).await {
            return error.to_string();
        }
    }
    kernel::Error::from(tx.commit().await.expect_err("it must be refused")).chain()
}

#[tokio::test]
async fn the_ledger_takes_no_unbalanced_and_no_changed_entry() {
    let house = House::open().await;
    let order = house.order().await;
    house.cash(&order, Purpose::Deposit).await;
    const HALF: &str = "insert into ledger_entry select id, 9, 'takings', currency, 1 from ledger_transaction";
    const EMPTY: &str = "insert into ledger_transaction select gen_random_uuid(), id, 'empty', id, 'CNY', create_time
                         from customer_order";
    assert!(refused_by(&house, &[HALF]).await.contains("does not balance"));
    assert!(refused_by(&house, &[EMPTY]).await.contains("does not balance"));
    for change in [
        "update ledger_entry set amount_minor = amount_minor * 2",
        "delete from ledger_entry",
        "truncate ledger_entry",
        "delete from ledger_transaction",
    ] {
        let refusal = refused_by(&house, &[change]).await;
        assert!(refusal.contains("append-only") || refusal.contains("foreign key"), "{change}: {refusal}");
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
    assert!(refused_by(&house, &[MORE]).await.contains("exceed what was captured"));
    assert!(
        refused_by(&house, &[ENOUGH, "update refund set amount_minor = amount_minor + 1"]).await.contains("exceed")
    );
    assert!(refused_by(&house, &["update customer_order set paid_minor = 30001"]).await.contains("paid_within_total"));
    let refusal = refused_by(&house, &["update customer_order set refunded_minor = 6001"]).await;
    assert!(refusal.contains("refunded_within_paid"), "{refusal}");
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
