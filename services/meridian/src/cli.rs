//! The commands and their flags.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};
use runtime::{
    Settings,
    config::{self, ConfigError, Service},
};

use crate::bench::BenchOptions;

/// Logs of commands that speak to people themselves, unless told otherwise.
const QUIET: &str = "warn,sqlx=error";

/// Meridian: booking, payment, membership, marketing and analytics for chains of parlours, gyms and clinics.
#[derive(Debug, Parser)]
#[command(name = "meridian", version)]
pub struct Cli {
    /// Where the settings come from.
    #[command(flatten)]
    pub settings: Sources,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where the settings come from. Each lies over the one before: the defaults, a file, variables `MERIDIAN__SECTION__KEY`,
/// flags.
#[derive(Debug, Args)]
pub struct Sources {
    /// File with settings (TOML).
    #[arg(long, global = true, value_name = "FILE", env = "MERIDIAN_CONFIG")]
    config: Option<PathBuf>,
    /// One setting, such as `http.addr=127.0.0.1:9000`; may be repeated.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder of the private servers, keys and state of `up` [default: .meridian].
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the whole suite on this machine, with private servers if none are configured, and a demo chain.
    Up,
    /// Stop the suite that `up` started.
    Down,
    /// Delete the data of `up`.
    Reset {
        /// Really delete.
        #[arg(long)]
        yes: bool,
    },
    /// Serve one role, or all of them, against configured servers.
    Serve {
        /// Which.
        role: Role,
    },
    /// Bring the databases to the tables of this version.
    Migrate,
    /// Check all that must be true of the money, on the live database; exits with 1 if something is not.
    Audit,
    /// Open the account of a first administrator; the password comes on standard input.
    Administrator(AdministratorOptions),
    /// Fill empty databases with a demo chain and its history.
    Seed(SeedOptions),
    /// Take one visit through the gateway, step by step; starts the suite if it does not run.
    Demo,
    /// Measure how quick the suite is on this machine, on private servers that are made for it.
    Bench(BenchOptions),
}

/// Flags of `administrator`.
#[derive(Debug, Clone, Args)]
pub struct AdministratorOptions {
    /// What he signs in with.
    #[arg(long)]
    pub user_name: String,
    /// How to address him.
    #[arg(long, default_value = "Administrator")]
    pub display_name: String,
}

/// Flags of `seed`.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct SeedOptions {
    /// The same seed makes the same chain [default: the setting demo.seed].
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many members it has [default: the setting demo.members].
    #[arg(long)]
    pub members: Option<u32>,
}

/// What a process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Times, rooms, therapists and visits.
    Booking,
    /// People, sign-in, points and tiers.
    Membership,
    /// Orders, providers and the ledger; with the sandbox provider if it is enabled.
    Payment,
    /// Prices, coupons and messages.
    Marketing,
    /// Facts and figures.
    Analytics,
    /// HTTP in front of all services.
    Gateway,
    /// All of them in one process.
    All,
}

impl Role {
    /// Whether it serves `service`.
    pub fn has(self, service: Service) -> bool {
        self == Self::All || self.name() == service.name()
    }

    /// Whether it serves the gateway.
    pub fn has_gateway(self) -> bool {
        matches!(self, Self::Gateway | Self::All)
    }

    /// The name as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Booking => Service::Booking.name(),
            Self::Membership => Service::Membership.name(),
            Self::Payment => Service::Payment.name(),
            Self::Marketing => Service::Marketing.name(),
            Self::Analytics => Service::Analytics.name(),
            Self::Gateway => "gateway",
            Self::All => "all",
        }
    }
}

impl Cli {
    /// Reads the command line. `Err` is what to exit with: 0 when help was asked for, else 64.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ExitCode> {
        Self::try_parse_from(arguments).map_err(|error| {
            // Nobody is left to tell when this cannot be printed.
            let _ = error.print();
            if error.use_stderr() { ExitCode::from(config::EXIT_CODE) } else { ExitCode::SUCCESS }
        })
    }
}

