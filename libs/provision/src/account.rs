//! Which user the servers run as. Postgres refuses root.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path, process::Stdio};

use rustix::process::geteuid;
use tokio::process::Command;

use crate::{
    error::{Error, Result},
    unpacked,
};

/// An unprivileged user other than ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

/// Tried in this order when we are root.
const PREFERRED: [&str; 2] = ["postgres", "nobody"];

impl Account {
    /// The user to run the servers as: nobody else unless we are root. `files` are the database files if there are
    /// any; whoever owns them goes on owning them.
    pub(crate) fn choose(files: &Path) -> Result<Option<Self>> {
        let owner = fs::symlink_metadata(files).ok();
        if !geteuid().is_root() {
            return match owner.map(|found| found.uid()) {
                Some(owner) if owner != geteuid().as_raw() => Err(Error::Owner { path: files.to_owned(), owner }),
                _ => Ok(None),
            };
        }
        if let Some(found) = owner.filter(|found| found.uid() != 0) {
            return Ok(Some(Self { name: format!("user {}", found.uid()), uid: found.uid(), gid: found.gid() }));
        }
        let users = fs::read_to_string("/etc/passwd").map_err(Error::file("read", "/etc/passwd"))?;
        PREFERRED.iter().find_map(|name| Self::parse(&users, name)).map(Some).ok_or(Error::NoAccount)
    }

    fn parse(users: &str, wanted: &str) -> Option<Self> {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            match fields.as_slice() {
                [name, _, uid, gid, ..] if *name == wanted => {
                    Some(Self { name: wanted.to_owned(), uid: uid.parse().ok()?, gid: gid.parse().ok()? })
                }
                _ => None,
            }
        })
    }
}

/// A program that runs as `account` (or as ourselves) with nothing of our environment: Postgres would take `PGDATA`,
/// `PGPORT` and their like from it. As root, the standard library also drops our supplementary groups.
pub(crate) fn command(program: &Path, account: Option<&Account>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        // Our own folder may be closed to that user.
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(false);
    if let Some(libraries) = unpacked::libraries(program) {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Whether `account` may enter `folder`. It is tried, not computed: there are access lists, mounts and namespaces.
pub(crate) async fn may_enter(account: &Account, folder: &Path) -> bool {
    command(Path::new("/usr/bin/test"), Some(account))
        .arg("-x")
        .arg(folder)
        .status()
        .await
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let users = "root:x:0:0::/root:/bin/sh\npostgresql:x:7:7::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\n";
        let found = Account::parse(users, "postgres");
        assert_eq!(found, Some(Account { name: "postgres".to_owned(), uid: 101, gid: 104 }));
        assert_eq!(Account::parse(users, "nobody"), None);
    }
}
