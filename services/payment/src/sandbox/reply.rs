//! How the sandbox answers what it can't do.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use kernel::{Error, ErrorKind};
use serde_json::json;

/// A refusal.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
}

impl Refusal {
    /// The system is down, as was ordered.
    pub const DOWN: Self = Self { status: StatusCode::SERVICE_UNAVAILABLE, code: "DOWN" };
    /// No such charge or refund.
    pub const NOT_FOUND: Self = Self { status: StatusCode::NOT_FOUND, code: "NOT_FOUND" };
    /// What came can't be read, or has values that can't be.
    pub const MALFORMED: Self = Self { status: StatusCode::BAD_REQUEST, code: "MALFORMED" };
    /// The id was used for something else.
    pub const ID_REUSED: Self = Self { status: StatusCode::CONFLICT, code: "ID_REUSED" };
    /// More would go back than came.
    pub const TOO_MUCH: Self = Self { status: StatusCode::CONFLICT, code: "TOO_MUCH" };
    /// The charge is in another state.
    pub const WRONG_STATE: Self = Self { status: StatusCode::CONFLICT, code: "WRONG_STATE" };
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Unauthenticated => Self { status: StatusCode::UNAUTHORIZED, code: error.reason() },
            ErrorKind::InvalidArgument => Self::MALFORMED,
            _ => {
                tracing::error!(error = error.chain(), "sandbox failed");
                Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "INTERNAL" }
            }
        }
    }
}

impl From<pg::Error> for Refusal {
    fn from(error: pg::Error) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "code": self.code }))).into_response()
    }
}
