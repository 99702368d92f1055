//! A card: lots of money and bonus, kept apart.

use super::{Answer, DAY};

/// Money and bonus; `[0]` is money.
pub type Both = [i64; 2];

/// How long bonus is good, in days, if it ends.
pub const BONUS_DAYS: i64 = 3;

/// What a top-up has brought.
#[derive(Debug, Clone)]
pub struct Lot {
    pub brought: Both,
    pub open: Both,
    pub held: Both,
    pub spent: Both,
    pub refunded: i64,
    pub expired: Both,
    pub until: i64,
}

/// What a lot bears of a payment, and what of it has come back.
#[derive(Debug, Clone)]
pub struct Share {
    pub lot: usize,
    pub part: Both,
    pub back: Both,
}

/// A card, and those that it has taken the place of.
#[derive(Debug, Clone)]
pub struct Purse {
    pub spending: &'static str,
    /// Whether bonus lapses.
    pub lapses: bool,
    pub named: bool,
    /// Who has it, of two.
    pub holder: usize,
    /// `active`, `lost` or `frozen`.
    pub state: &'static str,
    /// How many cards came before it.
    pub replaced: usize,
    pub lots: Vec<Lot>,
    /// What was given away, less what was taken back.
    pub promotion: i64,
}

/// `part` of two amounts, one fen after the other to the one that is furthest behind.
fn proportion(part: i64, of: Both) -> Both {
    let (all, mut got) = (of[0] + of[1], [0, 0]);
    for nth in 1..=part {
        let behind = [0, 1].map(|i: usize| nth * of[i] - got[i] * all);
        got[usize::from(behind[1] > behind[0])] += 1;
    }
    got
}

impl Purse {
    pub fn new(spending: &'static str, named: bool, lapses: bool) -> Self {
        let state = "active";
        Self { spending, lapses, named, holder: 0, state, replaced: 0, lots: Vec::new(), promotion: 0 }
    }

    pub fn usable(&self) -> Answer {
        match self.state {
            "lost" => Err("CARD_LOST"),
            "frozen" => Err("CARD_FROZEN"),
            _ => Ok(()),
        }
    }

    pub fn open(&self) -> Both {
        let sum = |kind: usize| self.lots.iter().map(|lot| lot.open[kind]).sum();
        [sum(0), sum(1)]
    }

    pub fn held(&self) -> Both {
        let sum = |kind: usize| self.lots.iter().map(|lot| lot.held[kind]).sum();
        [sum(0), sum(1)]
    }

    pub fn load(&mut self, fen: i64, bonus: i64, now: i64) {
        let brought = [fen, bonus];
        let until = if self.lapses && bonus > 0 { now + BONUS_DAYS * DAY } else { i64::MAX };
        self.promotion += bonus;
        let [held, spent, expired] = [[0, 0]; 3];
        self.lots.push(Lot { brought, open: brought, held, spent, refunded: 0, expired, until });
    }

    pub fn hold(&mut self, fen: i64, now: i64) -> Result<Vec<Share>, &'static str> {
        self.usable()?;
        let free = |lot: &Lot| {
            let bonus = if lot.until <= now { 0 } else { lot.open[1] - lot.held[1] };
            [lot.open[0] - lot.held[0], bonus]
        };
        let free: Vec<Both> = self.lots.iter().map(free).collect();
        if free.iter().flatten().sum::<i64>() < fen {
            return Err("INSUFFICIENT_BALANCE");
        }
        let (mut left, mut taken) = (fen, vec![[0, 0]; free.len()]);
        let passes: &[&[usize]] = match self.spending {
            "bonus_first" => &[&[1], &[0]],
            "principal_first" => &[&[0], &[1]],
            _ => &[&[0, 1]],
        };
        for kinds in passes {
            for (free, taken) in free.iter().zip(&mut taken) {
                let part = left.min(kinds.iter().map(|&kind| free[kind]).sum());
                left -= part;
                match *kinds {
                    [kind] => taken[*kind] += part,
                    _ => *taken = proportion(part, *free),
                }
            }
        }
        let mut shares = Vec::new();
        for (nth, part) in taken.into_iter().enumerate().filter(|(_, part)| *part != [0, 0]) {
            for kind in [0, 1] {
                self.lots[nth].held[kind] += part[kind];
            }
            shares.push(Share { lot: nth, part, back: [0, 0] });
        }
        Ok(shares)
    }

    pub fn spend(&mut self, shares: &[Share]) {
        for Share { lot, part, .. } in shares {
            for kind in [0, 1] {
                self.lots[*lot].held[kind] -= part[kind];
                self.lots[*lot].open[kind] -= part[kind];
                self.lots[*lot].spent[kind] += part[kind];
            }
        }
    }

    pub fn release(&mut self, shares: &[Share]) {
        for Share { lot, part, .. } in shares {
            for kind in [0, 1] {
                self.lots[*lot].held[kind] -= part[kind];
            }
        }
    }

    /// To the very lots that bore it, the newest first.
    pub fn give_back(&mut self, shares: &mut [Share], fen: i64, now: i64) {
        let mut left = fen;
        for share in shares.iter_mut().rev() {
            let rest = [share.part[0] - share.back[0], share.part[1] - share.back[1]];
            let back = proportion(left.min(rest[0] + rest[1]), rest);
            left -= back[0] + back[1];
            let lot = &mut self.lots[share.lot];
            for kind in [0, 1] {
                share.back[kind] += back[kind];
                lot.spent[kind] -= back[kind];
                lot.open[kind] += back[kind];
            }
            if back[1] > 0 && lot.until <= now {
                lot.until = now + 30 * DAY;
            }
        }
    }

    pub fn lapse(&mut self, now: i64) {
        for lot in self.lots.iter_mut().filter(|lot| lot.until <= now) {
            self.promotion -= lot.open[1] - lot.held[1];
            lot.expired[1] += lot.open[1] - lot.held[1];
            lot.open[1] = lot.held[1];
        }
    }
}
