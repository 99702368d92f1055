//! Talking to peers.

use std::time::Duration;

use kernel::{Error, Result};
use tokio::time::Instant;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use crate::{REQUEST_ID_HEADER, ctx, service_token::ServiceTokens, status::status, trace};

/// How long a peer may take to answer when its caller has no earlier deadline.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// What a generated client is made of: `BookingServiceClient::new(peer)`. Cheap to clone.
pub type Peer = InterceptedService<Channel, ServiceAuth>;

/// How a channel notices that the other side has silently gone. Without pings a tonic channel never recovers from a
/// network partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// Time between pings, also without calls.
    pub interval: Duration,
    /// How long an answer to a ping may take before the connection is given up.
    pub timeout: Duration,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self { interval: Duration::from_secs(10), timeout: Duration::from_secs(2) }
    }
}

/// A channel to `uri` (`http://host:port`) that connects at the first call and again whenever needed, so that services
/// start in any order. Fails on a malformed URI only.
///
/// It sets no `Endpoint::timeout`, which would end calls as `CANCELLED`: [`ServiceAuth`] states a deadline instead.
/// Must be called inside a tokio runtime.
pub fn channel(uri: &str, keep_alive: KeepAlive) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(uri.to_owned())
        .map_err(|_| Error::invalid("uri", format!("must be of the form http://host:port, not {uri:?}")))?;
    Ok(endpoint
        .connect_timeout(Duration::from_secs(2))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(keep_alive.interval)
        .keep_alive_timeout(keep_alive.timeout)
        .keep_alive_while_idle(true)
        .connect_lazy())
}

/// A channel whose calls carry the service's token, the trace, the request id and a deadline.
pub fn peer(channel: Channel, auth: ServiceAuth) -> Peer {
    InterceptedService::new(channel, auth)
}

/// Adds to each call: the service's token, the trace of the current span, the request id of the call that is being
/// served, and a deadline of [`DEFAULT_TIMEOUT`] or what is left of that call's, whichever is sooner. What the caller
/// has set already is left alone.
#[derive(Debug, Clone)]
pub struct ServiceAuth {
    tokens: ServiceTokens,
    timeout: Option<Duration>,
}

impl ServiceAuth {
    /// With the default deadline.
    pub fn new(tokens: ServiceTokens) -> Self {
        Self { tokens, timeout: Some(DEFAULT_TIMEOUT) }
    }

    /// With another deadline.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Without a deadline: for streams that are meant to stay open.
    #[must_use]
    pub fn without_timeout(mut self) -> Self {
        self.timeout = None;
        self
    }
}

impl Interceptor for ServiceAuth {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let inherited = ctx::inherited();
        if !request.metadata().contains_key("authorization") {
            let authorization = self.tokens.authorization().map_err(status)?;
            request.metadata_mut().insert("authorization", authorization);
        }
        trace::inject(request.metadata_mut());
        if let Some(inherited) = &inherited
            && !request.metadata().contains_key(REQUEST_ID_HEADER)
            && let Ok(id) = MetadataValue::<Ascii>::try_from(inherited.request_id.as_ref())
        {
            request.metadata_mut().insert(REQUEST_ID_HEADER, id);
        }
        if let Some(timeout) = self.timeout
            && !request.metadata().contains_key("grpc-timeout")
        {
            let left = inherited.map(|inherited| inherited.deadline.saturating_duration_since(Instant::now()));
            request.set_timeout(left.map_or(timeout, |left| left.min(timeout)));
        }
        Ok(request)
    }
}
