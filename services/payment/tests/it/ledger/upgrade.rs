//! A database of the version before keeps its books.

use std::sync::LazyLock;

use kernel::{
    Clock, Currency, Uuid,
    ids::{LedgerTransactionId, MemberId, OrderId, StoreId},
};
use payment::db::ledger;
use sqlx::migrate::Migrator;

use crate::wire::fresh;

/// The first migration of the ledger in depth.
const LEDGER: i64 = 1010;

/// The tables as they were before.
static BEFORE: LazyLock<Migrator> = LazyLock::new(|| {
    Migrator::with_migrations(payment::MIGRATOR.iter().filter(|one| one.version < LEDGER).cloned().collect())
});

const TRANSACTION: &str = "with booked as (
        insert into ledger_transaction (id, order_id, kind, source_id, currency, create_time)
        values ($1, $2, $3, $1, 'CNY', $4) returning id
    )
    insert into ledger_entry (transaction_id, position, account, currency, amount_minor)
    select booked.id, entry.* from booked, unnest($5::integer[], $6::text[], $7::text[], $8::bigint[]) as entry";

type Row = (Uuid, i32, String, String, i64);

async fn entries(db: &testkit::TestDb) -> Vec<Row> {
    sqlx::query_as(
        "select transaction_id, position, account, currency, amount_minor from ledger_entry
         order by transaction_id, position",
    )
    .fetch_all(db.pg.pool())
    .await
    .expect("entries")
}

#[tokio::test]
async fn what_was_booked_before_stays_and_learns_its_place() {
    let db = testkit::database(&BEFORE).await;
    let clock = testkit::clock();
    let (member, store) = (MemberId::from_uuid(fresh()), StoreId::from_uuid(fresh()));
    let order = OrderId::from_uuid(fresh());
    sqlx::query(
        "insert into customer_order (id, booking_id, customer_id, store_id, currency, total_minor, deposit_minor,
                                     paid_minor, refunded_minor, state, create_time, version)
         values ($1, $1, $2, $3, 'CNY', 100, 0, 100, 0, 'paid', now(), 1)",
    )
    .bind(order.uuid())
    .bind(member.uuid())
    .bind(store.uuid())
    .execute(db.pg.pool())
    .await
    .expect("an order");
    let booked = [
        ("capture", "provider_receivable", "customer_deposits"),
        ("recognise", "customer_deposits", "takings"),
        ("refund_decided", "takings", "refunds_payable"),
    ];
    let post = async |kind: &'static str, debit: &str, credit: &str| {
        let now = clock.advance(std::time::Duration::from_millis(7));
        sqlx::query(TRANSACTION)
            .bind(LedgerTransactionId::new(now).uuid())
            .bind(order.uuid())
            .bind(kind)
            .bind(jiff_sqlx::Timestamp::from(now))
            .bind(vec![0, 1])
            .bind(vec![debit.to_owned(), credit.to_owned()])
            .bind(vec!["CNY"; 2])
            .bind(vec![100_i64, -100])
            .execute(db.pg.pool())
            .await
    };
    for (kind, debit, credit) in booked {
        post(kind, debit, credit).await.expect("booked");
    }
    let before = entries(&db).await;

    pg::migrator(&payment::MIGRATOR).run(db.pg.pool()).await.expect("migrated");
    assert_eq!(entries(&db).await, before);
    let places: Vec<(String, Uuid, Option<String>)> =
        sqlx::query_as("select account, store_id, party from ledger_entry order by transaction_id, position")
            .fetch_all(db.pg.pool())
            .await
            .expect("places");
    let of = |account: &str, party: Option<String>| (account.to_owned(), store.uuid(), party);
    let customer = || Some(member.name());
    assert_eq!(
        places,
        [
            of("provider_receivable", Some("providers/sandbox".to_owned())),
            of("customer_deposits", customer()),
            of("customer_deposits", customer()),
            of("takings", None),
            of("takings", None),
            of("refunds_payable", customer()),
        ]
    );
    let mut conn = db.pg.conn().await.expect("a connection");
    let balances = ledger::balances(&mut conn, None, 10).await.expect("balances");
    let seen: Vec<_> = balances.iter().map(|b| (b.account.as_str(), b.amount.minor())).collect();
    let expected = [("customer_deposits", 0), ("provider_receivable", 100), ("refunds_payable", -100), ("takings", 0)];
    assert_eq!(seen, expected);
    assert!(balances.iter().all(|balance| balance.amount.currency() == Currency::CNY));

    // A replica of the version before still runs for a moment.
    post("forfeit", "customer_deposits", "forfeited_deposits").await.expect("booked by the version before");
    assert_eq!(entries(&db).await.len(), before.len() + 2);
    assert!(clock.now() > testkit::START);
}
