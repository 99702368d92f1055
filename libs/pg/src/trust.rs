//! Which pooled connections are handed out without being asked first whether they still live.
//!
//! Asking each would cost a round trip per transaction. But a server that is started again has closed all connections at
//! once, and each shows it only when it is used. So as soon as one statement of this process finds its connection dead,
//! all that were given back before are asked.

use std::{
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

/// A connection that lay idle for longer is asked in any case.
const TRUSTED_IDLE: Duration = Duration::from_secs(2);

/// When a connection was last found dead; of whichever pool, as a question too many does no harm.
static FOUND_DEAD: RwLock<Option<Instant>> = RwLock::new(None);

/// Looks whether `error` says that a connection is dead, and if so remembers it.
pub(crate) fn hear(error: &sqlx::Error) -> bool {
    let dead = match error {
        sqlx::Error::Io(_) => true,
        // admin_shutdown, crash_shutdown
        sqlx::Error::Database(error) => matches!(error.code().as_deref(), Some("57P01" | "57P02")),
        _ => false,
    };
    if dead {
        *FOUND_DEAD.write().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
    dead
}

/// Whether a connection that was given back so long ago needs not be asked.
pub(crate) fn is_trusted(idle: Duration) -> bool {
    let found_dead = *FOUND_DEAD.read().unwrap_or_else(PoisonError::into_inner);
    idle <= TRUSTED_IDLE && found_dead.is_none_or(|found| idle < found.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_given_back_before_a_death_is_asked() {
        assert!(is_trusted(Duration::ZERO));
        assert!(!is_trusted(TRUSTED_IDLE + Duration::from_millis(1)));
        assert!(!hear(&sqlx::Error::PoolTimedOut));
        assert!(hear(&sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())));
        assert!(!is_trusted(TRUSTED_IDLE));
        assert!(is_trusted(Duration::ZERO));
    }
}
