//! A gateway on a free port, and a client for it.

use std::{net::SocketAddr, sync::Once};

use axum::body::Bytes;
use gateway::{App, Backends, Config, Parts};
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use kernel::ids::MemberId;
use opentelemetry::trace::TracerProvider;
use prost_reflect::DescriptorPool;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing_subscriber::layer::SubscriberExt;

/// A running gateway; it stops when dropped.
pub struct Gateway {
    pub address: SocketAddr,
    pub stop: CancellationToken,
    client: Client<HttpConnector, Full<Bytes>>,
    _stop: DropGuard,
}

impl Gateway {
    pub async fn start(descriptors: DescriptorPool, backends: Backends, config: Config) -> Self {
        record_spans();
        let keys = testkit::keys().trusted();
        let parts = Parts { config, descriptors, backends, keys, clock: testkit::clock() };
        let app = App::try_new(parts).expect("the annotations are valid");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let shutdown = stop.clone();
        tokio::spawn(async move { gateway::serve(listener, app, shutdown).await.expect("the gateway runs") });
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { address, _stop: stop.clone().drop_guard(), stop, client }
    }

    /// Sends a request and reads the answer to its end.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let (parts, body) = self.open(request).await.into_parts();
        let body = body.collect().await.expect("the body comes").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a request and reads the answer up to its body.
    pub async fn open(&self, mut request: Request<Full<Bytes>>) -> Response<hyper::body::Incoming> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        *request.uri_mut() = format!("http://{}{path}", self.address).parse().expect("a URI");
        self.client.request(request).await.expect("an answer")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path, "")).await
    }

    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(json(Method::POST, path, body)).await
    }
}

/// Spans need a subscriber to have a trace. One for all tests: with one for each thread, a span that two threads reach at
/// once is sometimes taken for disabled.
fn record_spans() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).expect("it is the first");
    });
}

pub fn request(method: Method, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri(path).body(Full::new(body.into())).expect("a request")
}

pub fn json(method: Method, path: &str, body: &str) -> Request<Full<Bytes>> {
    with(request(method, path, body.to_owned()), CONTENT_TYPE.as_str(), "application/json; charset=utf-8")
}

pub fn with(mut request: Request<Full<Bytes>>, name: &str, value: &str) -> Request<Full<Bytes>> {
    let name: HeaderName = name.parse().expect("a header name");
    request.headers_mut().insert(name, value.parse().expect("a header value"));
    request
}

/// The request of a signed-in member.
pub fn signed_in(request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    let token = testkit::keys().member_token(member());
    with(request, "authorization", &format!("Bearer {token}"))
}

pub fn member() -> MemberId {
    MemberId::derive(kernel::Uuid::nil(), "gateway tests")
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The answer is an error with this HTTP status and this reason, in the one shape that errors have.
    #[track_caller]
    pub fn refused(&self, status: u16, reason: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        assert_eq!(self.header("content-type"), "application/json");
        let json = self.json();
        let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
        assert_eq!(keys.len(), 3, "code, message and details, nothing else: {keys:?}");
        assert!(json["code"].is_i64() && json["message"].is_string(), "{json}");
        let details = json["details"].as_array().expect("a list");
        let info = details.iter().find(|detail| detail["@type"] == "type.googleapis.com/google.rpc.ErrorInfo");
        assert_eq!(info.map(|info| &info["reason"]), Some(&Value::from(reason)), "{json}");
        json
    }

    /// The same with a field violation of this field.
    #[track_caller]
    pub fn refused_field(&self, field: &str) -> Value {
        let json = self.refused(400, "INVALID_ARGUMENT");
        let details = json["details"].as_array().expect("a list");
        let bad = details.iter().find(|detail| detail["@type"] == "type.googleapis.com/google.rpc.BadRequest");
        let violation = bad.map(|bad| &bad["fieldViolations"][0]["field"]);
        assert_eq!(violation, Some(&Value::from(field)), "{json}");
        json
    }
}
