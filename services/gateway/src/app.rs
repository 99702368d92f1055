//! The wiring of the gateway.

use std::{collections::HashMap, ops::Deref, sync::Arc};

use bytes::Bytes;
use kernel::SharedClock;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use rpc::{KeySource, token::Verifier};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    backends::Backends,
    config::Config,
    openapi,
    routes::{self, Routes, build::BuildError},
};

/// What a gateway is made of.
pub struct Parts {
    /// Limits and CORS.
    pub config: Config,
    /// The services with their annotations; [`descriptors`] for those of the suite.
    pub descriptors: DescriptorPool,
    /// Where the services are.
    pub backends: Backends,
    /// Where the keys come from that tokens are checked with.
    pub keys: Arc<dyn KeySource>,
    /// The time that tokens are checked against.
    pub clock: SharedClock,
}

/// Why a gateway can't be built: the protos were compiled into the program, so it is an error of that program.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The descriptor set can't be read.
    #[error("the descriptor set can't be read")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// An annotation can't be served.
    #[error("an http annotation can't be served")]
    Routes(#[from] BuildError),
}

/// The descriptors of the suite.
pub fn descriptors() -> Result<DescriptorPool, AppError> {
    Ok(DescriptorPool::decode(proto::DESCRIPTOR_SET)?)
}

/// A gateway. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What the modules of the gateway share.
pub struct Inner {
    pub(crate) config: Config,
    pub(crate) pool: DescriptorPool,
    pub(crate) routes: Routes,
    pub(crate) rpcs: HashMap<String, Rpc>,
    pub(crate) backends: Backends,
    pub(crate) verifier: Verifier,
    pub(crate) clock: SharedClock,
    pub(crate) openapi: Bytes,
    pub(crate) in_flight: Semaphore,
    pub(crate) stopping: CancellationToken,
}

/// What is to know of an RPC before it is called.
#[derive(Debug)]
pub(crate) struct Rpc {
    /// `/package.Service/Method`
    pub(crate) path: Arc<str>,
    /// Whether anybody may call.
    pub(crate) public: bool,
    /// Whether it streams, in whatever direction.
    pub(crate) streaming: bool,
}

impl App {
    /// Reads the routes and writes the OpenAPI document.
    pub fn try_new(parts: Parts) -> Result<Self, AppError> {
        let Parts { config, descriptors: pool, backends, keys, clock } = parts;
        let routes = routes::build::routes(&pool)?;
        let rpcs = rpcs(&pool);
        let is_public = |method: &MethodDescriptor| rpcs.get(&grpc_path(method)).is_some_and(|rpc| rpc.public);
        let openapi = openapi::document(&pool, &routes, &config.public_url, &is_public).to_string().into();
        let verifier = Verifier::new(keys, Arc::clone(&clock));
        let in_flight = Semaphore::new(config.max_in_flight);
        let stopping = CancellationToken::new();
        Ok(Self(Arc::new(Inner {
            config,
            pool,
            routes,
            rpcs,
            backends,
            verifier,
            clock,
            openapi,
            in_flight,
            stopping,
        })))
    }
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("routes", &self.routes.bindings().len()).finish_non_exhaustive()
    }
}

fn rpcs(pool: &DescriptorPool) -> HashMap<String, Rpc> {
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods
        .map(|method| {
            let path = grpc_path(&method);
            let streaming = method.is_client_streaming() || method.is_server_streaming();
            let rpc = Rpc { path: path.as_str().into(), public: states_public(&method), streaming };
            (path, rpc)
        })
        .collect()
}

fn grpc_path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// Whether the RPC's access rule says that anybody may call. Without a rule it isn't so.
fn states_public(method: &MethodDescriptor) -> bool {
    let Some(extension) = method.parent_pool().get_extension_by_name("meridian.access.v1.rule") else { return false };
    let options = method.options();
    let rule = options.get_extension(&extension);
    let public = rule.as_message().and_then(|rule| rule.get_field_by_name("public"));
    public.and_then(|value| value.as_bool()).unwrap_or(false)
}
