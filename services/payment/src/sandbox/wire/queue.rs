//! Notices on their way: sent until they are acknowledged, with the pauses of the real provider.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kernel::{SharedClock, Timestamp};

/// The pauses before each further attempt, in seconds.
pub type Schedule = &'static [u64];

/// Headers with their values.
pub type Headers = Vec<(&'static str, String)>;

/// A notice to be sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Where to.
    pub url: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its body.
    pub body: Vec<u8>,
    /// Not before.
    pub at: Timestamp,
    /// How the signature in its headers is spoilt, if there is one.
    pub seal: Seal,
    /// How often it was sent.
    pub attempts: usize,
}

/// How the headers of a notice are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seal {
    /// As they must be, anew for each sending.
    Sound,
    /// Signed with something else.
    Forged,
    /// With an old timestamp.
    Stale,
    /// With a probe for a signature.
    Probe,
    /// Those that were sent once, to the byte.
    Copied(Headers),
}

/// The notices that are not acknowledged yet.
#[derive(Debug)]
pub struct Queue {
    clock: SharedClock,
    http: reqwest::Client,
    schedule: Schedule,
    waiting: Mutex<Vec<Outgoing>>,
}

impl Queue {
    /// An empty one.
    pub fn new(clock: SharedClock, http: reqwest::Client, schedule: Schedule) -> Self {
        Self { clock, http, schedule, waiting: Mutex::default() }
    }

    /// Puts a notice in.
    pub fn push(&self, outgoing: Outgoing) {
        self.lock().push(outgoing);
    }

    /// When the next one is to be sent.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.lock().iter().map(|outgoing| outgoing.at).min()
    }

    /// Takes out what has waited longest.
    pub fn pop(&self) -> Option<Outgoing> {
        let mut waiting = self.lock();
        (!waiting.is_empty()).then(|| waiting.remove(0))
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sends what is due, the oldest first, with the headers that `seal` makes. Returns the answers' statuses (0 if none
    /// came) and what was sent; `heard` tells which answer acknowledges.
    pub async fn deliver(&self, seal: impl Fn(&Outgoing) -> Headers, heard: impl Fn(u16, &[u8]) -> bool) -> Vec<u16> {
        let mut answers = Vec::new();
        for mut outgoing in self.take_due() {
            let headers = match &outgoing.seal {
                Seal::Copied(headers) => headers.clone(),
                _ => seal(&outgoing),
            };
            let mut request = self.http.post(&outgoing.url).header("content-type", outgoing.content_type);
            for (name, value) in &headers {
                request = request.header(*name, value);
            }
            let (status, body) = match request.body(outgoing.body.clone()).send().await {
                Ok(answer) => (answer.status().as_u16(), answer.bytes().await.unwrap_or_default()),
                Err(_) => (0, bytes::Bytes::new()),
            };
            answers.push(status);
            if !heard(status, &body)
                && let Some(pause) = self.schedule.get(outgoing.attempts)
            {
                outgoing.attempts += 1;
                outgoing.at = self.clock.now() + Duration::from_secs(*pause);
                self.push(outgoing);
            }
        }
        answers
    }

    fn take_due(&self) -> Vec<Outgoing> {
        let now = self.clock.now();
        let mut waiting = self.lock();
        let (due, later) = std::mem::take(&mut *waiting).into_iter().partition(|outgoing| outgoing.at <= now);
        *waiting = later;
        due
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Outgoing>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
