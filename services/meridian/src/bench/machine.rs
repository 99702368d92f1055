//! What the figures were taken on.

use std::{fmt, fs, io::Write as _, path::Path, process::Command, time::Instant};

use anyhow::{Context, Result};
use kernel::{Clock as _, SystemClock};
use serde::Serialize;

use super::{samples::Samples, servers::Servers};

/// How often the disk is asked to keep something.
const SYNCS: u32 = 50;

/// What the figures were taken on.
#[derive(Debug, Serialize)]
pub struct Machine {
    time: String,
    cores: usize,
    cpu: String,
    memory_mib: u64,
    /// How long the disk takes to keep 8 KiB, in milliseconds (median); each commit waits for that.
    fsync_ms: f64,
    rustc: String,
    profile: &'static str,
    postgres: String,
}

impl Machine {
    /// Looks.
    pub async fn look(servers: &Servers) -> Result<Self> {
        let folder = servers.folder().to_owned();
        let fsync_ms = tokio::task::spawn_blocking(move || fsync_ms(&folder)).await??;
        Ok(Self {
            time: SystemClock.now().to_string(),
            cores: std::thread::available_parallelism()?.get(),
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            memory_mib: memory_kib("/proc/meminfo", "MemTotal").unwrap_or(0) / 1_024,
            fsync_ms,
            rustc: rustc(),
            profile: if cfg!(debug_assertions) { "dev" } else { "release" },
            postgres: servers.postgres_version().await?,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, cpu, memory_mib, fsync_ms, rustc, profile, postgres, .. } = self;
        write!(f, "{cores} cores ({cpu}), {memory_mib} MiB, fsync {fsync_ms:.2} ms, ")?;
        write!(f, "rustc {rustc}, profile {profile}, Postgres {postgres}")
    }
}

/// An amount of memory in one of the files of `/proc`, in KiB, which these files call kB.
pub fn memory_kib(file: &str, name: &str) -> Option<u64> {
    field(file, name)?.strip_suffix("kB")?.trim().parse().ok()
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// The compiler at hand, else the one that the workspace asks for.
fn rustc() -> String {
    let asked = Command::new("rustc").arg("--version").output().ok().filter(|output| output.status.success());
    let answer = asked.and_then(|output| String::from_utf8(output.stdout).ok());
    let version = answer.as_deref().and_then(|answer| answer.split_whitespace().nth(1));
    version.unwrap_or(env!("CARGO_PKG_RUST_VERSION")).to_owned()
}

fn fsync_ms(folder: &Path) -> Result<f64> {
    let path = folder.join("fsync");
    let mut file = fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut samples = Samples::default();
    for _ in 0..SYNCS {
        let start = Instant::now();
        file.write_all(&[0; 8_192])?;
        file.sync_data()?;
        samples.push(start.elapsed());
    }
    fs::remove_file(&path)?;
    let [median] = samples.percentiles([50.0]);
    Ok(median)
}
