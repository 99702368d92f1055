use proptest::prelude::*;

use super::*;
use crate::peers::{
    bill::{BillKind, BillLine, BillTotals},
    crypto::Sha1,
    testdata,
};

const HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
                      应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,\
                      手续费,费率,订单金额,申请退款金额,费率备注";

const SUMS: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

fn sale(number: &str, yuan: &str, name: &str) -> String {
    format!(
        "`2026-03-01 10:00:00,`wx1,`1900000001,`0,`,`4200001,`{number},`o1,`JSAPI,`SUCCESS,`OTHERS,`CNY,`{yuan},`0.00,`0,`0,`0.00,\
         `0.00,`,`,`{name},`,`0.36000,`0.60%,`{yuan},`0.00,`"
    )
}

fn refund(number: &str, refund: &str, yuan: &str) -> String {
    format!(
        "`2026-03-01 11:00:00,`wx1,`1900000001,`0,`,`4200001,`{number},`o1,`JSAPI,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`503001,`{refund},\
         `{yuan},`0.00,`ORIGINAL,`SUCCESS,`按摩,`,`-0.12000,`0.60%,`0.00,`{yuan},`"
    )
}

fn bill(lines: &[String], sums: &str) -> String {
    format!("\u{feff}{HEADER}\r\n{}\r\n{SUMS}\r\n{sums}\r\n", lines.join("\r\n"))
}

fn sound() -> String {
    let lines = [sale("a1", "60.00", "肩颈按摩"), sale("a2", "0.07", "tea, hot, `two`"), refund("a1", "r1", "20.00")];
    bill(&lines, "`3.0,`60.07,`20.00,`0.0,`0.6,`60.07,`20.0")
}

fn sha1(text: &[u8]) -> String {
    let mut sha1 = Sha1::new();
    sha1.update(text);
    sha1.hex()
}

/// Reads a bill that comes in pieces of so many bytes.
fn read(text: &[u8], sha1: &str, size: usize) -> Result<(BillTotals, Vec<BillLine>)> {
    let (mut bill, mut lines) = (TradeBill::new("1900000001"), Vec::new());
    let mut sink = |line| {
        lines.push(line);
        Ok(())
    };
    for piece in text.chunks(size.max(1)) {
        bill.push(piece, &mut sink)?;
    }
    let totals = bill.finish(sha1, &mut sink)?;
    Ok((totals, lines))
}

fn reason(text: &str) -> &'static str {
    read(text.as_bytes(), &sha1(text.as_bytes()), 4_096).map(drop).map_or_else(|error| error.reason(), |()| "")
}

#[test]
fn a_bill_is_read_exactly_however_it_is_cut_into_pieces() {
    let text = sound();
    for size in [1, 2, 3, 7, 64, 100_000] {
        let (totals, lines) = read(text.as_bytes(), &sha1(text.as_bytes()), size).expect("read");
        let expected = BillTotals { lines: 3, sales_minor: 6_007, refunds_minor: 2_000, fees_fine: 60_000 };
        assert_eq!(totals, expected, "{size}");
        assert_eq!(lines[0].time.to_string(), "2026-03-01T02:00:00Z");
        let told: Vec<_> =
            lines.iter().map(|of| (of.kind, of.payment.as_str(), of.refund.as_str(), of.amount_minor)).collect();
        let expected =
            [(BillKind::Sale, "a1", "", 6_000), (BillKind::Sale, "a2", "", 7), (BillKind::Refund, "a1", "r1", 2_000)];
        assert_eq!(told, expected, "{size}");
        assert_eq!((lines[0].fee_fine, lines[2].fee_fine), (36_000, -12_000));
    }
}

#[test]
fn a_day_without_trade_has_a_bill_of_nothing() {
    let text = format!("{HEADER}\n{SUMS}\n`0,`0.00,`0.00,`0.00,`0.00,`0.00,`0.00\n");
    assert_eq!(read(text.as_bytes(), &sha1(text.as_bytes()), 9).expect("read"), (BillTotals::default(), vec![]));
}

#[test]
fn a_bill_that_was_cut_or_changed_is_refused() {
    let (text, sum) = (sound(), sha1(sound().as_bytes()));
    let whole = read(text.as_bytes(), &sum, 64).expect("read");
    for end in (0..text.len()).step_by(11) {
        let cut = &text.as_bytes()[..end];
        assert!(read(cut, &sum, 64).is_err(), "cut at {end}");
        // Even with a digest to fit, but for the end of the last number: `20` is `20.0`.
        assert!(
            read(cut, &sha1(cut), 64).is_err() || read(cut, &sha1(cut), 64).is_ok_and(|of| of == whole),
            "cut at {end}"
        );
    }
    let error = read(text.replace("60.00", "61.00").as_bytes(), &sum, 64).expect_err("changed");
    assert_eq!(error.reason(), "BILL_BROKEN");
}

