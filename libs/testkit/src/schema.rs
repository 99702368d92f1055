//! Empty databases with the tables of a service as its migration files say now, for checking queries at compile time.
//!
//! Nothing of the service is compiled in here: its queries can be checked before it compiles.

use provision::{Provision, ensure_database};
use sqlx::{Connection as _, PgConnection, migrate::Migrator};

use crate::{cleaner, servers};

/// Makes the database anew; returns its URL.
pub async fn schema(provision: &Provision, service: &str) -> String {
    let server = servers::own_postgres(provision).await;
    let name = format!("schema_{service}");
    let mut admin = PgConnection::connect(server.admin_url()).await.expect("the Postgres of the tests lets us in");
    cleaner::drop_database(&mut admin, &name).await;
    admin.close().await.expect("the connection closes");
    // It holds no data, and the server listens on this machine only: any password will do.
    let made = ensure_database(server.admin_url(), &name, &name, &name).await;
    let url = made.unwrap_or_else(|error| panic!("{error}"));

    let mut connection = PgConnection::connect(&url).await.expect("the owner gets in");
    let mut migrations = Vec::new();
    for folder in ["libs/pg/migrations".to_owned(), format!("services/{service}/migrations")] {
        let path = servers::workspace().join(&folder);
        let migrator = Migrator::new(path).await.unwrap_or_else(|error| panic!("{folder}: {error}"));
        migrations.extend(migrator.iter().cloned());
    }
    let migrator = Migrator::with_migrations(migrations);
    migrator.run(&mut connection).await.unwrap_or_else(|error| panic!("the migrations of {service} fail: {error}"));
    connection.close().await.expect("the connection closes");
    url
}
