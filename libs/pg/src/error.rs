//! What goes wrong in a database, and what a caller is told about it.

use kernel::ErrorKind;

use crate::trust;

/// The result of database functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of a database function. It becomes a [`kernel::Error`] by `?`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Postgres or the way to it failed.
    #[error("database error")]
    Sqlx(#[source] sqlx::Error),

    /// A row that our own code can't have written.
    #[error("{table} {row} is inconsistent: {what}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The key of the row.
        row: String,
        /// What is wrong with it.
        what: String,
    },

    /// A rule of the domain refused.
    #[error(transparent)]
    Kernel(#[from] kernel::Error),
}

impl Error {
    /// A row that our own code can't have written. `row` is its key; `what` carries no personal data.
    pub fn inconsistent(table: &'static str, row: impl ToString, what: impl ToString) -> Self {
        Self::Inconsistent { table, row: row.to_string(), what: what.to_string() }
    }

    /// Whether the statement violated the constraint of that name.
    pub fn is_constraint(&self, name: &str) -> bool {
        matches!(self, Self::Sqlx(sqlx::Error::Database(error)) if error.constraint() == Some(name))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        // Every failed statement passes here on its way to the caller.
        trust::hear(&error);
        Self::Sqlx(error)
    }
}

impl From<Error> for kernel::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Kernel(error) => error,
            Error::Sqlx(error) => from_sqlx(error),
            error @ Error::Inconsistent { .. } => Self::internal(error),
        }
    }
}

fn from_sqlx(error: sqlx::Error) -> kernel::Error {
    match kind(&error) {
        ErrorKind::Unavailable if is_disk_full(&error) => kernel::Error::new(
            ErrorKind::Unavailable,
            "STORAGE_FULL",
            "the disk of the database is full: somebody must free some space, then try again",
        ),
        ErrorKind::Unavailable => kernel::Error::unavailable("the database"),
        ErrorKind::Aborted => {
            kernel::Error::aborted("CONCURRENT_CHANGE", "a concurrent change got in between; try again")
        }
        ErrorKind::InvalidArgument => kernel::Error::new(
            ErrorKind::InvalidArgument,
            "TEXT_NOT_STORABLE",
            "a text has a character that can't be stored: leave out U+0000",
        ),
        ErrorKind::DeadlineExceeded => {
            kernel::Error::new(ErrorKind::DeadlineExceeded, "DEADLINE_EXCEEDED", "the database took too long")
        }
        _ => return kernel::Error::internal(error),
    }
    .caused_by(error)
}

fn is_disk_full(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).as_deref() == Some("53100")
}

/// What a failure means for a caller, by the SQLSTATE codes of the Postgres manual, appendix A.
fn kind(error: &sqlx::Error) -> ErrorKind {
    use sqlx::Error as E;
    match error {
        E::PoolTimedOut | E::PoolClosed | E::Io(_) | E::Tls(_) | E::WorkerCrashed | E::BeginFailed => {
            ErrorKind::Unavailable
        }
        E::Database(error) => match error.code().as_deref() {
            // serialization_failure, deadlock_detected, lock_not_available
            Some("40001" | "40P01" | "55P03") => ErrorKind::Aborted,
            // character_not_in_repertoire, untranslatable_character: of all UTF-8, Postgres refuses only a zero in a text,
            // and no validation rule of a message does.
            Some("22021" | "22P05") => ErrorKind::InvalidArgument,
            // query_canceled, idle_in_transaction_session_timeout
            Some("57014" | "25P03") => ErrorKind::DeadlineExceeded,
            // admin_shutdown, crash_shutdown, cannot_connect_now
            Some("57P01" | "57P02" | "57P03") => ErrorKind::Unavailable,
            // connection exception, insufficient resources (disk_full, out_of_memory, too_many_connections)
            Some(code) if code.starts_with("08") || code.starts_with("53") => ErrorKind::Unavailable,
            _ => ErrorKind::Internal,
        },
        _ => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreachable_database_is_told_apart_from_a_fault_of_ours() {
        let gone = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(kernel::Error::from(Error::from(sqlx::Error::Io(gone))).kind(), ErrorKind::Unavailable);
        assert_eq!(kernel::Error::from(Error::from(sqlx::Error::PoolTimedOut)).kind(), ErrorKind::Unavailable);
        assert_eq!(kernel::Error::from(Error::from(sqlx::Error::RowNotFound)).kind(), ErrorKind::Internal);
    }

    #[test]
    fn an_inconsistent_row_is_named_in_the_log_only() {
        let error = kernel::Error::from(Error::inconsistent("booking", 7, "held without an expiry"));
        assert_eq!(error.message(), "internal error");
        assert_eq!(error.chain(), "internal error (INTERNAL): booking 7 is inconsistent: held without an expiry");
    }

    #[test]
    fn a_domain_error_passes_through_unchanged() {
        let error = kernel::Error::from(Error::from(kernel::Error::precondition("SLOT_TAKEN", "taken")));
        assert_eq!(error.reason(), "SLOT_TAKEN");
    }
}
