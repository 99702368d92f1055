//! `meridian audit`: whether all that must be true of the money is true, on the live database.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use payment::{db::invariants::Finding, flows::audit::audit};
use pg::{Pg, PgConfig};
use runtime::{Settings, config::Service};
use secrecy::ExposeSecret;

use crate::{folder::Folder, say};

/// Looks at the configured database of payment, or that of the data folder; says a line for each invariant and each
/// breach, and exits with 1 if there is one. It needs no more than the right to read.
pub async fn run(mut settings: Settings) -> Result<ExitCode> {
    if settings.payment.database_url.is_some() {
        return look(&settings).await;
    }
    let folder = Folder::open(&settings)?;
    let provision = folder.provision();
    let ran_before = provision.running()?.0.is_some();
    folder.fill_databases(&mut settings, &provision).await?;
    let looked = look(&settings).await;
    if !ran_before {
        provision.stop().await?;
    }
    looked
}

async fn look(settings: &Settings) -> Result<ExitCode> {
    let url = settings.payment.database_url(Service::Payment)?.expose_secret();
    let config = PgConfig {
        max_connections: 1,
        // Recomputing a chain takes its time between two statements.
        idle_in_transaction_timeout: Duration::from_secs(300),
        ..PgConfig::new(url, "meridian-audit")
    };
    let pg = Pg::connect(&config).await.context("payment's database")?;
    let findings = audit(&pg, tell).await?;
    let broken = findings.iter().filter(|finding| !finding.breaches.is_empty()).count();
    if broken == 0 {
        say::line(format!("All {} invariants hold", findings.len()));
        return Ok(ExitCode::SUCCESS);
    }
    say::error(&format!("{broken} of {} invariants are broken", findings.len()));
    Ok(ExitCode::FAILURE)
}

fn tell(finding: &Finding) {
    let (name, seconds) = (finding.invariant.name, finding.took.as_secs_f64());
    if finding.breaches.is_empty() {
        say::line(format!("holds   {name:<18} {} ({seconds:.1} s)", finding.invariant.rule));
        return;
    }
    say::line(format!("BROKEN  {name:<18} {} ({seconds:.1} s)", finding.invariant.rule));
    for breach in &finding.breaches {
        say::line(format!("        {name}: {breach}"));
    }
    if finding.more {
        say::line(format!("        {name}: and more"));
    }
}
