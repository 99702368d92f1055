//! One life: the steps of a seed, each beside the model's word on it.

use std::{collections::BTreeMap, fmt::Display, time::Duration};

use kernel::{Timestamp, Uuid};
use tonic::{Code, Status};

use super::{
    cast::{Cast, Letter},
    draw::{Draw, Manner, Step},
    model::{Answer, Ask, Model},
    seen::Seen,
    world::{Truth, World, crash},
};
use crate::{dice::Dice, wire::refusal};

/// What a request was answered.
type Reply = Result<Vec<u8>, Status>;

/// A life.
pub struct Life<'a> {
    pub world: &'a mut World,
    pub dice: Dice,
    pub cast: Cast,
    pub model: Model,
    pub seen: Seen,
    /// How the notice of a payment was spoilt, and when it was made.
    pub spoilt: BTreeMap<Uuid, (&'static str, i64)>,
    /// What was accepted, and how it was answered.
    letters: Vec<(Letter, Vec<u8>)>,
    /// What has happened.
    log: Vec<String>,
    seed: u64,
}

impl<'a> Life<'a> {
    /// Begins a life at a store where nothing happened yet, on one of two days.
    pub async fn begin(world: &'a mut World, seed: u64) -> Life<'a> {
        let mut dice = Dice::new(seed);
        let cast = Cast::new(&mut dice);
        let hours = u64::try_from(dice.roll(48)).expect("few");
        world.shop.clock.set(testkit::START + Duration::from_secs(3_600 * hours));
        let model = Model::new(world.rules);
        let seen = Seen::look(&world.shop.db.pg, cast.store).await;
        let (letters, log) = (Vec::new(), Vec::new());
        Life { world, dice, cast, model, seen, spoilt: BTreeMap::new(), letters, log, seed }
    }

    /// What a failure is told with.
    pub fn told(&self, what: impl Display) -> String {
        let steps: Vec<String> = self.log.iter().enumerate().map(|(nth, step)| format!("  {nth}: {step}")).collect();
        format!("{what}\n`make sim SEED={}` replays it; its steps:\n{}", self.seed, steps.join("\n"))
    }

    #[expect(clippy::panic, reason = "a test fails by panicking")]
    fn fail(&self, what: impl Display) -> ! {
        panic!("{}", self.told(what))
    }

    /// Time passes.
    pub fn wait(&mut self, seconds: u64) -> Timestamp {
        self.world.shop.clock.advance(Duration::from_secs(seconds))
    }

    /// Lives `steps` steps, and comes to the end of everything that was begun.
    pub async fn live(mut self, steps: usize) {
        for ask in (Draw { dice: &mut self.dice, model: &self.model }).beginning() {
            self.log.push(format!("{ask:?}"));
            self.wait(1);
            self.ask(ask, Manner::Once).await;
        }
        for _ in 0..steps {
            let step = Draw { dice: &mut self.dice, model: &self.model }.step();
            self.log.push(format!("{step:?}"));
            // No two steps are of one moment.
            self.wait(1);
            match step {
                Step::Ask(ask, manner) => self.ask(ask, manner).await,
                Step::Both(one, other) => self.both(one, other).await,
                Step::Deed(deed, waits) => self.deed(deed, waits).await,
                Step::Again(nth) => self.again(nth).await,
            }
        }
        self.log.push("the end".to_owned());
        self.end().await;
        for _ in 0..3 {
            let nth = self.dice.roll(1_000);
            self.again(nth).await;
        }
    }

    /// A request by itself.
    pub async fn ask(&mut self, ask: Ask, manner: Manner) {
        let ask = self.with_truth(ask).await;
        if let (Ask::Issue { lapses, .. }, None) = (&ask, &self.model.purse) {
            self.begin_campaign(*lapses).await;
        }
        let letter = self.letter(&ask);
        let mut after = self.model.clone();
        let expected = after.ask(&ask, self.world.now());
        match manner {
            Manner::Once => {
                let reply = self.send(&letter).await;
                self.judge(letter, expected, reply, after).await;
            }
            Manner::Twice => {
                for _ in 0..2 {
                    let reply = self.send(&letter).await;
                    self.judge(letter.clone(), expected, reply, after.clone()).await;
                }
            }
            Manner::Twins => {
                let (one, other) = tokio::join!(self.send(&letter), self.send(&letter));
                self.same(&one, &other);
                self.judge(letter.clone(), expected, one, after.clone()).await;
                self.judge(letter, expected, other, after).await;
            }
            Manner::Crash { waits, again } => match crash(waits, self.send(&letter)).await {
                Some(reply) => self.judge(letter, expected, reply, after).await,
                None => {
                    self.world.restart().await;
                    let before = self.model.clone();
                    let done = self.adopt([after, before]).await == 0;
                    if again && done {
                        let reply = self.send(&letter).await;
                        self.judge(letter, expected, reply, self.model.clone()).await;
                    } else if again {
                        let mut after = self.model.clone();
                        let expected = after.ask(&ask, self.world.now());
                        let reply = self.send(&letter).await;
                        self.judge(letter, expected, reply, after).await;
                    }
                }
            },
            Manner::Mishap { lost } => {
                self.world.spoil(lost).await;
                let reply = self.send(&letter).await;
                self.world.well().await;
                if reply.as_ref().is_err_and(|status| status.code() == Code::Unavailable) && expected.is_ok() {
                    self.adopt([after]).await;
                    let reply = self.send(&letter).await;
                    self.judge(letter, expected, reply, self.model.clone()).await;
                } else {
                    self.judge(letter, expected, reply, after).await;
                }
            }
        }
    }

    /// Two requests at once: it must be as if one had come after the other.
    async fn both(&mut self, one: Ask, other: Ask) {
        let letters = [self.letter(&one), self.letter(&other)];
        let (first, second) = tokio::join!(self.send(&letters[0]), self.send(&letters[1]));
        let now = self.world.now();
        let orders = [[0, 1], [1, 0]].map(|order: [usize; 2]| {
            let (mut model, mut expected) = (self.model.clone(), [Ok(()), Ok(())]);
            for nth in order {
                expected[nth] = model.ask([&one, &other][nth], now);
            }
            (expected, model)
        });
        let fits = |expected: &[Answer; 2]| fits(expected[0], &first) && fits(expected[1], &second);
        let could: Vec<Model> = orders.iter().filter(|(of, _)| fits(of)).map(|(_, model)| model.clone()).collect();
        if could.is_empty() {
            let expected: Vec<_> = orders.iter().map(|(expected, _)| *expected).collect();
            self.fail(format!("both: {first:?} and {second:?}, not one of {expected:?}"));
        }
        self.adopt(could).await;
        for (letter, reply) in letters.into_iter().zip([first, second]) {
            self.letters.extend(reply.ok().map(|bytes| (letter, bytes)));
        }
    }

    /// An old request is answered as before, to the byte, and changes nothing.
    async fn again(&mut self, nth: usize) {
        if self.letters.is_empty() {
            return;
        }
        let (letter, before) = self.letters[nth % self.letters.len()].clone();
        let reply = self.send(&letter).await;
        self.same(&Ok(before), &reply);
        self.nothing_changed().await;
    }

    async fn send(&self, letter: &Letter) -> Reply {
        letter.call.send(self.world.door.clone(), &letter.token).await
    }

    fn letter(&mut self, ask: &Ask) -> Letter {
        let holder = self.model.contract.as_ref().map_or(0, |contract| contract.holder);
        self.cast.letter(ask, &self.seen, holder, &mut self.dice)
    }

    /// The campaign from which top-ups of the card have their bonus.
    async fn begin_campaign(&mut self, lapses: bool) {
        let days = if lapses { super::model::BONUS_DAYS } else { 0 };
        let days = i32::try_from(days).expect("few");
        let start = self.wait(0);
        let letter = self.cast.campaign(&mut self.dice, days, start);
        let reply = self.send(&letter).await;
        assert!(reply.is_ok(), "{}", self.told(format!("{reply:?}")));
    }

    /// Who cancels has the provider asked first.
    async fn with_truth(&mut self, ask: Ask) -> Ask {
        let Ask::Cancel { order, number, .. } = ask else { return ask };
        let mut captured = None;
        for nth in self.model.orders[order].of_checkout(number) {
            let how = self.model.orders[order].pays[nth].how;
            if how.is_external() && self.world.truth(how, &self.seen.orders[order].1[nth]).await == Truth::Paid {
                captured = Some(nth);
            }
        }
        Ask::Cancel { order, number, captured }
    }

    /// Two answers to one request are the same.
    fn same(&self, one: &Reply, other: &Reply) {
        let same = match (one, other) {
            (Ok(one), Ok(other)) => one == other,
            (Err(one), Err(other)) => refusal(one) == refusal(other),
            _ => false,
        };
        assert!(same, "{}", self.told(format!("{one:?} once and {other:?} then")));
    }

    /// The answer is the one that was expected, and everything is as it must be after it.
    async fn judge(&mut self, letter: Letter, expected: Answer, reply: Reply, after: Model) {
        assert!(fits(expected, &reply), "{}", self.told(format!("{reply:?}, not {expected:?}")));
        match reply {
            Ok(bytes) => {
                self.adopt([after]).await;
                self.letters.push((letter, bytes));
            }
            // Who cancels too late has learnt that it is paid.
            Err(_) if expected == Err("CHECKOUT_CAPTURED") => drop(self.adopt([after]).await),
            Err(_) => self.nothing_changed().await,
        }
    }

    async fn nothing_changed(&mut self) {
        let now = Seen::look(&self.world.shop.db.pg, self.cast.store).await;
        assert_eq!(self.seen.text, now.text, "{}", self.told("something changed"));
    }

    /// Looks, and finds that everything is as one of these says; which.
    pub async fn adopt(&mut self, could: impl IntoIterator<Item = Model>) -> usize {
        self.seen = Seen::look(&self.world.shop.db.pg, self.cast.store).await;
        let mut faces = Vec::new();
        for (nth, mut model) in could.into_iter().enumerate() {
            self.learn(&mut model);
            let face = model.face();
            if face == self.seen.face {
                self.model = model;
                return nth;
            }
            faces.push(face);
        }
        let apart: Vec<String> = faces.iter().map(|face| differences(face, &self.seen.face)).collect();
        self.fail(format!("it is otherwise than it must be:\n{}", apart.join("\nor\n")))
    }

    /// What the model leaves to others: what a session is worth, to a fen, and what the law gives beyond what was paid.
    fn learn(&self, model: &mut Model) {
        let Some(contract) = &mut model.contract else { return };
        let each = contract.price / i64::try_from(contract.sessions).expect("few");
        for (nth, one) in contract.uses.iter_mut().enumerate().filter(|(_, one)| one.value.is_none()) {
            let value = self.seen.uses.get(nth).map_or(-1, |(_, value)| *value);
            let sound = (each..=each + 1).contains(&value) || value == -1;
            assert!(sound, "{}", self.told(format!("a session is worth {value}, not {each}")));
            one.value = Some(value);
        }
        if contract.state == "refunded" {
            contract.beyond = self.seen.contract.map_or(0, |(_, beyond)| beyond);
        }
    }
}

/// Whether an answer is what is expected.
fn fits(expected: Answer, reply: &Reply) -> bool {
    match (expected, reply) {
        (Ok(()), Ok(_)) => true,
        (Err(reason), Err(status)) => refusal(status).1 == reason,
        _ => false,
    }
}

/// Where two faces differ.
fn differences(must: &serde_json::Value, is: &serde_json::Value) -> String {
    let parts = must.as_object().expect("a face").keys();
    let apart = parts.filter(|part| must[part.as_str()] != is[part.as_str()]);
    let text: Vec<String> =
        apart.map(|part| format!("{part}: must {}\n{part}: is   {}", must[part], is[part])).collect();
    text.join("\n")
}
