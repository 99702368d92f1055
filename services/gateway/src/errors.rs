//! What a caller sees when something fails: `google.rpc.Status` as JSON, under the HTTP status of [`http_status`].

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// The domain of every `google.rpc.ErrorInfo` of the suite.
pub const DOMAIN: &str = "meridian";

/// The one table from gRPC codes to HTTP statuses.
pub fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Cancelled | Code::Unknown | Code::OutOfRange | Code::Internal | Code::DataLoss => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// A failed request. Made by the gateway itself or taken over from a backend.
#[derive(Debug)]
pub struct Failure {
    status: Status,
    http: Option<StatusCode>,
    allow: Option<HeaderValue>,
}

impl Failure {
    /// A failure with `google.rpc.ErrorInfo{reason}`.
    pub fn new(code: Code, reason: &str, message: impl Into<String>) -> Self {
        Self::detailed(code, reason, message, Vec::new())
    }

    /// One field of the request is wrong. `field` is its path as the caller wrote it; empty for the whole of it.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        let (field, description) = (field.into(), description.into());
        if field.is_empty() {
            return Self::new(Code::InvalidArgument, "INVALID_ARGUMENT", description);
        }
        let message = format!("{field}: {description}");
        let violation = FieldViolation { field, description, ..FieldViolation::default() };
        Self::detailed(Code::InvalidArgument, "INVALID_ARGUMENT", message, vec![violation])
    }

    /// Answers with `http` where the table has no status that is exact enough.
    #[must_use]
    pub fn http(mut self, http: StatusCode) -> Self {
        self.http = Some(http);
        self
    }

    /// No operation has this path.
    pub fn no_route(path: &str) -> Self {
        Self::new(Code::NotFound, "NO_ROUTE", format!("no operation has the path {path}; see /docs"))
    }

    /// Operations have this path, under other methods.
    pub fn other_method(allow: &str) -> Self {
        let message = format!("this path can't be used with this method; allowed: {allow}");
        let failure = Self::new(Code::Unimplemented, "METHOD_NOT_ALLOWED", message);
        Self { allow: HeaderValue::from_str(allow).ok(), ..failure.http(StatusCode::METHOD_NOT_ALLOWED) }
    }

    /// The body is larger than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        let message = format!("the request body is larger than {limit} bytes");
        Self::new(Code::InvalidArgument, "BODY_TOO_LARGE", message).http(StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// Path and headers together are larger than `limit` bytes.
    pub fn headers_too_large(limit: usize) -> Self {
        let message = format!("path and headers are larger than {limit} bytes");
        Self::new(Code::InvalidArgument, "HEADERS_TOO_LARGE", message).http(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    }

    /// The body isn't JSON.
    pub fn wrong_content_type() -> Self {
        let message = "the request body must be JSON, sent with content-type: application/json";
        Self::new(Code::InvalidArgument, "UNSUPPORTED_MEDIA_TYPE", message).http(StatusCode::UNSUPPORTED_MEDIA_TYPE)
    }

    /// The time allowed for the request is over.
    pub fn deadline() -> Self {
        Self::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "the time allowed for the request is over")
    }

    /// More requests are in work than the gateway takes.
    pub fn overloaded() -> Self {
        Self::new(Code::Unavailable, "OVERLOADED", "too many requests are in work; try again")
    }

    /// The backend that serves `package` can't be reached.
    pub fn unreachable(package: &str) -> Self {
        let what = package.split('.').nth(1).unwrap_or(package);
        Self::new(Code::Unavailable, "UNAVAILABLE", format!("{what} is not reachable now; try again"))
    }

    /// An error of the suite's own kind.
    pub fn from_kernel(error: kernel::Error) -> Self {
        Self { status: rpc::status(error), http: None, allow: None }
    }

    /// What a backend answered, or why the call to it failed.
    pub fn from_backend(status: Status, package: &str) -> Self {
        let Some(source) = std::error::Error::source(&status) else {
            return Self { status, http: None, allow: None };
        };
        if is_timeout(source) {
            return Self::deadline();
        }
        tracing::warn!(package, error = %Chain(source), "call to a backend failed");
        Self::unreachable(package)
    }

    /// The same for a gRPC caller.
    pub fn into_status(self) -> Status {
        self.status
    }

    /// The HTTP status.
    pub fn http_status(&self) -> StatusCode {
        self.http.unwrap_or_else(|| http_status(self.status.code()))
    }

    /// The body as JSON. Details are looked up in `pool`; one that isn't there is given as base64.
    pub fn to_json(&self, pool: &DescriptorPool) -> serde_json::Value {
        let details = tonic_types::Status::decode(self.status.details()).map(|inner| inner.details);
        let details = details.unwrap_or_default().iter().map(|any| detail_json(any, pool)).collect();
        let status = StatusJson { code: i32::from(self.status.code()), message: self.status.message(), details };
        serde_json::to_value(status).unwrap_or_default()
    }

    /// The whole HTTP answer.
    pub fn into_response<B: From<String>>(self, pool: &DescriptorPool) -> Response<B> {
        let mut response = Response::new(B::from(self.to_json(pool).to_string()));
        *response.status_mut() = self.http_status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(allow) = &self.allow {
            headers.insert(ALLOW, allow.clone());
        }
        if let Some((name, value)) = self.advice() {
            headers.insert(name, value);
        }
        response
    }

    /// The headers that tell a caller what to do next.
    fn advice(&self) -> Option<(HeaderName, HeaderValue)> {
        match self.status.code() {
            Code::Unauthenticated => {
                let challenge = if self.reason().as_deref() == Some("TOKEN_MISSING") {
                    "Bearer realm=\"meridian\""
                } else {
                    "Bearer realm=\"meridian\", error=\"invalid_token\""
                };
                Some((WWW_AUTHENTICATE, HeaderValue::from_static(challenge)))
            }
            Code::Unavailable | Code::ResourceExhausted => {
                let delay = self.status.get_details_retry_info().and_then(|info| info.retry_delay);
                let seconds = delay.map(|delay| delay.as_secs_f64().ceil().max(1.0) as u64);
                match (seconds, self.status.code()) {
                    (Some(seconds), _) => Some((RETRY_AFTER, seconds.into())),
                    (None, Code::Unavailable) => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
                    (None, _) => None,
                }
            }
            _ => None,
        }
    }

    fn reason(&self) -> Option<String> {
        self.status.get_details_error_info().map(|info| info.reason)
    }

    fn detailed(code: Code, reason: &str, message: impl Into<String>, violations: Vec<FieldViolation>) -> Self {
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, std::collections::HashMap::new());
        if !violations.is_empty() {
            details.set_bad_request(violations);
        }
        Self { status: Status::with_error_details(code, message, details), http: None, allow: None }
    }
}

