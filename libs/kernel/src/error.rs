//! The one error type of the suite.
//!
//! An [`Error`] has two faces. Callers see `kind`, `reason`, `message`, `metadata` and `violations`. The `source` chain
//! is for the log, written once at the boundary where the error is answered, and never sent.

use std::{borrow::Cow, error::Error as StdError, fmt};

/// The result of everything that can fail for a caller.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync + 'static>;

/// What sort of failure it is, and so what a caller can do about it. `rpc` alone maps it to a gRPC code.
///
/// It is a short list on purpose: think hard before adding to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request is wrong whatever the state of the system: correct it.
    InvalidArgument,
    /// No valid credentials: sign in.
    Unauthenticated,
    /// The caller may not do this.
    PermissionDenied,
    /// No such thing, or none that the caller may know of.
    NotFound,
    /// A thing of that id or name exists with other content.
    AlreadyExists,
    /// The system's state does not allow it (wrong state, taken time, too little balance): change the state first.
    FailedPrecondition,
    /// A race was lost: read again, then decide.
    Aborted,
    /// A quota or rate limit is used up.
    ResourceExhausted,
    /// The time allowed for the call ran out; the outcome may be unknown.
    DeadlineExceeded,
    /// A part of the system is not reachable: try again with the same request id. The only kind that clients retry.
    Unavailable,
    /// Our fault. The caller learns nothing but that.
    Internal,
}

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// The path of the field as in the proto, such as `booking.start_time`.
    pub field: String,
    /// What is wrong and how to mend it.
    pub description: String,
}

/// An error with a public and an internal face.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    reason: &'static str,
    message: Cow<'static, str>,
    metadata: Vec<(&'static str, String)>,
    violations: Vec<FieldViolation>,
    source: Option<Source>,
}

impl Error {
    /// An error of `kind`. `reason` is a stable UPPER_SNAKE_CASE word for programs, `message` a sentence for people.
    pub fn new(kind: ErrorKind, reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            reason,
            message: message.into(),
            metadata: Vec::new(),
            violations: Vec::new(),
            source: None,
        }))
    }

    /// One field of the request is wrong; `description` names the remedy.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::invalid_fields(vec![FieldViolation { field: field.into(), description: description.into() }])
    }

    /// Several fields of the request are wrong.
    pub fn invalid_fields(violations: Vec<FieldViolation>) -> Self {
        let message = match violations.as_slice() {
            [one] => format!("{}: {}", one.field, one.description),
            many => format!("{} fields are not valid", many.len()),
        };
        let mut error = Self::new(ErrorKind::InvalidArgument, "INVALID_ARGUMENT", message);
        error.0.violations = violations;
        error
    }

    /// No such thing. `name` is its resource name.
    pub fn not_found(name: impl fmt::Display) -> Self {
        Self::new(ErrorKind::NotFound, "NOT_FOUND", format!("{name} does not exist")).with("resource", name.to_string())
    }

    /// The system's state does not allow it.
    pub fn precondition(reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::FailedPrecondition, reason, message)
    }

    /// A race was lost.
    pub fn aborted(reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Aborted, reason, message)
    }

    /// The caller may not do this.
    pub fn denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::PermissionDenied, "PERMISSION_DENIED", message)
    }

    /// No valid credentials.
    pub fn unauthenticated(reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Unauthenticated, reason, message)
    }

    /// Something that we rely on is not reachable now.
    pub fn unavailable(what: &'static str) -> Self {
        Self::new(ErrorKind::Unavailable, "UNAVAILABLE", format!("{what} is not reachable now; try again"))
    }

    /// Our fault; `what` goes to the log only.
    pub fn internal(what: impl Into<Source>) -> Self {
        Self::new(ErrorKind::Internal, "INTERNAL", "internal error").caused_by(what)
    }

    /// Adds a fact for programs, such as the state that was found.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.metadata.push((key, value.to_string()));
        self
    }

    /// Names a field that is at fault, when the error has a reason of its own.
    #[must_use]
    pub fn with_violation(mut self, field: impl Into<String>, description: impl Into<String>) -> Self {
        self.0.violations.push(FieldViolation { field: field.into(), description: description.into() });
        self
    }

    /// Adds the internal cause, for the log only.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable word for programs.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// The sentence for people. It carries no personal data and no internals.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Facts for programs.
    pub fn metadata(&self) -> &[(&'static str, String)] {
        &self.0.metadata
    }

    /// The wrong fields, if it is `InvalidArgument`.
    pub fn violations(&self) -> &[FieldViolation] {
        &self.0.violations
    }

    /// The whole chain in one line, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.message, self.0.reason)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_in_the_chain_but_not_in_the_text() {
        let error = Error::internal("disk full");
        assert_eq!(error.message(), "internal error");
        assert!(!error.to_string().contains("disk"));
        assert_eq!(error.chain(), "internal error (INTERNAL): disk full");
    }

    #[test]
    fn one_violation_is_named_in_the_message() {
        let error = Error::invalid("start_time", "is in the past; ask for a later time");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert_eq!(error.message(), "start_time: is in the past; ask for a later time");
    }
}
