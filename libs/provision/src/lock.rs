//! One worker at a time in a data folder. The locks are `flock`s: the kernel frees them when their holder ends, however
//! it ends, so none is ever stale.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Seek as _, Write as _},
    path::Path,
};

use crate::error::{Error, Result};

const LIFETIME: &str = "lock";
const START: &str = "start.lock";

/// The right to be the one `meridian up` of a data folder, for as long as it lives.
#[derive(Debug)]
pub struct Exclusive {
    _file: File,
}

impl Exclusive {
    /// Takes the right, or says who has it.
    pub(crate) fn take(data: &Path) -> Result<Self> {
        let path = data.join(LIFETIME);
        let mut file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = holder_in(&path).map_or_else(|| "unknown".to_owned(), |pid| pid.to_string());
                return Err(Error::Locked { data: data.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(Error::file("lock", path)(error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(Error::file("write", path))?;
        Ok(Self { _file: file })
    }
}

/// The process that has the right to a data folder now, if one has.
pub(crate) fn holder(data: &Path) -> Option<u32> {
    let path = data.join(LIFETIME);
    let file = File::open(&path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => holder_in(&path),
        _ => None,
    }
}

/// Waits for the short right to start or stop servers; it ends with the file's life.
pub(crate) async fn for_start(data: &Path) -> Result<File> {
    let path = data.join(START);
    let file = open(&path)?;
    let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
    match waiting.await {
        Ok(locked) => locked.map_err(Error::file("lock", path)),
        Err(stopped) => Err(Error::file("lock", path)(std::io::Error::other(stopped))),
    }
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(Error::file("open", path))
}

fn holder_in(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
