//! Connections to Redis.
//!
//! Redis is a help and no need: nothing here waits for it at start, and a server that does not answer costs a caller
//! at most [`RESPONSE_TIMEOUT`].

use std::time::Duration;

use redis::{
    Client, ConnectionInfo, IntoConnectionInfo, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use secrecy::{ExposeSecret, SecretString};

/// How long a command may take.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);
/// How long connecting may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest pause between attempts to reconnect, and so how late a server's return may be noticed.
const MAX_RETRY_DELAY: Duration = Duration::from_millis(500);
/// After how long without acknowledgement a connection counts as dead; without it a lost host is noticed after minutes.
const DEAD_AFTER: Duration = Duration::from_secs(5);

/// A client for `url`; it opens no connection.
///
/// # Errors
/// When the URL is not valid.
pub fn client(url: &SecretString) -> RedisResult<Client> {
    let tcp = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(TcpKeepalive::new().with_time(DEAD_AFTER).with_interval(Duration::from_secs(1)))
        .set_user_timeout(DEAD_AFTER);
    let info: ConnectionInfo = url.expose_secret().into_connection_info()?;
    Client::open(info.set_tcp_settings(tcp))
}

/// A shared connection that is opened by its first command and reopened for ever. Must be called inside the runtime.
///
/// # Errors
/// When the URL is not valid; not when the server is down.
pub fn connect(url: &SecretString) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_max_delay(MAX_RETRY_DELAY);
    ConnectionManager::new_lazy_with_config(client(url)?, config)
}
