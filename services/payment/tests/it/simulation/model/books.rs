//! How everything must look from outside, the books included: worked out from where everything is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    How, Model, Order, Subject,
    orders::{PayState, State},
};

/// Where money that was paid in this way lies; what was paid ahead lies nowhere.
fn place(how: How) -> Option<&'static str> {
    Some(match how {
        How::Sandbox => "provider_receivable providers/sandbox",
        How::Wechat => "provider_receivable providers/wechat",
        How::Alipay => "provider_receivable providers/alipay",
        How::Terminal => "card_terminal",
        How::Cash => "cash_drawer",
        How::Card => return None,
    })
}

impl Model {
    /// What is seen from outside.
    pub fn face(&self) -> Value {
        json!({
            "orders": self.orders.iter().map(face_of).collect::<Vec<_>>(),
            "cards": self.cards(),
            "lots": self.lots(),
            "contracts": self.contracts(),
            "books": self.books(),
            "wrong": [],
        })
    }

    /// The balance of each account; what is owed is below zero.
    fn books(&self) -> BTreeMap<&'static str, i64> {
        let mut books: BTreeMap<&'static str, i64> = BTreeMap::new();
        let mut book = |account: &'static str, fen: i64| *books.entry(account).or_default() += fen;
        for order in &self.orders {
            for pay in order.pays.iter().filter(|pay| matches!(pay.state, PayState::Captured | PayState::Surplus)) {
                if let Some(place) = place(pay.how) {
                    book(place, pay.fen);
                }
            }
            for back in &order.backs {
                match (back.done, place(order.pays[back.pay].how)) {
                    (false, _) => book("refunds_payable", -back.fen),
                    (true, Some(place)) => book(place, -back.fen),
                    (true, None) => {}
                }
            }
            match (order.state, order.subject, order.kept) {
                (State::Open | State::DepositPaid, ..) => book("customer_deposits", -order.paid),
                (State::Paid, Subject::Visit, _) => book("takings", order.back() - order.paid),
                (State::Closed, Subject::Visit, (kept, true)) => book("takings", -kept),
                (State::Closed, _, (kept, false)) => book("forfeited_deposits", -kept),
                _ => {}
            }
        }
        if let Some(purse) = &self.purse {
            book("stored_value_principal", -purse.open()[0]);
            book("stored_value_bonus", -purse.open()[1]);
            book("promotion_expense", purse.promotion);
        }
        if let Some(contract) = &self.contract {
            book("prepaid_liability", -contract.owed());
            book("takings", -contract.earned());
            book("refunds_payable", -contract.beyond - contract.by_hand);
        }
        books.retain(|_, fen| *fen != 0);
        books
    }

    fn cards(&self) -> Vec<Value> {
        let Some(purse) = &self.purse else { return Vec::new() };
        let old = (0..purse.replaced).map(|_| json!(["closed", 0, 0, 0, 0]));
        let (open, held) = (purse.open(), purse.held());
        old.chain([json!([purse.state, open[0], held[0], open[1], held[1]])]).collect()
    }

    fn lots(&self) -> Vec<Value> {
        let lots = self.purse.iter().flat_map(|purse| &purse.lots);
        let money = |lot: &super::purse::Lot| {
            json!([lot.brought[0], lot.open[0], lot.held[0], lot.spent[0], lot.refunded, lot.expired[0]])
        };
        let bonus =
            |lot: &super::purse::Lot| json!([lot.brought[1], lot.open[1], lot.held[1], lot.spent[1], lot.expired[1]]);
        lots.map(|lot| json!([money(lot), bonus(lot)])).collect()
    }

    fn contracts(&self) -> Vec<Value> {
        let one = |of: &super::Contract| {
            let over = if of.over == 0 { Value::Null } else { json!(of.over) };
            let uses: Vec<&str> = of.uses.iter().map(|one| one.state).collect();
            json!([of.state, over, of.recognised, of.owed(), of.reserved(), uses])
        };
        self.contract.iter().map(one).collect()
    }
}

fn face_of(order: &Order) -> Value {
    let off: i64 = order.lines.iter().map(|line| line[1]).sum();
    let lines: Vec<Value> = order.lines.iter().map(|line| json!([line[0], line[1]])).collect();
    let pay = |pay: &super::orders::Pay| {
        let (state, surplus) = pay.state.words();
        json!([pay.how.word(), pay.fen, state, surplus])
    };
    let pays: Vec<Value> = order.pays.iter().map(pay).collect();
    let backs = order.backs.iter().map(|back| json!([back.pay, back.fen, back.done, back.lowered]));
    json!({
        "state": order.state.word(),
        "figures": [order.total(), off, order.paid, order.refunded],
        "lines": lines,
        "pays": pays,
        "backs": backs.collect::<Vec<_>>(),
    })
}
