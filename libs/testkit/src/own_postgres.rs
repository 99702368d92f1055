//! A Postgres that one test may do anything to.

use std::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
};

use pg::Pg;
use provision::Provision;
use sqlx::{Connection as _, PgConnection, migrate::Migrator};

use crate::{
    database,
    own_redis::{discard, kill, new_folder},
    servers,
};

/// A private Postgres with one migrated database. It is killed with this value.
pub struct OwnPostgres {
    /// A pool as services have it.
    pub pg: Pg,
    /// For the owner of the database. Stays the same over [`Self::restart`]. Holds a password.
    pub url: String,
    /// For the administrator of the server. Holds a password.
    pub admin_url: String,
    provision: Provision,
    pid: AtomicU32,
}

impl OwnPostgres {
    /// `kill -9`; returns when it is gone. What was committed is kept.
    pub async fn kill(&self) {
        kill(self.pid.load(Ordering::SeqCst)).await;
    }

    /// Starts it again after [`Self::kill`] at the same address.
    pub async fn restart(&self) {
        let server = servers::own_postgres(&self.provision).await;
        assert_eq!(server.admin_url(), self.admin_url, "somebody has taken the port meanwhile");
        self.pid.store(server.pid(), Ordering::SeqCst);
    }
}

impl fmt::Debug for OwnPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnPostgres").field("pid", &self.pid).finish_non_exhaustive()
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        discard(&self.provision);
    }
}

/// A Postgres of the test's own, with the platform's migrations and those of `service`. It takes a second or two.
pub async fn own_postgres(service: &'static Migrator) -> OwnPostgres {
    let provision = new_folder();
    let server = servers::own_postgres(&provision).await;
    let url = provision.database("service").await.unwrap_or_else(|error| panic!("{error}"));
    let mut inside = PgConnection::connect(&url).await.expect("the owner gets in");
    pg::migrator(service).run(&mut inside).await.unwrap_or_else(|error| panic!("the migrations fail: {error}"));
    inside.close().await.expect("the connection closes");
    OwnPostgres {
        pg: database::connect(&url).await,
        url,
        admin_url: server.admin_url().to_owned(),
        provision,
        pid: AtomicU32::new(server.pid()),
    }
}
