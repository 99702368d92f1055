//! One run: 64 clients, each with its decisions, in a shop of its own.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use futures_util::future::join_all;
use kernel::{ErrorKind, ids::MemberId};
use proto::booking::v1 as pb;
use testkit::with_token;
use tokio::sync::watch;
use tonic::{Code, Request, Response, Status, transport::Channel};

use super::{
    dice::{Decision, Dice},
    ledger::{Ledger, why},
    ops::{OPS, Op, Tried},
    shop::Shop,
    weather::Weather,
};
use crate::world::member;

/// How many clients there are.
pub const CLIENTS: u64 = 64;
/// How many steps each makes.
pub const STEPS: usize = 4;

/// How a call may end besides OK, with a reason that its operation states. That of a deadlock is stated nowhere.
const STATED: [Code; 5] =
    [Code::FailedPrecondition, Code::ResourceExhausted, Code::InvalidArgument, Code::NotFound, Code::Aborted];

/// What all clients of a run share.
#[derive(Debug)]
pub struct Run {
    /// Where they meet.
    pub shop: Shop,
    /// What they were told.
    pub ledger: Ledger,
    /// Whether Postgres is there.
    pub weather: Weather,
    /// How many steps were made.
    progress: watch::Sender<usize>,
}

/// The decisions of all clients, which follow from the seed alone.
pub fn decisions(seed: u64) -> Vec<Vec<Decision>> {
    let weights: Vec<u64> = OPS.iter().map(|op| op.weight).collect();
    let of_client = |client| {
        let mut dice = Dice::of(seed, client);
        (0..STEPS).map(|_| Decision::draw(&mut dice, &weights)).collect()
    };
    (0..CLIENTS).map(of_client).collect()
}

/// Tells decisions from others, in a failure's message.
pub fn digest(decisions: &[Vec<Decision>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    decisions.hash(&mut hasher);
    hasher.finish()
}

impl Run {
    /// Nothing happened yet.
    pub fn new(shop: Shop) -> Arc<Self> {
        let (ledger, weather) = (Ledger::default(), Weather::default());
        ledger.told().shifts.clone_from(&shop.shifts);
        Arc::new(Self { shop, ledger, weather, progress: watch::Sender::new(0) })
    }

    /// All clients at once, to the end. Returns what must not have happened.
    pub async fn drive(self: &Arc<Self>, decisions: Vec<Vec<Decision>>) {
        let clients = decisions.into_iter().map(|decisions| {
            let (member, token) = member();
            let client = Client { run: Arc::clone(self), member, token };
            tokio::spawn(client.work(decisions))
        });
        for ended in join_all(clients).await {
            if let Err(panicked) = ended {
                self.ledger.fault(format!("a client ended early: {panicked}"));
            }
        }
        // Whoever waits for steps that are not made any more need not.
        self.progress.send_replace(usize::MAX);
    }

    /// Waits until such a part of all steps is made, in hundredths.
    pub async fn reached(&self, percent: usize) {
        let all = usize::try_from(CLIENTS).unwrap_or(usize::MAX) * STEPS;
        let mut progress = self.progress.subscribe();
        // The sender lives as long as this.
        let _ = progress.wait_for(|steps| *steps >= all * percent / 100).await;
    }
}

/// One of them.
pub struct Client {
    /// What it shares with the others.
    pub run: Arc<Run>,
    /// Who it is.
    pub member: MemberId,
    /// How it says so.
    pub token: String,
}

impl Client {
    async fn work(self, decisions: Vec<Decision>) {
        for decision in decisions {
            let op = &OPS[decision.op];
            match (op.run)(&self, &decision).await {
                // Whoever has nothing to do it to makes something.
                Tried::Nothing => self.count(&OPS[0], (OPS[0].run)(&self, &decision).await, &decision),
                tried => self.count(op, tried, &decision),
            }
            self.run.progress.send_modify(|steps| *steps += 1);
        }
    }

    fn count(&self, op: &Op, tried: Tried, decision: &Decision) {
        let mut told = self.run.ledger.told();
        let count = told.counts.entry(op.name).or_default();
        let Tried::Refused(status) = tried else {
            count.done += 1;
            return;
        };
        let why = why(&status);
        let stated = op.refusals.contains(&why.as_str()) && STATED.contains(&status.code());
        *count.refused.entry(why).or_default() += 1;
        if !stated {
            told.faults.push(format!("{} ended in {status:?}; {decision:?}", op.name));
        }
    }

    /// Sends a request until there is an answer. While Postgres is away UNAVAILABLE is one of the answers that are
    /// promised; the same request, sent again, must then have one effect.
    pub async fn send<Q: Clone, R, F>(
        &self,
        token: &str,
        (request_id, request): (&str, Q),
        call: impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<R, Status>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let outcome = self.repeat(token, request, call).await;
        let mut told = self.run.ledger.told();
        let list = if outcome.is_ok() { &mut told.answered } else { &mut told.refused };
        list.push(request_id.to_owned());
        outcome
    }

    /// The same for what changes nothing.
    pub async fn repeat<Q: Clone, R, F>(
        &self,
        token: &str,
        request: Q,
        call: impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<R, Status>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let Run { shop, weather, .. } = &*self.run;
        loop {
            let seen = weather.look();
            match call(shop.world.channel.clone(), with_token(request.clone(), token)).await {
                Err(status) if status.code() == Code::Unavailable && weather.was_bad_since(seen) => {
                    weather.fair().await;
                }
                outcome => return outcome.map(Response::into_inner),
            }
        }
    }

    /// Reads a booking of `owner`; the answer is noted.
    pub async fn read<Q: Clone, F>(
        &self,
        (token, owner): (&str, &str),
        request: Q,
        call: impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<pb::Booking, Status>
    where
        F: Future<Output = Result<Response<pb::Booking>, Status>>,
    {
        let outcome = self.repeat(token, request, call).await;
        if let Ok(booking) = &outcome {
            self.run.ledger.note(booking, owner);
        }
        outcome
    }

    /// [`Client::send`] of what changes a booking of `owner`; the answer is noted.
    pub async fn change<Q: Clone, F>(
        &self,
        (token, owner): (&str, &str),
        request: (&str, Q),
        call: impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<pb::Booking, Status>
    where
        F: Future<Output = Result<Response<pb::Booking>, Status>>,
    {
        let outcome = self.send(token, request, call).await;
        if let Ok(booking) = &outcome {
            self.run.ledger.note(booking, owner);
        }
        outcome
    }

    /// Does what is not asked for by a request until it is done: a step of the worker, an event of a feed. Both go on
    /// by themselves after an outage, and an event also after a deadlock.
    pub async fn redo<T, F: Future<Output = kernel::Result<T>>>(&self, what: &'static str, step: impl Fn() -> F) {
        let Run { ledger, weather, .. } = &*self.run;
        loop {
            let seen = weather.look();
            match step().await {
                Err(error) if error.kind() == ErrorKind::Unavailable && weather.was_bad_since(seen) => {
                    weather.fair().await
                }
                Err(error) => return ledger.fault(format!("{what} failed: {}", error.chain())),
                Ok(_) => return,
            }
        }
    }
}
