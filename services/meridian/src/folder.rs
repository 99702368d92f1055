//! The data folder: its version, the keys of the deployment, and the way to its private servers.
//!
//! Beside the files of [`provision`] it holds `version`, the number of its layout, and `keys.json`, which only its owner
//! may read: the service key, the master key of personal data, and the passwords of roles on a server that was given.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use provision::{Options, Progress, Provision};
use rand::distr::{Alphanumeric, SampleString as _};
use runtime::{Settings, config::Service};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::say;

/// The layout of the folder that this version knows.
const VERSION: u32 = 1;
const VERSION_FILE: &str = "version";
const KEYS_FILE: &str = "keys.json";
/// Made by [`provision`] with the private servers.
const SERVERS_FILE: &str = "servers.json";
/// 32 letters and digits: 190 bits.
const PASSWORD_LENGTH: usize = 32;

/// A data folder that this version can work with.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    keys: Keys,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    /// Base64 of 32 bytes.
    service_key_seed: String,
    /// Base64 of 32 bytes.
    master_key: String,
    /// The passwords of the services' roles on a server that was given, by service.
    passwords: BTreeMap<String, String>,
}

impl Folder {
    /// The folder of `settings`, made if need be.
    ///
    /// # Errors
    /// When it was made by another version, or part of it is gone; nothing is changed then.
    pub fn open(settings: &Settings) -> Result<Self> {
        let path = settings.data_dir.clone();
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        match version(&path)? {
            Some(VERSION) => {}
            Some(other) => bail!(
                "{} has layout {other}, and this version of meridian knows layout {VERSION}: use the version that made \
                 it, give another folder with --data-dir, or give up its data with `meridian reset --yes`. Nothing was \
                 changed",
                path.display()
            ),
            None if path.join(SERVERS_FILE).exists() => bail!(
                "{} was not made by this version of meridian (it has no file `{VERSION_FILE}`): give another folder \
                 with --data-dir. Nothing was changed",
                path.display()
            ),
            None => write_private(&path.join(VERSION_FILE), format!("{VERSION}\n").as_bytes())?,
        }
        let keys = Keys::load_or_make(&path)?;
        Ok(Self { path, keys })
    }

    /// The private servers of the folder, telling people what goes on.
    pub fn provision(&self) -> Provision {
        provision(&self.path)
    }

    /// Fills in the keys that the settings do not have.
    pub fn fill_keys(&self, settings: &mut Settings) {
        let auth = &mut settings.auth;
        auth.service_key_seed.get_or_insert_with(|| SecretString::from(self.keys.service_key_seed.clone()));
        auth.master_key.get_or_insert_with(|| SecretString::from(self.keys.master_key.clone()));
    }

    /// Fills in the databases that the settings do not have: on the given server if there is one, else on the private
    /// one, which is started. Each is made if need be, with a role of its own that alone may enter it.
    pub async fn fill_databases(&self, settings: &mut Settings, provision: &Provision) -> Result<()> {
        let given = settings.postgres.admin_url.clone();
        for service in Service::ALL {
            if settings.service(service).database_url.is_some() {
                continue;
            }
            let name = service.name();
            let url = match &given {
                Some(server) => {
                    let password = self.keys.passwords.get(name).context("keys.json lacks a password")?;
                    provision::ensure_database(server.expose_secret(), name, name, password).await?
                }
                None => provision.database(name).await?,
            };
            settings.service_mut(service).database_url = Some(url.into());
        }
        Ok(())
    }

    /// Fills in a private Redis, which is started, if the settings name none.
    pub async fn fill_redis(&self, settings: &mut Settings, provision: &Provision) -> Result<()> {
        if settings.redis.url.is_none() {
            settings.redis.url = Some(provision.redis().await?.url().to_owned().into());
        }
        Ok(())
    }
}

/// The private servers of the data folder at `path`, whatever made it.
pub fn provision(path: &Path) -> Provision {
    Provision::new(
        path,
        Options { install: true, progress: Progress::new(|sentence| say::line(sentence)), ..Options::default() },
    )
}

