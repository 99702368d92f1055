//! Migrated databases that those of tests are copied from, one for each set of migrations.

use std::{
    collections::HashSet,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use kernel::{Clock as _, SystemClock};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, migrate::Migrator};
use tokio::sync::Mutex;

use crate::{cleaner, servers::TestPostgres};

/// Held exclusively while a template is made, shared while one is copied.
const LOCK: i64 = 0x7465_6d70_6c61_7465;
const NO_SUCH_DATABASE: &str = "3D000";

/// Makes a database with all migrations of `migrator`; returns its name.
pub(crate) async fn copy(server: &TestPostgres, migrator: &Migrator) -> String {
    /// Those that this process has seen.
    static KNOWN: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let template = name_of(migrator);
    let mut admin = server.admin().await;
    let name = new_name();
    let owner = server.role.map_or_else(String::new, |role| format!(" owner {role}"));
    let statement = format!("create database {name} template {template}{owner}");
    loop {
        {
            let mut known = KNOWN.lock().await;
            if !known.contains(&template) {
                ensure(server, &mut admin, &template, migrator).await;
                known.insert(template.clone());
            }
        }
        lock(&mut admin, "pg_advisory_lock_shared").await;
        let copied = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut admin).await;
        lock(&mut admin, "pg_advisory_unlock_shared").await;
        match copied {
            Ok(_) => break,
            // Another process has started the server anew and dropped the templates.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NO_SUCH_DATABASE) => {
                KNOWN.lock().await.remove(&template);
            }
            Err(error) => panic!("can't copy {template}: {error}"),
        }
    }
    admin.close().await.expect("the connection closes");
    name
}

/// Makes the database `scratch_<name>` anew with all migrations of `migrator`, and leaves it; returns its URL.
pub(crate) async fn scratch(server: &TestPostgres, name: &str, migrator: &Migrator) -> String {
    let mut admin = server.admin().await;
    let owner = server.role.map_or_else(String::new, |role| format!(" owner {role}"));
    let database = format!("scratch_{name}");
    cleaner::drop_database(&mut admin, &database).await;
    run(&mut admin, format!("create database {database}{owner}")).await;
    admin.close().await.expect("the connection closes");
    let url = server.url_of(&database);
    let mut inside = PgConnection::connect(&url).await.expect("the owner gets in");
    migrator.run(&mut inside).await.unwrap_or_else(|error| panic!("the migrations fail: {error}"));
    inside.close().await.expect("the connection closes");
    url
}

/// Drops what earlier runs of the server have left: all templates, and the databases of processes that are gone.
pub(crate) async fn drop_all(server: &TestPostgres) {
    let mut admin = server.admin().await;
    lock(&mut admin, "pg_advisory_lock").await;
    let names = sqlx::query_scalar::<_, String>("select datname from pg_database where datname like 'template\\_%'");
    for name in names.fetch_all(&mut admin).await.expect("the names of databases") {
        cleaner::drop_database(&mut admin, &name).await;
    }
    cleaner::drop_databases_of_the_dead(&mut admin).await;
    admin.close().await.expect("the connection closes");
}

/// The process that a test database was made by.
pub(crate) fn process_of(name: &str) -> Option<u32> {
    name.strip_prefix("test_")?.split('_').next()?.parse().ok()
}

async fn ensure(server: &TestPostgres, admin: &mut PgConnection, template: &str, migrator: &Migrator) {
    lock(admin, "pg_advisory_lock").await;
    let found = sqlx::query("select 1 from pg_database where datname = $1").bind(template).fetch_optional(&mut *admin);
    if found.await.expect("the names of databases").is_none() {
        let draft = format!("{template}_draft");
        let owner = server.role.map_or_else(String::new, |role| format!(" owner {role}"));
        cleaner::drop_database(admin, &draft).await;
        run(admin, format!("create database {draft}{owner}")).await;
        let mut inside = PgConnection::connect(&server.url_of(&draft)).await.expect("the owner gets in");
        migrator.run(&mut inside).await.unwrap_or_else(|error| panic!("the migrations fail: {error}"));
        inside.close().await.expect("the connection closes");
        run(admin, format!("alter database {draft} rename to {template}")).await;
    }
    lock(admin, "pg_advisory_unlock").await;
}

async fn lock(admin: &mut PgConnection, function: &str) {
    run(admin, format!("select {function}({LOCK})")).await;
}

async fn run(admin: &mut PgConnection, statement: String) {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(admin).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// The same migrations have the same name, and others another.
fn name_of(migrator: &Migrator) -> String {
    let mut hash = Sha256::new();
    for migration in migrator.iter() {
        hash.update(migration.version.to_be_bytes());
        hash.update(&migration.checksum);
    }
    let digest: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("template_{digest}")
}

/// Unlike any other, also on a server that several machines share.
fn new_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let random = kernel::ids::uuid_v7(SystemClock.now()).simple().to_string();
    format!("test_{}_{number}_{}", std::process::id(), &random[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_tells_its_process() {
        assert_eq!(process_of(&new_name()), Some(std::process::id()));
        assert_eq!(process_of("template_1"), None);
        assert_eq!(process_of("test_x"), None);
    }
}
