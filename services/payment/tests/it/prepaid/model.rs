//! Random lives of contracts against a plain model, which knows nothing but days, counts and fen.

use payment::worker::expire_contracts;
use proto::payment::v1::{self as pb, contract::State};

use super::shop::{DAY, Shop, item, ten};
use crate::wire::{cny, minor};

const LIVES: u64 = 8;
const STEPS: u32 = 40;
const LIST: i64 = 40_000;

/// SplitMix64: numbers that a seed decides.
struct Dice(u64);

impl Dice {
    /// From 0, below `below`.
    fn roll(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((z ^ (z >> 31)) % u64::from(below)).expect("below")
    }
}

/// What must be.
struct Model {
    price: i64,
    total: usize,
    state: State,
    today: i64,
    /// The first day after the contract.
    over: i64,
    /// From which day to before which day it rests.
    rests: Vec<(i64, i64)>,
    /// Each use: name, value, whether it is open, whether it was had.
    uses: Vec<(String, i64, bool, bool)>,
    recognised: i64,
    back: i64,
}

impl Model {
    fn open(&self) -> usize {
        self.uses.iter().filter(|one| one.2).count()
    }

    fn had(&self) -> usize {
        self.uses.iter().filter(|one| one.3).count()
    }

    fn resting(&self) -> bool {
        self.rests.last().is_some_and(|(from, to)| (*from..*to).contains(&self.today))
    }

    fn live(&self) -> bool {
        self.state == State::Active && self.today < self.over
    }
}

