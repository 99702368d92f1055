//! Bills, downloaded and read.

use std::time::Duration;

use jiff::civil::date;
use payment::{
    peers::{BillKind, BillLine, BillTotals, wechat::FundTotals},
    sandbox::wechat::SpoiltBill,
};
use proto::payment::v1::payment::Tender;

use super::MODES;
use crate::shop::Shop;

/// A shop that took 60 yuan twice on the first of March, and gave them back once on the second.
async fn busy(public_key: bool) -> Shop {
    let shop = Shop::open(public_key).await;
    let (order, payment) = shop.deposit(Tender::WechatNative).await;
    let (_, other) = shop.deposit(Tender::WechatNative).await;
    for payment in [&payment, &other] {
        shop.wechat.pay(&Shop::number(payment)).expect("paid");
    }
    super::delivered(&shop).await;
    shop.clock.advance(Duration::from_secs(24 * 3_600));
    shop.close(&order, None).await;
    shop.send_refunds().await;
    shop.wechat.finish_refunds().expect("done");
    super::delivered(&shop).await;
    shop
}

#[tokio::test]
async fn the_bills_of_two_days_say_what_happened() {
    for mode in MODES {
        let shop = busy(mode).await;
        let read = async |day| {
            let mut lines: Vec<BillLine> = Vec::new();
            let mut sink = |line| {
                lines.push(line);
                Ok(())
            };
            let totals = shop.wechat_client.trade_bill(day, &mut sink).await.expect("read").map(|bill| bill.totals);
            (totals, lines)
        };
        let (totals, lines) = read(date(2027, 3, 1)).await;
        let expected = BillTotals { lines: 2, sales_minor: 12_000, refunds_minor: 0, fees_fine: 72_000 };
        assert_eq!(totals, Some(expected));
        assert!(lines.iter().all(|line| line.kind == BillKind::Sale && line.amount_minor == 6_000));
        let ours = "select count(*) from payment where transaction_id = $1 and replace(id::text, '-', '') = $2";
        for line in &lines {
            let known: i64 = sqlx::query_scalar(ours)
                .bind(&line.transaction)
                .bind(&line.payment)
                .fetch_one(shop.db.pg.pool())
                .await
                .expect("a count");
            assert_eq!(known, 1, "a line leads to its payment: {line:?}");
        }
        let (totals, lines) = read(date(2027, 3, 2)).await;
        let expected = BillTotals { lines: 1, sales_minor: 0, refunds_minor: 6_000, fees_fine: -36_000 };
        assert_eq!((totals, lines[0].kind), (Some(expected), BillKind::Refund));
        assert_eq!(read(date(2027, 3, 3)).await, (None, vec![]), "a day on which nothing happened");

        let mut movements = 0;
        let mut sink = |_| {
            movements += 1;
            Ok(())
        };
        let totals = shop.wechat_client.fund_bill(date(2027, 3, 2), &mut sink).await.expect("read");
        let expected = FundTotals { income_lines: 0, income: 0, expense_lines: 1, expense: 6_000 };
        assert_eq!((totals, movements), (Some(expected), 1));
    }
}

#[tokio::test]
async fn a_spoilt_bill_is_refused() {
    let shop = busy(true).await;
    for (how, reason) in
        [(SpoiltBill::Cut, "BILL_BROKEN"), (SpoiltBill::Changed, "BILL_BROKEN"), (SpoiltBill::Foreign, "BILL_FOREIGN")]
    {
        shop.wechat.spoil_bills(Some(how));
        let error = shop.wechat_client.trade_bill(date(2027, 3, 1), &mut |_| Ok(())).await.expect_err("refused");
        assert_eq!(error.reason(), reason, "{how:?}");
    }
    shop.wechat.spoil_bills(None);
    shop.wechat_client.trade_bill(date(2027, 3, 1), &mut |_| Ok(())).await.expect("read");
}
