//! Exports.

use futures_util::TryStreamExt;
use kernel::Timestamp;
use proto::{
    access::Role,
    payment::v1::{self as pb, PaymentFilter},
};
use tonic::{Code, Status};

use super::{Files, at, client};
use crate::{house::House, wire::refused};

const YEAR_2027: &str = "2027-01-01T00:00:00Z";

/// The pieces of an export of what a filter means from the beginning of 2027 to this moment.
async fn export(house: &House, filter: PaymentFilter) -> Result<Vec<String>, Status> {
    let start: Timestamp = YEAR_2027.parse().expect("a time");
    let filter = PaymentFilter { start_time: at(start), end_time: at(house.clock_now()), ..filter };
    let request = house.as_staff(pb::ExportPaymentsRequest { filter: Some(filter) }, Role::Finance, None);
    let bodies: Vec<_> = client(house).export_payments(request).await?.into_inner().try_collect().await?;
    assert!(bodies.iter().all(|body| body.content_type == "text/csv; charset=utf-8"));
    Ok(bodies.into_iter().map(|body| String::from_utf8(body.data.to_vec()).expect("UTF-8")).collect())
}

#[tokio::test]
async fn a_table_has_payments_with_their_refunds_and_fees_and_no_formula() {
    let files = Files::open().await;
    let pieces = export(&files.house, PaymentFilter::default()).await.expect("a table");
    let table = pieces.concat();
    let lines: Vec<&str> = table.split("\r\n").collect();
    assert!(lines[0].starts_with("\u{feff}kind,name,payment,order,customer,store,tender,"), "{}", lines[0]);
    let columns = |line: &str, wanted: &[usize]| {
        let cells: Vec<&str> = line.split(',').collect();
        wanted.iter().map(|at| cells[*at].to_owned()).collect::<Vec<_>>()
    };
    // Kind, payment, tender, state, currency, amount and fee.
    let wanted = [0, 2, 6, 8, 9, 10, 11];
    let shown: Vec<_> = lines[1..6].iter().map(|line| columns(line, &wanted)).collect();
    let (cash, wechat, failed) = (files.cash.as_str(), files.wechat.as_str(), files.failed.as_str());
    assert_eq!(
        shown,
        [
            ["payment", failed, "alipay_page", "failed", "CNY", "7.00", ""],
            ["payment", wechat, "wechat_native", "captured", "CNY", "40.00", "0.24"],
            ["refund", wechat, "wechat_native", "succeeded", "CNY", "-10.00", ""],
            ["refund", wechat, "wechat_native", "pending", "CNY", "-5.00", ""],
            ["payment", cash, "cash", "captured", "CNY", "60.00", ""],
        ]
    );
    assert!(lines[1].contains(",\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\","), "{}", lines[1]);
    assert!(lines[2].contains(",4200000001,"));
    assert_eq!(lines.len(), 7);
    let audited = "select count(*) from audit_entry where action = 'payment.records_exported'";
    assert_eq!(files.house.count(audited).await, 1);
}

#[tokio::test]
async fn a_long_export_comes_in_pieces_and_misses_nothing() {
    let house = House::open().await;
    let order = house.order_of(100, 0).await;
    let order: kernel::Uuid = order.trim_start_matches("orders/").parse().expect("an id");
    // Many of them at the same moment.
    sqlx::query(
        "insert into payment (id, order_id, position, purpose, tender, amount_minor, state, capture_time, create_time)
         select gen_random_uuid(), $1, n, 'balance', 'cash', n, 'captured', at, at
         from generate_series(1, 2500) as n cross join lateral (select '2027-02-01T00:00:00Z'::timestamptz
                                                                       + (n % 3) * interval '1 second' as at) as moment",
    )
    .bind(order)
    .execute(house.db.pg.pool())
    .await
    .expect("payments");
    let pieces = export(&house, PaymentFilter::default()).await.expect("a table");
    assert_eq!(pieces.len(), 4, "the columns, and a thousand payments at once");
    let table = pieces.concat();
    let mut amounts: Vec<f64> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(10).expect("an amount").parse().expect("a number"))
        .collect();
    amounts.sort_by(f64::total_cmp);
    let expected: Vec<f64> = (1..=2_500).map(|n| f64::from(n) / 100.0).collect();
    assert_eq!(amounts, expected, "each once");
}

#[tokio::test]
async fn an_export_is_of_a_stated_period_and_for_those_who_keep_the_books() {
    let files = Files::open().await;
    let now = files.house.clock_now();
    let hours = |hours| at(now + jiff::SignedDuration::from_hours(hours));
    for (field, start_time, end_time) in [
        ("filter.start_time", None, None),
        ("filter.start_time", None, at(now)),
        ("filter.end_time", at(now), None),
        ("filter.end_time", at(now), hours(-1)),
        ("filter.end_time", at(now), hours(367 * 24)),
    ] {
        let filter = Some(PaymentFilter { start_time, end_time, ..PaymentFilter::default() });
        let request = files.house.as_staff(pb::ExportPaymentsRequest { filter }, Role::Finance, None);
        let status = client(&files.house).export_payments(request).await.expect_err(field);
        assert_eq!((status.code(), super::fields(&status)), (Code::InvalidArgument, vec![field.to_owned()]));
    }
    let filter = Some(PaymentFilter { start_time: hours(-1), end_time: at(now), ..files.store() });
    let request = pb::ExportPaymentsRequest { filter };
    let member = files.house.as_member(request.clone());
    assert_eq!(refused(client(&files.house).export_payments(member).await).1, "ROLE_NOT_ALLOWED");
    let elsewhere = Some(kernel::ids::StoreId::from_uuid(crate::wire::fresh()));
    let bound = files.house.as_staff(request, Role::Finance, elsewhere);
    assert_eq!(refused(client(&files.house).export_payments(bound).await).1, "OTHER_STORE");
    assert_eq!(
        files.house.count("select count(*) from audit_entry where action = 'payment.records_exported'").await,
        0
    );
}
