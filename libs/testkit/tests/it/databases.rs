//! Databases of one's own.

use std::time::Duration;

use pg::Pg;
use sqlx::{Connection as _, PgConnection, migrate::Migrator};
use testkit::{database, eventually, own_postgres};

static NO_SERVICE: Migrator = Migrator::DEFAULT;

async fn count_tables(pg: &Pg) -> i64 {
    let tables = "select count(*) from pg_tables where schemaname = 'public'";
    sqlx::query_scalar(tables).fetch_one(pg.pool()).await.expect("a number")
}

#[tokio::test]
async fn each_is_migrated_and_empty_and_gone_afterwards() {
    let (one, two) = tokio::join!(database(&NO_SERVICE), database(&NO_SERVICE));
    assert!(count_tables(&one.pg).await > 0);
    sqlx::raw_sql("create table mine ()").execute(one.pg.pool()).await.expect("a table");
    assert_eq!(count_tables(&one.pg).await, count_tables(&two.pg).await + 1);

    let (name, url) = (one.name().to_owned(), two.url.clone());
    drop(one);
    let mut other = PgConnection::connect(&url).await.expect("lets us in");
    let mut left = async || {
        let names = sqlx::query("select 1 from pg_database where datname = $1").bind(&name);
        names.fetch_optional(&mut other).await.expect("names").is_some()
    };
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while left().await {
        assert!(tokio::time::Instant::now() < deadline, "{name} was not dropped");
    }
}

#[tokio::test]
async fn its_owner_has_no_rights_beyond() {
    if std::env::var_os("MERIDIAN_TEST_POSTGRES_URL").is_some() {
        println!("skipped: its_owner_has_no_rights_beyond needs the private server");
        return;
    }
    let db = database(&NO_SERVICE).await;
    let superuser = "select rolsuper or rolcreaterole or rolcreatedb from pg_roles where rolname = current_user";
    assert!(!sqlx::query_scalar::<_, bool>(superuser).fetch_one(db.pg.pool()).await.expect("a role"));
}

#[tokio::test]
async fn a_killed_postgres_comes_back_with_what_was_committed() {
    let own = own_postgres(&NO_SERVICE).await;
    sqlx::raw_sql("create table kept ()").execute(own.pg.pool()).await.expect("a table");
    own.kill().await;
    sqlx::query("select from kept").fetch_all(own.pg.pool()).await.expect_err("it is gone");
    own.restart().await;
    eventually(Duration::from_secs(10), || sqlx::query("select from kept").fetch_all(own.pg.pool())).await;
}
