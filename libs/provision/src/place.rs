//! Where the files of the servers lie, and whether there is room for them.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{
    account::{self, Account},
    cache,
    error::{Error, Result},
    files,
    options::Progress,
    postgres,
    state::State,
};

/// Where root puts server files whose data folder is closed to the servers' user.
const ELSEWHERE: &str = "/var/lib";

/// The folders of the servers.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub root: PathBuf,
}

impl Place {
    /// Where the servers of `data` were put, or would be if it is open to their user.
    pub(crate) fn known(data: &Path, state: &State) -> Self {
        Self { root: state.place.clone().unwrap_or_else(|| data.to_owned()) }
    }

    /// The folder for the servers of `data`, made if it isn't there. Home folders are never opened up: when the user
    /// of the servers can't get in, the files lie elsewhere and `state` remembers where.
    pub(crate) async fn settle(
        data: &Path,
        state: &mut State,
        account: Option<&Account>,
        progress: &Progress,
    ) -> Result<Self> {
        if let Some(account) = account
            && state.place.is_none()
            && !account::may_enter(account, data).await
        {
            let root = elsewhere(data);
            progress.tell(format!(
                "{} is closed to the user {}, as which the servers run; their files go to {}",
                data.display(),
                account.name,
                root.display(),
            ));
            set_aside(&root, progress).await?;
            state.place = Some(root);
        }
        let place = Self::known(data, state);
        files::make_folder(&place.root)?;
        Ok(place)
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.root.join("postgres")
    }

    pub(crate) fn postgres_data(&self) -> PathBuf {
        self.postgres().join(postgres::DATA)
    }

    pub(crate) fn redis(&self) -> PathBuf {
        self.root.join("redis")
    }

    /// Fails if fewer than `needed_mib` mebibytes are free.
    pub(crate) fn check_space(&self, server: &'static str, needed_mib: u64) -> Result<()> {
        let free_mib = free_mib(&self.root)?;
        if free_mib < needed_mib {
            return Err(Error::NoSpace { server, path: self.root.clone(), free_mib, needed_mib });
        }
        Ok(())
    }
}

/// Moves away what an earlier data folder of the same path has left: nobody knows its passwords any more.
async fn set_aside(root: &Path, progress: &Progress) -> Result<()> {
    let left = Place { root: root.to_owned() };
    if !left.postgres().exists() && !left.redis().exists() {
        return Ok(());
    }
    cache::stop(&left).await?;
    postgres::stop(&left).await?;
    let name = |number: u32| root.with_extension(format!("old-{number}"));
    let kept = (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0));
    progress.tell(format!("An earlier checkout has left a database; it is kept in {}", kept.display()));
    std::fs::rename(root, &kept).map_err(Error::file("move aside", root))
}

/// The folder of the same name for the same data folder, always.
fn elsewhere(data: &Path) -> PathBuf {
    let digest = Sha256::digest(data.as_os_str().as_encoded_bytes());
    let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Path::new(ELSEWHERE).join(format!("meridian-{hash}"))
}

fn free_mib(folder: &Path) -> Result<u64> {
    let disk = rustix::fs::statvfs(folder).map_err(|error| Error::file("look at the disk of", folder)(error.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize) >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_space_is_said_with_figures() {
        let place = Place { root: std::env::temp_dir() };
        assert!(place.check_space("Postgres", 0).is_ok());
        let error = place.check_space("Postgres", u64::MAX).expect_err("no disk is that large").to_string();
        assert!(error.contains("MiB are free on the disk of"), "{error}");
        assert!(error.contains("free some space"), "{error}");
    }
}
