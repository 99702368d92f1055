//! The gRPC server and the admin server.

use std::{net::SocketAddr, sync::Arc};

use runtime::{Shutdown, health, health::Readiness, serve};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use tonic::{
    Code, Status,
    body::Body,
    codegen::http::{Request, Response},
    service::Routes,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tower::{Service, ServiceExt, layer::util::Identity};

use crate::soon;

/// What a test sees of a call that it may let end.
#[derive(Default)]
struct Call {
    begun: Notify,
    may_end: Notify,
}

struct Served {
    address: SocketAddr,
    shutdown: Shutdown,
    readiness: Readiness,
    call: Arc<Call>,
    ended: JoinHandle<()>,
}

impl Served {
    async fn start() -> Self {
        let (shutdown, readiness, call) = (Shutdown::new(), Readiness::new(), Arc::new(Call::default()));
        let mut routes = Routes::new(health::service(&readiness, "booking", &["meridian.booking.v1.BookingService"]));
        let slow = call.clone();
        let router = routes.axum_router_mut();
        *router = std::mem::take(router)
            .route(
                "/test/slow",
                axum::routing::post(async move || {
                    slow.begun.notify_one();
                    slow.may_end.notified().await;
                    Status::ok("").into_http::<axum::body::Body>()
                }),
            )
            .route("/test/panic", axum::routing::post(async || -> Response<axum::body::Body> { panic!("at once") }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = shutdown.clone();
        let ended = tokio::spawn(async move {
            serve::grpc(listener, routes, Identity::new(), &stop).await.unwrap();
        });
        Self { address, shutdown, readiness, call, ended }
    }

    async fn channel(&self) -> Channel {
        Endpoint::try_from(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }
}

/// A call without a message; what matters is how it ends.
async fn call(channel: &mut Channel, path: &str) -> Result<Option<Code>, tonic::transport::Error> {
    let request = Request::post(path).header("content-type", "application/grpc").body(Body::empty()).unwrap();
    let response = channel.ready().await?.call(request).await?;
    Ok(Status::from_header_map(response.headers()).map(|status| status.code()))
}

async fn health(client: &mut HealthClient<Channel>, service: &str) -> Result<ServingStatus, Code> {
    let request = HealthCheckRequest { service: service.to_owned() };
    client.check(request).await.map(|reply| reply.into_inner().status()).map_err(|status| status.code())
}

#[tokio::test]
async fn health_follows_readiness() {
    let served = Served::start().await;
    let mut client = HealthClient::new(served.channel().await);
    let database = served.readiness.probe("booking", "database");
    served.readiness.probe("payment", "database");
    for name in ["", "booking", "meridian.booking.v1.BookingService"] {
        assert_eq!(health(&mut client, name).await, Ok(ServingStatus::NotServing), "{name}");
    }
    assert_eq!(health(&mut client, health::LIVENESS).await, Ok(ServingStatus::Serving));
    assert_eq!(health(&mut client, "meridian.payment.v1.PaymentService").await, Err(Code::NotFound));
    database.set_ready();
    for name in ["", "booking", "meridian.booking.v1.BookingService"] {
        assert_eq!(health(&mut client, name).await, Ok(ServingStatus::Serving), "{name}");
    }
}

#[tokio::test]
async fn health_can_be_watched() {
    let served = Served::start().await;
    let mut client = HealthClient::new(served.channel().await);
    let database = served.readiness.probe("booking", "database");
    let mut statuses = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let mut next = async || soon("a status", statuses.message()).await.unwrap().unwrap().status();
    assert_eq!(next().await, ServingStatus::NotServing);
    database.set_ready();
    assert_eq!(next().await, ServingStatus::Serving);
    database.set_unready("gone");
    assert_eq!(next().await, ServingStatus::NotServing);
}

#[tokio::test]
async fn a_soft_stop_lets_a_call_end_and_takes_no_new_connection() {
    let served = Served::start().await;
    let mut channel = served.channel().await;
    let running = tokio::spawn(async move { call(&mut channel, "/test/slow").await });
    soon("the call to begin", served.call.begun.notified()).await;
    served.shutdown.begin();
    let refused = async {
        while tokio::net::TcpStream::connect(served.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon("the listener to close", refused).await;
    assert!(!running.is_finished() && !served.ended.is_finished());
    served.call.may_end.notify_one();
    assert_eq!(soon("the call to end", running).await.unwrap().unwrap(), Some(Code::Ok));
    soon("the server to end", served.ended).await.unwrap();
}

#[tokio::test]
async fn a_hard_stop_waits_for_no_call() {
    let served = Served::start().await;
    let mut channel = served.channel().await;
    let running = tokio::spawn(async move { call(&mut channel, "/test/slow").await });
    soon("the call to begin", served.call.begun.notified()).await;
    served.shutdown.abort();
    soon("the server to end", served.ended).await.unwrap();
    drop(running);
}

#[tokio::test]
async fn a_panic_ends_one_call_and_not_its_connection() {
    let served = Served::start().await;
    let mut channel = served.channel().await;
    let mut other = channel.clone();
    let running = tokio::spawn(async move { call(&mut other, "/test/slow").await });
    soon("the call to begin", served.call.begun.notified()).await;
    assert_eq!(call(&mut channel, "/test/panic").await.unwrap(), Some(Code::Internal));
    served.call.may_end.notify_one();
    assert_eq!(soon("the call to end", running).await.unwrap().unwrap(), Some(Code::Ok));
    assert_eq!(call(&mut channel, "/test/nothing").await.unwrap(), Some(Code::Unimplemented));
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_setting_and_a_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = serve::bind(taken.local_addr().unwrap(), "booking.grpc_addr").await.unwrap_err();
    assert_eq!(error.origin, "booking.grpc_addr");
    assert!(error.message.contains("in use") && error.message.contains("--set booking.grpc_addr="), "{error}");
}

#[tokio::test]
async fn the_admin_server_tells_figures_and_what_is_not_ready() {
    runtime::metrics::init("9.9.9");
    let (shutdown, readiness) = (Shutdown::new(), Readiness::new());
    let listener = serve::bind("127.0.0.1:0".parse().unwrap(), "admin.addr").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, registry) = (shutdown.clone(), readiness.clone());
    let ended = tokio::spawn(async move { serve::admin(listener, registry, &stop).await.unwrap() });

    let database = readiness.probe("booking", "database");
    database.set_unready("postgres is not reachable now; try again");
    assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(get(address, "/metrics").await.contains("build_info{version=\"9.9.9\"} 1"));
    let answer = get(address, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("booking database: postgres is not reachable now"), "{answer}");
    database.set_ready();
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));

    shutdown.begin();
    soon("the server to end", ended).await.unwrap();
}

async fn get(address: SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(path, stream.read_to_string(&mut answer)).await.unwrap();
    answer
}
