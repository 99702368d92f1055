//! Each kind of break, told by the very files that providers make.

use payment::{domain::reconciliation::DayName, peers::BillKind};
use proto::payment::v1::day_proof::State;

use super::{
    DAY, breaks,
    formats::{alipay, header, upload, wechat},
    kinds::{EVENTFUL, eventful},
    kinds_of,
};
use crate::{house::House, shop::Shop, wire::minor};

/// Sends the bills of two days, of which the second must lead to these breaks, and proves itself.
async fn leads_to(house: &House, provider: &str, files: [Vec<u8>; 2], expected: &[(&str, i64)]) {
    let days = [DAY.yesterday().expect("in time"), DAY];
    let names = days.map(|date| DayName { provider: provider.to_owned(), date });
    for (name, file) in names.iter().zip(&files) {
        let proof = upload(house, header(&name.to_string(), file), file).await.expect("taken in");
        let [theirs, ours] = [(&proof.sales, &proof.refunds), (&proof.our_sales, &proof.our_refunds)]
            .map(|(sales, refunds)| minor(sales) - minor(refunds));
        assert_eq!(proof.state(), State::Reconciled);
        assert_eq!(theirs - ours, minor(&proof.in_breaks) + minor(&proof.on_other_days));
    }
    assert_eq!(kinds_of(house, &names[1]).await, expected);
    assert!(breaks(house, &names[1]).await.iter().all(|of| of.resolved.is_none()));
}

#[tokio::test]
async fn the_trade_bill_of_wechat_pay_tells_every_kind() {
    let shop = Shop::open(true).await;
    let (before, day) = eventful(&shop, "wechat_native").await;
    let files = [before, day].map(|lines| wechat(&lines).into_bytes());
    leads_to(&shop, "wechat", files, &EVENTFUL).await;
}

#[tokio::test]
async fn the_archive_of_alipay_tells_every_kind_that_it_can_state() {
    let shop = Shop::open(true).await;
    let (before, mut day) = eventful(&shop, "alipay_in_store").await;
    // It states no currency, and nothing that was undone: what would be so is missing.
    day.retain(|line| line.currency == "CNY" && line.kind != BillKind::Revoked);
    let mut expected: Vec<_> = EVENTFUL.to_vec();
    for (kind, difference) in &mut expected {
        if *kind == "currency" || (*kind, *difference) == ("state", -700) {
            *kind = "missing_there";
        }
    }
    expected.sort_unstable();
    leads_to(&shop, "alipay", [before, day].map(|lines| alipay(&lines)), &expected).await;
}
