//! Random lives of cards beside a plain model of them, which says what must be after each step.
//!
//! The model knows nothing of the service's code: lots are rows of plain numbers, and who bears what is worked out anew, fen
//! by fen where it is in proportion. `make sim SEED=17` runs one seed again.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use kernel::{Clock, Uuid};
use proptest::{prelude::*, strategy::ValueTree};
use proto::payment::v1 as pb;

use super::desk::{Desk, figures, minors, reason};
use crate::{
    seeds::{runner, seeds},
    wire::fresh,
};

/// How many seeds are run if nothing else is said.
const SEEDS: u64 = 9;
const BONUS_DAYS: i32 = 3;
const DAY: i64 = 86_400;

#[derive(Debug, Clone)]
enum Step {
    TopUp(i64),
    Hold(i64),
    Spend(usize),
    Release(usize),
    GiveBack(usize, i64),
    Refund,
    Reissue,
    Lapse,
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1_i64..3_000).prop_map(Step::TopUp),
        5 => (1_i64..1_500).prop_map(Step::Hold),
        4 => (0_usize..8).prop_map(Step::Spend),
        2 => (0_usize..8).prop_map(Step::Release),
        4 => ((0_usize..8), (1_i64..900)).prop_map(|(of, fen)| Step::GiveBack(of, fen)),
        1 => Just(Step::Refund),
        1 => Just(Step::Reissue),
        2 => Just(Step::Lapse),
        2 => (1_i64..2 * DAY).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 12..30)
}

/// Money and bonus; `[0]` is money.
type Both = [i64; 2];

#[derive(Debug, Clone, Default)]
struct Lot {
    order: String,
    brought: Both,
    open: Both,
    held: Both,
    spent: Both,
    refunded: i64,
    /// What went back of it, which is more than was left of its money if bonus made it cheaper.
    back: i64,
    expired: Both,
    until: i64,
}

#[derive(Debug, Clone)]
struct Pay {
    id: Uuid,
    state: &'static str,
    /// Lot, what it bears, and what of it has come back.
    shares: Vec<(usize, Both, Both)>,
}

#[derive(Debug, Default)]
struct Model {
    order: &'static str,
    lots: Vec<Lot>,
    pays: Vec<Pay>,
}

/// `part` of two amounts, one fen after the other to the one that is furthest behind.
fn proportion(part: i64, of: Both) -> Both {
    let (all, mut got) = (of[0] + of[1], [0, 0]);
    for nth in 1..=part {
        // How far behind its exact share each would be, times `all`.
        let behind = [0, 1].map(|i: usize| nth * of[i] - got[i] * all);
        got[usize::from(behind[1] > behind[0])] += 1;
    }
    // The exact share rounded down at least, the rest to the larger remainder: the same thing for two.
    got
}

impl Model {
    fn free(&self, lot: &Lot, now: i64) -> Both {
        let bonus = if lot.until <= now { 0 } else { lot.open[1] - lot.held[1] };
        [lot.open[0] - lot.held[0], bonus]
    }

