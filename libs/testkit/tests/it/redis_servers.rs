//! The shared Redis and one of one's own.

use std::time::Duration;

use redis::{AsyncCommands as _, RedisResult};
use testkit::{OwnRedis, eventually, own_redis, redis};

#[tokio::test]
async fn keys_with_the_prefix_go_with_the_test() {
    let (mine, other) = (redis().await, redis().await);
    assert_ne!(mine.prefix, other.prefix);
    let key = format!("{}key", mine.prefix);
    let mut connection = other.connection().await;
    let set: RedisResult<()> = connection.set(&key, 1).await;
    set.expect("a key");
    drop(mine);
    let gone = || {
        let (mut connection, key) = (connection.clone(), key.clone());
        async move { !connection.exists::<_, bool>(key).await.expect("an answer") }
    };
    eventually(Duration::from_secs(20), gone).await;
}

async fn ping(own: &OwnRedis) -> RedisResult<()> {
    let config = ::redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(Duration::from_millis(300)))
        .set_response_timeout(Some(Duration::from_millis(300)));
    let mut connection = own.client().get_multiplexed_async_connection_with_config(&config).await?;
    ::redis::cmd("PING").query_async(&mut connection).await
}

#[tokio::test]
async fn ones_own_can_be_killed_frozen_and_emptied() {
    let own = own_redis().await;
    let set: RedisResult<()> = own.connection().await.set("key", 1).await;
    set.expect("a key");
    own.flush().await;
    assert!(!own.connection().await.exists::<_, bool>("key").await.expect("an answer"));

    own.pause();
    ping(&own).await.expect_err("frozen");
    own.resume();
    eventually(Duration::from_secs(10), || ping(&own)).await;

    own.kill().await;
    ping(&own).await.expect_err("gone");
    own.restart().await;
    ping(&own).await.expect("back");
}
