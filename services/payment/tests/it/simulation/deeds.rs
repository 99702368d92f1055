//! What happens besides requests: the customer at the provider, notices, the worker, time.

use payment::worker;

use super::{
    draw::{Deed, Manner},
    life::Life,
    model::{Ask, DAY, How, Model, PayState, State, Subject},
    seen::Seen,
    world::{Truth, crash},
};

/// Notices that say nothing that may be acted upon.
const USELESS: [&str; 3] = ["lost", "wrong_amount", "bad_signature"];

/// The most steps of one worker in a row.
const PLENTY: usize = 200;

/// Has a worker work until there is nothing left to do.
macro_rules! all {
    ($life:ident, $step:path) => {
        for step in 0.. {
            assert!(step < PLENTY, "{}", $life.told("a worker finds no end"));
            match $step(&$life.world.app).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => panic!("{}", $life.told(error.chain())),
            }
        }
    };
}

/// Has a worker begin, and die.
macro_rules! die {
    ($life:ident, $waits:expr, $step:path) => {
        if let Some(waits) = $waits {
            let app = $life.world.app.clone();
            if crash(waits, $step(&app)).await.is_none() {
                $life.world.restart().await;
            }
        }
    };
}

impl Life<'_> {
    /// One of them, by a process that dies after so many waits, if so many are given; another goes on.
    pub async fn deed(&mut self, deed: Deed, waits: Option<usize>) {
        match deed {
            Deed::Press { order, pay, succeeds, spoilt } => self.press(order, pay, succeeds, spoilt).await,
            Deed::Deliver { all } => {
                self.wait(if all { 61 } else { 0 });
                // A notice comes over a wire: whoever takes it in lives on when its sender is gone.
                self.world.deliver().await;
                let useful = |spoilt: &str| !USELESS.contains(&spoilt);
                let must = |lately: Option<&str>, truth| all && truth == Truth::Paid && lately.is_some_and(useful);
                self.settled(|spoilt, _| useful(spoilt), must).await;
            }
            Deed::Query { all } => {
                self.wait(if all { 700 } else { 0 });
                die!(self, waits, worker::query_pending);
                let asked = worker::query_pending(&self.world.app).await;
                assert!(asked.is_ok(), "{}", self.told(format!("{asked:?}")));
                let decided = |truth| matches!(truth, Truth::Paid | Truth::Ended);
                let calm = waits.is_none();
                self.settled(|_, pending| pending, |_, truth| all && calm && decided(truth)).await;
            }
            Deed::SendRefunds { all } => self.send_refunds(all, waits).await,
            Deed::Expire => self.expire(waits).await,
            Deed::Hours(hours) => {
                // What a checkout has set aside outlives it by a day, in which some worker ends it.
                if hours > 24 {
                    self.expire(None).await;
                }
                self.wait(u64::try_from(hours * 3_600).expect("few"));
                die!(self, waits, worker::lapse_stored_value);
                all!(self, worker::lapse_stored_value);
                die!(self, waits, worker::expire_contracts);
                all!(self, worker::expire_contracts);
                let (now, mut after) = (self.world.now(), self.model.clone());
                after.lapse(now);
                if let Some(contract) = &mut after.contract {
                    contract.expire(now);
                }
                self.adopt([after]).await;
            }
            Deed::Seal => {
                die!(self, waits, worker::seal_ledger);
                all!(self, worker::seal_ledger);
                die!(self, waits, worker::close_days);
                all!(self, worker::close_days);
                self.adopt([self.model.clone()]).await;
            }
        }
    }

    /// The customer does something at the provider, of which nobody knows here yet.
    async fn press(&mut self, order: usize, pay: usize, succeeds: bool, spoilt: &'static str) {
        let how = self.model.orders[order].pays[pay].how;
        let id = self.seen.orders[order].1[pay].clone();
        let before = self.world.truth(how, &id).await;
        if !matches!(before, Truth::Waiting) && (how, before) != (How::Alipay, Truth::Unknown) {
            return;
        }
        self.world.press(how, &id, succeeds, spoilt).await;
        self.spoilt.insert(id.id, (spoilt, self.world.now()));
        self.adopt([self.model.clone()]).await;
    }

    async fn send_refunds(&mut self, all: bool, waits: Option<usize>) {
        for _ in 0..if all { 2 } else { 1 } {
            self.wait(if all { 700 } else { 0 });
            die!(self, waits, worker::send_refunds);
            all!(self, worker::send_refunds);
            self.world.shop.wechat.finish_refunds().expect("done");
        }
        if all {
            self.wait(700);
            all!(self, worker::send_refunds);
        }
        self.settled(|_, _| false, |_, _| false).await;
        if all && waits.is_none() {
            let done = self.model.orders.iter().flat_map(|of| &of.backs).all(|back| back.done);
            assert!(done, "{}", self.told("a refund is still under way"));
        }
    }

    /// Charges can't be paid any more, and checkouts come to nothing.
    async fn expire(&mut self, waits: Option<usize>) {
        self.wait(31 * 60);
        self.world.expire_charges().await;
        self.wait(6 * 60);
        die!(self, waits, worker::expire_checkouts);
        all!(self, worker::expire_checkouts);
        self.settled(|_, pending| pending, |_, _| false).await;
        let open = |of: &super::model::Order| of.pays.iter().any(|pay| pay.state == PayState::Reserved);
        assert!(!self.model.orders.iter().any(open), "{}", self.told("something is still set aside"));
    }

    /// Something became known: whatever is seen to have changed is what the provider says, and all else follows from that.
    /// `may` says of a payment, by its notice and whether it was pending, whether it can be known now that it is paid; `must`,
    /// by its notice of the last day and what the provider knows, whether it has to be known what became of it.
    async fn settled(&mut self, may: impl Fn(&str, bool) -> bool, must: impl Fn(Option<&str>, Truth) -> bool) {
        let seen = Seen::look(&self.world.shop.db.pg, self.cast.store).await;
        let mut changed = Vec::new();
        for order in 0..self.model.orders.len() {
            for pay in 0..self.model.orders[order].pays.len() {
                let of = &self.model.orders[order].pays[pay];
                let open = matches!(of.state, PayState::Pending | PayState::Failed);
                if !of.how.is_external() || !open {
                    continue;
                }
                let id = &self.seen.orders[order].1[pay];
                let truth = self.world.truth(of.how, id).await;
                let told = self.spoilt.get(&id.id).copied();
                let spoilt = told.unwrap_or_default().0;
                // Nobody repeats a notice, or believes one, for longer than a day.
                let lately = told.filter(|(_, at)| self.world.now() - at < DAY).map(|(spoilt, _)| spoilt);
                let is = seen.face["orders"][order]["pays"][pay][2].as_str().unwrap_or_default().to_owned();
                let what =
                    format!("payment {pay} of order {order}, {truth:?} ({spoilt}), was {:?} and is {is}", of.state);
                if is != of.state.words().0 {
                    let sound = match is.as_str() {
                        "captured" => truth == Truth::Paid && may(spoilt, of.state == PayState::Pending),
                        _ => truth != Truth::Paid,
                    };
                    assert!(sound, "{}", self.told(what));
                    changed.push((order, pay, is == "captured"));
                } else {
                    let known = of.state == PayState::Failed && truth != Truth::Paid;
                    let known = known || (of.state == PayState::Failed && !may(spoilt, false));
                    assert!(known || !must(lately, truth), "{}", self.told(what));
                }
            }
        }
        let could: Vec<Model> = permutations(&changed).iter().map(|order| self.after(order, &seen)).collect();
        self.adopt(could).await;
    }

    /// The model after these payments became known, one after the other, and those refunds that are seen to be done.
    fn after(&self, known: &[(usize, usize, bool)], seen: &Seen) -> Model {
        let (mut model, now) = (self.model.clone(), self.world.now());
        for (order, of) in self.model.orders.iter().enumerate() {
            for (nth, back) in of.backs.iter().enumerate() {
                if !back.done && seen.face["orders"][order]["backs"][nth][2] == true {
                    model.given(order, nth);
                }
            }
        }
        for (order, pay, captured) in known {
            match captured {
                true => model.capture(*order, *pay, now),
                false => model.fail(*order, *pay),
            }
        }
        model
    }

    /// Brings everything to its end: then nobody waits for anything, and the provider has what we believe that it has.
    pub async fn end(&mut self) {
        self.deed(Deed::Deliver { all: true }, None).await;
        self.deed(Deed::Expire, None).await;
        self.deed(Deed::Deliver { all: true }, None).await;
        for _ in 0..2 {
            self.deed(Deed::Query { all: true }, None).await;
        }
        for order in 0..self.model.orders.len() {
            if self.model.orders[order].subject == Subject::Visit && self.dice.roll(3) > 0 {
                self.wait(1);
                self.ask(Ask::Close { order, keep: 0 }, Manner::Once).await;
            }
        }
        self.deed(Deed::Hours(3), None).await;
        self.deed(Deed::SendRefunds { all: true }, None).await;
        for (order, of) in self.model.orders.iter().enumerate() {
            for (nth, pay) in of.pays.iter().enumerate() {
                let open = matches!(pay.state, PayState::Pending | PayState::Reserved);
                assert!(!open, "{}", self.told(format!("payment {nth} of order {order} is still under way")));
                if !pay.how.is_external() {
                    continue;
                }
                let ours: i64 = of.backs.iter().filter(|back| back.pay == nth).map(|back| back.fen).sum();
                let theirs = self.world.given_back(pay.how, &self.seen.orders[order].1[nth]).await;
                let told = format!("the provider gave back {theirs} of payment {nth} of order {order}, not {ours}");
                assert_eq!(ours, theirs, "{}", self.told(told));
            }
            let ended = of.state == State::Closed;
            assert!(!ended || of.refunded <= of.paid, "{}", self.told("more went back than came"));
        }
        self.world.forget_notices().await;
    }
}

/// Each order in which these can have come; of many only the one in which they were found.
fn permutations<T: Copy>(of: &[T]) -> Vec<Vec<T>> {
    if of.len() > 4 {
        return vec![of.to_vec()];
    }
    let Some((first, rest)) = of.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for mut of in permutations(rest) {
        for at in 0..=of.len() {
            of.insert(at, *first);
            all.push(of.clone());
            of.remove(at);
        }
    }
    all
}
