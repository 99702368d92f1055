//! Databases and the roles that own them.

use std::str::FromStr as _;

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};

use crate::error::{Error, Result};

/// Serialises those who make databases on one server.
const LOCK: i64 = 0x6d65_7269_6469_616e;

/// The URL by which `role` reaches `database` on the server of `admin_url`.
pub fn database_url(admin_url: &str, database: &str, role: &str, password: &str) -> Result<String> {
    let options = PgConnectOptions::from_str(admin_url).map_err(Error::postgres("take the URL"))?;
    Ok(options.database(database).username(role).password(password).to_url_lossy().to_string())
}

/// Makes `role` with `password` (or sets its password) and the database `name` that it owns, and closes that database
/// to everybody else. Doing it again changes nothing. Returns the URL for the role.
///
/// `admin_url` must belong to a role that may create roles and databases; superuser is not needed.
pub async fn ensure_database(admin_url: &str, name: &str, role: &str, password: &str) -> Result<String> {
    let options = PgConnectOptions::from_str(admin_url).map_err(Error::postgres("take the URL"))?;
    let mut connection = PgConnection::connect_with(&options).await.map_err(Error::postgres("let us connect"))?;
    let made = make(&mut connection, name, role, password).await;
    // The answer above matters; a failed goodbye does not.
    let _ = connection.close().await;
    made?;
    database_url(admin_url, name, role, password)
}

async fn make(connection: &mut PgConnection, name: &str, role: &str, password: &str) -> Result<()> {
    sqlx::query("select pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut *connection)
        .await
        .map_err(Error::postgres("lock the making of databases"))?;
    let verb =
        if exists(connection, "select 1 from pg_roles where rolname = $1", role).await? { "alter" } else { "create" };
    // A role made by a plain administrator must be granted to it before a database can be given to that role.
    let superuser: bool = sqlx::query_scalar("select rolsuper from pg_roles where rolname = current_user")
        .fetch_one(&mut *connection)
        .await
        .map_err(Error::postgres("tell our own rights"))?;
    let login = format!("{verb} role %1$I login nosuperuser nocreatedb nocreaterole password %2$L");
    let login = if superuser { login } else { format!("{verb} role %1$I login password %2$L") };
    execute(connection, "make a role", &login, role, password).await?;
    if !superuser {
        execute(connection, "grant us a role", "grant %1$I to current_user", role, "").await?;
    }
    if !exists(connection, "select 1 from pg_database where datname = $1", name).await? {
        execute(connection, "make a database", "create database %1$I owner %2$I", name, role).await?;
    }
    execute(connection, "give a database away", "alter database %1$I owner to %2$I", name, role).await?;
    execute(connection, "close a database", "revoke all on database %1$I from public", name, "").await
}

async fn exists(connection: &mut PgConnection, query: &'static str, name: &str) -> Result<bool> {
    let row = sqlx::query(query).bind(name).fetch_optional(connection).await;
    row.map(|row| row.is_some()).map_err(Error::postgres("tell what exists"))
}

/// Runs a statement that takes no parameters, with names and texts quoted by Postgres itself.
async fn execute(connection: &mut PgConnection, action: &'static str, template: &str, a: &str, b: &str) -> Result<()> {
    let statement: String = sqlx::query_scalar("select format($1, $2, $3)")
        .bind(template)
        .bind(a)
        .bind(b)
        .fetch_one(&mut *connection)
        .await
        .map_err(Error::postgres(action))?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(|_| ()).map_err(Error::postgres(action))
}
