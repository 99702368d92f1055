use kernel::Result;
use proptest::prelude::*;

use super::*;
use crate::{
    peers::{
        bill::{BillKind, BillLine, BillTotals},
        testdata,
    },
    sandbox::alipay::archive,
};

const COLUMNS: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,\
                       商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,\
                       商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";

fn line(number: &str, kind: &str, name: &str, amount: &str, request: &str, fee: &str) -> String {
    format!(
        "2027030122001\t,{number}\t,{kind}\t,{name},2027-03-01 09:59:00,2027-03-01 10:00:00,\t,\t,\t,\t,*客(159****5620)\t,{amount},{amount},\
         0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,{request}\t,{fee},0.00,"
    )
}

fn bill(lines: &[String], sums: &str) -> String {
    format!(
        "#支付宝业务明细查询\r\n#账号：[20880000000000010156]\r\n#起始日期：[2027年03月01日 00:00:00]\r\n\
         #-----------------------------------------业务明细列表----------------------------------------\r\n{COLUMNS}\r\n{}\r\n\
         #-----------------------------------------业务明细列表结束------------------------------------\r\n{sums}\r\n#导出时间：[2027]\r\n",
        lines.join("\r\n")
    )
}

const ONE_OF_EACH: &str =
    "#交易合计：1笔，商家实收共60.00元，商家优惠共0.00元\r\n#退款合计：1笔，商家实收退款共-20.00元";

fn sound() -> String {
    let lines =
        [line("a1", "交易", "肩颈, 按摩", "60.00", "", "-0.36"), line("a1", "退款", "按摩", "-20.00", "r1", "0.12")];
    bill(&lines, ONE_OF_EACH)
}

/// Reads an archive that comes in pieces of so many bytes.
fn read(bytes: &[u8], size: usize) -> Result<(BillTotals, Vec<BillLine>)> {
    let (mut bill, mut lines) = (TradeBill::new("2088000000000001"), Vec::new());
    let mut sink = |line| {
        lines.push(line);
        Ok(())
    };
    for piece in bytes.chunks(size.max(1)) {
        bill.push(piece, &mut sink)?;
    }
    Ok((bill.finish()?, lines))
}

fn reason(text: &str) -> &'static str {
    read(&archive(text), 4_096).map(drop).map_or_else(|error| error.reason(), |()| "")
}

#[test]
fn a_bill_is_read_exactly_however_it_is_cut_into_pieces() {
    let packed = archive(&sound());
    for size in [1, 2, 7, 64, 100_000] {
        let (totals, lines) = read(&packed, size).expect("read");
        let expected = BillTotals { lines: 2, sales_minor: 6_000, refunds_minor: 2_000, fees_fine: 24_000 };
        assert_eq!(totals, expected, "{size}");
        assert_eq!(lines[0].time.to_string(), "2027-03-01T02:00:00Z");
        let told: Vec<_> =
            lines.iter().map(|of| (of.kind, of.payment.as_str(), of.refund.as_str(), of.fee_fine)).collect();
        assert_eq!(told, [(BillKind::Sale, "a1", "", 36_000), (BillKind::Refund, "a1", "r1", -12_000)], "{size}");
    }
}

#[test]
fn a_bill_that_was_cut_or_damaged_is_refused() {
    let packed = archive(&sound());
    let directory = packed.windows(4).position(|mark| mark == b"PK\x01\x02").expect("a directory");
    for end in 0..directory + 4 {
        assert!(read(&packed[..end], 64).is_err(), "cut at {end}");
    }
    for at in (0..directory).step_by(3) {
        let mut damaged = packed.clone();
        damaged[at] ^= 0x10;
        let whole = read(&packed, 64).expect("read");
        // Names, dates and versions in the headers say nothing of the bill.
        assert!(read(&damaged, 64).map_or(true, |read| read == whole), "damaged at {at}");
    }
}

