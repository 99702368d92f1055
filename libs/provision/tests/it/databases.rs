//! Databases that belong to one role each.

use provision::ensure_database;
use sqlx::{Connection as _, PgConnection};

use crate::folder::{Folder, connect};

#[tokio::test]
async fn a_role_owns_its_database_and_enters_no_other() {
    let folder = Folder::new();
    let server = folder.provision().postgres().await.expect("starts");
    let admin = server.admin_url();
    let one = ensure_database(admin, "one", "one", "it's \"secret\" & long").await.expect("made");
    ensure_database(admin, "two", "two", "other").await.expect("made");

    let mut owner = connect(&one).await;
    let statement = "create extension btree_gist; create schema s; create table s.t (n int); drop schema s cascade";
    sqlx::raw_sql(statement).execute(&mut owner).await.expect("an owner may do that in its own database");
    for foreign in ["two", "postgres", "template1"] {
        let url = provision::database_url(admin, foreign, "one", "it's \"secret\" & long").expect("a URL");
        let error = PgConnection::connect(&url).await.expect_err("closed to others").to_string();
        assert!(error.contains("permission denied for database"), "{foreign}: {error}");
    }
    let error = sqlx::raw_sql("create role three").execute(&mut owner).await.expect_err("no rights beyond").to_string();
    assert!(error.contains("permission denied"), "{error}");
}

#[tokio::test]
async fn doing_it_again_keeps_the_data_and_sets_the_password() {
    let folder = Folder::new();
    let server = folder.provision().postgres().await.expect("starts");
    let first = ensure_database(server.admin_url(), "one", "one", "old").await.expect("made");
    sqlx::raw_sql("create table kept ()").execute(&mut connect(&first).await).await.expect("a table");
    let second = ensure_database(server.admin_url(), "one", "one", "new").await.expect("found");
    sqlx::raw_sql("select from kept").execute(&mut connect(&second).await).await.expect("the table");
    PgConnection::connect(&first).await.expect_err("the old password is void");
}

#[tokio::test]
async fn an_administrator_without_superuser_will_do() {
    let folder = Folder::new();
    let server = folder.provision().postgres().await.expect("starts");
    let statement =
        "create role chief login createdb createrole password 'c'; grant connect on database postgres to chief";
    sqlx::raw_sql(statement).execute(&mut connect(server.admin_url()).await).await.expect("a role");
    let chief = provision::database_url(server.admin_url(), "postgres", "chief", "c").expect("a URL");
    let one = ensure_database(&chief, "one", "one", "p").await.expect("made");
    connect(&one).await;
    ensure_database(&chief, "one", "one", "p").await.expect("found");
}

#[tokio::test]
async fn generated_passwords_are_remembered() {
    let folder = Folder::new();
    let first = folder.provision().database("booking").await.expect("made");
    let second = folder.provision().database("booking").await.expect("found");
    assert_eq!(first, second);
    connect(&second).await;
}