/// `PREPAID_SEED` replays a run; every failure tells it.
fn seed() -> u64 {
    std::env::var("PREPAID_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_270_301)
}

#[tokio::test]
async fn contracts_live_as_the_model_says() {
    let seed = seed();
    let shop = Shop::open().await;
    for life in 0..LIVES {
        let mut dice = Dice(seed.wrapping_add(life));
        let (quantity, bonus) = (dice.roll(5) as i32 + 1, dice.roll(2) as i32);
        let price = i64::from(dice.roll(90_000)) * i64::from(quantity) / 3 + 1;
        let price = price.min(LIST * i64::from(quantity + bonus));
        let terms = pb::ContractTerms {
            price: cny(price),
            items: vec![item("items/massage", quantity, bonus, LIST)],
            days: 40,
            ..ten()
        };
        let contract = shop.sell(terms).await.name;
        let mut model = Model {
            price,
            total: usize::try_from(quantity + bonus).expect("few"),
            state: State::Active,
            today: 0,
            over: 40,
            rests: Vec::new(),
            uses: Vec::new(),
            recognised: 0,
            back: 0,
        };
        for step in 0..STEPS {
            let told = format!("seed {seed}, life {life}, step {step}");
            take(&shop, &contract, &mut model, &mut dice, &told).await;
            check(&shop, &contract, &model, &told).await;
        }
        shop.changes(&contract).await;
    }
    shop.house.balances().await;
}

async fn take(shop: &Shop, contract: &str, model: &mut Model, dice: &mut Dice, told: &str) {
    match dice.roll(12) {
        0..=3 => {
            let request = shop.new_use(contract, "items/massage");
            let allowed = model.live() && !model.resting() && model.open() + model.had() < model.total;
            let answer = shop.try_reserve(request.clone()).await;
            assert_eq!(answer.is_ok(), allowed, "{told}: {answer:?}");
            if let Ok(one) = answer {
                assert_eq!(shop.try_reserve(request).await.expect("the same"), one, "{told}");
                model.uses.push((one.name, minor(&one.value), true, false));
            }
        }
        4..=6 if !model.uses.is_empty() => {
            let (last, commit) = (u32::try_from(model.uses.len()).expect("few"), dice.roll(3) > 0);
            let one = dice.roll(last) as usize;
            let (name, value, open, had) = model.uses[one].clone();
            let answer = if commit { shop.commit(&name).await } else { shop.void(&name).await };
            assert_eq!(answer.is_ok(), open || had == commit, "{told}: {answer:?}");
            if open {
                model.uses[one] = (name, value, false, commit);
                model.recognised += if commit { value } else { 0 };
            }
            if model.had() == model.total && matches!(model.state, State::Active | State::Expired) {
                model.state = State::UsedUp;
            }
        }
        7 => {
            let days = i64::from(dice.roll(12)) + 1;
            let rested: i64 = model.rests.iter().map(|(from, to)| to - from).sum();
            let apart = model.rests.last().is_none_or(|(_, to)| model.today >= *to);
            let allowed = model.live() && model.open() == 0 && apart && rested + days <= 60;
            let answer = shop.freeze(contract, i32::try_from(days).expect("few")).await;
            assert_eq!(answer.is_ok(), allowed, "{told}: {answer:?}");
            if allowed {
                model.rests.push((model.today, model.today + days));
                model.over += days;
            }
        }
        8 => {
            let allowed = model.resting();
            assert_eq!(shop.unfreeze(contract).await.is_ok(), allowed, "{told}");
            if allowed {
                let (from, to) = model.rests.pop().expect("it rests");
                model.over -= to - model.today;
                if from < model.today {
                    model.rests.push((from, model.today));
                }
            }
        }
        9 => {
            let days = i64::from(dice.roll(9)) + 1;
            let allowed = matches!(model.state, State::Active | State::Expired);
            let answer = shop.extend(contract, i32::try_from(days).expect("few")).await;
            assert_eq!(answer.is_ok(), allowed, "{told}: {answer:?}");
            if allowed {
                model.state = State::Active;
                model.over = model.over.max(model.today) + days;
            }
        }
        10 if dice.roll(6) == 0 => refund(shop, contract, model, told).await,
        _ => {
            let days = dice.roll(9);
            shop.house.clock.advance(DAY * days);
            model.today += i64::from(days);
            expire_contracts(&shop.house.app).await.expect("looked");
            if model.state == State::Active && model.today >= model.over && model.open() == 0 {
                model.state = State::Expired;
            }
        }
    }
}

async fn refund(shop: &Shop, contract: &str, model: &mut Model, told: &str) {
    let allowed = matches!(model.state, State::Active | State::Expired) && model.open() == 0;
    let answer = shop.refund(contract, pb::RefundCause::MerchantBreach).await;
    assert_eq!(answer.is_ok(), allowed, "{told}: {answer:?}");
    if let Ok(done) = answer {
        let (had, total) = (i64::try_from(model.had()).expect("few"), i64::try_from(model.total).expect("few"));
        model.back = model.price - model.price * had / total;
        assert_eq!(minor(&done.to_sources), model.back, "{told}");
        model.recognised = model.price - model.back;
        model.state = State::Refunded;
    }
}

async fn check(shop: &Shop, contract: &str, model: &Model, told: &str) {
    let now = shop.get(contract).await;
    let expected = if model.state == State::Active && model.resting() { State::Frozen } else { model.state };
    assert_eq!(now.state(), expected, "{told}");
    let counts = (usize::try_from(now.used[0]).expect("few"), usize::try_from(now.reserved[0]).expect("few"));
    assert_eq!(counts, (model.had(), model.open()), "{told}");
    assert_eq!(minor(&now.recognised), model.recognised, "{told}");
    if model.had() == model.total && model.back == 0 {
        assert_eq!(model.recognised, model.price, "{told}: the last use takes the rest");
    }
    let owed: (i64, i64) = sqlx::query_as(
        "select posted_minor, reserved_minor from ledger_balance where account = 'prepaid_liability' and party = $1",
    )
    .bind(contract)
    .fetch_one(shop.house.db.pg.pool())
    .await
    .expect("a balance");
    let reserved: i64 = model.uses.iter().filter(|one| one.2).map(|one| one.1).sum();
    let debt = if model.state == State::Refunded { 0 } else { model.price - model.recognised };
    assert_eq!(owed, (debt, reserved), "{told}");
}
