//! Requests to the paths of the HTTP annotations.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use http::{
    Method, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE},
    request::Parts,
};
use tokio::time::{Instant, timeout_at};

use crate::{
    app::App,
    auth, body,
    errors::Failure,
    observe::RouteLabel,
    routes::{Binding, trie::Lookup},
    transcode::{call, request, response, stream},
};

/// Serves one request.
pub async fn serve(app: &App, parts: Parts, body: Body) -> Response<Body> {
    let method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
    match app.routes.find(&method, parts.uri.path()) {
        Lookup::Found { value: binding, segments } => {
            let answer = serve_binding(app, binding, &segments, &parts, body).await;
            let mut response = answer.unwrap_or_else(|failure| failure.into_response(&app.pool));
            response.extensions_mut().insert(RouteLabel(Arc::clone(&binding.template.text)));
            response
        }
        Lookup::OtherMethods(methods) => {
            body::discard(&parts.headers, body).await;
            other_method(app, &parts.method, methods)
        }
        Lookup::Unknown => {
            body::discard(&parts.headers, body).await;
            Failure::no_route(parts.uri.path()).into_response(&app.pool)
        }
    }
}

/// Says which methods there are: the answer to `OPTIONS`, and to any other one as an error.
pub fn other_method(app: &App, method: &Method, mut known: Vec<Method>) -> Response<Body> {
    if known.contains(&Method::GET) {
        known.push(Method::HEAD);
    }
    known.push(Method::OPTIONS);
    known.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    let allow = known.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    if method != Method::OPTIONS {
        return Failure::other_method(&allow).into_response(&app.pool);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(allow) = allow.parse() {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

async fn serve_binding(
    app: &App,
    binding: &Arc<Binding>,
    segments: &[&str],
    parts: &Parts,
    mut body: Body,
) -> Result<Response<Body>, Failure> {
    let outcome = match allowed_time(app, binding, parts) {
        Err(failure) => Err(failure),
        Ok(Some(time)) => {
            let deadline = Instant::now() + time;
            let work = answer(app, binding, segments, parts, &mut body, Some(deadline));
            timeout_at(deadline, work).await.unwrap_or_else(|_| Err(Failure::deadline()))
        }
        Ok(None) => answer(app, binding, segments, parts, &mut body, None).await,
    };
    if outcome.is_err() {
        body::discard(&parts.headers, body).await;
    }
    outcome
}

/// What the caller allows, and for an RPC that answers once at most what the gateway does.
fn allowed_time(app: &App, binding: &Binding, parts: &Parts) -> Result<Option<Duration>, Failure> {
    let wanted = call::wanted_timeout(&parts.headers)?;
    if binding.method.is_server_streaming() {
        return Ok(wanted);
    }
    let most = app.config.request_timeout();
    Ok(Some(wanted.map_or(most, |wanted| wanted.min(most))))
}

async fn answer(
    app: &App,
    binding: &Arc<Binding>,
    segments: &[&str],
    parts: &Parts,
    body: &mut Body,
    deadline: Option<Instant>,
) -> Result<Response<Body>, Failure> {
    auth::check(app, binding.grpc_path.path(), &parts.headers).await?;
    let body = body::read(&parts.headers, body, app.config.max_body_bytes).await?;
    let query = parts.uri.query().unwrap_or_default();
    let message = request::decode(binding, request::Parts { segments, query, headers: &parts.headers, body })?;
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let metadata = call::metadata(&parts.headers, left, request::takes_raw_body(binding));
    let channel = app.backends.channel(&binding.package).ok_or_else(|| Failure::unreachable(&binding.package))?;
    if binding.method.is_server_streaming() {
        if response::is_raw(binding) {
            return Err(stream::refuse_raw());
        }
        let replies = call::server_streaming(channel, binding, metadata, message).await?;
        return Ok(stream::respond(Arc::clone(binding), replies, app.pool.clone(), app.stopping.clone()));
    }
    let reply = call::unary(channel, binding, metadata, message).await?;
    let reply = response::encode(binding, reply)?;
    let mut response = Response::new(Body::from(reply.bytes));
    response.headers_mut().insert(CONTENT_TYPE, reply.content_type);
    Ok(response)
}
