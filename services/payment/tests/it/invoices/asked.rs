//! Asking for invoices, and having them issued.

use std::time::Duration;

use kernel::ids::ContractId;
use payment::{domain::Subject, sandbox::wire::Mishap, worker};
use proto::payment::v1::{
    self as pb,
    invoice::State,
    invoice::Taxation,
    payment::{Purpose, Tender},
};

use super::{EMAIL, TAX_ID, TITLE, ask, client, number, paid, read, request, settle};
use crate::{
    shop::Shop,
    subjects::{card as empty_card, paid_ahead},
    wire::{cny, fresh, minor, refused},
};

#[tokio::test]
async fn it_is_asked_for_issued_by_and_by_read_and_given() {
    let (shop, order) = paid().await;
    let asked = ask(&shop, request(&order, None)).await.expect("asked for");
    assert_eq!((asked.state(), minor(&asked.amount), minor(&asked.tax)), (State::Requested, 6_000, 340));
    assert_eq!((asked.taxation(), asked.buyer.clone()), (Taxation::Taxed, None));
    let file = pb::DownloadInvoiceRequest { name: asked.name.clone() };
    let early = refused(client(&shop).download_invoice(shop.as_member(file.clone())).await);
    assert_eq!(early.1, "INVOICE_NOT_ISSUED");

    assert_eq!(worker::settle_invoices(&shop.app).await.expect("seen to"), 1);
    let fapiao = shop.wechat.fapiao(&number(&asked)).expect("accepted");
    assert_eq!(fapiao.buyer, (TITLE.to_owned(), TAX_ID.to_owned(), EMAIL.to_owned()), "the e-mail came encrypted");
    assert_eq!((fapiao.total, fapiao.tax_rate, fapiao.tax_code.as_str()), (6_000, 600, "3070599000000000000"));
    assert!(fapiao.application.starts_with("42"), "it belongs to the payment: {}", fapiao.application);
    assert_eq!(read(&shop, &asked.name).await.state(), State::Requested);
    assert_eq!(worker::settle_invoices(&shop.app).await.expect("seen to"), 0, "not so soon");

    settle(&shop).await;
    let issued = read(&shop, &asked.name).await;
    assert_eq!((issued.state(), issued.version, issued.number.len()), (State::Issued, 2, 20));
    let buyer = issued.buyer.expect("told");
    assert_eq!((buyer.title.as_str(), buyer.tax_id.as_str(), buyer.email.as_str()), (TITLE, TAX_ID, EMAIL));
    let given = client(&shop).download_invoice(shop.as_member(file)).await.expect("the file").into_inner();
    assert_eq!(given.content_type, "application/pdf");
    assert!(given.data.starts_with(b"%PDF-"));
    let page = client(&shop).list_invoices(shop.as_member(pb::ListInvoicesRequest::default())).await;
    let page = page.expect("a page").into_inner().invoices;
    assert_eq!(
        page.iter().map(|of| (of.name.as_str(), of.buyer.is_some())).collect::<Vec<_>>(),
        [(&*asked.name, false)]
    );
    let told = shop.count("select count(*) from outbox where type = 'meridian.payment.v1.InvoiceChanged'").await;
    assert_eq!(told, 2);
}

#[tokio::test]
async fn whatever_goes_wrong_on_the_way_it_is_issued_once() {
    for mishap in [Mishap::Down, Mishap::LoseAnswer, Mishap::Forged, Mishap::Unsigned] {
        let (shop, order) = paid().await;
        let asked = ask(&shop, request(&order, None)).await.expect("asked for");
        shop.wechat.mishaps.order([mishap, mishap, Mishap::None, mishap]);
        settle(&shop).await;
        let issued = read(&shop, &asked.name).await;
        assert_eq!((issued.state(), issued.version), (State::Issued, 2), "{mishap:?}");
        assert_eq!(shop.wechat.finish_fapiaos(), 0);
    }
}

#[tokio::test]
async fn a_worker_that_dies_after_its_claim_is_followed_by_another() {
    let (shop, order) = paid().await;
    let asked = ask(&shop, request(&order, None)).await.expect("asked for");
    let now = shop.clock_now();
    let mut conn = shop.db.pg.conn().await.expect("a connection");
    let claimed = payment::db::invoices::claim(&mut conn, now, now + Duration::from_secs(30), 10).await;
    assert_eq!(claimed.expect("claimed").len(), 1);
    drop(conn);
    assert_eq!(worker::settle_invoices(&shop.app).await.expect("seen to"), 0, "somebody is at it");
    shop.clock.advance(Duration::from_secs(31));
    settle(&shop).await;
    assert_eq!(read(&shop, &asked.name).await.state(), State::Issued);
}

