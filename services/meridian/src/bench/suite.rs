//! `meridian serve all`: this very program as a process of its own.

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
    servers::{Servers, free_addresses},
};
use crate::demo::api::Api;

/// How long tables may take to be made, and services to be ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the end may take.
const END_PATIENCE: Duration = Duration::from_secs(25);
const POLL: Duration = Duration::from_millis(250);

/// Settings and databases for the suite.
pub struct Suite {
    settings: Vec<(String, String)>,
    http: String,
    admin: String,
}

/// The suite at work. It is killed with this value.
pub struct Running {
    process: Child,
    /// What the kernel tells of it.
    status: String,
}

impl Suite {
    /// The database of a service.
    pub fn database(service: Service) -> String {
        format!("suite_{service}")
    }

    /// Makes its databases with their tables.
    pub async fn make(servers: &Servers) -> Result<Self> {
        let [http, admin, sandbox] = free_addresses()?.map(|address| address.to_string());
        let mut settings = vec![
            ("DATA_DIR".to_owned(), servers.folder().display().to_string()),
            ("REDIS__URL".to_owned(), servers.redis_url().to_owned()),
            ("HTTP__ADDR".to_owned(), http.clone()),
            ("ADMIN__ADDR".to_owned(), admin.clone()),
            ("SANDBOX__ADDR".to_owned(), sandbox),
            ("DEMO__MAILBOX".to_owned(), true.to_string()),
            ("AUTH__SERVICE_KEY_SEED".to_owned(), BASE64_STANDARD.encode(rand::random::<[u8; 32]>())),
            ("AUTH__MASTER_KEY".to_owned(), BASE64_STANDARD.encode(rand::random::<[u8; 32]>())),
        ];
        let addresses: [_; Service::ALL.len()] = free_addresses()?;
        for (service, address) in Service::ALL.into_iter().zip(addresses) {
            let name = service.name().to_uppercase();
            settings.push((format!("{name}__DATABASE_URL"), servers.database(&Self::database(service)).await?));
            settings.push((format!("{name}__GRPC_ADDR"), address.to_string()));
        }
        let suite = Self { settings, http, admin };
        let migrated =
            timeout(PATIENCE, suite.command(&["migrate"])?.output()).await.context("migrate does not end")??;
        ensure!(migrated.status.success(), "migrate failed: {}", String::from_utf8_lossy(&migrated.stderr).trim());
        Ok(suite)
    }

    /// Starts it, and waits until all is ready.
    pub async fn start(&self) -> Result<Running> {
        let mut process = self.command(&["serve", "all"])?.spawn()?;
        // The log must be read, or the process would wait for a reader.
        let log = process.stderr.take().context("the suite has no log")?;
        tokio::spawn(async move { tokio::io::copy(&mut { log }, &mut tokio::io::sink()).await });
        let status = format!("/proc/{}/status", process.id().context("the suite has ended")?);
        let ready_url = format!("http://{}/readyz", self.admin);
        let deadline = Instant::now() + PATIENCE;
        while !is_ready(&ready_url).await {
            if let Some(status) = process.try_wait()? {
                bail!("`serve all` ended early: {status}");
            }
            ensure!(Instant::now() < deadline, "`serve all` was not ready within {} s", PATIENCE.as_secs());
            sleep(POLL).await;
        }
        Ok(Running { process, status })
    }

    /// Its gateway.
    pub fn api(&self) -> Result<Api> {
        Api::at(&self.http)
    }

    /// This program with these settings and no others.
    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(env::current_exe()?);
        command
            .args(arguments)
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(self.settings.iter().map(|(key, value)| (format!("MERIDIAN__{key}"), value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Ok(command)
    }
}

impl Running {
    /// Looks for so long at how much is resident; returns the most in that time, and the most ever, in megabytes.
    pub async fn watch(&self, time: Duration) -> Result<[f64; 2]> {
        let end = Instant::now() + time;
        let mut resident = 0;
        while Instant::now() < end {
            sleep(POLL).await;
            resident = resident.max(memory_kib(&self.status, "VmRSS").context("the suite has ended")?);
        }
        let peak = memory_kib(&self.status, "VmHWM").unwrap_or(resident);
        Ok([resident, peak].map(|kib| kib as f64 * 1_024.0 / 1_000_000.0))
    }

    /// Stops it as an operator would; returns how it ended.
    pub async fn end(mut self) -> Result<ExitStatus> {
        if let Some(pid) = self.process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            // One that is gone already is waited for all the same.
            let _ = kill_process(pid, Signal::TERM);
        }
        match timeout(END_PATIENCE, self.process.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => {
                self.process.kill().await?;
                bail!("`serve all` did not end within {} s", END_PATIENCE.as_secs())
            }
        }
    }
}

async fn is_ready(url: &str) -> bool {
    reqwest::get(url).await.is_ok_and(|answer| answer.status().is_success())
}
