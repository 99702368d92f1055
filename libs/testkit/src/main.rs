//! Starts and stops the servers that tests share: `cargo run -p testkit -- start|stop|status|reset`; makes
//! databases to look at: `cargo run -p testkit -- databases SERVICE…`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that speaks to people")]

use std::process::ExitCode;

use provision::{Progress, Result};

const USAGE: &str = "usage: testkit start|stop|status|reset
       testkit databases SERVICE…

start   starts the private Postgres and Redis of the tests; installs them if they are missing
stop    stops them; their data stays
status  says whether they run
reset   stops them and deletes their data

databases   makes a database with the current migrations of each service and prints its name and URL";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let provision = testkit::provision(true, Progress::new(|sentence| println!("{sentence}")));
    let done = match arguments.as_slice() {
        ["start"] => start(&provision).await,
        ["stop"] => provision.stop().await,
        ["status"] => status(&provision),
        ["reset"] => provision.reset().await,
        ["databases", services @ ..] if !services.is_empty() => databases(&provision, services).await,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(64);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(provision: &provision::Provision) -> Result<()> {
    let (postgres, redis) = (provision.postgres().await?, provision.redis().await?);
    println!("Postgres runs on 127.0.0.1:{}, Redis on 127.0.0.1:{}", postgres.port(), redis.port());
    Ok(())
}

async fn databases(provision: &provision::Provision, services: &[&str]) -> Result<()> {
    // Here programs that are missing may be fetched; in a test they may not.
    provision.postgres().await?;
    for service in services {
        let folder = format!("services/{service}/migrations");
        println!("{service} {}", testkit::scratch_database(service, folder.as_ref()).await);
    }
    Ok(())
}

fn status(provision: &provision::Provision) -> Result<()> {
    let (postgres, redis) = provision.running()?;
    for (server, pid) in [("Postgres", postgres), ("Redis", redis)] {
        match pid {
            Some(pid) => println!("{server} runs as process {pid}"),
            None => println!("{server} does not run"),
        }
    }
    Ok(())
}
