//! Which channel serves which package.

use std::{collections::BTreeMap, time::Duration};

use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

/// How long a backend may take to say whether it is well.
const HEALTH_TIME: Duration = Duration::from_secs(2);

/// Channels by the package of the services behind them. A new RPC, or a new service in a known package, needs no
/// change here.
#[derive(Debug, Clone, Default)]
pub struct Backends(BTreeMap<String, Channel>);

impl Backends {
    /// No backends.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the backend of `package`, such as `meridian.booking.v1`.
    #[must_use]
    pub fn with(mut self, package: impl Into<String>, channel: Channel) -> Self {
        self.0.insert(package.into(), channel);
        self
    }

    /// The channel of `package`. Cheap: a channel is a handle.
    pub fn channel(&self, package: &str) -> Option<Channel> {
        self.0.get(package).cloned()
    }

    /// Asks every backend for its `grpc.health.v1` state, all at once. A backend that doesn't answer is `UNREACHABLE`.
    pub async fn health(&self) -> BTreeMap<String, &'static str> {
        let checks = self.0.iter().map(|(package, channel)| async {
            let mut client = HealthClient::new(channel.clone());
            let check = client.check(HealthCheckRequest::default());
            let state = match tokio::time::timeout(HEALTH_TIME, check).await {
                Ok(Ok(answer)) => answer.into_inner().status().as_str_name(),
                Ok(Err(_)) | Err(_) => UNREACHABLE,
            };
            (package.clone(), state)
        });
        futures_util::future::join_all(checks).await.into_iter().collect()
    }
}

/// The state of a backend that doesn't answer.
const UNREACHABLE: &str = "UNREACHABLE";

/// Whether all are well.
pub fn all_serving(states: &BTreeMap<String, &'static str>) -> bool {
    states.values().all(|state| *state == ServingStatus::Serving.as_str_name())
}
