//! The one tower layer around all routes of a server.

use std::{
    any::Any,
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Request, Response, header::AUTHORIZATION};
use kernel::{Error, ErrorKind, Result, SharedClock, ids::uuid_v7};
use tokio::time::{Instant, timeout_at};
use tonic::{Status, body::Body};
use tower::{Layer, Service};
use tracing::{Instrument, Span, field::Empty, info_span};

use crate::{
    Caller, Ctx, KeySource, REQUEST_ID_HEADER,
    access::{self, Method, Target},
    ctx::{Call, Inherited, inherit},
    deadline,
    status::status,
    token::Verifier,
    trace,
    watch::Watch,
};

/// What a server layer is made of.
pub struct ServerLayerConfig {
    /// The name of the service in spans, such as `booking`.
    pub service: &'static str,
    /// Where the keys come from that tokens are checked with.
    pub keys: Arc<dyn KeySource>,
    /// The time that tokens are checked against.
    pub clock: SharedClock,
}

/// The layer of a server. In this order, for every RPC of ours: takes over or makes a request id, continues the
/// caller's trace with a span, counts the call, starts its deadline, checks the token and the access rule, hands the
/// [`Ctx`] to the handler. Health and reflection pass untouched; all other paths are `UNIMPLEMENTED`.
pub fn server_layer(config: ServerLayerConfig) -> ServerLayer {
    ServerLayer(Arc::new(Shared {
        service: config.service,
        verifier: Verifier::new(config.keys, Arc::clone(&config.clock)),
        clock: config.clock,
    }))
}

/// See [`server_layer`].
#[derive(Clone)]
pub struct ServerLayer(Arc<Shared>);

struct Shared {
    service: &'static str,
    verifier: Verifier,
    clock: SharedClock,
}

impl fmt::Debug for ServerLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerLayer").field("service", &self.0.service).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ServerService { inner, shared: Arc::clone(&self.0) }
    }
}

/// The routes of a server behind the layer.
#[derive(Clone)]
pub struct ServerService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S: fmt::Debug> fmt::Debug for ServerService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, B> Service<Request<B>> for ServerService<S>
where
    S: Service<Request<B>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone isn't ready, the one that was polled is.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        match access::target(request.uri().path()) {
            Target::Infrastructure => Box::pin(pass(inner, request)),
            Target::Ours(method) => Box::pin(serve(Arc::clone(&self.shared), inner, request, method)),
            Target::Unknown => {
                Watch::start(("unknown", "unknown"), Span::none()).end(tonic::Code::Unimplemented);
                Box::pin(async { Ok(Status::unimplemented("no such method").into_http()) })
            }
        }
    }
}

async fn pass<S, B>(mut inner: S, request: Request<B>) -> Result<Response<Body>, S::Error>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    inner.call(request).await
}

fn serve<S, B>(
    shared: Arc<Shared>,
    mut inner: S,
    mut request: Request<B>,
    method: Method,
) -> impl Future<Output = Result<Response<Body>, S::Error>> + Send
where
    S: Service<Request<B>, Response = Response<Body>> + Send,
    S::Future: Send,
    B: Send,
{
    // tonic keeps a timer of its own for `grpc-timeout`, which starts after this one and ends as CANCELLED.
    let deadline = Instant::now() + deadline::allowed(request.headers());
    let request_id = request_id(request.headers(), &shared);
    let span = span(&shared, method, &request_id);
    trace::continue_from(&span, request.headers());
    let watch = Watch::start(method.names(), span.clone());
    let inherited = Inherited { request_id: Arc::clone(&request_id), deadline };

    let answer = async move {
        let handled = async {
            let caller = authenticate(&shared.verifier, request.headers()).await?;
            access::admit(method.rule, &caller)?;
            let ctx = Ctx { caller, method: method.path, request_id: Arc::clone(&request_id), deadline };
            request.extensions_mut().insert(Call { ctx, scope: method.rule.scope });
            Ok(inner.call(request).await)
        };
        // A panic would otherwise tear down the stream, and the caller would learn nothing.
        let caught = AssertUnwindSafe(timeout_at(deadline, handled)).catch_unwind().await;
        let refused = match caught {
            Ok(Ok(Ok(answered))) => return answered.map(|response| finish(response, &request_id, watch)),
            Ok(Ok(Err(refused))) => refused,
            Ok(Err(_elapsed)) => Error::new(
                ErrorKind::DeadlineExceeded,
                "DEADLINE_EXCEEDED",
                "the call took longer than its caller allowed",
            ),
            Err(panic) => Error::internal(format!("handler panicked: {}", panic_text(panic.as_ref()))),
        };
        Ok(finish(status(refused).into_http(), &request_id, watch))
    };
    inherit(inherited, answer).instrument(span)
}

fn finish(mut response: Response<Body>, request_id: &str, watch: Watch) -> Response<Body> {
    if let Ok(id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
    }
    watch.follow(response)
}

fn span(shared: &Shared, method: Method, request_id: &str) -> Span {
    let (service, name) = method.names();
    info_span!(
        "rpc",
        otel.name = method.path.trim_start_matches('/'),
        otel.kind = "server",
        otel.status_code = Empty,
        server = shared.service,
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = name,
        rpc.grpc.status_code = Empty,
        request_id,
    )
}

/// The id that the caller sent, if it is fit for a log line, else a new one.
fn request_id(headers: &HeaderMap, shared: &Shared) -> Arc<str> {
    let fit = |id: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        (1..=64).contains(&id.len()) && id.bytes().all(plain)
    };
    match headers.get(REQUEST_ID_HEADER).and_then(|id| id.to_str().ok()).filter(fit) {
        Some(id) => id.into(),
        None => uuid_v7(shared.clock.now()).to_string().into(),
    }
}

async fn authenticate(verifier: &Verifier, headers: &HeaderMap) -> Result<Caller> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(Caller::anonymous()) };
    let bearer = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer") && values.next().is_none());
    let Some((_, token)) = bearer else {
        return Err(Error::unauthenticated("TOKEN_INVALID", "authorization must be one value: Bearer <access token>"));
    };
    verifier.verify(token.trim()).await
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a text")
}
