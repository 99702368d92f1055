//! The ledger against a plain model: seeded sequences of everything that can be done to it, with repeats, with
//! transactions that are given up half-way, and with time that passes. After each step both agree to the fen.
//!
//! `make sim SEEDS=1000` runs that many seeds, `make sim SEED=17` one of them again.

use std::{collections::BTreeMap, time::Duration};

use kernel::{Clock, Result, Timestamp, ids::LedgerTransferId};
use payment::{
    db::{invariants, ledger},
    domain::ledger::{Account, OwedKey, Party, Transaction},
    worker,
};

use super::book::{Book, PATIENCE, cny};
use crate::{dice::Dice, house::House, seeds::seeds, wire::fresh};

/// How many seeds are run if nothing else is said.
const SEEDS: u64 = 20;
const STEPS: u64 = 60;
const CARDS: usize = 3;

fn card(dice: &mut Dice) -> usize {
    dice.roll(CARDS)
}

fn minor(dice: &mut Dice) -> i64 {
    i64::try_from(dice.roll(100)).expect("small") + 1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Pending,
    Posted,
    Voided,
    Expired,
}

#[derive(Debug, Clone)]
struct Held {
    id: LedgerTransferId,
    card: usize,
    minor: i64,
    until: Timestamp,
    state: State,
}

/// What must be, kept in the plainest way.
#[derive(Debug, Clone, Default)]
struct Model {
    owed: [i64; CARDS],
    held: Vec<Held>,
    cash: i64,
    takings: i64,
}

impl Model {
    fn aside(&self, card: usize) -> i64 {
        let pending = self.held.iter().filter(|held| held.card == card && held.state == State::Pending);
        pending.map(|held| held.minor).sum()
    }

    fn available(&self, card: usize) -> i64 {
        self.owed[card] - self.aside(card)
    }

    fn spend(&mut self, card: usize, minor: i64) {
        self.owed[card] -= minor;
        self.takings -= minor;
    }

    /// Whether a transfer can be posted or voided now; `None` if it is so already.
    fn decide(&mut self, index: usize, post: bool, now: Timestamp) -> std::result::Result<bool, &'static str> {
        let held = self.held[index].clone();
        let outcome = match (held.state, post) {
            (State::Pending, true) if held.until <= now => Err("TRANSFER_EXPIRED"),
            (State::Pending, _) => Ok(true),
            (State::Posted, true) | (State::Voided | State::Expired, false) => Ok(false),
            (State::Posted, false) => Err("TRANSFER_POSTED"),
            (State::Voided, true) => Err("TRANSFER_VOIDED"),
            (State::Expired, true) => Err("TRANSFER_EXPIRED"),
        };
        if outcome == Ok(true) {
            self.held[index].state = if post { State::Posted } else { State::Voided };
            if post {
                self.spend(held.card, held.minor);
            }
        }
        outcome
    }
}

/// One seed: a store and cards of its own.
struct Run<'a> {
    house: &'a House,
    books: Vec<Book>,
    model: Model,
    dice: Dice,
    posted: Vec<Transaction>,
}

impl<'a> Run<'a> {
    fn new(house: &'a House, seed: u64) -> Self {
        let store = kernel::ids::StoreId::from_uuid(fresh());
        let book = || {
            let mut book = Book::of(house);
            book.store = store;
            book
        };
        let books = (0..CARDS).map(|_| book()).collect();
        Self { house, books, model: Model::default(), dice: Dice::new(seed), posted: Vec::new() }
    }

    fn now(&self) -> Timestamp {
        self.house.clock.now()
    }

    async fn step(&mut self) -> String {
        match self.dice.roll(14) {
            0..=2 => self.top_up().await,
            3..=4 => self.spend().await,
            5 => self.spend_of_two().await,
            6..=7 => self.reserve().await,
            8..=9 => self.decide().await,
            10 => self.repeat().await,
            11 => self.give_up().await,
            12 => self.wait().await,
            _ => self.work().await,
        }
    }

    async fn top_up(&mut self) -> String {
        let (card, minor) = (card(&mut self.dice), minor(&mut self.dice));
        let transaction = self.books[card].top_up(minor);
        self.books[card].post(std::slice::from_ref(&transaction)).await.expect("nothing is in the way");
        self.posted.push(transaction);
        self.model.owed[card] += minor;
        self.model.cash += minor;
        format!("top up {card} by {minor}")
    }

    async fn spend(&mut self) -> String {
        let (card, minor) = (card(&mut self.dice), minor(&mut self.dice));
        let transaction = self.books[card].spend(minor);
        let done = self.books[card].post(std::slice::from_ref(&transaction)).await;
        self.expect(done, self.model.available(card) >= minor, "INSUFFICIENT_BALANCE", |run| {
            run.model.spend(card, minor);
            run.posted.push(transaction);
        });
        format!("spend {minor} of {card}")
    }

    async fn spend_of_two(&mut self) -> String {
        let (one, other, minor) = (card(&mut self.dice), card(&mut self.dice), minor(&mut self.dice));
        let transactions = [self.books[one].spend(minor), self.books[other].spend(minor)];
        let done = self.books[one].post(&transactions).await;
        let enough = if one == other {
            self.model.available(one) >= 2 * minor
        } else {
            self.model.available(one) >= minor && self.model.available(other) >= minor
        };
        self.expect(done, enough, "INSUFFICIENT_BALANCE", |run| {
            run.model.spend(one, minor);
            run.model.spend(other, minor);
        });
        format!("spend {minor} of {one} and of {other}")
    }

