//! How long it takes to reckon what the end of a prepaid contract gives back: from the message to the answer with all its
//! lines, without the wire. The contract is a card of a diligent customer, used a hundred times, with bonus money, a gift
//! and interest.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use payment::flows::prepaid::quote_refund_by_law::quote_refund_by_law;
use proto::{
    google::r#type::{Date, Money},
    payment::v1::{
        self as pb,
        refund_law_contract::{Gift, Plan, StoredValue, gift::Claim, stored_value::Charge},
    },
};

use super::{
    report::{Figure, Limit, Report},
    samples::Samples,
    scale::Scale,
};

/// How often the card was used.
const USES: usize = 100;

/// Measures, one quote after another on one thread.
pub fn measure(scale: &Scale, report: &mut Report) -> Result<()> {
    let requests = [pb::RefundCause::MerchantBreach, pb::RefundCause::ConsumerWish].map(request);
    let mut samples = Samples::default();
    for n in 0..scale.quotes {
        let request = requests.get(usize::from(n % 2 == 1)).context("there are two")?;
        let asked = Instant::now();
        let quote = quote_refund_by_law(request)?;
        samples.push(asked.elapsed());
        ensure!(quote.lines.len() > USES, "a line for each use");
    }
    let times = samples.times();
    let note = format!("a card with {USES} uses; one thread");
    let figure = Figure::new("refund-law quote, p99", times.p99, "ms", note).times(times);
    report.add(figure.limit(Limit::AtMost(1.0)));
    Ok(())
}

fn request(cause: pb::RefundCause) -> pb::QuoteRefundByLawRequest {
    let charge = Charge {
        date: day(7),
        item: "massage".to_owned(),
        quantity: 1,
        list_price: yuan(300),
        agreed_price: yuan(240),
        ..Charge::default()
    };
    let gift =
        Gift { display_name: "bathrobe".to_owned(), value: yuan(100), claim: Claim::Open.into(), ..Gift::default() };
    let plan = StoredValue { bonus: yuan(10_000), charges: vec![charge; USES] };
    let contract = pb::RefundLawContract {
        paid: yuan(30_000),
        sign_date: day(6),
        gifts: vec![gift],
        plan: Some(Plan::StoredValue(plan)),
        ..pb::RefundLawContract::default()
    };
    let request = pb::RefundLawRequest {
        cause: cause.into(),
        request_date: day(9),
        payout_date: day(12),
        ..pb::RefundLawRequest::default()
    };
    pb::QuoteRefundByLawRequest { contract: Some(contract), request: Some(request) }
}

/// The second of a month of 2025.
fn day(month: i32) -> Option<Date> {
    Some(Date { year: 2025, month, day: 2 })
}

fn yuan(units: i64) -> Option<Money> {
    Some(Money { currency_code: "CNY".to_owned(), units, nanos: 0 })
}