#[test]
fn what_does_not_add_up_or_is_not_ours_is_refused() {
    let sale = |number: &str, amount: &str| line(number, "交易", "按摩", amount, "", "-0.36");
    let none = "#交易合计：1笔，商家实收共60.00元\r\n#退款合计：0笔，商家实收退款共0.00元";
    let one = || bill(&[sale("a1", "60.00")], none);
    assert_eq!(reason(&one()), "");
    for (text, expected) in [
        (one().replace("交易合计：1笔", "交易合计：2笔"), "BILL_BROKEN"),
        (one().replace("#退款合计：0笔", "#另计：0笔"), "BILL_BROKEN"),
        (one().replace("20880000000000010156", "20880000000000020156"), "BILL_FOREIGN"),
        (one().replace("#支付宝业务明细查询", "#支付宝业务汇总查询"), "BILL_BROKEN"),
        (bill(&[sale("a1", "60.001")], none), "BILL_UNREADABLE"),
        (bill(&[sale("a1", "-60.00")], none), "BILL_UNREADABLE"),
        (bill(&[sale("", "60.00")], none), "BILL_UNREADABLE"),
        (bill(&[line("a1", "退款", "按摩", "-1.00", "", "0")], none), "BILL_UNREADABLE"),
        (one().replace("\t,交易\t", "\t,梦想\t"), "BILL_UNREADABLE"),
        (one().replace("2027-03-01 10:00:00", "2027-02-30 10:00:00"), "BILL_UNREADABLE"),
        (one().replace("商户订单号", "单号"), "BILL_UNREADABLE"),
        (one().replace(",0.00,\r\n#", ",0.00\r\n#"), "BILL_UNREADABLE"),
    ] {
        assert_eq!(reason(&text), expected, "{text}");
    }
    let plain = read(one().as_bytes(), 64).expect_err("no archive");
    assert_eq!(plain.reason(), "BILL_BROKEN");
}

#[test]
fn an_archive_that_others_have_made_is_read() {
    // python3 -c "import zipfile; …writestr('业务明细.csv', text.encode('gbk'), ZIP_DEFLATED)", whose headers state the sizes
    // first; here with a file that isn't packed.
    let (name, content) = (b"a.csv".as_slice(), encoding_rs::GBK.encode(&sound()).0.into_owned());
    let mut crc = flate2::Crc::new();
    crc.update(&content);
    let size = u32::try_from(content.len()).expect("short").to_le_bytes();
    let head = [20_u16, 0, 0, 0, 0x21].map(u16::to_le_bytes).concat();
    let sizes = [crc.sum().to_le_bytes(), size, size].concat();
    let file = [b"PK\x03\x04".as_slice(), &head, &sizes, &5_u16.to_le_bytes(), &[0; 2], name, &content].concat();
    let packed = [file, b"PK\x05\x06".to_vec(), vec![0; 18]].concat();
    assert_eq!(read(&packed, 50).expect("read").0.lines, 2);
    let mut damaged = packed;
    damaged[100] ^= 1;
    assert!(read(&damaged, 50).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: testdata::cases(1_000), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes: an answer, never a panic.
    #[test]
    fn no_archive_makes_it_panic(cuts in prop::collection::vec((0_usize..2_000, any::<u8>(), 0_u8..4), 1..6), size in 1_usize..300) {
        let mut bytes = archive(&sound());
        for (at, byte, how) in cuts {
            let at = at % bytes.len();
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                _ => bytes.extend_from_within(at..),
            }
        }
        let _ = read(&bytes, size);
    }

    /// The same of a sound archive of changed lines.
    #[test]
    fn no_lines_make_it_panic(cuts in prop::collection::vec((0_usize..2_000, any::<char>()), 1..6)) {
        let mut text: Vec<char> = sound().chars().collect();
        for (at, letter) in cuts {
            let at = at % text.len();
            text[at] = letter;
        }
        let _ = read(&archive(&text.into_iter().collect::<String>()), 256);
    }
}
