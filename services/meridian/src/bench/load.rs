//! Callers that go on until the time is over.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use super::samples::Samples;

/// Longer than any answer takes that is worth waiting for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes one call after another, and checks each answer.
pub trait Caller: Send + 'static {
    /// One call; an answer that isn't right is an error.
    fn call(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Load {
    /// How long each call took.
    pub samples: Samples,
    /// How long all took together.
    pub time: Duration,
}

impl Load {
    /// How many calls there were in a second.
    pub fn per_second(&self) -> f64 {
        per_second(self.samples.len() as f64, self.time)
    }

    /// Another turn of the same.
    pub fn add(&mut self, other: Self) {
        self.samples.extend(other.samples);
        self.time += other.time;
    }
}

/// So many in a second.
pub fn per_second(count: f64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { count / time.as_secs_f64() }
}

/// Until when callers go on.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// No call starts after this time.
    Time(Duration),
    /// Each makes so many.
    Calls(u64),
}

/// All callers side by side. The first wrong answer ends it.
pub async fn drive<C: Caller>(callers: Vec<C>, until: Until) -> Result<(Vec<C>, Load)> {
    let start = Instant::now();
    let mut running = JoinSet::new();
    for caller in callers {
        running.spawn(go_on(caller, until, start));
    }
    let mut load = Load::default();
    let mut callers = Vec::new();
    // An early return drops the set, which ends the others.
    while let Some(ended) = running.join_next().await {
        let (caller, samples) = ended??;
        callers.push(caller);
        load.samples.extend(samples);
    }
    load.time = start.elapsed();
    Ok((callers, load))
}

/// All callers side by side for so long, at a steady rate: each calls `every` so long, whether or not the answer before
/// took its time, which is counted as waiting. The first wrong answer ends it.
pub async fn drive_steadily<C: Caller>(callers: Vec<C>, every: Duration, time: Duration) -> Result<Load> {
    let start = Instant::now();
    let mut running = JoinSet::new();
    let count = u32::try_from(callers.len())?.max(1);
    for (index, caller) in (0..).zip(callers) {
        running.spawn(keep_pace(caller, start + every / count * index, every, start + time));
    }
    let mut load = Load::default();
    // An early return drops the set, which ends the others.
    while let Some(ended) = running.join_next().await {
        load.samples.extend(ended??);
    }
    load.time = start.elapsed();
    Ok(load)
}

async fn keep_pace<C: Caller>(mut caller: C, first: Instant, every: Duration, end: Instant) -> Result<Samples> {
    let mut samples = Samples::default();
    let mut due = first;
    while due < end {
        sleep_until(due).await;
        timeout(PATIENCE, caller.call()).await.context("no answer within 10 s")??;
        samples.push(due.elapsed());
        due += every;
    }
    Ok(samples)
}

async fn go_on<C: Caller>(mut caller: C, until: Until, start: Instant) -> Result<(C, Samples)> {
    let mut samples = Samples::default();
    let mut calls = 0;
    loop {
        let over = match until {
            Until::Time(time) => start.elapsed() >= time,
            Until::Calls(most) => calls >= most,
        };
        if over {
            return Ok((caller, samples));
        }
        let asked = Instant::now();
        timeout(PATIENCE, caller.call()).await.context("no answer within 10 s")??;
        samples.push(asked.elapsed());
        calls += 1;
    }
}
