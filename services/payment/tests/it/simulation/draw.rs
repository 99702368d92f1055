//! What happens next: drawn from the seed's dice, with an eye on what there is.

use super::model::{Ask, How, Model, Order, PayState, State, Subject, What};
use crate::dice::Dice;

/// What happens besides requests.
#[derive(Debug, Clone, Copy)]
pub enum Deed {
    /// The customer pays, or fails to, and the notice is spoilt.
    Press { order: usize, pay: usize, succeeds: bool, spoilt: &'static str },
    /// Notices are delivered: those of the last minute too, or what is due.
    Deliver { all: bool },
    /// The worker asks about payments: those that it can know nothing of yet too, or what is due.
    Query { all: bool },
    /// The worker sends refunds, and the providers have done what was sent before.
    SendRefunds { all: bool },
    /// The time of charges and checkouts is over.
    Expire,
    /// So many hours pass, and the worker looks what has lapsed and expired.
    Hours(i64),
    /// The worker seals the ledger, and closes days.
    Seal,
}

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Once.
    Once,
    /// Twice, one after the other.
    Twice,
    /// Twice at once.
    Twins,
    /// The process dies after so many waits, and the request is perhaps made again.
    Crash { waits: usize, again: bool },
    /// A provider doesn't do it, or its answer is lost, and the request is made again.
    Mishap { lost: bool },
}

/// A step.
#[derive(Debug, Clone)]
pub enum Step {
    Ask(Ask, Manner),
    /// Two at once.
    Both(Ask, Ask),
    /// A deed; the process dies after so many waits, if so many are given.
    Deed(Deed, Option<usize>),
    /// An old request is made again.
    Again(usize),
}

/// Draws.
pub struct Draw<'a> {
    pub dice: &'a mut Dice,
    pub model: &'a Model,
}