/// Deletes what is not the private servers'. The folder goes too, if nothing else is in it.
pub fn remove(path: &Path) -> Result<()> {
    for file in [KEYS_FILE, VERSION_FILE] {
        match fs::remove_file(path.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", path.join(file).display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The layout of the folder, if it says one.
fn version(path: &Path) -> Result<Option<u32>> {
    let file = path.join(VERSION_FILE);
    match fs::read_to_string(&file) {
        Ok(text) => match text.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => bail!("{} is not a number: put a good copy back. Nothing was changed", file.display()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

impl Keys {
    fn load_or_make(folder: &Path) -> Result<Self> {
        let path = folder.join(KEYS_FILE);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{} is damaged: put a good copy back. Nothing was changed", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if folder.join(SERVERS_FILE).exists() {
                    bail!(
                        "{} is gone, and without its master key nobody can read the personal data in the databases: put \
                         the file back, or give up the data with `meridian reset --yes`. Nothing was changed",
                        path.display()
                    );
                }
                let keys = Self::make();
                write_private(&path, &serde_json::to_vec_pretty(&keys)?)?;
                Ok(keys)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    fn make() -> Self {
        let key = || BASE64_STANDARD.encode(rand::random::<[u8; 32]>());
        let password = || Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_LENGTH);
        let passwords = Service::ALL.into_iter().map(|service| (service.name().to_owned(), password())).collect();
        Self { service_key_seed: key(), master_key: key(), passwords }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// Writes a file that only its owner may read: beside its place first, so that nobody ever sees half of it.
fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A folder that goes with the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("meridian-folder-{}-{name}", std::process::id())))
        }

        fn settings(&self) -> Settings {
            let set = format!("data_dir={}", self.0.display());
            runtime::config::load(None, [], &[set]).unwrap()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn keys_are_made_once_for_the_owner_only() {
        let scratch = Scratch::new("once");
        let filled = || {
            let mut settings = scratch.settings();
            Folder::open(&settings).unwrap().fill_keys(&mut settings);
            *settings.auth.master_key().unwrap().expose_secret()
        };
        assert_eq!(filled(), filled());
        let mode = fs::metadata(scratch.0.join(KEYS_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn configured_keys_stay() {
        let scratch = Scratch::new("configured");
        let mut settings = scratch.settings();
        let own = BASE64_STANDARD.encode([7; 32]);
        settings.auth.master_key = Some(own.into());
        Folder::open(&settings).unwrap().fill_keys(&mut settings);
        assert_eq!(settings.auth.master_key().unwrap().expose_secret(), &[7; 32]);
        assert!(settings.auth.service_key_seed().is_ok());
    }

    #[test]
    fn another_layout_is_refused_and_left_alone() {
        let scratch = Scratch::new("layout");
        fs::create_dir_all(&scratch.0).unwrap();
        fs::write(scratch.0.join(VERSION_FILE), "2\n").unwrap();
        let error = Folder::open(&scratch.settings()).unwrap_err().to_string();
        assert!(error.contains("layout 2") && error.contains("--data-dir"), "{error}");
        assert!(!scratch.0.join(KEYS_FILE).exists());
    }

    #[test]
    fn lost_keys_are_not_made_anew_over_data() {
        let scratch = Scratch::new("lost");
        Folder::open(&scratch.settings()).unwrap();
        fs::write(scratch.0.join(SERVERS_FILE), "{}").unwrap();
        fs::remove_file(scratch.0.join(KEYS_FILE)).unwrap();
        let error = Folder::open(&scratch.settings()).unwrap_err().to_string();
        assert!(error.contains("master key"), "{error}");
        assert!(!scratch.0.join(KEYS_FILE).exists());
    }

    #[test]
    fn a_folder_without_a_version_is_not_ours() {
        let scratch = Scratch::new("foreign");
        fs::create_dir_all(&scratch.0).unwrap();
        fs::write(scratch.0.join(SERVERS_FILE), "{}").unwrap();
        let error = Folder::open(&scratch.settings()).unwrap_err().to_string();
        assert!(error.contains("no file `version`"), "{error}");
    }
}
