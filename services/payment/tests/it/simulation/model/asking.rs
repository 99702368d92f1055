//! Requests, and what must come of them.

use super::{
    Answer, Contract, How, Model, Order, Purse, Subject,
    orders::{Pay, PayState, State},
};

/// The top-ups of at least so much get a bonus, and how much.
pub const CAMPAIGN: (i64, i64) = (1_000, 333);
/// How long a top-up can be paid, in seconds.
pub const TOP_UP_TIME: i64 = 120 * 60;

/// A tender of a checkout.
pub type Part = (How, i64);

/// What shall go back.
#[derive(Debug, Clone)]
pub enum What {
    All,
    Amount(i64),
    /// Lines, each with an amount or all that is left of it.
    Lines(Vec<(usize, Option<i64>)>),
}

/// A request.
#[derive(Debug, Clone)]
pub enum Ask {
    Visit {
        lines: Vec<i64>,
        discount: i64,
        deposit: i64,
    },
    Amend {
        order: usize,
        fen: i64,
    },
    Pay {
        order: usize,
        deposit: bool,
        how: How,
    },
    Checkout {
        order: usize,
        deposit: bool,
        parts: Vec<Part>,
    },
    /// `captured` is the payment at the provider, if the customer has paid there already.
    Cancel {
        order: usize,
        number: usize,
        captured: Option<usize>,
    },
    Refund {
        order: usize,
        what: What,
    },
    Close {
        order: usize,
        keep: i64,
    },
    Issue {
        named: bool,
        lapses: bool,
    },
    TopUp {
        fen: i64,
    },
    Lose,
    Stop,
    Unstop,
    Reissue,
    GiveCard {
        to: usize,
    },
    Contract {
        price: i64,
        sessions: usize,
    },
    Reserve,
    Commit {
        nth: usize,
    },
    Void {
        nth: usize,
    },
    Rest {
        days: i64,
    },
    Wake,
    Extend {
        days: i64,
    },
    Hand {
        to: usize,
    },
    Undo,
}

/// Takes `discount` off lines, in proportion: whole fen first, then one more where most is missing.
fn spread(lines: &[i64], discount: i64) -> Vec<[i64; 3]> {
    let sum: i64 = lines.iter().sum();
    let mut off: Vec<i64> = lines.iter().map(|line| discount * line / sum.max(1)).collect();
    while off.iter().sum::<i64>() < discount {
        let missing = |nth: &usize| (discount * lines[*nth] - off[*nth] * sum, std::cmp::Reverse(*nth));
        let most = (0..lines.len()).max_by_key(missing).expect("there are lines");
        off[most] += 1;
    }
    lines.iter().zip(off).map(|(line, off)| [line - off, off, 0]).collect()
}

impl Model {
    /// What comes of a request.
    pub fn ask(&mut self, ask: &Ask, now: i64) -> Answer {
        match ask {
            Ask::Visit { lines, discount, deposit } => {
                let lines = spread(lines, *discount);
                if *deposit > lines.iter().map(|line| line[0]).sum() {
                    return Err("INVALID_ARGUMENT");
                }
                self.orders.push(Order::new(Subject::Visit, lines, *deposit));
                Ok(())
            }
            Ask::Amend { order, fen } => self.amend(*order, *fen, now),
            Ask::Pay { order, deposit, how } => {
                let fen = self.orders[*order].due(*deposit)?;
                self.orders[*order].idle()?;
                let state = if how.is_external() { PayState::Pending } else { PayState::Captured };
                let of = &mut self.orders[*order];
                of.pays.push(Pay { how: *how, fen, deposit: *deposit, state, together: None, shares: Vec::new() });
                if state == PayState::Captured {
                    of.paid += fen;
                    self.came(*order, now);
                }
                Ok(())
            }
            Ask::Checkout { order, deposit, parts } => self.checkout(*order, *deposit, parts, now),
            Ask::Cancel { order, number, captured } => self.cancel(*order, *number, *captured, now),
            Ask::Refund { order, what } => self.refund(*order, what, now),
            Ask::Close { order, keep } => self.close(*order, *keep, now),
            Ask::Contract { price, sessions } => {
                let order = self.orders.len();
                self.orders.push(Order::new(Subject::Contract, vec![[*price, 0, 0]], 0));
                self.contract = Some(Contract::new(order, *price, *sessions));
                Ok(())
            }
            Ask::Undo => {
                let contract = self.contract.as_mut().expect("there is one");
                let (order, price, back) = (contract.order, contract.price, contract.refund()?);
                // What was handed over goes back by hand, to nobody but its holder.
                let by_hand = if contract.holder == 0 { 0 } else { back };
                contract.by_hand = by_hand;
                self.end(order, price - (back - by_hand), now);
                Ok(())
            }
            Ask::Issue { named, lapses } => {
                self.purse = Some(Purse::new(self.rules.spending, *named, *lapses));
                Ok(())
            }
            Ask::TopUp { fen } => self.top_up(*fen, now),
            Ask::Lose | Ask::Stop | Ask::Unstop | Ask::Reissue | Ask::GiveCard { .. } => self.change_card(ask),
            _ => self.change_contract(ask, now),
        }
    }

