//! Bills as they are fetched: each morning by the worker, or when finance asks; and those that are refused.

use std::time::Duration;

use jiff::civil::date;
use payment::{sandbox::wechat::SpoiltBill, worker::reconcile_due};
use proto::payment::v1::{
    self as pb,
    day_proof::State,
    payment::Tender,
    reconciliation_break::{Kind, Resolution},
};
use tonic::Code;

use super::{as_finance, client, name};
use crate::{
    shop::Shop,
    wire::{fresh, minor, refused},
};

const HOUR: Duration = Duration::from_secs(3_600);

/// A shop that took 60 yuan twice on the first of March, at eleven o'clock of the second.
async fn busy() -> Shop {
    let shop = Shop::open(true).await;
    for _ in 0..2 {
        let (_, payment) = shop.deposit(Tender::WechatNative).await;
        shop.wechat.pay(&Shop::number(&payment)).expect("paid");
    }
    shop.wechat.deliver_due().await;
    shop.clock.advance(26 * HOUR);
    shop
}

fn first_of_march(shop: &Shop) -> tonic::Request<pb::ReconcileDayRequest> {
    let name = name(date(2027, 3, 1)).to_string();
    as_finance(shop, pb::ReconcileDayRequest { name, request_id: fresh().to_string() })
}

async fn proof(shop: &Shop) -> Result<pb::DayProof, tonic::Status> {
    let request = pb::GetDayProofRequest { name: name(date(2027, 3, 1)).to_string() };
    client(shop).get_day_proof(as_finance(shop, request)).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn the_worker_matches_what_is_due_once() {
    let shop = busy().await;
    let mut days = 0;
    while reconcile_due(&shop.app).await.expect("a step") > 0 {
        days += 1;
    }
    assert_eq!(days, 14, "seven days of two providers");
    let proof = proof(&shop).await.expect("a proof");
    assert_eq!((proof.state(), proof.lines, proof.matched, proof.breaks), (State::Reconciled, 2, 2, 0));
    assert_eq!((minor(&proof.sales), minor(&proof.our_sales), minor(&proof.fees)), (12_000, 12_000, 72));
    assert_eq!(proof.sha256.len(), 64);
    let balances = shop.balances().await;
    assert_eq!((balances["provider_fees"], balances["provider_receivable"]), (72, 12_000 - 72));
    for finding in payment::flows::audit::audit(&shop.db.pg, |_| {}).await.expect("looked") {
        assert!(finding.breaches.is_empty(), "{finding:?}");
    }
}

#[tokio::test]
async fn a_request_is_answered_alike_for_ever() {
    let shop = busy().await;
    let name = name(date(2027, 3, 1)).to_string();
    let request = pb::ReconcileDayRequest { name, request_id: fresh().to_string() };
    let mut client = client(&shop);
    let first = client.reconcile_day(as_finance(&shop, request.clone())).await.expect("matched").into_inner();
    let again = client.reconcile_day(as_finance(&shop, request)).await.expect("replayed").into_inner();
    let other = client.reconcile_day(first_of_march(&shop)).await.expect("found").into_inner();
    assert_eq!((&first, &first), (&again, &other));
    assert_eq!(shop.balances().await["provider_fees"], 72, "booked once");
}

#[tokio::test]
async fn a_bill_that_is_cut_changed_or_foreign_counts_for_nothing_and_is_noted() {
    let shop = busy().await;
    let spoilt =
        [(SpoiltBill::Cut, "BILL_BROKEN"), (SpoiltBill::Changed, "BILL_BROKEN"), (SpoiltBill::Foreign, "BILL_FOREIGN")];
    for (how, reason) in spoilt {
        shop.wechat.spoil_bills(Some(how));
        for _ in 0..2 {
            let answer = refused(client(&shop).reconcile_day(first_of_march(&shop)).await);
            assert_eq!(answer, (Code::FailedPrecondition, reason.to_owned()), "{how:?}");
        }
        let proof = proof(&shop).await.expect("noted");
        assert_eq!((proof.state(), proof.refusal.as_str(), proof.lines), (State::Refused, reason, 0));
    }
    assert_eq!(shop.count("select count(*) from bill_line").await, 0);
    assert!(!shop.balances().await.contains_key("provider_fees"));
    let breaks = client(&shop).list_breaks(as_finance(&shop, pb::ListBreaksRequest::default())).await.expect("a page");
    let breaks = breaks.into_inner().breaks;
    assert_eq!((breaks.len(), breaks[0].kind()), (1, Kind::UnknownMerchant), "once, however often it comes");
    let request = pb::ResolveBreakRequest {
        name: breaks[0].name.clone(),
        resolution: Resolution::Explained.into(),
        note: "the sandbox was told so".to_owned(),
        request_id: fresh().to_string(),
    };
    client(&shop).resolve_break(as_finance(&shop, request)).await.expect("worked off");

    shop.wechat.spoil_bills(None);
    let sound = client(&shop).reconcile_day(first_of_march(&shop)).await.expect("matched").into_inner();
    assert_eq!((sound.state(), sound.refusal.as_str(), sound.matched), (State::Reconciled, "", 2));
    assert_eq!((sound.breaks, sound.open_breaks), (1, 0));
}

#[tokio::test]
async fn what_cannot_be_matched_is_refused() {
    let shop = Shop::open(true).await;
    let ask = async |name: &str| {
        let request = pb::ReconcileDayRequest { name: name.to_owned(), request_id: fresh().to_string() };
        refused(client(&shop).reconcile_day(as_finance(&shop, request)).await)
    };
    // It is nine o'clock of the first of March.
    for (name, code, reason) in [
        ("providers/wechat/dayProofs/2027-02-28", Code::FailedPrecondition, "BILL_NOT_READY"),
        ("providers/wechat/dayProofs/2027-03-01", Code::FailedPrecondition, "BILL_NOT_READY"),
        ("providers/wechat/dayProofs/9999-12-31", Code::InvalidArgument, "INVALID_ARGUMENT"),
        ("providers/sandbox/dayProofs/2027-02-27", Code::FailedPrecondition, "NO_BILLS"),
        ("providers/nobody/dayProofs/2027-02-27", Code::NotFound, "NOT_FOUND"),
        ("providers/wechat/dayProofs/yesterday", Code::InvalidArgument, "INVALID_ARGUMENT"),
    ] {
        let (answered, because) = ask(name).await;
        assert_eq!(answered, code, "{name}: {because}");
        assert!(because == reason || code == Code::InvalidArgument, "{name}: {because}");
    }
    assert_eq!(proof(&shop).await.expect_err("none").code(), Code::NotFound);
    assert_eq!(shop.count("select count(*) from day_proof").await, 0);
}
