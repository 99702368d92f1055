//! Alipay over real HTTP, against the sandbox that speaks its protocol.

mod bills;
mod calls;
mod faults;
mod notices;
mod preauth;

use payment::domain::Action;
use proto::payment::v1 as pb;

use crate::shop::Shop;

/// By public key, and by certificates.
const MODES: [bool; 2] = [true, false];

/// What the customer opens, whichever side shows it.
fn order_of(action: &Action) -> String {
    match action {
        Action::Open { uri } => uri.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default(),
        Action::App { order } => order.clone(),
        _ => String::new(),
    }
}

/// The customer opens the page of a payment.
fn open(shop: &Shop, payment: &pb::Payment) {
    let query = payment.pay_uri.split_once('?').expect("a query").1;
    let number = shop.alipay.open(query).expect("the merchant's order");
    assert_eq!(number, Shop::number(payment));
}
