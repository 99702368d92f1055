//! gRPC status of a peer → [`kernel::Error`].

use std::{
    collections::HashSet,
    error::Error as _,
    fmt,
    sync::{LazyLock, Mutex, PoisonError},
};

use kernel::{Error, ErrorKind};
use tonic::{Code, Status, TimeoutExpired};
use tonic_types::StatusExt;

use crate::status::{ERROR_DOMAIN, code_name};

/// More words than all services together have reasons and metadata keys; it bounds what a foolish peer can make us keep.
const MAX_WORDS: usize = 1_024;
const MAX_WORD_LENGTH: usize = 63;

static WORDS: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

/// What a peer's answer means for the one who called it.
///
/// An answer of a Meridian service keeps its kind, reason, text, metadata and violations, so that a flow can match on
/// [`Error::reason`] as on a local error. What tonic made up on this side because the peer was not reached, or went
/// away, is `Unavailable`; a deadline is `DeadlineExceeded` wherever it ran out. A peer that does not accept our own
/// credentials, or fails, is our fault: `Internal`.
pub fn from_status(status: Status, peer: &'static str) -> Error {
    let kind = kind(&status);
    let cause = PeerFailure { peer, code: status.code(), message: status.message().to_owned() };
    match kind {
        ErrorKind::Internal => return Error::internal(cause),
        ErrorKind::Unavailable => return Error::unavailable(peer).caused_by(cause),
        ErrorKind::DeadlineExceeded => {
            return Error::new(kind, "DEADLINE_EXCEEDED", format!("{peer} did not answer in time")).caused_by(cause);
        }
        _ => {}
    }
    let message = status.message().to_owned();
    let info = status.get_details_error_info().filter(|info| info.domain == ERROR_DOMAIN);
    let mut error = match info {
        None => Error::new(kind, code_name(status.code()), message),
        Some(info) => {
            let mut error = match intern(&info.reason) {
                Some(reason) => Error::new(kind, reason, message),
                None => Error::new(kind, code_name(status.code()), message).with("peer_reason", &info.reason),
            };
            for (key, value) in info.metadata {
                if let Some(key) = intern(&key) {
                    error = error.with(key, value);
                }
            }
            error
        }
    };
    if let Some(bad) = status.get_details_bad_request() {
        for violation in bad.field_violations {
            error = error.with_violation(violation.field, violation.description);
        }
    }
    error.caused_by(cause)
}

fn kind(status: &Status) -> ErrorKind {
    // Only a status that was made on this side has a source: it did not come from the peer.
    if let Some(source) = status.source() {
        let timed_out = chain(source).any(|cause| cause.is::<TimeoutExpired>());
        return if timed_out { ErrorKind::DeadlineExceeded } else { ErrorKind::Unavailable };
    }
    match status.code() {
        Code::InvalidArgument | Code::OutOfRange => ErrorKind::InvalidArgument,
        Code::PermissionDenied => ErrorKind::PermissionDenied,
        Code::NotFound => ErrorKind::NotFound,
        Code::AlreadyExists => ErrorKind::AlreadyExists,
        Code::FailedPrecondition => ErrorKind::FailedPrecondition,
        Code::Aborted => ErrorKind::Aborted,
        Code::ResourceExhausted => ErrorKind::ResourceExhausted,
        Code::DeadlineExceeded => ErrorKind::DeadlineExceeded,
        // tonic's own timer, on either side, answers so.
        Code::Cancelled if status.message() == TimeoutExpired(()).to_string() => ErrorKind::DeadlineExceeded,
        Code::Unavailable | Code::Cancelled => ErrorKind::Unavailable,
        Code::Ok | Code::Unauthenticated | Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss => {
            ErrorKind::Internal
        }
    }
}

fn chain<'a>(
    first: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(first), |&cause| cause.source())
}

/// The one lasting copy of a word; `None` when it doesn't look like a reason or key, or there are too many.
fn intern(word: &str) -> Option<&'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if word.is_empty() || word.len() > MAX_WORD_LENGTH || !word.bytes().all(plain) {
        return None;
    }
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = words.get(word) {
        return Some(known);
    }
    if words.len() >= MAX_WORDS {
        return None;
    }
    let word: &'static str = Box::leak(word.to_owned().into_boxed_str());
    words.insert(word);
    Some(word)
}

/// The peer's answer, for the log.
#[derive(Debug)]
struct PeerFailure {
    peer: &'static str,
    code: Code,
    message: String,
}

impl fmt::Display for PeerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {}: {}", self.peer, code_name(self.code), self.message)
    }
}

impl std::error::Error for PeerFailure {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::status;

    #[test]
    fn a_peers_reason_facts_and_violations_come_back() {
        let sent = Error::precondition("SLOT_TAKEN", "the time is taken").with("next_free", "10:30");
        let got = from_status(status(sent), "booking");
        assert_eq!((got.kind(), got.reason()), (ErrorKind::FailedPrecondition, "SLOT_TAKEN"));
        assert_eq!(got.message(), "the time is taken");
        assert_eq!(got.metadata(), [("next_free", "10:30".to_owned())]);

        let got = from_status(status(Error::invalid("size", "must not be negative")), "booking");
        assert_eq!(got.violations().first().map(|v| v.field.as_str()), Some("size"));
    }

    #[test]
    fn every_kind_survives_the_way_there_and_back() {
        use ErrorKind::*;
        for kind in [
            InvalidArgument,
            PermissionDenied,
            NotFound,
            AlreadyExists,
            FailedPrecondition,
            Aborted,
            ResourceExhausted,
            DeadlineExceeded,
            Unavailable,
            Internal,
        ] {
            assert_eq!(from_status(status(Error::new(kind, "SOME_REASON", "text")), "peer").kind(), kind);
        }
        let refused = from_status(status(Error::unauthenticated("TOKEN_EXPIRED", "text")), "peer");
        assert_eq!(refused.kind(), Internal, "it was our own token that the peer did not accept");
    }

    #[test]
    fn a_reason_that_is_none_is_kept_apart() {
        let odd = status(Error::precondition("no reason, a sentence", "text"));
        let got = from_status(odd, "booking");
        assert_eq!(got.reason(), "FAILED_PRECONDITION");
        assert_eq!(got.metadata(), [("peer_reason", "no reason, a sentence".to_owned())]);
    }

    #[test]
    fn an_unreachable_peer_is_unavailable_and_a_timer_is_a_deadline() {
        let mut broken = Status::unknown("transport error");
        broken.set_source(Arc::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset)));
        assert_eq!(from_status(broken, "payment").kind(), ErrorKind::Unavailable);

        let mut late = Status::cancelled("Timeout expired");
        late.set_source(Arc::new(TimeoutExpired(())));
        assert_eq!(from_status(late, "payment").kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(from_status(Status::cancelled("Timeout expired"), "payment").kind(), ErrorKind::DeadlineExceeded);
    }
}
