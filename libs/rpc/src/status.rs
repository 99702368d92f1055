//! [`kernel::Error`] → gRPC status with the details of AIP-193. This is the only table of its kind.

use std::collections::HashMap;

use kernel::{Error, ErrorKind};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};
use tracing::{debug, error, warn};

use crate::ctx;

/// The `domain` of every `ErrorInfo` of ours.
pub const ERROR_DOMAIN: &str = "meridian";

/// Details travel in an HTTP/2 header, of which peers accept 16 KiB.
const MAX_VIOLATIONS: usize = 25;

/// The gRPC code of an error kind.
pub fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::InvalidArgument => Code::InvalidArgument,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::PermissionDenied => Code::PermissionDenied,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::FailedPrecondition => Code::FailedPrecondition,
        ErrorKind::Aborted => Code::Aborted,
        ErrorKind::ResourceExhausted => Code::ResourceExhausted,
        ErrorKind::DeadlineExceeded => Code::DeadlineExceeded,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Internal => Code::Internal,
    }
}

/// Answers an error: writes it to the log once (our own faults with their whole chain, the caller's at debug) and makes
/// the status with `ErrorInfo`, `BadRequest` for wrong fields, and `RequestInfo` when inside a call.
///
/// Of an internal error the caller learns nothing but that and the request id.
pub fn status(error: Error) -> Status {
    log(&error);
    let mut details = ErrorDetails::new();
    if let Some(request_id) = ctx::current_request_id() {
        details.set_request_info(request_id.as_ref(), "");
    }
    if error.kind() == ErrorKind::Internal {
        details.set_error_info("INTERNAL", ERROR_DOMAIN, HashMap::new());
        return Status::with_error_details(Code::Internal, "internal error", details);
    }
    let metadata: HashMap<String, String> =
        error.metadata().iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    details.set_error_info(error.reason(), ERROR_DOMAIN, metadata);
    if !error.violations().is_empty() {
        let violations: Vec<FieldViolation> = error
            .violations()
            .iter()
            .take(MAX_VIOLATIONS)
            .map(|violation| FieldViolation::new(violation.field.clone(), violation.description.clone()))
            .collect();
        details.set_bad_request(violations);
    }
    Status::with_error_details(code(error.kind()), error.message(), details)
}

fn log(error: &Error) {
    match error.kind() {
        ErrorKind::Internal => error!(reason = error.reason(), error = error.chain(), "call failed"),
        ErrorKind::Unavailable | ErrorKind::DeadlineExceeded => {
            warn!(reason = error.reason(), error = error.chain(), "call failed");
        }
        kind => debug!(?kind, reason = error.reason(), "call refused"),
    }
}

/// The name of a code as gRPC writes it, such as `NOT_FOUND`.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_error_tells_nothing() {
        let error = Error::new(ErrorKind::Internal, "DISK_FULL", "the disk of db-7 is full").with("disk", "db-7");
        let status = status(error.caused_by("no space left on device"));
        assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
        let info = status.get_details_error_info().expect("has an ErrorInfo");
        assert_eq!((info.reason.as_str(), info.metadata.len()), ("INTERNAL", 0));
        assert!(!String::from_utf8_lossy(status.details()).contains("db-7"));
    }

    #[test]
    fn many_violations_fit_into_a_header() {
        let violations = (0..10_000)
            .map(|i| kernel::FieldViolation { field: format!("items[{i}]"), description: "is wrong".to_owned() })
            .collect();
        let status = status(Error::invalid_fields(violations));
        assert!(status.details().len() < 8_192);
        assert_eq!(status.message(), "10000 fields are not valid");
    }
}
