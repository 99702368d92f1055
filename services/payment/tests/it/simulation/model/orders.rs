//! Orders, payments and refunds.

use super::{Answer, Model};

/// A way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    Sandbox,
    Wechat,
    Alipay,
    Terminal,
    Cash,
    Card,
}

impl How {
    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Wechat => "wechat_native",
            Self::Alipay => "alipay_page",
            Self::Terminal => "card_terminal",
            Self::Cash => "cash",
            Self::Card => "stored_value",
        }
    }

    /// Whether a provider takes it.
    pub fn is_external(self) -> bool {
        self <= Self::Alipay
    }

    /// The place in the usual order of refunds.
    fn rank(self) -> u8 {
        match self {
            Self::Sandbox | Self::Wechat | Self::Alipay => 0,
            Self::Terminal => 1,
            Self::Cash => 2,
            Self::Card => 3,
        }
    }
}

/// What an order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Visit,
    TopUp,
    Contract,
}

/// Where an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    DepositPaid,
    Paid,
    Closed,
}

impl State {
    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::DepositPaid => "deposit_paid",
            Self::Paid => "paid",
            Self::Closed => "closed",
        }
    }
}

/// Where a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayState {
    Pending,
    Reserved,
    Captured,
    Surplus,
    Failed,
}

impl PayState {
    /// The word that is stored, and whether the money was not owed.
    pub fn words(self) -> (&'static str, bool) {
        match self {
            Self::Pending => ("pending", false),
            Self::Reserved => ("reserved", false),
            Self::Captured => ("captured", false),
            Self::Surplus => ("captured", true),
            Self::Failed => ("failed", false),
        }
    }
}

/// A payment.
#[derive(Debug, Clone)]
pub struct Pay {
    pub how: How,
    pub fen: i64,
    pub deposit: bool,
    pub state: PayState,
    /// Those of one number come to pass together.
    pub together: Option<usize>,
    /// What lots of the card bear of it.
    pub shares: Vec<super::purse::Share>,
}

/// Money that goes back.
#[derive(Debug, Clone, Copy)]
pub struct Back {
    pub pay: usize,
    pub fen: i64,
    /// Because the order became cheaper.
    pub lowered: bool,
    pub done: bool,
}

/// An order.
#[derive(Debug, Clone)]
pub struct Order {
    pub subject: Subject,
    /// What each line costs, what was taken off, and what has gone back of it by name.
    pub lines: Vec<[i64; 3]>,
    pub deposit: i64,
    pub paid: i64,
    pub refunded: i64,
    pub state: State,
    pub pays: Vec<Pay>,
    pub backs: Vec<Back>,
    /// Something of it was given back while it went on.
    pub returned: bool,
    /// What stayed with the store when it ended, and whether all of it had been paid.
    pub kept: (i64, bool),
    /// The bonus that comes with a top-up, and until when it can be paid.
    pub promised: Option<(i64, i64)>,
}

impl Order {
    /// An order that was just made.
    pub fn new(subject: Subject, lines: Vec<[i64; 3]>, deposit: i64) -> Self {
        let total: i64 = lines.iter().map(|line| line[0]).sum();
        let state = match (total, deposit) {
            (0, _) => State::Paid,
            (_, 0) => State::DepositPaid,
            _ => State::Open,
        };
        Self {
            subject,
            lines,
            deposit,
            paid: 0,
            refunded: 0,
            state,
            pays: Vec::new(),
            backs: Vec::new(),
            returned: false,
            kept: (0, false),
            promised: None,
        }
    }

    pub fn total(&self) -> i64 {
        self.lines.iter().map(|line| line[0]).sum()
    }

