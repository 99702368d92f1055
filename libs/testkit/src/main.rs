//! Starts and stops the servers that tests share: `cargo run -p testkit -- start|stop|status|reset`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that speaks to people")]

use std::process::ExitCode;

use provision::{Progress, Result};

const USAGE: &str = "usage: testkit start|stop|status|reset

start   starts the private Postgres and Redis of the tests; installs them if they are missing
stop    stops them; their data stays
status  says whether they run
reset   stops them and deletes their data";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(command), None) = (arguments.next(), arguments.next()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(64);
    };
    let provision = testkit::provision(true, Progress::new(|sentence| println!("{sentence}")));
    let done = match command.as_str() {
        "start" => start(&provision).await,
        "stop" => provision.stop().await,
        "status" => status(&provision),
        "reset" => provision.reset().await,
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
