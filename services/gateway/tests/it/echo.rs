//! A backend that answers every call with the bytes of its request, and descriptors made for the odd corners of
//! transcoding.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    response::Response,
};
use futures_util::{StreamExt, stream};
use gateway::{Backends, Config};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use prost_reflect::DescriptorPool;
use protox::file::{ChainFileResolver, DescriptorSetFileResolver, File, FileResolver, GoogleFileResolver};
use rpc::client::KeepAlive;
use tokio::net::TcpListener;
use tonic::transport::Channel;

use crate::harness::Gateway;

pub const PACKAGE: &str = "test.echo.v1";

/// The headers of the calls that came.
pub type Calls = Arc<Mutex<Vec<HeaderMap>>>;

/// A gateway in front of the echo.
pub async fn gateway(config: Config) -> (Gateway, Calls) {
    let calls = Calls::default();
    let backends = Backends::new().with(PACKAGE, serve(Arc::clone(&calls)).await);
    (Gateway::start(descriptors(), backends, config).await, calls)
}

pub fn descriptors() -> DescriptorPool {
    compile("echo.proto", include_str!("echo.proto")).expect("the test proto is valid")
}

/// Compiles a proto that may import what the suite's protos do.
pub fn compile(name: &'static str, text: &'static str) -> Result<DescriptorPool, protox::Error> {
    struct One(&'static str, &'static str);
    impl FileResolver for One {
        fn open_file(&self, name: &str) -> Result<File, protox::Error> {
            if name == self.0 { File::from_source(name, self.1) } else { Err(protox::Error::file_not_found(name)) }
        }
    }
    let mut resolver = ChainFileResolver::new();
    resolver.add(One(name, text));
    resolver.add(DescriptorSetFileResolver::decode(proto::DESCRIPTOR_SET).expect("the set is valid"));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true).open_file(name)?;
    Ok(DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).expect("what was encoded can be read"))
}

async fn serve(calls: Calls) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().fallback(move |request: Request| echo(Arc::clone(&calls), request));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("the echo runs") });
    rpc::client::channel(&format!("http://{address}"), KeepAlive::default()).expect("a URI")
}

/// `Watch` answers three times; of `things/broken` twice, and then it fails; of `things/endless` twice, and then it goes
/// on waiting. `Download` of `things/broken` fails. `Chat` echoes as it comes.
async fn echo(calls: Calls, request: Request) -> Response {
    calls.lock().expect("no panic holds it").push(request.headers().clone());
    let path = request.uri().path().to_owned();
    if path.ends_with("/Chat") {
        let frames = stream::unfold(Some(request.into_body()), |body| async move {
            let mut body = body?;
            match body.frame().await {
                Some(Ok(frame)) if frame.is_data() => Some((frame, Some(body))),
                _ => Some((trailers(0, ""), None)),
            }
        });
        return answer(Body::new(StreamBody::new(Box::pin(frames.map(Ok::<_, Infallible>)))));
    }
    let body = request.into_body().collect().await.expect("the request comes").to_bytes();
    let is_about = |name: &[u8]| body.windows(name.len()).any(|window| window == name);
    if path.ends_with("/Download") && is_about(b"broken") {
        let failed = stream::iter([Ok::<_, Infallible>(trailers(5, "there is no such document"))]);
        return answer(Body::new(StreamBody::new(failed)));
    }
    let mut frames = vec![Frame::data(body.clone())];
    if path.ends_with("/Watch") {
        frames.push(Frame::data(body.clone()));
        if is_about(b"endless") {
            let first = stream::iter(frames.into_iter().map(Ok::<_, Infallible>));
            return answer(Body::new(StreamBody::new(first.chain(stream::pending()))));
        }
        if is_about(b"broken") {
            frames.push(trailers(10, "the watch broke"));
        } else {
            frames.push(Frame::data(body.clone()));
        }
    }
    frames.push(trailers(0, ""));
    answer(Body::new(StreamBody::new(stream::iter(frames.into_iter().map(Ok::<_, Infallible>)))))
}

fn answer(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

fn trailers(code: u16, message: &'static str) -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", code.into());
    trailers.insert("grpc-message", HeaderValue::from_static(message));
    Frame::trailers(trailers)
}