    pub fn due(&self, deposit: bool) -> Result<i64, &'static str> {
        match (self.state, deposit) {
            (State::Closed, _) => Err("ORDER_CLOSED"),
            (State::Open, true) => Ok(self.deposit),
            (State::Open | State::DepositPaid, false) => Ok(self.total() - self.paid),
            _ => Err("NOTHING_DUE"),
        }
    }

    fn undecided(&self) -> impl Iterator<Item = usize> {
        let open = |pay: &Pay| matches!(pay.state, PayState::Pending | PayState::Reserved);
        (0..self.pays.len()).filter(move |nth| open(&self.pays[*nth]))
    }

    pub fn idle(&self) -> Answer {
        if self.undecided().next().is_none() { Ok(()) } else { Err("PAYMENT_PENDING") }
    }

    pub fn of_checkout(&self, number: usize) -> Vec<usize> {
        (0..self.pays.len()).filter(|nth| self.pays[*nth].together == Some(number)).collect()
    }

    /// Whether nothing of a checkout is decided yet.
    pub fn is_open(&self, number: usize) -> bool {
        let open = |pay: &Pay| matches!(pay.state, PayState::Pending | PayState::Reserved);
        self.of_checkout(number).iter().all(|nth| open(&self.pays[*nth]))
    }

    /// What counts, what was paid last first.
    fn counted(&self) -> Vec<usize> {
        (0..self.pays.len()).rev().filter(|nth| self.pays[*nth].state == PayState::Captured).collect()
    }

    /// What is left of a payment.
    pub fn left_of(&self, pay: usize) -> i64 {
        let gone: i64 = self.backs.iter().filter(|back| back.pay == pay).map(|back| back.fen).sum();
        self.pays[pay].fen - gone
    }

    pub fn refundable(&self) -> i64 {
        self.counted().into_iter().map(|pay| self.left_of(pay)).sum()
    }

    /// What goes or went back of what counts, but for what the order became cheaper by.
    pub fn back(&self) -> i64 {
        let counts = |back: &&Back| !back.lowered && self.pays[back.pay].state == PayState::Captured;
        self.backs.iter().filter(counts).map(|back| back.fen).sum()
    }
}

impl Model {
    /// The provider has the money of a payment.
    pub fn capture(&mut self, order: usize, pay: usize, now: i64) {
        let of = &self.orders[order];
        let Some(number) = of.pays[pay].together else {
            let fen = of.pays[pay].fen;
            let other = of.undecided().any(|nth| nth != pay);
            let owed = match of.state {
                State::Closed => of.paid + fen <= of.total(),
                _ => !other && of.due(of.pays[pay].deposit).is_ok_and(|due| fen <= due),
            };
            return self.capture_alone(order, pay, owed, now);
        };
        if !of.is_open(number) {
            return self.capture_alone(order, pay, false, now);
        }
        let sum: i64 = of.of_checkout(number).iter().map(|nth| of.pays[*nth].fen).sum();
        if of.due(of.pays[pay].deposit).is_ok_and(|due| sum <= due) {
            return self.capture_together(order, number, now);
        }
        self.fail_others(order, number, |nth, _| nth != pay);
        self.capture_alone(order, pay, false, now);
    }

    fn capture_alone(&mut self, order: usize, pay: usize, owed: bool, now: i64) {
        let of = &mut self.orders[order];
        of.pays[pay].state = if owed { PayState::Captured } else { PayState::Surplus };
        let fen = of.pays[pay].fen;
        of.paid += if owed { fen } else { 0 };
        if !owed || of.state == State::Closed {
            self.give(order, pay, fen, false, now);
        } else {
            self.came(order, now);
        }
    }

    /// All payments of a checkout come to pass.
    pub fn capture_together(&mut self, order: usize, number: usize, now: i64) {
        for nth in self.orders[order].of_checkout(number) {
            let pay = &mut self.orders[order].pays[nth];
            pay.state = PayState::Captured;
            let (fen, shares) = (pay.fen, pay.shares.clone());
            self.orders[order].paid += fen;
            if let Some(purse) = &mut self.purse {
                purse.spend(&shares);
            }
        }
        self.came(order, now);
    }

    /// Something that is owed has come.
    pub fn came(&mut self, order: usize, now: i64) {
        let of = &mut self.orders[order];
        if of.paid < of.total() {
            of.state = State::DepositPaid;
            return;
        }
        of.state = State::Paid;
        let (total, promised) = (of.total(), of.promised.take());
        match of.subject {
            Subject::Visit => {}
            Subject::TopUp => {
                let purse = self.purse.as_mut().expect("a top-up has a card");
                purse.load(total, promised.map_or(0, |(bonus, _)| bonus), now);
            }
            Subject::Contract => self.contract.as_mut().expect("its order has one").activate(now),
        }
    }

    /// A payment came to nothing, and all that belongs together with it.
    pub fn fail(&mut self, order: usize, pay: usize) {
        if self.orders[order].pays[pay].state != PayState::Pending {
            return;
        }
        match self.orders[order].pays[pay].together {
            Some(number) => self.fail_others(order, number, |_, _| true),
            None => self.orders[order].pays[pay].state = PayState::Failed,
        }
    }