    fn hold(&mut self, id: Uuid, fen: i64, now: i64) -> Option<Both> {
        let free: Vec<Both> = self.lots.iter().map(|lot| self.free(lot, now)).collect();
        if free.iter().flatten().sum::<i64>() < fen {
            return None;
        }
        let (mut left, mut taken) = (fen, vec![[0, 0]; free.len()]);
        let passes: &[&[usize]] = match self.order {
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
        let mut total = [0, 0];
        for (lot, taken) in self.lots.iter_mut().zip(&taken) {
            for kind in [0, 1] {
                lot.held[kind] += taken[kind];
                total[kind] += taken[kind];
            }
        }
        let shares = taken.into_iter().enumerate().filter(|(_, part)| *part != [0, 0]);
        let shares = shares.map(|(lot, part)| (lot, part, [0, 0])).collect();
        self.pays.push(Pay { id, state: "held", shares });
        Some(total)
    }

    fn decide(&mut self, nth: usize, spend: bool) {
        let pay = &mut self.pays[nth];
        pay.state = if spend { "spent" } else { "voided" };
        for (lot, part, _) in &pay.shares {
            let lot = &mut self.lots[*lot];
            for kind in [0, 1] {
                lot.held[kind] -= part[kind];
                if spend {
                    lot.open[kind] -= part[kind];
                    lot.spent[kind] += part[kind];
                }
            }
        }
    }

    fn give_back(&mut self, nth: usize, fen: i64, now: i64) -> Option<Both> {
        let pay = &mut self.pays[nth];
        let there: i64 = pay.shares.iter().map(|(_, part, back)| part[0] + part[1] - back[0] - back[1]).sum();
        if pay.state != "spent" || there < fen {
            return None;
        }
        let (mut left, mut total) = (fen, [0, 0]);
        for (lot, part, back) in pay.shares.iter_mut().rev() {
            let rest = [part[0] - back[0], part[1] - back[1]];
            let now_back = proportion(left.min(rest[0] + rest[1]), rest);
            left -= now_back[0] + now_back[1];
            let lot = &mut self.lots[*lot];
            for kind in [0, 1] {
                back[kind] += now_back[kind];
                lot.spent[kind] -= now_back[kind];
                lot.open[kind] += now_back[kind];
                total[kind] += now_back[kind];
            }
            if now_back[1] > 0 && lot.until <= now {
                lot.until = now + 30 * DAY;
            }
        }
        Some(total)
    }

    fn lapse(&mut self, now: i64) {
        for lot in self.lots.iter_mut().filter(|lot| lot.until <= now) {
            lot.expired[1] += lot.open[1] - lot.held[1];
            lot.open[1] = lot.held[1];
        }
    }

    /// Gives the card back by the merchant's fault (Art. 18): of each top-up that has something left what was paid, but for
    /// the share of what was had that the bonus makes, and for what went back before. `None` while something is set aside.
    fn refund(&mut self) -> Option<i64> {
        if self.lots.iter().any(|lot| lot.held != [0, 0]) {
            return None;
        }
        let mut all = 0;
        for lot in self.lots.iter_mut().filter(|lot| lot.open != [0, 0]) {
            let (had, brought) = (lot.spent[0] + lot.spent[1], lot.brought[0] + lot.brought[1]);
            let due = (lot.brought[0] - had * lot.brought[0] / brought - lot.back).max(0);
            lot.back += due;
            all += due;
            lot.refunded += due.min(lot.open[0]);
            lot.expired[0] += lot.open[0] - due.min(lot.open[0]);
            lot.expired[1] += lot.open[1];
            lot.open = [0, 0];
        }
        Some(all)
    }
}

#[tokio::test]
async fn cards_do_as_the_simulation_says() {
    let mut desks = BTreeMap::new();
    for seed in seeds(SEEDS) {
        let order = ["bonus_first", "proportional", "principal_first"][usize::try_from(seed % 3).expect("few")];
        if let Entry::Vacant(free) = desks.entry(order) {
            let desk = Desk::spending(order).await;
            desk.campaign(pb::TopUpCampaign { bonus_days: BONUS_DAYS, ..desk.offer(800, 333) }).await;
            desk.campaign(pb::TopUpCampaign { bonus_days: BONUS_DAYS, ..desk.offer(2_000, 1_001) }).await;
            free.insert(desk);
        }
        let steps = steps().new_tree(&mut runner(seed)).expect("steps").current();
        let told = format!("seed {seed}, {order}, steps {steps:?}");
        live(&desks[order], Model { order, ..Model::default() }, &steps, &told).await;
    }
}

async fn live(desk: &Desk, mut model: Model, steps: &[Step], told: &str) {
    let mut card = desk.card().await;
    for (nth, step) in steps.iter().enumerate() {
        let told = format!("step {nth} of {told}");
        // No two things at one moment: lots are in the order of their times.
        let now = desk.house.clock.advance(Duration::from_secs(1)).as_second();
        take(desk, &mut model, &mut card, step, now, &told).await;
        compare(desk, &model, &card, &told).await;
    }
    desk.house.clock.advance(Duration::from_secs(86_400));
    model.lapse(desk.house.clock.now().as_second());
    desk.lapse().await;
    compare(desk, &model, &card, told).await;
}

async fn take(desk: &Desk, model: &mut Model, card: &mut String, step: &Step, now: i64, told: &str) {
    match *step {
        Step::TopUp(fen) => {
            let open: i64 = model.lots.iter().map(|lot| lot.open[0]).sum();
            if open + fen > 500_000 {
                return;
            }
            let bonus = if fen >= 2_000 {
                1_001
            } else if fen >= 800 {
                333
            } else {
                0
            };
            let order = desk.top_up(card, fen).await;
            let now = desk.house.clock.now().as_second();
            let until = if bonus > 0 { now + i64::from(BONUS_DAYS) * DAY } else { i64::MAX };
            let both = [fen, bonus];
            model.lots.push(Lot { order, brought: both, open: both, until, ..Lot::default() });
        }
        Step::Hold(fen) => {
            let of = desk.bill(fen).await;
            match (desk.hold(card, of).await, model.hold(of.id, fen, now)) {
                (Ok(value), Some(both)) => assert_eq!(minors(value), both.into(), "{told}"),
                (refused, None) => assert_eq!(reason(refused), "INSUFFICIENT_BALANCE", "{told}"),
                (held, Some(_)) => assert!(held.is_ok(), "{held:?}: {told}"),
            }
        }
        Step::Spend(nth) | Step::Release(nth) if nth < model.pays.len() => {
            let spend = matches!(step, Step::Spend(_));
            let pay = model.pays[nth].clone();
            let done = if spend { desk.commit(pay.id).await } else { desk.void(pay.id).await };
            let expected = match (pay.state, spend) {
                ("held", _) => {
                    model.decide(nth, spend);
                    None
                }
                ("spent", false) => Some("TRANSFER_POSTED"),
                ("voided", true) => Some("TRANSFER_VOIDED"),
                _ => None,
            };
            assert_eq!(done.err().map(|error| error.reason()), expected, "{told}");
        }
        Step::GiveBack(nth, fen) if nth < model.pays.len() => {
            let back = desk.give_back(model.pays[nth].id, fen).await;
            let expected = model.give_back(nth, fen, now);
            assert_eq!(back.ok().map(minors), expected.map(Into::into), "{told}");
        }
        Step::Refund => {
            let request = pb::RefundCardRequest {
                card: card.clone(),
                cause: pb::RefundCause::MerchantBreach.into(),
                keep_card: true,
                request_id: fresh().to_string(),
                ..Default::default()
            };
            let done = desk.client().refund_card(desk.ask(request)).await;
            let done = done.ok().map(|done| crate::wire::minor(&done.into_inner().refund));
            assert_eq!(done, model.refund(), "{told}");
        }
        Step::Reissue => {
            let (name, id) = (card.clone(), || fresh().to_string());
            let lost = pb::ReportCardLostRequest { name: name.clone(), request_id: id() };
            desk.client().report_card_lost(desk.ask(lost)).await.expect("lost");
            let request = pb::ReissueCardRequest { name: name.clone(), request_id: id() };
            match desk.client().reissue_card(desk.ask(request)).await {
                Ok(new) => {
                    assert!(model.lots.iter().all(|lot| lot.held == [0, 0]), "{told}");
                    *card = new.into_inner().name;
                }
                Err(_) => {
                    assert!(model.lots.iter().any(|lot| lot.held != [0, 0]), "{told}");
                    let found = pb::UnfreezeCardRequest { name, request_id: id() };
                    desk.client().unfreeze_card(desk.ask(found)).await.expect("found");
                }
            }
        }
        Step::Lapse => {
            desk.lapse().await;
            model.lapse(now);
        }
        Step::Wait(seconds) => {
            desk.house.clock.advance(Duration::from_secs(u64::try_from(seconds).expect("positive")));
        }
        Step::Spend(_) | Step::Release(_) | Step::GiveBack(..) => {}
    }
}

async fn compare(desk: &Desk, model: &Model, card: &str, told: &str) {
    desk.check().await;
    let known: BTreeMap<String, pb::CardLot> =
        desk.lots(card).await.into_iter().map(|lot| (lot.order.clone(), lot)).collect();
    assert_eq!(known.len(), model.lots.len(), "{told}");
    for lot in &model.lots {
        let real = &known[&lot.order];
        let of = |kind: usize, refunded| {
            [lot.brought[kind], lot.open[kind], lot.held[kind], lot.spent[kind], refunded, lot.expired[kind]]
        };
        assert_eq!(figures(&real.principal), of(0, lot.refunded), "{told}");
        assert_eq!(figures(&real.bonus), of(1, 0), "{told}");
    }
}
