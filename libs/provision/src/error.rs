//! What can go wrong, each with its remedy, as a person at a terminal reads it.

use std::{io, path::PathBuf};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure to provide a server. `Display` is one or two sentences: what is wrong, then the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be used.
    #[error("can't {action} {}: {source}", path.display())]
    File {
        /// What was tried, such as "write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process works with the data folder.
    #[error(
        "another meridian (process {holder}) is using {}: stop it with `meridian down`, or give another data folder",
        data.display()
    )]
    Locked {
        /// The data folder.
        data: PathBuf,
        /// The process id of the other, or "unknown".
        holder: String,
    },
    /// A configured port is in use by a program that isn't ours.
    #[error(
        "port {port} for {server} is taken by another program (`ss -ltnp 'sport = :{port}'` shows which): stop that \
         program, or configure another port"
    )]
    PortTaken {
        /// "Postgres" or "Redis".
        server: &'static str,
        /// The port on 127.0.0.1.
        port: u16,
    },
    /// There is no free port left to choose from.
    #[error("found no free port on 127.0.0.1 for {server}: configure one that is free")]
    NoFreePort {
        /// "Postgres" or "Redis".
        server: &'static str,
    },
    /// The disk is nearly full.
    #[error(
        "only {free_mib} MiB are free on the disk of {}, and {server} needs {needed_mib} MiB: free some space, or give a \
         data folder on another disk. Nothing was changed",
        path.display()
    )]
    NoSpace {
        /// "Postgres" or "Redis".
        server: &'static str,
        /// The folder on that disk.
        path: PathBuf,
        /// Free space in mebibytes.
        free_mib: u64,
        /// Space wanted in mebibytes.
        needed_mib: u64,
    },
    /// The database files were made by a major version of Postgres that isn't installed.
    #[error(
        "the database in {} was made by Postgres {wanted}, and only {found} is installed: install postgresql-{wanted}, \
         or, to give up the data in it, run `meridian reset`. Nothing was changed",
        path.display()
    )]
    DataVersion {
        /// The database files.
        path: PathBuf,
        /// The major version that made them.
        wanted: u32,
        /// The versions that were found, as text.
        found: String,
    },
    /// A folder that isn't ours is in the way.
    #[error(
        "{} exists, but {} that belongs to it does not: put that file back, or move the folder away. Nothing was changed",
        folder.display(), missing.display()
    )]
    NotOurs {
        /// The folder in the way.
        folder: PathBuf,
        /// The file that would make it ours.
        missing: PathBuf,
    },
    /// `servers.json` can't be understood.
    #[error("{} is damaged ({reason}): put a good copy back, or remove it together with the data folder", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A program is missing and could not be fetched.
    #[error("there is no {program} on this machine. Install it with\n    {remedy}\nand start again{detail}")]
    Missing {
        /// What is missing.
        program: &'static str,
        /// The exact command to run.
        remedy: String,
        /// What was tried, or nothing.
        detail: String,
    },
    /// A configured program does not exist or isn't what it should be.
    #[error("{} is configured as {what}, but {reason}", path.display())]
    Program {
        /// What it should be.
        what: &'static str,
        /// The configured path.
        path: PathBuf,
        /// Why it can't be used.
        reason: String,
    },
    /// The data folder belongs to another user.
    #[error("{} belongs to user {owner}: start as that user, or give another data folder", path.display())]
    Owner {
        /// The database files.
        path: PathBuf,
        /// The numeric id of their owner.
        owner: u32,
    },
    /// There is no unprivileged user to run as.
    #[error(
        "Postgres refuses to run as root, and this machine has neither a user postgres nor nobody: start as an ordinary user"
    )]
    NoAccount,
    /// A helper program failed.
    #[error("{what} failed: {output}")]
    Command {
        /// What was tried.
        what: String,
        /// The end of what it printed.
        output: String,
    },
    /// A server did not start or stop.
    #[error("{server} did not {verb}. The end of its log {}:\n{tail}", log.display())]
    Server {
        /// "Postgres" or "Redis".
        server: &'static str,
        /// "start", "stop" or "answer".
        verb: &'static str,
        /// Its log file.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// Postgres refused a statement.
    #[error("Postgres refused to {action}: {source}")]
    Postgres {
        /// What was tried.
        action: &'static str,
        /// Its answer.
        source: sqlx::Error,
    },
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// For `map_err` on statements.
    pub(crate) fn postgres(action: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Postgres { action, source }
    }
}
