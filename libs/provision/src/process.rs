//! Processes that aren't our children: whether they live, what they are, and signals to them.

use std::{fs, path::Path, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

/// How often a condition outside of our control is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// Whether `pid` runs. A zombie does not: in a container nobody may collect it, ever.
pub fn is_alive(pid: u32) -> bool {
    // The state follows the name, which is in parentheses and may hold anything.
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| stat.rsplit(") ").next().and_then(|rest| rest.chars().next()))
        .is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Whether `pid` runs with `dir` as its working folder, which both servers make theirs. A process id alone proves
/// nothing: after a crash it may be anybody's.
pub(crate) fn runs_in(pid: u32, dir: &Path) -> bool {
    let Ok(dir) = dir.canonicalize() else { return false };
    is_alive(pid) && fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == dir)
}

/// `kill -9`: what a test does to a server to see what is left of its promises.
pub fn stop_at_once(pid: u32) {
    signal(pid, Signal::KILL);
}

/// Freezes a process, as an overloaded machine would.
pub fn suspend(pid: u32) {
    signal(pid, Signal::STOP);
}

/// Lets a frozen process run on.
pub fn resume(pid: u32) {
    signal(pid, Signal::CONT);
}

/// Asks for a quick orderly end.
pub(crate) fn interrupt(pid: u32) {
    signal(pid, Signal::INT);
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // A process that is gone already is what was wanted.
        let _ = kill_process(pid, signal);
    }
}

/// Waits until `pid` is gone; says whether it went in time.
pub(crate) async fn wait_gone(pid: u32, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while is_alive(pid) {
        if Instant::now() >= deadline {
            return false;
        }
        sleep(POLL).await;
    }
    true
}
