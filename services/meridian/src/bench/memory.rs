//! What `meridian serve all` keeps resident while nothing happens: this very program as a process of its own, on empty
//! databases. Postgres and Redis are not counted.

use std::{
    env,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use runtime::config::Service;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use super::{
    machine::memory_kib,
    report::{Figure, Limit, Report},
    scale::Scale,
    servers::{Servers, free_addresses},
};

/// How long tables may take to be made, and services to be ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the end may take.
const END_PATIENCE: Duration = Duration::from_secs(25);
const POLL: Duration = Duration::from_millis(250);

/// Measures.
pub async fn measure(servers: &Servers, scale: &Scale, report: &mut Report) -> Result<()> {
    let [http, admin, sandbox] = free_addresses()?;
    let mut settings = vec![
        ("DATA_DIR".to_owned(), servers.folder().display().to_string()),
        ("REDIS__URL".to_owned(), servers.redis_url().to_owned()),
        ("HTTP__ADDR".to_owned(), http.to_string()),
        ("ADMIN__ADDR".to_owned(), admin.to_string()),
        ("SANDBOX__ADDR".to_owned(), sandbox.to_string()),
        ("AUTH__SERVICE_KEY_SEED".to_owned(), BASE64_STANDARD.encode(rand::random::<[u8; 32]>())),
        ("AUTH__MASTER_KEY".to_owned(), BASE64_STANDARD.encode(rand::random::<[u8; 32]>())),
    ];
    let addresses: [_; Service::ALL.len()] = free_addresses()?;
    for (service, address) in Service::ALL.into_iter().zip(addresses) {
        let name = service.name().to_uppercase();
        let url = servers.database(&format!("idle_{service}")).await?;
        settings.push((format!("{name}__DATABASE_URL"), url));
        settings.push((format!("{name}__GRPC_ADDR"), address.to_string()));
    }

    let migrated =
        timeout(PATIENCE, command(&settings, &["migrate"])?.output()).await.context("migrate does not end")??;
    ensure!(migrated.status.success(), "migrate failed: {}", String::from_utf8_lossy(&migrated.stderr).trim());
    let mut suite = command(&settings, &["serve", "all"])?.spawn()?;
    let watched = watch(&mut suite, &format!("http://{admin}/readyz"), scale.idle).await;
    let ended = end(suite).await;
    let (resident, peak) = watched?;
    let note = format!("peak {peak:.0} MB; {} s after it was ready; {}", scale.idle.as_secs(), ended?);
    report.add(Figure::new("`serve all` idle, resident", resident, "MB", note).limit(Limit::AtMost(150.0)));
    Ok(())
}

/// This program with these settings and no others.
fn command(settings: &[(String, String)], arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command
        .args(arguments)
        .env_clear()
        .envs(env::var_os("PATH").map(|path| ("PATH", path)))
        .envs(settings.iter().map(|(key, value)| (format!("MERIDIAN__{key}"), value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

/// Waits until all is ready, and then for `idle`; returns the most that was resident in that time, and ever, in
/// megabytes.
async fn watch(suite: &mut Child, ready_url: &str, idle: Duration) -> Result<(f64, f64)> {
    // The log must be read, or the process would wait for a reader.
    let log = suite.stderr.take().context("the suite has no log")?;
    tokio::spawn(async move { tokio::io::copy(&mut { log }, &mut tokio::io::sink()).await });
    let deadline = Instant::now() + PATIENCE;
    while !is_ready(ready_url).await {
        if let Some(status) = suite.try_wait()? {
            bail!("`serve all` ended early: {status}");
        }
        ensure!(Instant::now() < deadline, "`serve all` was not ready within {} s", PATIENCE.as_secs());
        sleep(POLL).await;
    }
    let file = format!("/proc/{}/status", suite.id().context("the suite has ended")?);
    let end = Instant::now() + idle;
    let mut resident = 0;
    while Instant::now() < end {
        sleep(POLL).await;
        resident = resident.max(memory_kib(&file, "VmRSS").context("the suite has ended")?);
    }
    let megabytes = |kib: u64| kib as f64 * 1_024.0 / 1_000_000.0;
    Ok((megabytes(resident), megabytes(memory_kib(&file, "VmHWM").unwrap_or(resident))))
}

async fn is_ready(url: &str) -> bool {
    reqwest::get(url).await.is_ok_and(|answer| answer.status().is_success())
}

/// Stops it as an operator would; returns how it ended.
async fn end(mut suite: Child) -> Result<ExitStatus> {
    if let Some(pid) = suite.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
        // One that is gone already is waited for all the same.
        let _ = kill_process(pid, Signal::TERM);
    }
    match timeout(END_PATIENCE, suite.wait()).await {
        Ok(status) => Ok(status?),
        Err(_) => {
            suite.kill().await?;
            bail!("`serve all` did not end within {} s", END_PATIENCE.as_secs())
        }
    }
}