    async fn reserve(&mut self) -> String {
        let (card, minor) = (card(&mut self.dice), minor(&mut self.dice));
        let transfer = self.books[card].transfer(self.books[card].spend(minor));
        let done = self.books[card].reserve(std::slice::from_ref(&transfer)).await;
        let held = Held { id: transfer.id, card, minor, until: self.now() + PATIENCE, state: State::Pending };
        self.expect(done, self.model.available(card) >= minor, "INSUFFICIENT_BALANCE", |run| run.model.held.push(held));
        format!("set {minor} of {card} aside")
    }

    async fn decide(&mut self) -> String {
        if self.model.held.is_empty() {
            return "nothing to decide".to_owned();
        }
        let index = self.dice.roll(self.model.held.len());
        let (post, id) = (self.dice.roll(2) == 0, self.model.held[index].id);
        let expected = self.model.decide(index, post, self.now());
        let done = if post {
            self.books[0].commit(&[id]).await.map(|booked| booked > 0)
        } else {
            self.books[0].void(&[id]).await.map(|()| expected == Ok(true))
        };
        assert_eq!(done.map_err(|error| error.reason()), expected);
        format!("decide {index}, post: {post}")
    }

    async fn repeat(&mut self) -> String {
        let Some(last) = self.posted.last().cloned() else { return "nothing to repeat".to_owned() };
        let done = self.books[0].post(&[self.books[0].top_up(1), last]).await;
        self.expect(done, false, "ALREADY_POSTED", |_| {});
        "repeat".to_owned()
    }

    /// The process dies before it commits.
    async fn give_up(&mut self) -> String {
        let (card, minor) = (card(&mut self.dice), minor(&mut self.dice));
        let mut tx = self.house.db.pg.begin().await.expect("a transaction");
        ledger::post(&mut tx, self.now(), &self.books[card].top_up(minor)).await.expect("posted");
        if let Some(held) = self.model.held.last().filter(|held| held.state == State::Pending) {
            ledger::void(&mut tx, self.now(), &[held.id]).await.expect("voided");
        }
        drop(tx);
        format!("give up a top-up of {card}")
    }

    async fn wait(&mut self) -> String {
        let seconds = match self.dice.roll(8) {
            0 => 20 * 3_600,
            _ => self.dice.roll(400),
        };
        let seconds = u64::try_from(seconds).expect("small");
        let now = self.house.clock.advance(Duration::from_secs(seconds));
        if self.dice.roll(2) == 0 {
            while worker::expire_transfers(&self.house.app).await.expect("expired") > 0 {}
            for held in self.model.held.iter_mut().filter(|held| held.state == State::Pending && held.until <= now) {
                held.state = State::Expired;
            }
        }
        format!("wait {seconds} s")
    }

    async fn work(&mut self) -> String {
        worker::seal_ledger(&self.house.app).await.expect("sealed");
        worker::close_days(&self.house.app).await.expect("closed");
        "work".to_owned()
    }

    fn expect(&mut self, done: Result<()>, fits: bool, refusal: &str, then: impl FnOnce(&mut Self)) {
        match done {
            Ok(()) => {
                assert!(fits, "this must be refused with {refusal}");
                then(self);
            }
            Err(error) => assert!(!fits && error.reason() == refusal, "{}", error.chain()),
        }
    }

    async fn agree(&self) {
        let mut conn = self.house.db.pg.conn().await.expect("a connection");
        for (card, book) in self.books.iter().enumerate() {
            let key = key(book.card.clone());
            let owed = ledger::owed(&mut conn, &key).await.expect("a balance");
            let seen = (owed.posted.minor(), owed.reserved.minor());
            assert_eq!(seen, (self.model.owed[card], self.model.aside(card)), "card {card}");
        }
        let balances = ledger::balances_at(&mut conn, Some(self.books[0].store)).await.expect("balances");
        let seen: BTreeMap<Account, i64> = balances.into_iter().map(|(account, sum)| (account, sum.minor())).collect();
        let of = |account| seen.get(&account).copied().unwrap_or(0);
        assert_eq!(of(Account::CashDrawer), self.model.cash);
        assert_eq!(of(Account::Takings), self.model.takings);
        assert_eq!(of(Account::StoredValuePrincipal), -self.model.owed.iter().sum::<i64>());
    }
}

fn key(party: Party) -> OwedKey {
    OwedKey { account: Account::StoredValuePrincipal, party, currency: cny(0).currency() }
}

#[tokio::test]
async fn ledger_and_model_agree_after_every_step() {
    let house = House::open().await;
    for seed in seeds(SEEDS) {
        println!("seed {seed}");
        let mut run = Run::new(&house, seed);
        for step in 0..STEPS {
            let what = run.step().await;
            println!("  {step}: {what}");
            run.agree().await;
        }
    }
    for invariant in invariants::all() {
        let mut conn = house.db.pg.conn().await.expect("a connection");
        let finding = invariants::look(&mut conn, invariant).await.expect("looked");
        assert!(finding.breaches.is_empty(), "{finding:?}");
    }
}
