//! `meridian bench`: how quick the suite is on this machine, against the limits that it promises and against peers.
//!
//! Everything runs on loopback against private servers in `bench` of the data folder, which are made for the run and
//! deleted after it, whatever happens. Postgres is durable there: a commit waits for the disk. Service, gateway and load
//! each have threads of their own, as processes would have, and share the cores with Postgres.
//!
//! | part | what it tells |
//! |---|---|
//! | [`holds`] | committed holds per second, against pgbench with the very same statements |
//! | [`contention`] | answers per second when all want the same few times |
//! | [`search`], [`curve`] | how long a search takes, and how that grows |
//! | [`group`] | how long it takes to keep the visits of a group |
//! | [`queue`] | how long it takes to tell those in a queue when they can begin |
//! | [`gateway`] | requests per second through the gateway, against plain gRPC and against Envoy |
//! | [`ledger`] | postings per second, spread and on one account, against pgbench; the audit of a million entries |
//! | [`till`] | payments at the desk, in cash and with a card, at a steady load |
//! | [`bill`] | a provider's bill of a million lines: read, matched, kept and booked |
//! | [`light`] | under light load: from a commit to the answer, and to a consumer in another service |
//! | [`refund_law`] | how long it takes to reckon what the end of a prepaid contract gives back |
//! | [`memory`] | what `serve all` keeps resident while nothing happens, and at work on a million bookings |
//!
//! | helper | holds |
//! |---|---|
//! | [`servers`] | the private servers |
//! | [`house`] | the booking service as it is deployed, with peers that answer at once ([`peers`]) |
//! | [`shops`], [`history`] | what it sells, and has sold |
//! | [`suite`] | the whole suite as a process of its own |
//! | [`load`], [`http`] | clients that check every answer |
//! | [`capture`], [`script`], [`pgbench`] | the statements of a hold, and running them without us |
//! | [`envoy`] | the other transcoder |
//! | [`report`], [`machine`], [`samples`] | what comes out |

mod bill;
mod capture;
mod contention;
mod curve;
mod envoy;
mod gateway;
mod group;
mod history;
mod holds;
mod house;
mod http;
mod keys;
mod ledger;
mod light;
mod load;
mod machine;
mod memory;
mod peers;
mod pgbench;
mod queue;
mod refund_law;
mod report;
mod samples;
mod scale;
mod script;
mod search;
mod servers;
mod shops;
mod suite;
mod threads;
mod till;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};
use runtime::Settings;
use tokio::{
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    time::timeout,
};

use crate::say;
use house::House;
use machine::Machine;
use report::Report;
use scale::Scale;
use servers::Servers;

/// How long a run may take before it is given up.
const LONGEST: Duration = Duration::from_secs(900);

/// Flags of `bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchOptions {
    /// Where the figures are written as JSON [default: bench.json in the data folder].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Little of everything: shows that it works, not how quick it is.
    #[arg(long)]
    quick: bool,
    /// Exit with 1 also when a limit is missed.
    #[arg(long)]
    strict: bool,
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// The program `envoy` [default: that of `make bench-tools`].
    #[arg(long, value_name = "FILE")]
    envoy: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Committed holds against pgbench.
    Holds,
    /// Many who want the same few times.
    Contention,
    /// Search.
    Search,
    /// Groups.
    Group,
    /// The queue of those who come without a booking.
    Queue,
    /// The gateway against gRPC and Envoy.
    Gateway,
    /// The ledger against pgbench, and its audit.
    Ledger,
    /// Payments in cash and with a card.
    Till,
    /// A provider's bill against the books.
    Bill,
    /// Commit to answer and to consumer.
    Light,
    /// What a prepaid contract gives back.
    RefundLaw,
    /// Resident memory.
    Memory,
}

/// Measures, prints a table and writes the figures. It exits with 1 if something could not be measured or, when asked to
/// be strict, if a limit was missed.
pub async fn run(settings: Settings, options: BenchOptions) -> Result<ExitCode> {
    let out = options.out.clone().unwrap_or_else(|| settings.data_dir.join("bench.json"));
    let servers = Servers::start(&settings.data_dir.join("bench")).await?;
    let machine = match Machine::look(&servers).await {
        Ok(machine) => machine,
        Err(error) => {
            servers.remove().await?;
            return Err(error);
        }
    };
    let mut report = Report::new(machine, options.quick);
    let measured = tokio::select! {
        measured = timeout(LONGEST, measure(&servers, &options, &mut report)) => {
            measured.unwrap_or_else(|_| Err(anyhow!("given up after {} s", LONGEST.as_secs())))
        }
        asked = asked_to_stop() => asked.and_then(|()| Err(anyhow!("stopped before its end"))),
    };
    if let Err(error) = measured {
        report.failed("bench", &error);
    }
    servers.remove().await?;
    report.print();
    report.write(&out)?;
    say::line(format!("Written to {}", out.display()));
    Ok(report.exit_code(options.strict))
}

/// Ctrl-C, or a supervisor.
async fn asked_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = ctrl_c() => Ok(pressed?),
        _ = terminate.recv() => Ok(()),
    }
}

async fn measure(servers: &Servers, options: &BenchOptions, report: &mut Report) -> Result<()> {
    let scale = Scale::new(options.quick);
    let house = House::start(servers, &scale).await?;
    for part in Part::value_variants() {
        if !options.only.is_empty() && !options.only.contains(part) {
            continue;
        }
        let name = part.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        say::line(format!("Measuring: {name}"));
        // What the part before has written is not on this one's account.
        servers.administer("checkpoint").await?;
        let outcome = match part {
            Part::Holds => holds::measure(servers, &house, &scale, report).await,
            Part::Contention => contention::measure(&house, &scale, report).await,
            Part::Search => match search::measure(&house, &scale, report).await {
                Ok(()) => curve::measure(&house, &scale, report).await,
                failed => failed,
            },
            Part::Group => group::measure(&house, &scale, report).await,
            Part::Queue => queue::measure(&house, &scale, report).await,
            Part::Gateway => gateway::measure(servers, &house, &scale, options.envoy.as_deref(), report).await,
            Part::Ledger => ledger::measure(servers, &scale, report).await,
            Part::Till => till::measure(servers, &scale, report).await,
            Part::Bill => bill::measure(servers, &scale, report).await,
            Part::Light => light::measure(servers, &house, &scale, report).await,
            Part::RefundLaw => refund_law::measure(&scale, report),
            Part::Memory => memory::measure(servers, &scale, report).await,
        };
        if let Err(error) = outcome {
            report.failed(&name, &error);
        }
    }
    house.stop();
    Ok(())
}