#[derive(Serialize)]
struct StatusJson<'a> {
    code: i32,
    message: &'a str,
    details: Vec<serde_json::Value>,
}

fn detail_json(any: &prost_types::Any, pool: &DescriptorPool) -> serde_json::Value {
    let name = any.type_url.rsplit('/').next().unwrap_or_default();
    let decoded = pool
        .get_message_by_name(name)
        .and_then(|message| DynamicMessage::decode(message, any.value.as_slice()).ok())
        .and_then(|message| serde_json::to_value(message).ok());
    let mut object = serde_json::Map::new();
    object.insert("@type".to_owned(), any.type_url.clone().into());
    match decoded {
        Some(serde_json::Value::Object(fields)) => object.extend(fields),
        Some(value) => drop(object.insert("value".to_owned(), value)),
        None => drop(object.insert("value".to_owned(), BASE64_STANDARD.encode(&any.value).into())),
    }
    object.into()
}

fn is_timeout(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<tonic::TimeoutExpired>())
}

/// An error with all its causes, for the log.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        std::iter::successors(self.0.source(), |error| error.source()).try_for_each(|cause| write!(f, ": {cause}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_what_clients_were_promised() {
        for (code, http) in [
            (Code::Ok, 200),
            (Code::InvalidArgument, 400),
            (Code::FailedPrecondition, 400),
            (Code::Unauthenticated, 401),
            (Code::PermissionDenied, 403),
            (Code::NotFound, 404),
            (Code::AlreadyExists, 409),
            (Code::Aborted, 409),
            (Code::ResourceExhausted, 429),
            (Code::Cancelled, 500),
            (Code::Unknown, 500),
            (Code::Internal, 500),
            (Code::DataLoss, 500),
            (Code::OutOfRange, 500),
            (Code::Unimplemented, 501),
            (Code::Unavailable, 503),
            (Code::DeadlineExceeded, 504),
        ] {
            assert_eq!(http_status(code).as_u16(), http, "{code:?}");
        }
    }

    #[test]
    fn a_detail_of_an_unknown_type_is_kept_as_base64() {
        let any = prost_types::Any { type_url: "type.example/no.Such".to_owned(), value: vec![1, 2, 3] };
        let json = detail_json(&any, &DescriptorPool::new());
        assert_eq!(json, serde_json::json!({"@type": "type.example/no.Such", "value": "AQID"}));
    }

    #[test]
    fn headers_give_advice() {
        let pool = DescriptorPool::new();
        let busy: Response<String> = Failure::overloaded().into_response(&pool);
        assert_eq!((busy.status().as_u16(), &busy.headers()[RETRY_AFTER]), (503, &HeaderValue::from_static("1")));
        let other: Response<String> = Failure::other_method("GET, HEAD").into_response(&pool);
        assert_eq!((other.status().as_u16(), &other.headers()[ALLOW]), (405, &HeaderValue::from_static("GET, HEAD")));
        let wait = ErrorDetails::with_retry_info(Some(std::time::Duration::from_millis(2_500)));
        let status = Status::with_error_details(Code::ResourceExhausted, "slow down", wait);
        let slow: Response<String> = Failure::from_backend(status, "meridian.x.v1").into_response(&pool);
        assert_eq!((slow.status().as_u16(), &slow.headers()[RETRY_AFTER]), (429, &HeaderValue::from_static("3")));
    }
}