#[tokio::test]
async fn what_the_provider_refuses_can_be_asked_for_anew() {
    let (shop, order) = paid().await;
    for (title, reason) in [("REFUSED", "INVALID_REQUEST"), ("FAILED", "ISSUE_FAILED")] {
        let mut wrong = request(&order, None);
        wrong.buyer.as_mut().expect("a buyer").title = title.to_owned();
        let asked = ask(&shop, wrong).await.expect("asked for");
        settle(&shop).await;
        let read = read(&shop, &asked.name).await;
        assert_eq!((read.state(), read.reason.as_str()), (State::Refused, reason));
    }
    let again = ask(&shop, request(&order, None)).await.expect("asked for again");
    settle(&shop).await;
    assert_eq!(read(&shop, &again.name).await.state(), State::Issued);
}

#[tokio::test]
async fn parts_are_invoiced_up_to_what_was_paid() {
    let (shop, order) = paid().await;
    for fen in [2_500, 3_500] {
        ask(&shop, request(&order, Some(fen))).await.expect("a part");
    }
    for amount in [None, Some(1)] {
        let answer = refused(ask(&shop, request(&order, amount)).await);
        assert_eq!(answer.1, "NOTHING_TO_INVOICE");
    }
    settle(&shop).await;
    assert_eq!(shop.count("select sum(amount_minor)::bigint from invoice where state = 'issued'").await, 6_000);
}

#[tokio::test]
async fn what_was_paid_elsewhere_is_invoiced_without_a_payment_of_the_provider() {
    let shop = Shop::open(false).await;
    let (order, payment) = shop.deposit(Tender::AlipayInStore).await;
    shop.alipay.pay(&Shop::number(&payment)).expect("paid");
    assert_eq!(shop.alipay.deliver_due().await, [200]);
    let asked = ask(&shop, request(&order, None)).await.expect("asked for");
    settle(&shop).await;
    assert_eq!(shop.wechat.fapiao(&number(&asked)).expect("accepted").application, number(&asked));
    assert_eq!(read(&shop, &asked.name).await.state(), State::Issued);
}

#[tokio::test]
async fn what_is_paid_ahead_is_invoiced_as_not_taxable() {
    let shop = Shop::open(true).await;
    for subject in [Subject::TopUp(empty_card(&shop).await), Subject::Contract(ContractId::from_uuid(fresh()))] {
        let order = paid_ahead(&shop, subject, 50_000).await;
        shop.cash(&order, Purpose::Balance).await;
        let asked = ask(&shop, request(&order, None)).await.expect("asked for");
        assert_eq!((asked.taxation(), minor(&asked.amount), minor(&asked.tax)), (Taxation::NotTaxable, 50_000, 0));
        settle(&shop).await;
        let fapiao = shop.wechat.fapiao(&number(&asked)).expect("accepted");
        assert_eq!((fapiao.tax_code.as_str(), fapiao.tax_rate), ("6010000000000000000", 0));
        assert_eq!(read(&shop, &asked.name).await.taxation(), Taxation::NotTaxable);
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_field_and_leaves_nothing() {
    let (shop, order) = paid().await;
    let with = |title: &str, tax_id: &str, email: &str| {
        let buyer = pb::InvoiceBuyer { title: title.to_owned(), tax_id: tax_id.to_owned(), email: email.to_owned() };
        pb::RequestInvoiceRequest { buyer: Some(buyer), ..request(&order, None) }
    };
    for wrong in [
        with("", TAX_ID, EMAIL),
        with(TITLE, "91350100M000100Y44", EMAIL),
        with(TITLE, TAX_ID, "nobody"),
        pb::RequestInvoiceRequest { buyer: None, ..request(&order, None) },
        request(&order, Some(0)),
        request(&order, Some(-1)),
        pb::RequestInvoiceRequest { amount: crate::wire::usd(100), ..request(&order, None) },
        pb::RequestInvoiceRequest { order: "orders/x".to_owned(), ..request(&order, None) },
    ] {
        assert_eq!(refused(ask(&shop, wrong.clone()).await).0, tonic::Code::InvalidArgument, "{wrong:?}");
    }
    let unpaid = shop.order().await;
    assert_eq!(refused(ask(&shop, request(&unpaid, None)).await).1, "NOTHING_TO_INVOICE");
    let huge = pb::RequestInvoiceRequest { amount: cny(i64::MAX), ..request(&order, None) };
    assert_eq!(refused(ask(&shop, huge).await).1, "NOTHING_TO_INVOICE");
    assert_eq!(shop.count("select (select count(*) from invoice) + (select count(*) from vault_key)").await, 0);
}