impl Draw<'_> {
    fn below(&mut self, most: i64) -> i64 {
        i64::try_from(self.dice.roll(usize::try_from(most.max(1)).expect("small"))).expect("small")
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.dice.roll(of.len())]
    }

    /// How a life begins: some with money on a card, some with a contract that is paid, all with a visit.
    pub fn beginning(&mut self) -> Vec<Ask> {
        let mut asks = Vec::new();
        let cash = |order| Ask::Pay { order, deposit: false, how: How::Cash };
        if self.dice.roll(2) == 0 {
            asks.push(Ask::Issue { named: self.dice.roll(4) > 0, lapses: self.dice.roll(2) == 0 });
            for order in 0..self.dice.roll(2) + 1 {
                let fen = self.below(2_000) + 600;
                asks.extend([Ask::TopUp { fen }, cash(order)]);
            }
        }
        if self.dice.roll(4) == 0 {
            let sessions = self.dice.roll(4) + 1;
            let order = asks.iter().filter(|ask| matches!(ask, Ask::TopUp { .. })).count();
            asks.extend([Ask::Contract { price: self.below(20_000) + 10, sessions }, cash(order)]);
        }
        asks.push(self.visit());
        asks
    }

    /// The next step.
    pub fn step(&mut self) -> Step {
        let pays = || self.model.orders.iter().flat_map(|of| &of.pays);
        let waits = pays().any(|pay| pay.state == PayState::Pending);
        let (deeds, all) = if waits { (10, 24) } else { (4, 24) };
        match self.dice.roll(all) {
            nth if nth < deeds => {
                let deed = self.deed();
                let crashes = self.dice.roll(6) == 0 && !matches!(deed, Deed::Press { .. } | Deed::Deliver { .. });
                let waits = self.dice.roll(30);
                Step::Deed(deed, crashes.then_some(waits))
            }
            23 => Step::Again(self.dice.roll(1_000)),
            21 | 22 => {
                self.both().map_or_else(|| Step::Ask(self.ask(), Manner::Once), |(one, other)| Step::Both(one, other))
            }
            _ => {
                let ask = self.ask();
                let manner = self.manner(&ask);
                Step::Ask(ask, manner)
            }
        }
    }

    fn manner(&mut self, ask: &Ask) -> Manner {
        let external = match ask {
            Ask::Pay { how, .. } => how.is_external(),
            Ask::Checkout { parts, .. } => parts.iter().any(|(how, _)| how.is_external()),
            _ => false,
        };
        match self.dice.roll(16) {
            0..=2 => Manner::Crash { waits: self.dice.roll(40), again: self.dice.roll(2) == 0 },
            3 => Manner::Twins,
            4 => Manner::Twice,
            5..=6 if external => Manner::Mishap { lost: self.dice.roll(2) == 0 },
            _ => Manner::Once,
        }
    }

    fn deed(&mut self) -> Deed {
        let mut pressable = Vec::new();
        for (order, of) in self.model.orders.iter().enumerate() {
            let external = of.pays.iter().enumerate().filter(|(_, pay)| pay.how.is_external());
            let open = external.filter(|(_, pay)| matches!(pay.state, PayState::Pending | PayState::Failed));
            pressable.extend(open.map(|(pay, _)| (order, pay)));
        }
        let all = self.dice.roll(3) > 0;
        match self.dice.roll(16) {
            0..=5 if !pressable.is_empty() => {
                let (order, pay) = self.one(&pressable);
                let succeeds = self.dice.roll(5) > 0;
                let spoilt = self.one(&super::world::SPOILT);
                Deed::Press { order, pay, succeeds, spoilt }
            }
            0..=7 => Deed::Deliver { all },
            8..=9 => Deed::Query { all },
            10..=12 => Deed::SendRefunds { all },
            13 => Deed::Expire,
            14 => {
                let hours = [1, 3, 26, 80];
                Deed::Hours(self.one(&hours))
            }
            _ => Deed::Seal,
        }
    }

    /// Two requests that are about the same thing.
    fn both(&mut self) -> Option<(Ask, Ask)> {
        let order = self.order()?;
        let is_visit = self.model.orders[order].subject == Subject::Visit;
        let contract = self.model.contract.as_ref().map(|contract| contract.uses.len());
        let keep = self.below(4_000);
        Some(match (self.dice.roll(6), contract) {
            (0, _) if is_visit => (self.refund(order), self.refund(order)),
            (1, _) if is_visit => (self.refund(order), Ask::Close { order, keep }),
            (2, _) => (self.pay(order), Ask::Close { order, keep }),
            (3, Some(uses)) if uses > 0 => (Ask::Commit { nth: uses - 1 }, Ask::Void { nth: uses - 1 }),
            (4, Some(_)) => (Ask::Reserve, Ask::Undo),
            _ => {
                let deposit = self.model.orders[order].state == State::Open;
                let how = [How::Sandbox, How::Cash];
                let (one, other) = (self.one(&how), self.one(&how));
                (Ask::Pay { order, deposit, how: one }, Ask::Pay { order, deposit, how: other })
            }
        })
    }

    /// An order; rather one of the last.
    fn order(&mut self) -> Option<usize> {
        self.order_that(|_| true)
    }

    /// An order; rather one of the last, and mostly one that is `fit`.
    fn order_that(&mut self, fit: impl Fn(&Order) -> bool) -> Option<usize> {
        let all = &self.model.orders;
        let mut of: Vec<usize> = (0..all.len()).filter(|nth| fit(&all[*nth])).collect();
        if of.is_empty() || self.dice.roll(8) == 0 {
            of = (0..all.len()).collect();
        }
        let back = self.dice.roll(of.len()).min(self.dice.roll(of.len()));
        of.len().checked_sub(back + 1).map(|nth| of[nth])
    }

    fn ask(&mut self) -> Ask {
        let open = |of: &Order| matches!(of.state, State::Open | State::DepositPaid) && of.idle().is_ok();
        let (Some(any), Some(unpaid)) = (self.order(), self.order_that(open)) else { return self.visit() };
        let visits = |of: &Order| of.subject == Subject::Visit && of.state == State::Paid && of.refundable() > 0;
        let paid = self.order_that(visits).unwrap_or(any);
        let (contract, card) = (self.model.contract.is_some(), self.model.purse.is_some());
        match self.dice.roll(24) {
            0 | 1 => self.visit(),
            2..=4 => self.pay(unpaid),
            5..=10 => self.checkout(unpaid),
            11..=15 => self.refund(paid),
            16 => Ask::Close { order: any, keep: self.one(&[0, 0, 700, 100_000]) },
            17 => {
                let fen = self.below(3_000) + 1;
                Ask::Amend { order: any, fen: if self.dice.roll(2) == 0 { fen } else { -fen } }
            }
            18 => self.cancel().unwrap_or_else(|| self.pay(unpaid)),
            19 | 20 if card || !contract => self.card(),
            _ if contract => self.contract(),
            _ => self.card(),
        }
    }

    fn visit(&mut self) -> Ask {
        let lines: Vec<i64> = (0..self.below(3) + 1).map(|_| self.below(5_000) + 1).collect();
        let sum: i64 = lines.iter().sum();
        let discount = if self.dice.roll(3) == 0 { self.below(sum) } else { 0 };
        let deposit = if self.dice.roll(2) == 0 { self.below(sum - discount + 2) } else { 0 };
        Ask::Visit { lines, discount, deposit }
    }

    fn how(&mut self) -> How {
        let hows = [How::Sandbox, How::Sandbox, How::Sandbox, How::Cash, How::Cash, How::Wechat, How::Alipay];
        self.one(&hows)
    }

    fn pay(&mut self, order: usize) -> Ask {
        let open = self.model.orders[order].state == State::Open;
        Ask::Pay { order, deposit: if self.dice.roll(5) == 0 { !open } else { open }, how: self.how() }
    }

    fn checkout(&mut self, order: usize) -> Ask {
        let of = &self.model.orders[order];
        let deposit = of.state == State::Open && self.dice.roll(2) == 0;
        let mut left = of.due(deposit).unwrap_or(500);
        match self.dice.roll(16) {
            0 => left += 1,
            1 => left -= 1,
            _ => {}
        }
        let mut hows = vec![How::Cash, How::Terminal, self.how()];
        if self.model.purse.is_some() {
            hows.insert(0, How::Card);
            hows.insert(0, How::Card);
        }
        let mut parts: Vec<(How, i64)> = Vec::new();
        let wealth = self.model.purse.as_ref().map_or(0, |purse| purse.open()[0] + purse.open()[1] + 30);
        for _ in 0..self.dice.roll(3) + 1 {
            let how = self.one(&hows);
            if how == How::Card && parts.iter().all(|(other, _)| *other != how) && left > 0 {
                let fen = self.below(left.min(wealth)) + 1;
                parts.push((how, fen));
                left -= fen;
            } else if left > 0 && (parts.iter().all(|(other, _)| *other != how) || self.dice.roll(20) == 0) {
                let fen = self.below(left) + 1;
                parts.push((how, fen));
                left -= fen;
            }
        }
        // What the card doesn't pay is paid otherwise.
        match parts.last_mut() {
            Some((how, fen)) if *how != How::Card || left <= 0 => *fen += left,
            _ => parts.push((self.one(&[How::Sandbox, How::Cash, How::Wechat]), left)),
        }
        Ask::Checkout { order, deposit, parts }
    }

    fn refund(&mut self, order: usize) -> Ask {
        let of = &self.model.orders[order];
        let what = match self.dice.roll(6) {
            0 => What::All,
            1..=3 => {
                let most = of.refundable() + 200;
                What::Amount(if self.dice.roll(2) == 0 { self.below(most) } else { most * 3 / 5 })
            }
            _ => {
                let nth = self.dice.roll(of.lines.len());
                let fen = (self.dice.roll(2) == 0).then(|| self.below(of.lines[nth][0].abs() + 2) + 1);
                What::Lines(vec![(nth, fen)])
            }
        };
        Ask::Refund { order, what }
    }

    /// A checkout is called off, which may be over.
    fn cancel(&mut self) -> Option<Ask> {
        let mut checkouts = Vec::new();
        for (order, of) in self.model.orders.iter().enumerate() {
            checkouts.extend(of.pays.iter().filter_map(|pay| pay.together).map(|number| (order, number)));
        }
        let (order, number) = *checkouts.get(self.dice.roll(checkouts.len()))?;
        Some(Ask::Cancel { order, number, captured: None })
    }

    fn card(&mut self) -> Ask {
        let Some(purse) = &self.model.purse else {
            return Ask::Issue { named: self.dice.roll(4) > 0, lapses: self.dice.roll(2) == 0 };
        };
        let stopped = purse.state != "active";
        match self.dice.roll(10) {
            0 => Ask::Lose,
            1 => Ask::Stop,
            2 => Ask::Unstop,
            3 => Ask::Reissue,
            4 => Ask::GiveCard { to: self.dice.roll(2) },
            5 => Ask::TopUp { fen: if self.dice.roll(4) == 0 { 499_000 } else { 1_000 } },
            6..=9 if stopped => {
                if self.dice.roll(2) == 0 {
                    Ask::Unstop
                } else {
                    Ask::Reissue
                }
            }
            _ => Ask::TopUp { fen: self.below(3_000) + 1 },
        }
    }

    fn contract(&mut self) -> Ask {
        let Some(contract) = &self.model.contract else {
            let sessions = self.dice.roll(4) + 1;
            return Ask::Contract { price: self.below(20_000) + 10, sessions };
        };
        let (uses, paid, order) = (contract.uses.len(), contract.was_paid(), contract.order);
        if !paid && self.dice.roll(3) > 0 {
            return self.pay(order);
        }
        match self.dice.roll(12) {
            0..=4 => Ask::Reserve,
            5 | 6 if uses > 0 => Ask::Commit { nth: self.dice.roll(uses) },
            7 if uses > 0 => Ask::Void { nth: self.dice.roll(uses) },
            8 => Ask::Rest { days: self.below(12) + 1 },
            9 => Ask::Wake,
            10 => match self.dice.roll(2) {
                0 => Ask::Extend { days: self.below(9) + 1 },
                _ => Ask::Hand { to: self.dice.roll(2) },
            },
            11 => Ask::Undo,
            _ => Ask::Reserve,
        }
    }
}
