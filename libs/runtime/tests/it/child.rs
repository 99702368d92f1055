//! Runs one of this binary's tests as a process of its own, for what a process has only once: signals, the exit code
//! and the log.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, ChildStdout, Command},
};

use crate::soon;

const ROLE: &str = "MERIDIAN_TEST_CHILD";

/// Whether this process is the child that shall play `role`. A role is a test, which does nothing in the parent.
pub fn plays(role: &str) -> bool {
    std::env::var(ROLE).is_ok_and(|wanted| wanted == role)
}

/// A child process that plays a role.
pub struct Role {
    process: Child,
    stdout: tokio::io::Lines<BufReader<ChildStdout>>,
}

/// How a child ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stderr: String,
}

impl Role {
    /// Starts the test `role` (its full name) with further variables.
    pub fn start(role: &str, variables: &[(&str, &str)]) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([role, "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, stdout }
    }

    /// Waits until the child has printed a line that ends with `text`.
    pub async fn prints(&mut self, text: &str) {
        let printed = async {
            while let Some(line) = self.stdout.next_line().await.unwrap() {
                if line.ends_with(text) {
                    return;
                }
            }
            panic!("the child ended without printing {text}");
        };
        soon(text, printed).await;
    }

    pub fn signal(&self, signal: Signal) {
        let id = self.process.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)).unwrap();
        kill_process(id, signal).unwrap();
    }

    pub async fn ended(mut self) -> Ended {
        let mut stderr = String::new();
        let mut stream = self.process.stderr.take().unwrap();
        soon("the child's log", stream.read_to_string(&mut stderr)).await.unwrap();
        let code = soon("the child's end", self.process.wait()).await.unwrap().code();
        Ended { code, stderr }
    }
}

/// Ends the child as `main` would.
pub fn exit(outcome: &runtime::lifecycle::Outcome) -> ! {
    use runtime::lifecycle::Outcome;
    std::process::exit(match outcome {
        Outcome::Clean => 0,
        Outcome::Failed(_) | Outcome::TimedOut => 1,
        Outcome::Aborted => 130,
    })
}
