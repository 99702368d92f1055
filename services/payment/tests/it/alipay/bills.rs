//! The bill of a day, downloaded and read.

use std::time::Duration;

use jiff::civil::date;
use payment::peers::{BillKind, BillLine, BillTotals};
use proto::payment::v1::payment::Tender;

use super::MODES;
use crate::shop::Shop;

#[tokio::test]
async fn the_bills_of_two_days_say_what_happened() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        let (order, payment) = shop.deposit(Tender::AlipayInStore).await;
        shop.alipay.pay(&Shop::number(&payment)).expect("paid");
        shop.alipay.deliver_due().await;
        shop.clock.advance(Duration::from_secs(24 * 3_600));
        shop.close(&order, None).await;
        shop.send_refunds().await;

        let read = async |day| {
            let mut lines: Vec<BillLine> = Vec::new();
            let mut sink = |line| {
                lines.push(line);
                Ok(())
            };
            let totals = shop.alipay_client.trade_bill(day, &mut sink).await.expect("read").map(|bill| bill.totals);
            (totals, lines)
        };
        let (totals, lines) = read(date(2027, 3, 1)).await;
        let expected = BillTotals { lines: 1, sales_minor: 6_000, refunds_minor: 0, fees_fine: 36_000 };
        assert_eq!((totals, lines[0].kind), (Some(expected), BillKind::Sale));
        assert_eq!(lines[0].payment, Shop::number(&payment));
        let known: String = sqlx::query_scalar("select transaction_id from payment where transaction_id is not null")
            .fetch_one(shop.db.pg.pool())
            .await
            .expect("known");
        assert_eq!(lines[0].transaction, known);
        let (totals, lines) = read(date(2027, 3, 2)).await;
        let expected = BillTotals { lines: 1, sales_minor: 0, refunds_minor: 6_000, fees_fine: -36_000 };
        assert_eq!((totals, lines[0].kind), (Some(expected), BillKind::Refund));
        assert_eq!(read(date(2027, 3, 3)).await, (None, vec![]), "a day on which nothing happened");
    }
}
