//! `grpc.health.v1`: <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>.

use std::{pin::Pin, sync::Arc};

use futures_util::{Stream, stream};
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_server::{Health, HealthServer},
};

use super::Readiness;

/// A name that is always SERVING, for liveness probes: a process whose database is away must not be restarted.
pub const LIVENESS: &str = "liveness";

/// The health service of one gRPC server. The empty name, the component's own and each of `names` (full gRPC service
/// names) answer whether the component is ready; [`LIVENESS`] answers whenever the process does.
pub fn service(readiness: &Readiness, component: &'static str, names: &[&'static str]) -> HealthServer<impl Health> {
    HealthServer::new(Component { readiness: readiness.clone(), component, names: names.into() })
}

#[derive(Clone)]
struct Component {
    readiness: Readiness,
    component: &'static str,
    names: Arc<[&'static str]>,
}

impl Component {
    fn status(&self, name: &str) -> ServingStatus {
        let known = name.is_empty() || name == self.component || self.names.contains(&name);
        match known {
            _ if name == LIVENESS => ServingStatus::Serving,
            false => ServingStatus::ServiceUnknown,
            true if self.readiness.is_ready(self.component) => ServingStatus::Serving,
            true => ServingStatus::NotServing,
        }
    }
}

type Watched = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

#[tonic::async_trait]
impl Health for Component {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        match self.status(&request.get_ref().service) {
            ServingStatus::ServiceUnknown => Err(Status::not_found("no such service here")),
            status => Ok(Response::new(HealthCheckResponse { status: status.into() })),
        }
    }

    type WatchStream = Watched;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Watched>, Status> {
        let name = request.into_inner().service;
        let start = (self.clone(), self.readiness.changes(), None);
        let statuses = stream::unfold(start, move |(component, mut changes, last)| {
            let name = name.clone();
            async move {
                loop {
                    changes.mark_unchanged();
                    let status = component.status(&name);
                    if last != Some(status) {
                        let reply = HealthCheckResponse { status: status.into() };
                        return Some((Ok(reply), (component, changes, Some(status))));
                    }
                    changes.changed().await.ok()?;
                }
            }
        });
        Ok(Response::new(Box::pin(statuses)))
    }
}
