//! Bills that finance sends as files: sound ones, and all others.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use kernel::Uuid;
use payment::sandbox::alipay::archive;
use proto::payment::v1::{
    self as pb,
    day_proof::State,
    import_bill_request::{Header, Part},
};
use tonic::Code;

use super::{
    DAY, as_finance, client,
    formats::{alipay, alipay_text, at_noon, header, piece, send, sha1, upload, wechat},
    name, sale, sold,
};
use crate::{
    house::House,
    shop::Shop,
    wire::{fresh, minor, refused},
};

const MATCHED: &str = "select count(*) from audit_entry where action = 'payment.bill_matched'";
const REFUSED: &str = "select count(*) from audit_entry where action = 'payment.bill_refused'";

fn packed(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text.as_bytes()).expect("packed");
    gzip.finish().expect("packed")
}

/// A shop, a sale of 60 yuan on the day, and its bill of that day.
async fn busy() -> (Shop, Uuid, String) {
    let shop = Shop::open(true).await;
    let sale = sale(&shop, "wechat_native", 6_000, Some(super::noon(DAY))).await;
    (shop, sale, wechat(&[sold(sale, 6_000)]))
}

fn day(provider: &str) -> String {
    name(DAY).to_string().replace("wechat", provider)
}

#[tokio::test]
async fn a_file_is_matched_once_however_often_and_in_whatever_packing_it_comes() {
    let (shop, sale, text) = busy().await;
    let first = header(&day("wechat"), text.as_bytes());
    let proof = upload(&shop, first.clone(), text.as_bytes()).await.expect("taken in");
    assert_eq!((proof.state(), proof.lines, proof.matched, minor(&proof.fees)), (State::Reconciled, 1, 1, 36));
    assert_eq!(upload(&shop, first.clone(), text.as_bytes()).await.expect("replayed"), proof);
    assert_eq!(send(&shop, vec![first]).await.expect("replayed by its first message"), proof);
    let again = header(&day("wechat"), text.as_bytes());
    assert_eq!(upload(&shop, again, &packed(&text)).await.expect("the same text"), proof);

    let other = wechat(&[sold(sale, 6_001)]);
    let answer = refused(upload(&shop, header(&day("wechat"), other.as_bytes()), other.as_bytes()).await);
    assert_eq!(answer, (Code::FailedPrecondition, "DAY_RECONCILED".to_owned()));
    assert_eq!((shop.count(MATCHED).await, shop.balances().await["provider_fees"]), (1, 36));
    assert_eq!(shop.count("select count(*) from bill_line").await, 1);
}

#[tokio::test]
async fn many_who_send_the_same_file_have_it_matched_once() {
    let (shop, _, text) = busy().await;
    let mut twins = tokio::task::JoinSet::new();
    let one = header(&day("wechat"), text.as_bytes());
    for n in 0..8 {
        let first = if n % 2 == 0 { one.clone() } else { header(&day("wechat"), text.as_bytes()) };
        let messages = vec![first, piece(text.as_bytes())];
        let (mut client, request) = (client(&shop), as_finance(&shop, futures_util::stream::iter(messages)));
        twins.spawn(async move { client.import_bill(request).await.map(tonic::Response::into_inner) });
    }
    let proofs: Vec<_> = twins.join_all().await.into_iter().map(|proof| proof.expect("taken in")).collect();
    assert!(proofs.iter().all(|proof| *proof == proofs[0]), "{proofs:?}");
    assert_eq!((shop.count(MATCHED).await, shop.balances().await["provider_fees"]), (1, 36));
}

