//! Files that are whole or not there at all, and folders.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, chown, lchown},
    path::Path,
};

use crate::{
    account::Account,
    error::{Error, Result},
};

/// For what only its owner may read.
pub(crate) const PRIVATE: u32 = 0o600;
/// For what everybody may read.
pub(crate) const OPEN: u32 = 0o644;

/// Writes a file beside `path` and moves it there, so that nobody ever sees half of it. The new file is made with
/// `O_EXCL`: a link that somebody put in its way is not followed.
pub(crate) fn write_whole(path: &Path, content: &[u8], mode: u32, owner: Option<&Account>) -> Result<()> {
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let write = || -> io::Result<()> {
        if let Err(error) = fs::remove_file(&draft)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&draft)?;
        file.write_all(content)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        if let Some(owner) = owner {
            chown(&draft, Some(owner.uid), Some(owner.gid))?;
        }
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(Error::file("write", path))
}

/// Makes a folder, if it isn't there, and what leads to it. A new one is readable by all whatever the umask says: what is
/// secret in it has rights of its own, and the servers may run as another user.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let make = || {
        DirBuilder::new().recursive(true).create(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o755))
    };
    make().map_err(Error::file("make", path))
}

/// Makes a folder that only `owner` (or we) may look into.
pub(crate) fn make_private_folder(path: &Path, owner: Option<&Account>) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(Error::file("make", path)(error)),
        _ => {}
    }
    match owner {
        Some(owner) => lchown(path, Some(owner.uid), Some(owner.gid)).map_err(Error::file("hand over", path)),
        None => Ok(()),
    }
}

/// Removes a file, or a folder and all in it; a link is removed, not followed. Nothing there is fine.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// The last lines of a log, at most 4 KiB, for a message.
pub(crate) fn tail(path: &Path) -> String {
    const BYTES: u64 = 4_096;
    const LINES: usize = 12;
    let read = || -> io::Result<String> {
        let mut file = fs::File::open(path)?;
        let start = file.metadata()?.len().saturating_sub(BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_else(|error| format!("(not readable: {error})"));
    last_lines(&text, LINES)
}

/// The last `count` lines.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
