//! The shared connection to Redis.

use redis::{AsyncCommands, RedisResult};
use runtime::redis_client;

use crate::PATIENCE;

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_can_be_made_while_redis_is_down_and_works_when_it_is_up() {
    let server = testkit::own_redis().await;
    server.kill().await;
    let mut connection = redis_client::connect(&server.url().into()).unwrap();
    let before = tokio::time::Instant::now();
    let failed = tokio::time::timeout(PATIENCE, connection.get::<_, Option<String>>("key")).await.unwrap();
    assert!(failed.is_err() && before.elapsed() < PATIENCE);
    server.restart().await;
    loop {
        let answer: RedisResult<Option<String>> = connection.get("key").await;
        match answer {
            Ok(value) => break assert_eq!(value, None),
            Err(_) => assert!(before.elapsed() < PATIENCE, "it does not come back"),
        }
    }
}