/// Sends a file with a digest; it must be refused so, and counts for nothing.
async fn refuses(house: &House, provider: &str, digest: String, file: &[u8], reason: &str) {
    let header = Header { name: day(provider), sha1: digest, request_id: fresh().to_string() };
    let first = pb::ImportBillRequest { part: Some(Part::Header(header)) };
    let answer = refused(upload(house, first, file).await);
    assert_eq!(answer, (Code::FailedPrecondition, reason.to_owned()), "{}", String::from_utf8_lossy(file));
    let request = as_finance(house, pb::GetDayProofRequest { name: day(provider) });
    let proof = client(house).get_day_proof(request).await.expect("noted").into_inner();
    assert_eq!((proof.state(), proof.refusal.as_str(), proof.lines), (State::Refused, reason, 0));
}

#[tokio::test]
async fn a_file_that_is_no_sound_bill_of_wechat_pay_counts_for_nothing_and_is_noted() {
    let (shop, sale, text) = busy().await;
    let half = text.find('`').map(|line| line + 100).expect("a line");
    let (line, sums) = (text.find('`').expect("a line"), text.rfind("总交易单数").expect("sums"));
    let other_day = wechat(&[at_noon(DAY.tomorrow().expect("in time"), sale, 6_000)]);
    let foreign = text.replace("1900000001", "1900000002");
    let shapes = [
        text.replace("`60.00,`0.00,`\r\n", "`60.00,`0.00\r\n"),
        text.replace("`60.00,`0.00,`\r\n", "`60.001,`0.00,`\r\n"),
        text.replace("`SUCCESS", "`PERHAPS"),
        text.replace("2027-02-26", "2027-02-30"),
        text.replace("商户订单号", "订单"),
    ];
    let not_utf8 = [&text.as_bytes()[..line + 1], b"\xff\xfe", &text.as_bytes()[line + 1..]].concat();
    let mut damaged = packed(&text);
    let cut = damaged[..damaged.len() / 2].to_vec();
    let last = damaged.len() - 6;
    damaged[last] ^= 1;

    let of = |file: &[u8]| sha1(file);
    let mut cases = vec![
        ("BILL_BROKEN", of(text.as_bytes()), text.as_bytes()[..sums].to_vec()),
        ("BILL_BROKEN", of(&text.as_bytes()[..sums]), text.as_bytes()[..sums].to_vec()),
        ("BILL_BROKEN", of(text.as_bytes()), text.as_bytes()[..half].to_vec()),
        ("BILL_BROKEN", of(b"another"), text.clone().into_bytes()),
        ("BILL_BROKEN", of(text.as_bytes()), cut),
        ("BILL_BROKEN", of(text.as_bytes()), damaged),
        ("BILL_FOREIGN", of(foreign.as_bytes()), foreign.clone().into_bytes()),
        ("BILL_UNREADABLE", of(&not_utf8), not_utf8),
        ("BILL_UNREADABLE", of(&alipay(&[])), alipay(&[])),
        ("BILL_OF_OTHER_DAY", of(other_day.as_bytes()), other_day.into_bytes()),
    ];
    cases.extend(shapes.map(|text| ("BILL_UNREADABLE", sha1(text.as_bytes()), text.into_bytes())));
    for (reason, digest, file) in &cases {
        refuses(&shop, "wechat", digest.clone(), file, reason).await;
    }
    assert_eq!(shop.count(REFUSED).await, i64::try_from(cases.len()).expect("few"));
    assert_eq!(shop.count("select count(*) from bill_line").await, 0);
    assert!(!shop.balances().await.contains_key("provider_fees"));

    let first = header(&day("wechat"), text.as_bytes());
    let sound = upload(&shop, first, text.as_bytes()).await.expect("taken in");
    assert_eq!((sound.state(), sound.refusal.as_str(), sound.matched), (State::Reconciled, "", 1));
    refuse_after(&shop, &foreign, &sound).await;
}

/// A bill that is refused after one that counts is noted in the audit trail, and changes nothing.
async fn refuse_after(shop: &Shop, foreign: &str, sound: &pb::DayProof) {
    let noted = shop.count(REFUSED).await;
    let first = header(&day("wechat"), foreign.as_bytes());
    assert_eq!(refused(upload(shop, first, foreign.as_bytes()).await).1, "BILL_FOREIGN");
    let request = as_finance(shop, pb::GetDayProofRequest { name: day("wechat") });
    assert_eq!(client(shop).get_day_proof(request).await.expect("a proof").into_inner(), *sound);
    assert_eq!(shop.count(REFUSED).await, noted + 1);
}

