//! What the fuzzer drives: the readers of what comes from outside and decides about money, bills and notices of both
//! providers. Each entry answers whether it has believed what it was given, and panics if what must hold does not.
//!
//! | entry | is given | what must hold besides that nothing panics |
//! |---|---|---|
//! | [`wechat_bill`], [`wechat_funds`] | a bill's text | cut into other pieces it is the same; its lines are as many as it says |
//! | [`alipay_archive`] | an archive | the same |
//! | [`alipay_lines`] | the text in a sound archive | the same |
//! | [`wechat_notice`] | what is sealed in a notice | as it stands it is refused; sealed and signed it may say anything |
//! | [`alipay_notice`] | a form | as it stands it is refused; signed it may say anything |
//!
//! The tests of payment include this file too.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use kernel::{Clock, Error, SharedClock, Timestamp};
use payment::{
    peers::{
        Alipay, BillTotals, Envelope, Headers, Notice, Provider, Wechat, alipay,
        crypto::Sha1,
        wechat::{self, FundTotals},
    },
    sandbox::{
        alipay::{self as alipay_sandbox, AlipaySandbox},
        wechat::{self as wechat_sandbox, WechatSandbox},
    },
};

/// An entry.
pub type Entry = fn(&[u8]) -> bool;

/// All entries, by the names of their targets and of the folders of their seeds.
pub const TARGETS: [(&str, Entry); 6] = [
    ("wechat_bill", wechat_bill),
    ("wechat_funds", wechat_funds),
    ("alipay_archive", alipay_archive),
    ("alipay_lines", alipay_lines),
    ("wechat_notice", wechat_notice),
    ("alipay_notice", alipay_notice),
];

/// The size of the pieces that a bill is read in the second time: as odd as can be.
const PIECE: usize = 7;

/// Reads a trade bill of WeChat Pay, whose digest is right.
pub fn wechat_bill(data: &[u8]) -> bool {
    read_alike(data, |data, size| {
        let (mut bill, mut lines) = (wechat::TradeBill::new(wechat_sandbox::MERCHANT_ID), 0_u64);
        let mut sink = |_| {
            lines += 1;
            Ok(())
        };
        for piece in data.chunks(size) {
            bill.push(piece, &mut sink)?;
        }
        let totals = bill.finish(&sha1(data), &mut sink)?;
        Ok((totals, lines, totals.lines))
    })
}

/// Reads a fund bill of WeChat Pay, whose digest is right.
pub fn wechat_funds(data: &[u8]) -> bool {
    read_alike(data, |data, size| {
        let (mut bill, mut lines) = (wechat::FundBill::new(), 0_u64);
        let mut sink = |_| {
            lines += 1;
            Ok(())
        };
        for piece in data.chunks(size) {
            bill.push(piece, &mut sink)?;
        }
        let totals: FundTotals = bill.finish(&sha1(data), &mut sink)?;
        Ok((totals, lines, totals.income_lines + totals.expense_lines))
    })
}

/// Reads a bill of Alipay as it comes: an archive.
pub fn alipay_archive(data: &[u8]) -> bool {
    read_alike(data, read_alipay)
}

/// Reads a bill of Alipay whose archive is sound.
pub fn alipay_lines(data: &[u8]) -> bool {
    read_alike(&alipay_sandbox::archive(&String::from_utf8_lossy(data)), read_alipay)
}

fn read_alipay(data: &[u8], size: usize) -> Result<(BillTotals, u64, u64), Error> {
    let (mut bill, mut lines) = (alipay::TradeBill::new(alipay_sandbox::SELLER_ID), 0_u64);
    let mut sink = |_| {
        lines += 1;
        Ok(())
    };
    for piece in data.chunks(size) {
        bill.push(piece, &mut sink)?;
    }
    let totals = bill.finish()?;
    Ok((totals, lines, totals.lines))
}

/// Reads a bill at once and in pieces: totals, lines that came, and lines that it says have come.
fn read_alike<T: PartialEq + std::fmt::Debug>(
    data: &[u8],
    read: impl Fn(&[u8], usize) -> Result<(T, u64, u64), Error>,
) -> bool {
    let (whole, pieces) = (read(data, data.len().max(1)), read(data, PIECE));
    assert_eq!(whole.is_ok(), pieces.is_ok(), "it depends on how it is cut: {whole:?}, {pieces:?}");
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => {
            assert_eq!(whole, pieces, "it depends on how it is cut");
            assert_eq!(whole.1, whole.2, "it has lost lines");
            true
        }
        (whole, pieces) => {
            let reason = |read: Result<(T, u64, u64), Error>| read.err().map(|error| error.reason());
            assert_eq!(reason(whole), reason(pieces), "it depends on how it is cut");
            false
        }
    }
}

/// Reads a notice of WeChat Pay: once as somebody sends it who has no key, and once as the provider would.
pub fn wechat_notice(data: &[u8]) -> bool {
    let sandbox = WechatSandbox::try_new("http://127.0.0.1:9", clock()).expect("a sandbox");
    let client = Wechat::try_new(sandbox.merchant("", true), clock()).expect("a client");
    let forged = [
        (wechat::SERIAL, wechat_sandbox::PUBLIC_KEY_ID.to_owned()),
        (wechat::TIMESTAMP, clock().now().as_second().to_string()),
        (wechat::NONCE, "nonce".to_owned()),
        (wechat::SIGNATURE, String::from_utf8_lossy(data).into_owned()),
    ];
    assert!(read_notice(&client, &forged, data).is_err(), "nobody has signed it");
    let mut believed = false;
    for (event, kind) in [("TRANSACTION.SUCCESS", "transaction"), ("REFUND.SUCCESS", "refund")] {
        let (headers, body) = sandbox.signed_notice(event, kind, data).expect("signed");
        believed |= read_notice(&client, &headers, &body).is_ok();
    }
    believed
}

/// Reads a notice of Alipay: once as somebody sends it who has no key, and once as the provider would.
pub fn alipay_notice(data: &[u8]) -> bool {
    let sandbox = AlipaySandbox::try_new("http://127.0.0.1:9", clock()).expect("a sandbox");
    let client = Alipay::try_new(sandbox.merchant("", false), clock()).expect("a client");
    assert!(read_notice(&client, &[], data).is_err(), "nobody has signed it");
    let signed = sandbox.signed_notice(data).expect("signed");
    read_notice(&client, &[], &signed).is_ok()
}

fn read_notice(client: &impl Provider, headers: &[(&'static str, String)], body: &[u8]) -> Result<Notice, Error> {
    let headers: Headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let envelope = Envelope { headers: &headers, body, received: clock().now().as_second(), tolerance: 300 };
    let reading = pin!(client.read_notice(&envelope));
    // Its keys are at hand.
    let Poll::Ready(read) = reading.poll(&mut Context::from_waker(Waker::noop())) else {
        unreachable!("a notice is read without asking anybody")
    };
    if let Ok(notice) = &read {
        assert!((1..=128).contains(&notice.id.len()), "{notice:?}");
    }
    read
}

fn sha1(data: &[u8]) -> String {
    let mut sha1 = Sha1::new();
    sha1.update(data);
    sha1.hex()
}

/// It is always noon of the first of March 2027, in Shanghai.
#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_803_873_600).expect("a time")
    }
}

fn clock() -> SharedClock {
    Arc::new(Noon)
}
