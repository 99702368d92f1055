//! The pages for people, the documents for programs, and the probes.

use axum::body::Body;
use bytes::Bytes;
use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
};

use crate::{app::App, backends, observe::RouteLabel, rest};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const JSON: &str = "application/json";

/// Pages load what the gateway itself serves, and nothing else.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

/// Serves the fixed paths; none if it is another one.
pub async fn serve(app: &App, method: &Method, path: &str) -> Option<Response<Body>> {
    let path: &'static str = PATHS.into_iter().find(|known| *known == path)?;
    let mut response = if matches!(*method, Method::GET | Method::HEAD) {
        page(app, path).await
    } else {
        rest::other_method(app, method, vec![Method::GET])
    };
    response.extensions_mut().insert(RouteLabel(path.into()));
    Some(response)
}

const PATHS: [&str; 9] = [
    "/",
    "/docs",
    "/docs/page.js",
    "/docs/welcome.js",
    "/docs/page.css",
    "/docs/icon.svg",
    "/openapi.json",
    "/healthz",
    "/readyz",
];

async fn page(app: &App, path: &str) -> Response<Body> {
    match path {
        "/" => file(HTML, Bytes::from_static(include_bytes!("welcome.html"))),
        "/docs" => file(HTML, Bytes::from_static(include_bytes!("docs.html"))),
        "/docs/page.js" => file(SCRIPT, Bytes::from_static(include_bytes!("page.js"))),
        "/docs/welcome.js" => file(SCRIPT, Bytes::from_static(include_bytes!("welcome.js"))),
        "/docs/icon.svg" => file("image/svg+xml", Bytes::from_static(include_bytes!("icon.svg"))),
        "/docs/page.css" => file(CSS, Bytes::from_static(include_bytes!("page.css"))),
        "/openapi.json" => file(JSON, app.openapi.clone()),
        "/healthz" => state(StatusCode::OK, &serde_json::json!({ "status": "ok" })),
        _ => ready(app).await,
    }
}

fn file(content_type: &'static str, bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    headers.insert(CONTENT_SECURITY_POLICY, PAGE_POLICY);
    response
}

/// Whether every backend is well, and the state of each.
async fn ready(app: &App) -> Response<Body> {
    let backends = app.backends.health().await;
    let ready = backends::all_serving(&backends) && !app.stopping.is_cancelled();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    state(status, &serde_json::json!({ "ready": ready, "backends": backends }))
}

fn state(status: StatusCode, json: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(json.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}