    fn checkout(&mut self, order: usize, deposit: bool, parts: &[Part], now: i64) -> Answer {
        let of = &self.orders[order];
        let due = of.due(deposit)?;
        of.idle()?;
        if parts.iter().filter(|(how, _)| how.is_external()).count() > 1 {
            return Err("SEVERAL_PROVIDERS");
        }
        for (nth, (how, fen)) in parts.iter().enumerate() {
            if *fen <= 0 || parts[..nth].iter().any(|(other, _)| other == how) {
                return Err("INVALID_ARGUMENT");
            }
            if *how == How::Card && of.subject != Subject::Visit {
                return Err("NOT_A_VISIT");
            }
        }
        if parts.iter().map(|(_, fen)| fen).sum::<i64>() != due {
            return Err("AMOUNT_MISMATCH");
        }
        let external = parts.iter().any(|(how, _)| how.is_external());
        let number = of.pays.len();
        let mut pays = Vec::new();
        for (how, fen) in parts {
            let shares = match (how, &mut self.purse) {
                (How::Card, Some(purse)) => purse.hold(*fen, now)?,
                _ => Vec::new(),
            };
            let state = if how.is_external() { PayState::Pending } else { PayState::Reserved };
            pays.push(Pay { how: *how, fen: *fen, deposit, state, together: Some(number), shares });
        }
        self.orders[order].pays.extend(pays);
        if !external {
            self.capture_together(order, number, now);
        }
        Ok(())
    }

    /// The provider is asked a last time before a checkout is called off.
    fn cancel(&mut self, order: usize, number: usize, captured: Option<usize>, now: i64) -> Answer {
        if let Some(pay) = captured.filter(|_| self.orders[order].is_open(number)) {
            self.capture(order, pay, now);
        }
        let of = &self.orders[order];
        if of.of_checkout(number).iter().all(|nth| of.pays[*nth].state == PayState::Captured) {
            return Err("CHECKOUT_CAPTURED");
        }
        if self.orders[order].is_open(number) {
            self.fail_others(order, number, |_, _| true);
        }
        Ok(())
    }

    fn refund(&mut self, order: usize, what: &What, now: i64) -> Answer {
        let of = &self.orders[order];
        if of.subject != Subject::Visit {
            return Err("NOT_A_VISIT");
        }
        if of.state != State::Paid {
            return Err("NOT_PAID");
        }
        let there = of.refundable();
        if there == 0 {
            return Err("NOTHING_REFUNDABLE");
        }
        let mut named = Vec::new();
        let fen = match what {
            What::All => there,
            What::Amount(fen) if *fen <= 0 => return Err("INVALID_ARGUMENT"),
            What::Amount(fen) => *fen,
            What::Lines(lines) => {
                for (nth, fen) in lines {
                    let [amount, _, back] = of.lines[*nth];
                    let fen = fen.unwrap_or(amount - back);
                    if fen <= 0 || fen > amount - back {
                        return Err("REFUND_EXCEEDS_LINE");
                    }
                    named.push((*nth, fen));
                }
                named.iter().map(|(_, fen)| fen).sum()
            }
        };
        if fen > there {
            return Err("REFUND_EXCEEDS_CAPTURED");
        }
        let of = &mut self.orders[order];
        of.returned = true;
        for (nth, fen) in named {
            of.lines[nth][2] += fen;
        }
        self.give_by_tender(order, fen, now);
        Ok(())
    }

    fn top_up(&mut self, fen: i64, now: i64) -> Answer {
        let purse = self.purse.as_ref().expect("there is a card");
        purse.usable()?;
        let begun = self.orders.iter().filter(|of| of.promised.is_some()).map(Order::total).sum::<i64>();
        let most = if purse.named { 500_000 } else { 100_000 };
        if purse.open()[0] + begun + fen > most {
            return Err("CARD_LIMIT_EXCEEDED");
        }
        let bonus = if fen >= CAMPAIGN.0 { CAMPAIGN.1 } else { 0 };
        let mut order = Order::new(Subject::TopUp, vec![[fen, 0, 0]], 0);
        order.promised = Some((bonus, now + TOP_UP_TIME));
        self.orders.push(order);
        Ok(())
    }

    fn change_card(&mut self, ask: &Ask) -> Answer {
        let purse = self.purse.as_mut().expect("there is a card");
        match ask {
            Ask::Lose if !purse.named => return Err("CARD_WITHOUT_HOLDER"),
            Ask::Lose => purse.state = "lost",
            Ask::Stop => purse.state = "frozen",
            Ask::Unstop => purse.state = "active",
            Ask::Reissue if !purse.named => return Err("CARD_WITHOUT_HOLDER"),
            Ask::Reissue if purse.state == "active" => return Err("CARD_NOT_STOPPED"),
            Ask::GiveCard { .. } if purse.state != "active" => return purse.usable(),
            _ if purse.held() != [0, 0] => return Err("CARD_IN_USE"),
            Ask::GiveCard { to } => (purse.holder, purse.named) = (*to, true),
            _ => (purse.state, purse.replaced) = ("active", purse.replaced + 1),
        }
        Ok(())
    }

    fn change_contract(&mut self, ask: &Ask, now: i64) -> Answer {
        let contract = self.contract.as_mut().expect("there is one");
        match ask {
            Ask::Reserve => contract.reserve(now),
            Ask::Commit { nth } => contract.commit(*nth),
            Ask::Void { nth } => contract.void(*nth),
            Ask::Rest { days } => contract.rest(*days, now),
            Ask::Wake => contract.wake(now),
            Ask::Extend { days } => contract.extend(*days, now),
            Ask::Hand { to } => contract.hand(*to, now),
            other => unreachable!("{other:?} is of an order or a card"),
        }
    }
}
