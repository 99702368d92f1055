//! Bills by chance: whatever they say, each day is proven, and at the end what lies with the provider is what it says.
//!
//! `make sim SEED=17` runs one seed again.

use jiff::ToSpan;
use kernel::Uuid;
use payment::peers::{BillKind, BillLine};

use super::{DAY, Office, gone, noon, sold};
use crate::{dice::Dice, seeds::seeds, wire::fresh};

/// How many seeds are run if nothing else is said.
const SEEDS: u64 = 40;
const SALES: usize = 6;

struct Draw<'a> {
    office: &'a Office,
    dice: Dice,
    days: [jiff::civil::Date; 3],
    bills: [Vec<BillLine>; 3],
    captured: i64,
}

impl Draw<'_> {
    fn minor(&mut self) -> i64 {
        i64::try_from(self.dice.roll(500)).expect("small") + 1
    }

    /// Something that we have, or have not; and what the bills say of it.
    async fn sale(&mut self) {
        let (minor, day, done) = (self.minor(), self.dice.roll(3), self.dice.roll(5) > 0);
        let sale = self.office.sale(minor, done.then(|| noon(self.days[day]))).await;
        self.captured += if done { minor } else { 0 };
        self.tell(day, minor, &|minor| sold(sale, minor));
        if self.dice.roll(6) == 0 {
            let undone = BillLine { kind: BillKind::Revoked, fee_fine: 0, ..sold(sale, minor) };
            self.bills[day].push(undone);
        }
        if done && self.dice.roll(2) == 0 {
            let (part, day, done) = ((minor + 1) / 2, self.dice.roll(3), self.dice.roll(4) > 0);
            let back = self.office.refund(sale, part, done.then(|| noon(self.days[day]))).await;
            self.captured -= if done { part } else { 0 };
            self.tell(day, part, &|minor| gone(sale, back, minor));
        }
    }

    fn tell(&mut self, day: usize, minor: i64, line: &dyn Fn(i64) -> BillLine) {
        let other = self.dice.roll(3);
        match self.dice.roll(9) {
            0 => {}
            1 => self.bills[other].push(line(minor)),
            2 => self.bills[day].push(line(minor + 3)),
            3 => self.bills[day].extend([line(minor), line(minor)]),
            4 => {
                self.bills[day].push(line(minor));
                self.bills[other].push(line(minor));
            }
            5 if minor > 1 => self.bills[day].extend([line(1), line(minor - 1)]),
            6 => self.bills[day].push(BillLine { currency: "USD".to_owned(), ..line(minor) }),
            _ => self.bills[day].push(line(minor)),
        }
    }

    fn strangers(&mut self) {
        for _ in 0..self.dice.roll(3) {
            let (day, minor) = (self.dice.roll(3), self.minor());
            let line = if self.dice.roll(2) == 0 { sold(fresh(), minor) } else { gone(fresh(), Uuid::nil(), minor) };
            self.bills[day].push(line);
        }
    }
}

#[tokio::test]
async fn what_lies_with_the_provider_is_what_its_bills_say() {
    let office = Office::open().await;
    for seed in seeds(SEEDS) {
        // Each seed has three days to itself.
        let first = DAY.checked_add((3 * i64::try_from(seed % 100_000).expect("small")).days()).expect("in time");
        let days = [0, 1, 2].map(|n: i64| first.checked_add(n.days()).expect("in time"));
        let before = (office.balance("provider_receivable").await, office.balance("provider_fees").await);
        let bills = Default::default();
        let mut draw = Draw { office: &office, dice: Dice::new(seed), days, bills, captured: 0 };
        for _ in 0..SALES {
            draw.sale().await;
        }
        draw.strangers();
        let (mut said, mut kept) = (0, 0);
        for (day, bill) in draw.days.into_iter().zip(&draw.bills) {
            assert!(office.book(day, bill).await, "SIM_SEED={seed}: {bill:?}");
            for line in bill.iter().filter(|line| line.currency == "CNY") {
                kept += line.fee_fine / 1_000;
                said += match line.kind {
                    BillKind::Sale => line.amount_minor,
                    BillKind::Refund => -line.amount_minor,
                    BillKind::Revoked => 0,
                };
            }
        }
        // What was captured is stored here and not booked; the bills book what differs, and the fees.
        let there = draw.captured + office.balance("provider_receivable").await - before.0;
        assert_eq!(there, said - kept, "SIM_SEED={seed}: {:?}", draw.bills);
        assert_eq!(office.balance("provider_fees").await - before.1, kept, "SIM_SEED={seed}");
    }
}
