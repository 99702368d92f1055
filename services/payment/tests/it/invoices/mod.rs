//! Invoices, issued by the sandbox that plays WeChat Pay.

mod asked;
mod guarded;
mod races;
mod taken_back;

use std::time::Duration;

use payment::worker;
use proto::{
    access::Role,
    payment::v1::{self as pb, invoice_service_client::InvoiceServiceClient, payment::Tender},
};
use tonic::{Status, transport::Channel};

use crate::{
    shop::Shop,
    wire::{cny, fresh},
};

/// The title of the buyer of most invoices.
const TITLE: &str = "深圳市某某健康管理有限公司";
const TAX_ID: &str = "91350100M000100Y43";
const EMAIL: &str = "accounts@firm.example";

/// A shop, and an order there of which the deposit of 60 yuan is paid by WeChat.
async fn paid() -> (Shop, String) {
    let shop = Shop::open(true).await;
    let order = pay(&shop).await;
    (shop, order)
}

/// An order whose deposit of 60 yuan is paid by WeChat.
async fn pay(shop: &Shop) -> String {
    let (order, payment) = shop.deposit(Tender::WechatNative).await;
    shop.wechat.pay(&Shop::number(&payment)).expect("paid");
    assert_eq!(shop.wechat.deliver_due().await, [200]);
    order
}

fn request(order: &str, amount: Option<i64>) -> pb::RequestInvoiceRequest {
    let buyer = pb::InvoiceBuyer { title: TITLE.to_owned(), tax_id: TAX_ID.to_owned(), email: EMAIL.to_owned() };
    pb::RequestInvoiceRequest {
        order: order.to_owned(),
        buyer: Some(buyer),
        amount: amount.and_then(cny),
        request_id: fresh().to_string(),
    }
}

fn reversal(name: &str) -> pb::ReverseInvoiceRequest {
    pb::ReverseInvoiceRequest {
        name: name.to_owned(),
        reason: pb::reverse_invoice_request::Reason::IssueError.into(),
        request_id: fresh().to_string(),
    }
}

fn client(shop: &Shop) -> InvoiceServiceClient<Channel> {
    InvoiceServiceClient::new(shop.channel.clone())
}

async fn ask(shop: &Shop, request: pb::RequestInvoiceRequest) -> Result<pb::Invoice, Status> {
    Ok(client(shop).request_invoice(shop.as_member(request)).await?.into_inner())
}

async fn reverse(shop: &Shop, name: &str) -> Result<pb::Invoice, Status> {
    let request = shop.as_staff(reversal(name), Role::Finance, None);
    Ok(client(shop).reverse_invoice(request).await?.into_inner())
}

async fn read(shop: &Shop, name: &str) -> pb::Invoice {
    let request = shop.as_member(pb::GetInvoiceRequest { name: name.to_owned() });
    client(shop).get_invoice(request).await.expect("the invoice").into_inner()
}

/// Lets the worker see to invoices, and the provider do what it has accepted, until nothing is left.
async fn settle(shop: &Shop) {
    for _ in 0..8 {
        worker::settle_invoices(&shop.app).await.expect("seen to");
        shop.wechat.finish_fapiaos();
        shop.clock.advance(Duration::from_secs(60));
    }
    let left = shop.count("select count(*) from invoice where state in ('requested', 'reversing')").await;
    assert_eq!(left, 0, "something is still under way");
}

/// How the provider calls an invoice.
fn number(invoice: &pb::Invoice) -> String {
    invoice.name.trim_start_matches("invoices/").replace('-', "")
}