#[tokio::test]
async fn a_file_that_is_no_sound_bill_of_alipay_counts_for_nothing_and_is_noted() {
    let shop = Shop::open(true).await;
    let sale = sale(&shop, "alipay_in_store", 6_000, Some(super::noon(DAY))).await;
    let lines = [sold(sale, 6_000)];
    let (file, text) = (alipay(&lines), alipay_text(&lines));
    let other_day = alipay(&[at_noon(DAY.tomorrow().expect("in time"), sale, 6_000)]);
    let cases = [
        ("BILL_BROKEN", file[..file.len() / 2].to_vec()),
        ("BILL_BROKEN", text.clone().into_bytes()),
        ("BILL_BROKEN", archive(&text.replace("交易合计：1笔", "交易合计：2笔"))),
        ("BILL_FOREIGN", archive(&text.replace("2088000000000001", "2088000000000002"))),
        ("BILL_UNREADABLE", archive(&text.replace(",60.00,60.00,", ",60.001,60.00,"))),
        ("BILL_UNREADABLE", archive(&text.replace("\t,交易\t", "\t,捐赠\t"))),
        ("BILL_OF_OTHER_DAY", other_day),
    ];
    for (reason, file) in &cases {
        refuses(&shop, "alipay", sha1(file), file, reason).await;
    }
    refuses(&shop, "alipay", sha1(b"another"), &file, "BILL_BROKEN").await;
    let proof = upload(&shop, header(&day("alipay"), &file), &file).await.expect("taken in");
    assert_eq!((proof.state(), proof.matched, proof.breaks), (State::Reconciled, 1, 1), "the foreign one was a break");
}

#[tokio::test]
async fn messages_that_are_not_as_they_must_be_are_refused_and_leave_nothing() {
    let (shop, _, text) = busy().await;
    let sound = || header(&day("wechat"), text.as_bytes());
    let with = |change: &dyn Fn(&mut Header)| {
        let Some(Part::Header(mut header)) = sound().part else { panic!("a header") };
        change(&mut header);
        pb::ImportBillRequest { part: Some(Part::Header(header)) }
    };
    let piece_of_it = || piece(text.as_bytes());
    for (what, messages) in [
        ("nothing", vec![]),
        ("no header", vec![piece_of_it()]),
        ("no file", vec![sound()]),
        ("two headers", vec![sound(), sound(), piece_of_it()]),
        ("an empty message", vec![sound(), piece_of_it(), pb::ImportBillRequest::default()]),
        ("a piece that is too large", vec![sound(), piece(&vec![b'x'; (1 << 20) + 1])]),
        ("no digest", vec![with(&|header| header.sha1.clear()), piece_of_it()]),
        ("no SHA-1", vec![with(&|header| header.sha1 = "7".repeat(64)), piece_of_it()]),
        ("no request id", vec![with(&|header| header.request_id.clear()), piece_of_it()]),
        ("no name", vec![with(&|header| header.name = "today".to_owned()), piece_of_it()]),
    ] {
        assert_eq!(refused(send(&shop, messages).await).0, Code::InvalidArgument, "{what}");
    }
    for (name, reason) in [
        ("providers/nobody/dayProofs/2027-02-26", "NOT_FOUND"),
        ("providers/sandbox/dayProofs/2027-02-26", "NO_BILLS"),
        ("providers/wechat/dayProofs/2027-03-01", "BILL_NOT_READY"),
    ] {
        let first = with(&|header| header.name = name.to_owned());
        assert_eq!(refused(send(&shop, vec![first, piece_of_it()]).await).1, reason, "{name}");
    }
    assert_eq!(shop.count("select count(*) from day_proof").await + shop.count(REFUSED).await, 0);
}