#[test]
fn what_does_not_add_up_or_is_not_ours_is_refused() {
    let one = || vec![sale("a1", "60.00", "x")];
    let sums = "`1.0,`60.00,`0.0,`0.0,`0.36,`60.00,`0.0";
    assert_eq!(reason(&bill(&one(), sums)), "");
    for (text, expected) in [
        (bill(&one(), "`2.0,`60.00,`0.0,`0.0,`0.36,`60.00,`0.0"), "BILL_BROKEN"),
        (bill(&one(), "`1.0,`60.00,`0.0,`0.0,`0.36,`60.01,`0.0"), "BILL_BROKEN"),
        (bill(&one(), "`1.0,`60.00,`0.0,`0.0,`0.38,`60.00,`0.0"), "BILL_BROKEN"),
        (bill(&one(), "`1.5,`60.00,`0.0,`0.0,`0.36,`60.00,`0.0"), "BILL_UNREADABLE"),
        (bill(&one(), sums).replace("1900000001", "1900000002"), "BILL_FOREIGN"),
        (bill(&[sale("a1", "60.001", "x")], sums), "BILL_UNREADABLE"),
        (bill(&[sale("a1", "-60.00", "x")], sums), "BILL_UNREADABLE"),
        (bill(&[sale("", "60.00", "x")], sums), "BILL_UNREADABLE"),
        (bill(&[sale("a1", "60.00", "x,`y")], sums), "BILL_UNREADABLE"),
        (bill(&one(), sums).replace("`SUCCESS", "`DREAMING"), "BILL_UNREADABLE"),
        (bill(&one(), sums).replace("2026-03-01", "2026-02-30"), "BILL_UNREADABLE"),
        (bill(&one(), sums).replace("商户订单号", "单号"), "BILL_UNREADABLE"),
        (bill(&one(), &format!("{sums}\n{sums}")), "BILL_UNREADABLE"),
        (bill(&[sale("a1", "92233720368547.00", "x"), sale("a2", "92233720368547.00", "x")], sums), "BILL_BROKEN"),
        (bill(&[sale("a1", "92233720368548.00", "x")], sums), "BILL_UNREADABLE"),
        (format!("{}\n", "x".repeat(70_000)), "BILL_UNREADABLE"),
    ] {
        let start: String = text.chars().take(60).collect();
        assert_eq!(reason(&text), expected, "{start}");
    }
}

#[test]
fn what_takes_in_the_lines_may_stop_it() {
    let text = sound();
    let mut bill = TradeBill::new("1900000001");
    let error = bill.push(text.as_bytes(), &mut |_| Err(kernel::Error::aborted("FULL", "full"))).expect_err("stopped");
    assert_eq!(error.reason(), "FULL");
}

#[test]
fn the_account_is_read_with_its_sums() {
    let header = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号";
    let sums = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";
    let rows = "`2026-03-01 10:00:00,`42001,`F1,`交易,`交易,`收入,`60.00,`60.00,`system,`结算总金额 60.00 元,`a1\n\
                `2026-03-01 11:00:00,`50301,`F2,`退款,`退款,`支出,`20.00,`40.00,`1900000001API,`退款总金额20.00元,`r1";
    let read = |text: String| {
        let (mut bill, mut lines) = (FundBill::new(), Vec::new());
        let mut sink = |line: FundLine| {
            lines.push((line.amount, line.balance, line.reference));
            Ok(())
        };
        bill.push(text.as_bytes(), &mut sink)?;
        Ok::<_, kernel::Error>((bill.finish(&sha1(text.as_bytes()), &mut sink)?, lines))
    };
    let (totals, lines) = read(format!("{header}\n{rows}\n{sums}\n`2.0,`1.0,`60.00,`1.0,`20.00\n")).expect("read");
    assert_eq!(totals, FundTotals { income_lines: 1, income: 6_000, expense_lines: 1, expense: 2_000 });
    assert_eq!(lines, [(6_000, 6_000, "a1".to_owned()), (-2_000, 4_000, "r1".to_owned())]);
    for wrong in ["`2.0,`2.0,`60.00,`0.0,`20.00", "`3.0,`1.0,`60.00,`1.0,`20.00", "`2.0,`1.0,`60.01,`1.0,`20.00"] {
        assert!(read(format!("{header}\n{rows}\n{sums}\n{wrong}\n")).is_err(), "{wrong}");
    }
}

#[test]
fn a_bill_of_the_provider_is_read() {
    let Some(text) = testdata::file("a_bill_of_the_provider_is_read", "wechatpay/bill.ALL.csv") else { return };
    let text = String::from_utf8(text).expect("UTF-8");
    let merchant = text.split(",`").nth(2).expect("a merchant").to_owned();
    let (mut bill, mut lines) = (TradeBill::new(&merchant), 0_u64);
    let mut sink = |_| {
        lines += 1;
        Ok(())
    };
    bill.push(text.as_bytes(), &mut sink).expect("read");
    let totals = bill.finish(&sha1(text.as_bytes()), &mut sink).expect("whole");
    assert_eq!((totals.lines, lines), (45, 45));
    assert_eq!((totals.sales_minor, totals.refunds_minor, totals.fees_fine), (47, 14, 8_000));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: testdata::cases(2_000), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes: an answer, never a panic; and a changed bill is never taken for the sound one.
    #[test]
    fn no_bill_makes_it_panic(cuts in prop::collection::vec((0_usize..2_000, any::<u8>(), 0_u8..4), 1..6), size in 1_usize..300) {
        let (sound, mut text) = (sound().into_bytes(), sound().into_bytes());
        for (at, byte, how) in cuts {
            let at = at % text.len();
            match how {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                2 => drop(text.remove(at)),
                _ => text.extend_from_within(at..),
            }
        }
        let _ = read(&text, &sha1(&text), size);
        let believed = read(&text, &sha1(&sound), size).is_ok();
        prop_assert_eq!(believed, text == sound);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), size in 1_usize..50) {
        let _ = read(&bytes, &sha1(&bytes), size);
    }
}
