//! Each kind of break.

use payment::peers::{BillKind, BillLine};

use super::{DAY, Office, gone, name, noon, refund, sale, sold};
use crate::{house::House, wire::fresh};

#[tokio::test]
async fn what_fits_is_no_break_and_proves_the_day() {
    let office = Office::open().await;
    let (one, two) = (office.sale(6_000, Some(noon(DAY))).await, office.sale(10_000, Some(noon(DAY))).await);
    let back = office.refund(two, 2_500, Some(noon(DAY))).await;
    let lines = [sold(one, 6_000), sold(two, 10_000), gone(two, back, 2_500)];
    assert!(office.book(DAY, &lines).await);
    assert_eq!(office.kinds(DAY).await, []);
    let mut conn = office.house.db.pg.conn().await.expect("a connection");
    let proof = payment::db::reconciliation::find(&mut conn, &name(DAY)).await.expect("read").expect("a proof");
    assert_eq!((proof.lines, proof.matched, proof.breaks, proof.refusal), (3, 3, 0, None));
    let sums = [proof.sales, proof.refunds, proof.our_sales, proof.our_refunds, proof.in_breaks, proof.on_other_days];
    assert_eq!(sums.map(|sum| sum.minor()), [16_000, 2_500, 16_000, 2_500, 0, 0]);
    assert_eq!((proof.fees.minor(), proof.sha256), (36 + 60 - 15, "07".repeat(32)));
    assert_eq!((office.balance("provider_fees").await, office.balance("provider_receivable").await), (81, -81));

    // Matched once: the same again, or another bill of that day, changes nothing.
    assert!(!office.book(DAY, &lines).await);
    assert!(!office.book(DAY, &[]).await);
    assert_eq!((office.kinds(DAY).await, office.balance("provider_fees").await), (vec![], 81));
}

/// What [`eventful`] leads to, sorted.
pub const EVENTFUL: [(&str, i64); 18] = [
    ("amount", -10),
    ("amount", 1),
    ("currency", -500),
    ("date", 0),
    ("duplicate", 7),
    ("duplicate", 300),
    ("fee", 0),
    ("late", 0),
    ("missing_here", -400),
    ("missing_here", 2_000),
    ("missing_there", -1_000),
    ("missing_there", 300),
    ("refund_without_sale", -60),
    ("refund_without_sale", -1),
    ("split", 0),
    ("state", -700),
    ("state", -150),
    ("state", 800),
];

/// The bill of [`DAY`] with breaks of each kind, and that of the day before, on which a line of it was already.
pub async fn eventful(house: &House, tender: &str) -> (Vec<BillLine>, Vec<BillLine>) {
    let (before, after) = (DAY.yesterday().expect("in time"), DAY.tomorrow().expect("in time"));
    let today = Some(noon(DAY));
    let sale = async |minor, captured| sale(house, tender, minor, captured).await;
    let refund = async |of, minor, done| refund(house, of, minor, done).await;
    let repeated = sale(7, Some(noon(before))).await;

    let mut lines = Vec::new();
    // Missing there: a sale and a refund.
    let missing = sale(1_000, today).await;
    refund(missing, 300, today).await;
    // Missing here: a number that is none of ours, and a refund that we know nothing of.
    lines.push(BillLine { payment: "order-7".to_owned(), ..sold(fresh(), 2_000) });
    let known = sale(900, today).await;
    lines.extend([sold(known, 900), gone(known, fresh(), 400)]);
    // Amounts.
    let (more, less) = (sale(5_000, today).await, sale(5_000, today).await);
    lines.extend([sold(more, 5_001), sold(less, 4_990)]);
    // A fee.
    let dear = sale(6_000, today).await;
    lines.push(BillLine { fee_fine: 60_000, ..sold(dear, 6_000) });
    // States: paid there and pending here; undone there and captured here; back there and on its way here.
    let pending = sale(800, None).await;
    let undone = sale(700, today).await;
    let (of, going) = (sale(600, today).await, sale(1, None).await);
    let on_its_way = refund(of, 150, None).await;
    let undone = BillLine { kind: BillKind::Revoked, fee_fine: 0, state: "REVOKED".to_owned(), ..sold(undone, 700) };
    lines.extend([sold(pending, 800), undone, sold(of, 600), gone(of, on_its_way, 150)]);
    // A currency.
    let abroad = sale(500, today).await;
    lines.push(BillLine { currency: "USD".to_owned(), ..sold(abroad, 500) });
    // A line of another day, which we too have there.
    let dated = sale(400, today).await;
    lines.push(BillLine { time: noon(after), ..sold(dated, 400) });
    // Twice on this bill, and once on one before.
    let twice = sale(300, today).await;
    lines.extend([sold(twice, 300), sold(twice, 300), sold(repeated, 7)]);
    // Something back that never came: nothing of it is ours, or only a sale that nobody has paid.
    lines.extend([gone(fresh(), fresh(), 60), gone(going, fresh(), 1)]);
    // In parts.
    let parts = sale(1_000, today).await;
    lines.extend([sold(parts, 400), sold(parts, 600)]);
    // On another day with us.
    let late = sale(50, Some(noon(after))).await;
    lines.push(sold(late, 50));
    (vec![BillLine { time: noon(before), ..sold(repeated, 7) }], lines)
}

#[tokio::test]
async fn every_kind_is_told_apart() {
    let office = Office::open().await;
    let (before, lines) = eventful(&office.house, "wechat_native").await;
    assert!(office.book(DAY.yesterday().expect("in time"), &before).await);
    assert!(office.book(DAY, &lines).await, "the proof adds up");
    assert_eq!(office.kinds(DAY).await, EVENTFUL);
    let differences: i64 = EVENTFUL.iter().map(|(_, difference)| difference).sum();
    assert_eq!(office.balance("suspense").await, -differences);
    // What is about a sale of ours is at its store, and all else at the head office.
    for of in office.breaks(DAY).await {
        let ours = of.payment.is_some();
        assert_eq!(of.store, ours.then_some(office.house.store), "{of:?}");
        assert!(of.name.number > 0 && of.resolved.is_none());
    }
}

#[tokio::test]
async fn what_arrives_on_a_later_bill_settles_itself() {
    let office = Office::open().await;
    let after = DAY.tomorrow().expect("in time");
    let sale = office.sale(1_000, Some(noon(DAY))).await;
    let back = office.refund(sale, 300, Some(noon(DAY))).await;
    office.book(DAY, &[]).await;
    assert_eq!(office.kinds(DAY).await, [("missing_there", -1_000), ("missing_there", 300)]);
    assert_eq!(office.balance("suspense").await, 700);
    office.book(after, &[sold(sale, 1_000), gone(sale, back, 300)]).await;
    assert_eq!(office.balance("suspense").await, 0);
    let settled = office.breaks(DAY).await;
    assert!(settled.iter().all(|of| of.resolved.is_some()), "{settled:?}");
    let told = office.kinds(after).await;
    assert_eq!(told, [("date", 0), ("date", 0), ("late", 0), ("late", 0)]);
}