impl Sources {
    /// Reads all layers; `environment` are the variables that are settings.
    pub fn load(&self, environment: impl IntoIterator<Item = (String, String)>) -> Result<Settings, ConfigError> {
        let mut settings = config::load(self.config.as_deref(), environment, &self.set)?;
        if let Some(data_dir) = &self.data_dir {
            settings.data_dir.clone_from(data_dir);
        }
        Ok(settings)
    }
}

impl Command {
    /// Commands that tell people what goes on keep their logs quiet, unless a filter is configured. What is measured has
    /// the spans of a server.
    pub fn adjust(&self, mut settings: Settings) -> Settings {
        let untouched =
            config::load(None, [], &[]).is_ok_and(|defaults| defaults.telemetry.filter == settings.telemetry.filter);
        if untouched && !matches!(self, Self::Serve { .. } | Self::Bench(_)) {
            QUIET.clone_into(&mut settings.telemetry.filter);
        }
        settings
    }

    /// The `service.name` of this process in traces.
    pub fn telemetry_name(&self) -> String {
        match self {
            Self::Serve { role } if *role != Role::All => format!("meridian-{}", role.name()),
            _ => "meridian".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, ExitCode> {
        Cli::read(line.split_whitespace().map(OsString::from))
    }

    fn exits_with(code: ExitCode, expected: u8) -> bool {
        format!("{code:?}") == format!("{:?}", ExitCode::from(expected))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_wrong_command_line_exits_with_64_and_help_with_0() {
        for line in ["meridian", "meridian sreve", "meridian serve kitchen", "meridian up --set"] {
            assert!(exits_with(read(line).unwrap_err(), 64), "{line}");
        }
        assert!(exits_with(read("meridian --help").unwrap_err(), 0));
    }

    #[test]
    fn flags_may_come_before_and_after_the_command() {
        for line in [
            "meridian --set http.addr=127.0.0.1:1 --data-dir /d serve all",
            "meridian serve all --data-dir /d --set http.addr=127.0.0.1:1",
        ] {
            let settings = read(line).unwrap().settings.load([]).unwrap();
            assert_eq!(settings.http.addr.port(), 1);
            assert_eq!(settings.data_dir, PathBuf::from("/d"));
        }
    }

    #[test]
    fn a_flag_wins_over_a_variable() {
        let variable = ("MERIDIAN__HTTP__ADDR".to_owned(), "127.0.0.1:2".to_owned());
        let cli = read("meridian serve all --set http.addr=127.0.0.1:1").unwrap();
        assert_eq!(cli.settings.load([variable]).unwrap().http.addr.port(), 1);
    }

    #[test]
    fn an_unknown_setting_is_named() {
        let cli = read("meridian serve all --set http.adr=127.0.0.1:1").unwrap();
        let error = cli.settings.load([]).unwrap_err().to_string();
        assert!(error.contains("http.adr"), "{error}");
    }

    #[test]
    fn a_role_has_its_service_only() {
        assert!(Role::All.has(Service::Payment) && Role::All.has_gateway());
        assert!(Role::Payment.has(Service::Payment) && !Role::Payment.has_gateway());
        assert!(!Role::Payment.has(Service::Booking) && !Role::Gateway.has(Service::Booking));
    }

    #[test]
    fn only_servers_log_what_goes_well() {
        let settings = || read("meridian up").unwrap().settings.load([]).unwrap();
        assert_eq!(Command::Up.adjust(settings()).telemetry.filter, QUIET);
        assert_ne!(Command::Serve { role: Role::All }.adjust(settings()).telemetry.filter, QUIET);
        let mut chosen = settings();
        chosen.telemetry.filter = "debug".to_owned();
        assert_eq!(Command::Up.adjust(chosen).telemetry.filter, "debug");
    }
}
