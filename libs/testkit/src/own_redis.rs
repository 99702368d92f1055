//! A Redis that one test may do anything to.

use std::{
    fmt, fs,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use provision::Provision;
use redis::{Client, RedisResult, aio::MultiplexedConnection};

use crate::{
    cleaner::{self, Job},
    eventually, servers,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// A private Redis. It is killed with this value.
pub struct OwnRedis {
    provision: Provision,
    pid: AtomicU32,
    url: String,
}

impl OwnRedis {
    /// The URL, which stays the same over [`Self::restart`]. Holds a password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A client of the server.
    pub fn client(&self) -> Client {
        Client::open(self.url.as_str()).expect("a URL of Redis")
    }

    /// A connection to the server, which must be running.
    pub async fn connection(&self) -> MultiplexedConnection {
        servers::connect_redis(&self.url).await.expect("our own Redis lets us in")
    }

    /// Forgets everything.
    pub async fn flush(&self) {
        let done: RedisResult<()> = redis::cmd("FLUSHALL").query_async(&mut self.connection().await).await;
        done.expect("our own Redis forgets");
    }

    /// `kill -9`; returns when it is gone.
    pub async fn kill(&self) {
        kill(self.pid.load(Ordering::SeqCst)).await;
    }

    /// Starts it again after [`Self::kill`], empty, at the same address.
    pub async fn restart(&self) {
        let server = servers::own_redis(&self.provision).await;
        assert_eq!(server.url(), self.url, "somebody has taken the port meanwhile");
        self.pid.store(server.pid(), Ordering::SeqCst);
    }

    /// Freezes it: connections stay open and nothing answers.
    pub fn pause(&self) {
        provision::suspend(self.pid.load(Ordering::SeqCst));
    }

    /// Ends [`Self::pause`].
    pub fn resume(&self) {
        provision::resume(self.pid.load(Ordering::SeqCst));
    }
}

impl fmt::Debug for OwnRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnRedis").field("pid", &self.pid).finish_non_exhaustive()
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        discard(&self.provision);
    }
}

/// A Redis of the test's own.
pub async fn own_redis() -> OwnRedis {
    let provision = new_folder();
    let server = servers::own_redis(&provision).await;
    OwnRedis { pid: AtomicU32::new(server.pid()), url: server.url().to_owned(), provision }
}

/// A new data folder, named after this process so that a later one can remove it.
pub(crate) fn new_folder() -> Provision {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = servers::data().join("own").join(format!("{}-{number}", std::process::id()));
    // A process of the same id may have left one.
    let _ = fs::remove_dir_all(&folder);
    Provision::new(folder, servers::options())
}

/// Kills the servers at once and leaves the files to the cleaner.
pub(crate) fn discard(provision: &Provision) {
    cleaner::stop_at_once(provision);
    cleaner::submit(Job::Folder(provision.clone()));
}

pub(crate) async fn kill(pid: u32) {
    provision::stop_at_once(pid);
    eventually(PATIENCE, || async { !provision::is_alive(pid) }).await;
}

/// Deletes all keys with `prefix`; a failure leaves them, they hurt nobody.
pub(crate) async fn delete_keys(url: &str, prefix: &str) {
    let delete = async {
        let mut connection = servers::connect_redis(url).await?;
        let mut cursor = 0_u64;
        loop {
            let scan =
                redis::cmd("SCAN").arg(cursor).arg("MATCH").arg(format!("{prefix}*")).arg("COUNT").arg(1_000).clone();
            let (next, keys): (u64, Vec<String>) = scan.query_async(&mut connection).await?;
            if !keys.is_empty() {
                redis::cmd("UNLINK").arg(keys).query_async::<()>(&mut connection).await?;
            }
            cursor = next;
            if cursor == 0 {
                return RedisResult::Ok(());
            }
        }
    };
    let _ = delete.await;
}
