//! The shared Redis, parted by key prefixes.

use redis::{Client, aio::MultiplexedConnection};

use crate::{
    cleaner::{self, Job},
    servers,
};

/// The shared Redis and a prefix that no other test uses. Keys with the prefix are deleted with this value.
#[derive(Debug)]
pub struct TestRedis {
    /// Holds a password.
    pub url: String,
    /// Put it before every key; it ends with a colon.
    pub prefix: String,
}

impl TestRedis {
    /// A client of the server.
    pub fn client(&self) -> Client {
        Client::open(self.url.as_str()).expect("a URL of Redis")
    }

    /// A connection to the server.
    pub async fn connection(&self) -> MultiplexedConnection {
        servers::connect_redis(&self.url).await.expect("the Redis of the tests lets us in")
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        cleaner::submit(Job::Keys(std::mem::take(&mut self.url), std::mem::take(&mut self.prefix)));
    }
}

/// The shared Redis. Tests that stop or empty it take [`crate::own_redis`].
pub async fn redis() -> TestRedis {
    use kernel::Clock as _;
    let unique = kernel::ids::uuid_v7(kernel::SystemClock.now()).simple();
    TestRedis { url: servers::redis_url().await.to_owned(), prefix: format!("test:{unique}:") }
}