    pub fn fail_others(&mut self, order: usize, number: usize, chosen: impl Fn(usize, PayState) -> bool) {
        for nth in self.orders[order].of_checkout(number) {
            let pay = &mut self.orders[order].pays[nth];
            if matches!(pay.state, PayState::Pending | PayState::Reserved) && chosen(nth, pay.state) {
                pay.state = PayState::Failed;
                if let Some(purse) = &mut self.purse {
                    purse.release(&pay.shares.clone());
                }
            }
        }
    }

    /// Gives back `fen` of a payment: at once, but through a provider.
    pub fn give(&mut self, order: usize, pay: usize, fen: i64, lowered: bool, now: i64) {
        let of = &mut self.orders[order];
        let external = of.pays[pay].how.is_external();
        of.backs.push(Back { pay, fen, lowered, done: false });
        if let (How::Card, Some(purse)) = (of.pays[pay].how, &mut self.purse) {
            purse.give_back(&mut of.pays[pay].shares, fen, now);
        }
        if !external {
            let last = of.backs.len() - 1;
            self.given(order, last);
        }
    }

    /// A refund is back with the customer.
    pub fn given(&mut self, order: usize, back: usize) {
        let of = &mut self.orders[order];
        let Back { pay, fen, lowered, done } = of.backs[back];
        of.backs[back].done = true;
        if !done && !lowered && of.pays[pay].state == PayState::Captured {
            of.refunded += fen;
        }
    }

    /// Takes `fen` from the payments that count, what was paid last first.
    fn give_from_last(&mut self, order: usize, mut fen: i64, lowered: bool, now: i64) {
        for pay in self.orders[order].counted() {
            let part = fen.min(self.orders[order].left_of(pay));
            if part > 0 {
                self.give(order, pay, part, lowered, now);
                fen -= part;
            }
        }
    }

    /// Takes `fen` from the payments that count, tender by tender.
    pub fn give_by_tender(&mut self, order: usize, mut fen: i64, now: i64) {
        let mut pays = self.orders[order].counted();
        let usual = self.rules.usual_refunds;
        pays.sort_by_key(|nth| {
            let rank = self.orders[order].pays[*nth].how.rank();
            if usual { rank } else { 9 - rank }
        });
        for pay in pays {
            let part = fen.min(self.orders[order].left_of(pay));
            if part > 0 {
                self.give(order, pay, part, false, now);
                fen -= part;
            }
        }
    }

    /// An order ends, and `keep` of what was paid stays.
    pub fn close(&mut self, order: usize, keep: i64, now: i64) -> Answer {
        let of = &self.orders[order];
        if of.state == State::Closed {
            return Ok(());
        }
        if of.subject == Subject::Contract && self.contract.as_ref().is_some_and(Contract::was_paid) {
            return Err("CONTRACT_PAID");
        }
        if of.subject == Subject::TopUp && of.state == State::Paid {
            return Err("TOP_UP_PAID");
        }
        self.end(order, keep, now);
        if let (Subject::Contract, Some(contract)) = (self.orders[order].subject, &mut self.contract) {
            contract.cancel();
        }
        Ok(())
    }

    /// The same without a look at what it is for.
    pub fn end(&mut self, order: usize, keep: i64, now: i64) {
        let of = &mut self.orders[order];
        let was_paid = of.state == State::Paid;
        let there = of.paid - of.back();
        let kept = keep.min(there);
        of.state = State::Closed;
        of.kept = (kept, was_paid);
        let open = of.undecided().filter_map(|nth| of.pays[nth].together).find(|number| of.is_open(*number));
        if let Some(number) = open {
            self.fail_others(order, number, |_, state| state == PayState::Reserved);
        }
        self.give_from_last(order, there - kept, false, now);
    }

    /// A line is added, or a price sinks.
    pub fn amend(&mut self, order: usize, fen: i64, now: i64) -> Answer {
        let of = &mut self.orders[order];
        if of.subject != Subject::Visit {
            return Err("NOT_A_VISIT");
        }
        if of.state == State::Closed {
            return Err("ORDER_CLOSED");
        }
        if of.returned {
            return Err("ORDER_REFUNDED");
        }
        if of.total() + fen < of.deposit {
            return Err("INVALID_ARGUMENT");
        }
        of.lines.push([fen, 0, 0]);
        if fen > 0 {
            if of.state == State::Paid {
                of.state = State::DepositPaid;
            }
            return Ok(());
        }
        let above = (of.paid - of.total()).max(0);
        of.paid -= above;
        if of.state == State::DepositPaid && of.paid == of.total() {
            of.state = State::Paid;
        }
        self.give_from_last(order, above, true, now);
        Ok(())
    }
}

use super::Contract;
