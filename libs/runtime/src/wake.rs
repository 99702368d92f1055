//! "There is something new", told from process to process over Redis.
//!
//! It is a help against waiting for the next poll and nothing more: a wake-up can be lost, doubled or late, and with
//! Redis down there are none between processes; whoever waits also polls. Inside one process it needs no Redis.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use redis::{AsyncCommands, Client, Msg, RedisError, aio::ConnectionManager};
use secrecy::SecretString;
use tokio::sync::{Notify, watch};

use crate::{lifecycle::Tasks, redis_client};

const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// How often a silent subscription is asked whether its server is still there.
const PING_EVERY: Duration = Duration::from_secs(10);

/// The wake-ups of a process. Clones are the same.
#[derive(Debug, Clone)]
pub struct Wake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    prefix: String,
    /// Tells this process' own messages from those of others; its readers have been told already.
    process: String,
    channels: Mutex<BTreeMap<String, Arc<Channel>>>,
    /// Set when a channel has something to publish.
    pending: Notify,
}

#[derive(Debug)]
struct Channel {
    name: String,
    local: watch::Sender<u64>,
    dirty: AtomicBool,
}

impl Wake {
    /// Wake-ups inside this process only.
    pub fn local() -> Self {
        // The standard library's hasher has random keys; an id of the process needs no more.
        let process = format!("{:016x}", RandomState::new().build_hasher().finish());
        let inner = Inner { prefix: String::new(), process, channels: Mutex::default(), pending: Notify::new() };
        Self(Arc::new(inner))
    }

    /// Wake-ups between all processes that use the same server and `prefix`. It returns at once; `tasks` keep the
    /// connections up, for ever.
    ///
    /// # Errors
    /// When the URL is not valid; not when the server is down.
    pub fn connect(url: &SecretString, prefix: &str, tasks: &Tasks) -> Result<Self, RedisError> {
        let mut wake = Self::local();
        if let Some(inner) = Arc::get_mut(&mut wake.0) {
            inner.prefix = format!("{prefix}:wake:");
        }
        let (client, connection) = (redis_client::client(url)?, redis_client::connect(url)?);
        tasks.spawn_until_stop("wake.publish", publish(wake.0.clone(), connection));
        tasks.spawn_until_stop("wake.subscribe", subscribe(wake.0.clone(), client));
        Ok(wake)
    }

    /// What to call when `service` has something new. It never blocks; calls that come faster than they can be sent
    /// become one.
    pub fn publisher(&self, service: &str) -> impl Fn() + Clone + Send + Sync + 'static {
        let (inner, channel) = (self.0.clone(), self.0.channel(service));
        move || {
            channel.bump();
            channel.dirty.store(true, Ordering::Release);
            inner.pending.notify_one();
        }
    }

    /// A number that changes when `service` has something new, from whichever process.
    pub fn subscribe(&self, service: &str) -> watch::Receiver<u64> {
        self.0.channel(service).local.subscribe()
    }
}

impl Inner {
    fn channel(&self, service: &str) -> Arc<Channel> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        match channels.entry(service.to_owned()) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => {
                let name = format!("{}{service}", self.prefix);
                new.insert(Arc::new(Channel { name, local: watch::Sender::new(0), dirty: AtomicBool::new(false) }))
                    .clone()
            }
        }
    }

    fn channels(&self) -> Vec<Arc<Channel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Tells the readers of the channel that a message of another process names.
    fn receive(&self, message: &Msg) {
        if message.get_payload_bytes() == self.process.as_bytes() {
            return;
        }
        let service = message.get_channel_name().strip_prefix(&self.prefix);
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = service.and_then(|service| channels.get(service)) {
            channel.bump();
        }
    }
}

impl Channel {
    fn bump(&self) {
        self.local.send_modify(|version| *version = version.wrapping_add(1));
    }
}

async fn publish(inner: Arc<Inner>, mut connection: ConnectionManager) {
    loop {
        inner.pending.notified().await;
        for channel in inner.channels() {
            if channel.dirty.swap(false, Ordering::AcqRel) {
                // A message that is lost costs its readers one polling period, so it is not sent again.
                let sent: Result<(), _> = connection.publish(&channel.name, &inner.process).await;
                if let Err(error) = sent {
                    tracing::debug!(channel = channel.name, error = %error, "wake-up not sent");
                }
            }
        }
    }
}

async fn subscribe(inner: Arc<Inner>, client: Client) {
    let mut pause = MIN_PAUSE;
    let mut lost = false;
    loop {
        let error = match listen(&inner, &client, &mut || {
            pause = MIN_PAUSE;
            if std::mem::take(&mut lost) {
                tracing::info!("redis is back; readers are woken again");
            }
        })
        .await
        {
            Ok(()) => "the connection was closed".to_owned(),
            Err(error) => error.to_string(),
        };
        if !std::mem::replace(&mut lost, true) {
            tracing::warn!(error, "redis is not reachable; readers poll");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// Listens until the connection ends.
async fn listen(inner: &Inner, client: &Client, connected: &mut (dyn FnMut() + Send)) -> Result<(), RedisError> {
    let subscription = timely(redis_client::CONNECT_TIMEOUT, client.get_async_pubsub()).await?;
    let (mut sink, mut messages) = subscription.split();
    timely(redis_client::RESPONSE_TIMEOUT, sink.psubscribe(format!("{}*", inner.prefix))).await?;
    connected();
    // What came while nobody listened is lost, so everybody looks once.
    inner.channels().iter().for_each(|channel| channel.bump());
    loop {
        match tokio::time::timeout(PING_EVERY, messages.next()).await {
            Ok(Some(message)) => inner.receive(&message),
            Ok(None) => return Ok(()),
            Err(_) => {
                timely(redis_client::RESPONSE_TIMEOUT, sink.ping::<redis::Value>()).await?;
            }
        }
    }
}

async fn timely<T>(limit: Duration, work: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisError> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}
