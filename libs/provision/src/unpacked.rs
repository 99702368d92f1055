//! Debian's packages without root: apt fetches them and checks their signatures, and they are unpacked into a folder of
//! ours instead of being installed. The programs find their own files relative to themselves, and their libraries by
//! [`libraries`].

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use tokio::process::Command;

use crate::{
    error::{Error, Result},
    files,
    install::{run, update_and_install},
    options::Progress,
    programs::in_path,
};

/// In the folder for fetched programs: what would be `/` if the packages were installed.
const ROOT: &str = "debian-packages";

/// Whether [`fetch`] can work here.
pub(crate) fn possible() -> bool {
    in_path("apt-get").is_some()
}

/// Fetches those of Debian's packages of Postgres and Redis that aren't installed, with what they need, into `tools`.
/// They appear whole or not at all.
pub(crate) async fn fetch(tools: &Path, progress: &Progress) -> Result<()> {
    progress.tell(format!(
        "Fetching Debian's packages postgresql and redis-server into {} (nothing is installed)",
        tools.display()
    ));
    let draft = tools.join(ROOT).with_extension("draft");
    files::remove(&draft)?;
    let (cache, root) = (draft.join("apt"), draft.join("root"));
    for folder in [cache.join("lists/partial"), cache.join("archives/partial"), root.clone()] {
        files::make_folder(&folder)?;
    }
    let download =
        ["install", "-y", "--no-install-recommends", "--no-upgrade", "--download-only", "postgresql", "redis-server"];
    update_and_install(apt(&cache, &["update"]), apt(&cache, &download)).await?;
    for package in packages(&cache.join("archives"))? {
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("--extract").arg(package).arg(&root);
        run("dpkg-deb --extract", unpack).await?;
    }
    let place = tools.join(ROOT);
    files::remove(&place)?;
    fs::rename(&root, &place).map_err(Error::file("rename", root))?;
    files::remove(&draft)
}

/// The folder with a Postgres per major version, as in [`crate::programs`].
pub(crate) fn postgres_shelf(tools: &Path) -> PathBuf {
    tools.join(ROOT).join("usr/lib/postgresql")
}

/// Where Redis lies if it was unpacked.
pub(crate) fn redis(tools: &Path) -> PathBuf {
    tools.join(ROOT).join("usr/bin/redis-server")
}

/// The folders of the libraries that were unpacked with `program`, as `LD_LIBRARY_PATH` wants them; nothing for
/// programs that are installed.
pub(crate) fn libraries(program: &Path) -> Option<OsString> {
    let root = program.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == ROOT))?;
    let kind = format!("{}-linux-gnu", env::consts::ARCH);
    env::join_paths(["usr/lib", "lib"].map(|shelf| root.join(shelf).join(&kind))).ok()
}

/// apt with its lists and archives in `cache`. It only reads what belongs to the system, so it needs none of its locks.
fn apt(cache: &Path, arguments: &[&str]) -> Command {
    let folder = |name: &str, path: PathBuf| {
        let mut setting = OsString::from(format!("{name}="));
        setting.push(path);
        [OsString::from("-o"), setting]
    };
    let mut command = Command::new("apt-get");
    command
        .env("LC_ALL", "C.UTF-8")
        .args(["-q", "-o", "Debug::NoLocking=true", "-o", "Acquire::Languages=none"])
        .args(folder("Dir::State::Lists", cache.join("lists")))
        .args(folder("Dir::Cache", cache.to_owned()))
        .args(folder("Dir::Cache::Archives", cache.join("archives")))
        .args(arguments);
    command
}

fn packages(archives: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(archives).map_err(Error::file("read", archives))?;
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|kind| kind == "deb")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unpacked_programs_get_libraries() {
        let root = Path::new("/home/debian/tools").join(ROOT);
        let kind = format!("{}-linux-gnu", env::consts::ARCH);
        let wanted = format!("{0}/usr/lib/{kind}:{0}/lib/{kind}", root.display());
        let found = libraries(&root.join("usr/lib/postgresql/15/bin/initdb"));
        assert_eq!(found, Some(OsString::from(wanted)));
        assert_eq!(libraries(Path::new("/usr/lib/postgresql/15/bin/initdb")), None);
        assert_eq!(libraries(Path::new("/home/debian/redis-server")), None);
    }
}
