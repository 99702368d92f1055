//! Accounts of staff.

use kernel::{
    Timestamp, Uuid,
    ids::{StaffId, StoreId},
};
use pg::PgConnection;
use proto::access::Role;

use super::sql;

/// An account as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its id.
    pub id: StaffId,
    /// What he signs in with.
    pub user_name: String,
    /// How to address him, sealed.
    pub sealed_display_name: Vec<u8>,
    /// The PHC string of the password.
    pub password_hash: String,
    /// What he may do.
    pub roles: Vec<Role>,
    /// The store that he is bound to.
    pub store: Option<StoreId>,
    /// When the account was opened.
    pub create_time: Timestamp,
}

/// Stores a new account. False if the name is taken.
#[tracing::instrument(name = "db.staff.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, staff: &Stored) -> pg::Result<bool> {
    let roles: Vec<String> = staff.roles.iter().map(|role| role.as_str().to_owned()).collect();
    let done = sqlx::query!(
        "insert into staff (id, user_name, sealed_display_name, password_hash, roles, store_id, create_time)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (user_name) do nothing",
        staff.id.uuid(),
        staff.user_name,
        staff.sealed_display_name,
        staff.password_hash,
        &roles,
        staff.store.map(StoreId::uuid),
        sql(staff.create_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Reads an account.
#[tracing::instrument(name = "db.staff.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: StaffId) -> pg::Result<Option<Stored>> {
    let row = sqlx::query_as!(Row, "select * from staff where id = $1", id.uuid()).fetch_optional(conn).await?;
    row.map(Row::read).transpose()
}

/// Reads the account of a name.
#[tracing::instrument(name = "db.staff.by_name", skip_all)]
pub async fn by_name(conn: &mut PgConnection, user_name: &str) -> pg::Result<Option<Stored>> {
    let row = sqlx::query_as!(Row, "select * from staff where user_name = $1", user_name).fetch_optional(conn).await?;
    row.map(Row::read).transpose()
}

/// Lists accounts by name, of one store or of all.
#[tracing::instrument(name = "db.staff.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    store: Option<StoreId>,
    after: Option<&str>,
    limit: i64,
) -> pg::Result<Vec<Stored>> {
    let rows = sqlx::query_as!(
        Row,
        "select * from staff
         where ($1::uuid is null or store_id = $1) and ($2::text is null or user_name > $2)
         order by user_name limit $3",
        store.map(StoreId::uuid),
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

struct Row {
    id: Uuid,
    user_name: String,
    sealed_display_name: Vec<u8>,
    password_hash: String,
    roles: Vec<String>,
    store_id: Option<Uuid>,
    create_time: jiff_sqlx::Timestamp,
}

impl Row {
    fn read(self) -> pg::Result<Stored> {
        let roles = self
            .roles
            .iter()
            .map(|role| role.parse().map_err(|_| pg::Error::inconsistent("staff", self.id, "unknown role")))
            .collect::<pg::Result<_>>()?;
        Ok(Stored {
            id: StaffId::from_uuid(self.id),
            user_name: self.user_name,
            sealed_display_name: self.sealed_display_name,
            password_hash: self.password_hash,
            roles,
            store: self.store_id.map(StoreId::from_uuid),
            create_time: self.create_time.to_jiff(),
        })
    }
}
