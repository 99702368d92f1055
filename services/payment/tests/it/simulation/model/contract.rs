//! A prepaid contract: days, counts and fen.

use super::{Answer, DAY};

/// How long contracts of the simulation last, in days, and how long they may rest.
pub const DAYS: i64 = 40;
pub const MOST_REST: i64 = 20;

/// A session that was set aside.
#[derive(Debug, Clone)]
pub struct Use {
    /// `reserved`, `committed` or `voided`.
    pub state: &'static str,
    /// What it is worth, as soon as that was read.
    pub value: Option<i64>,
}

/// A contract.
#[derive(Debug, Clone)]
pub struct Contract {
    pub order: usize,
    pub price: i64,
    pub sessions: usize,
    /// Who has it, of two.
    pub holder: usize,
    /// The word that is stored.
    pub state: &'static str,
    /// The first day after it.
    pub over: i64,
    /// From which day to before which day it rests.
    pub rests: Vec<(i64, i64)>,
    pub uses: Vec<Use>,
    pub recognised: i64,
    /// What the law gave beyond what was paid, once it has ended.
    pub beyond: i64,
    /// What of the price its end gives back by hand.
    pub by_hand: i64,
}

/// The day in Shanghai.
pub fn day(now: i64) -> i64 {
    (now + 8 * 3_600).div_euclid(DAY)
}

impl Contract {
    pub fn new(order: usize, price: i64, sessions: usize) -> Self {
        let (rests, uses) = (Vec::new(), Vec::new());
        let [over, recognised, beyond, by_hand] = [0; 4];
        Self { order, price, sessions, holder: 0, state: "draft", over, rests, uses, recognised, beyond, by_hand }
    }

    pub fn was_paid(&self) -> bool {
        matches!(self.state, "active" | "used_up" | "expired")
    }

    pub fn activate(&mut self, now: i64) {
        if self.state == "draft" {
            (self.state, self.over) = ("active", day(now) + DAYS);
        }
    }

    pub fn cancel(&mut self) {
        if self.state == "draft" {
            self.state = "cancelled";
        }
    }

    pub fn count(&self, state: &str) -> usize {
        self.uses.iter().filter(|one| one.state == state).count()
    }

    pub fn rests(&self, today: i64) -> bool {
        self.rests.last().is_some_and(|(from, to)| (*from..*to).contains(&today))
    }

    fn active(&self, today: i64) -> bool {
        self.state == "active" && today < self.over
    }

    fn unreserved(&self) -> Answer {
        if self.count("reserved") == 0 { Ok(()) } else { Err("USES_RESERVED") }
    }

    pub fn reserve(&mut self, now: i64) -> Answer {
        if !self.active(day(now)) || self.rests(day(now)) {
            return Err("CONTRACT_NOT_USABLE");
        }
        if self.count("reserved") + self.count("committed") == self.sessions {
            return Err("NO_SESSION_LEFT");
        }
        self.uses.push(Use { state: "reserved", value: None });
        Ok(())
    }

    pub fn commit(&mut self, nth: usize) -> Answer {
        match self.uses[nth].state {
            "committed" => return Ok(()),
            "voided" => return Err("USE_VOIDED"),
            _ => self.uses[nth].state = "committed",
        }
        self.recognised += self.uses[nth].value.expect("read when it was set aside");
        if self.count("committed") == self.sessions && matches!(self.state, "active" | "expired") {
            self.state = "used_up";
        }
        Ok(())
    }

    pub fn void(&mut self, nth: usize) -> Answer {
        if self.uses[nth].state == "committed" {
            return Err("USE_COMMITTED");
        }
        self.uses[nth].state = "voided";
        Ok(())
    }

    pub fn rest(&mut self, days: i64, now: i64) -> Answer {
        let today = day(now);
        if !self.active(today) {
            return Err("CONTRACT_NOT_ACTIVE");
        }
        self.unreserved()?;
        if self.rests.last().is_some_and(|(_, to)| today < *to) {
            return Err("CONTRACT_FROZEN");
        }
        let rested: i64 = self.rests.iter().map(|(from, to)| to - from).sum();
        if rested + days > MOST_REST {
            return Err("FREEZE_LIMIT");
        }
        self.rests.push((today, today + days));
        self.over += days;
        Ok(())
    }

    pub fn wake(&mut self, now: i64) -> Answer {
        let today = day(now);
        if !self.rests(today) {
            return Err("CONTRACT_NOT_FROZEN");
        }
        let (from, to) = self.rests.pop().expect("it rests");
        self.over -= to - today;
        if from < today {
            self.rests.push((from, today));
        }
        Ok(())
    }

    pub fn extend(&mut self, days: i64, now: i64) -> Answer {
        if !matches!(self.state, "active" | "expired") {
            return Err("CONTRACT_ENDED");
        }
        self.state = "active";
        self.over = self.over.max(day(now)) + days;
        Ok(())
    }

    pub fn hand(&mut self, to: usize, now: i64) -> Answer {
        if !self.active(day(now)) {
            return Err("CONTRACT_NOT_ACTIVE");
        }
        self.unreserved()?;
        if self.holder == to {
            return Err("INVALID_ARGUMENT");
        }
        self.holder = to;
        Ok(())
    }

    pub fn expire(&mut self, now: i64) {
        if self.state == "active" && day(now) >= self.over && self.count("reserved") == 0 {
            self.state = "expired";
        }
    }

    /// What goes back if the merchant breaks it: what was not had.
    pub fn refund(&mut self) -> Result<i64, &'static str> {
        if !matches!(self.state, "active" | "expired") {
            return Err("CONTRACT_NOT_REFUNDABLE");
        }
        self.unreserved()?;
        let (had, all) = (self.count("committed"), self.sessions);
        let number = |count: usize| i64::try_from(count).expect("few");
        let back = self.price - self.price * number(had) / number(all);
        (self.state, self.recognised) = ("refunded", self.price - back);
        Ok(back)
    }

    /// What is still owed to it.
    pub fn owed(&self) -> i64 {
        if self.was_paid() { self.price - self.recognised } else { 0 }
    }

    /// What of it was earned.
    pub fn earned(&self) -> i64 {
        match self.state {
            "refunded" => self.recognised - self.beyond,
            _ => self.recognised,
        }
    }

    /// What is set aside, in fen.
    pub fn reserved(&self) -> i64 {
        let reserved = self.uses.iter().filter(|one| one.state == "reserved");
        reserved.map(|one| one.value.expect("read when it was set aside")).sum()
    }
}
