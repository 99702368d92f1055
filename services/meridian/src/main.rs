//! `meridian`, the one executable of the suite: every service, the gateway, and what one needs to try them.
//!
//! A command reads as a story: the settings are read and checked before anything is bound (exit code 64 if they are
//! wrong), telemetry starts, the command runs, and its outcome is the exit code.
//!
//! | module | holds |
//! |---|---|
//! | [`cli`] | the commands and their flags |
//! | [`serve`] | one role or all of them in this process |
//! | [`migrate`] | bringing the databases to the tables of this version |
//! | [`audit`] | whether all that must be true of the money is true |
//! | [`administrator`] | the first administrator of a deployment |
//! | [`folder`] | the data folder: keys, and the way to its private servers |
//! | [`up`] | the whole suite on one machine; `down` and `reset` |
//! | [`seed`] | a demo chain whose history is lived, not written |
//! | [`demo`] | one visit through the gateway, step by step |
//! | [`bench`] | how quick all of it is |

mod administrator;
mod audit;
mod bench;
mod cli;
mod demo;
mod folder;
mod migrate;
mod say;
mod seed;
mod serve;
mod up;
mod wait;

use std::process::ExitCode;

use anyhow::{Context, Result};
use runtime::{
    Settings,
    config::{self, ConfigError},
    telemetry,
};

use cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match start(cli) {
        Ok(code) => code,
        Err(error) => {
            say::error(&format!("{error:#}"));
            if error.is::<ConfigError>() { ExitCode::from(config::EXIT_CODE) } else { ExitCode::FAILURE }
        }
    }
}

fn start(cli: Cli) -> Result<ExitCode> {
    let settings = cli.settings.load(config::environment())?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    runtime.block_on(run(cli.command, settings))
}

async fn run(command: Command, settings: Settings) -> Result<ExitCode> {
    let settings = command.adjust(settings);
    let _telemetry = telemetry::init(&settings.telemetry, &command.telemetry_name())?;
    match command {
        Command::Serve { role } => serve::run(settings, role).await,
        Command::Migrate => migrate::run(settings).await,
        Command::Audit => audit::run(settings).await,
        Command::Administrator(options) => administrator::run(settings, options).await,
        Command::Up => up::run(settings).await,
        Command::Down => up::down(settings).await,
        Command::Reset { yes } => up::reset(settings, yes).await,
        Command::Seed(options) => seed::run(settings, options).await,
        Command::Demo => demo::run(settings).await,
        Command::Bench(options) => bench::run(settings, options).await,
    }
}
