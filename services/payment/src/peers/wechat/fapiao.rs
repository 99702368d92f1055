//! Invoices (电子发票): asked for with the payment that they are for, issued by and by, red-lettered, given as a file.
//!
//! An application belongs to a payment of this provider (`WITH_WECHATPAY`, called by the payment's own id) or to none. For
//! the latter the provider puts the invoice into nobody's card holder; whether it issues it at all is a matter of the
//! merchant's contract. Notices of these things are acknowledged; what became of an invoice is asked.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Method, Request};
use kernel::{Error, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{NAME, Wechat, call::Reply, order::fen};
use crate::{
    domain::invoice::{Issue, ReverseReason, Taxation},
    peers::{
        http::unknown,
        invoicing::{FapiaoKey, FapiaoState, Invoicing, NewFapiao},
        port::number_of,
    },
};

const APPLICATIONS: &str = "/v3/new-tax-control-fapiao/fapiao-applications";

/// One piece, in the unit in which the provider counts.
const ONE: i64 = 100_000_000;

/// The largest file that is taken, in bytes.
const MAX_FILE: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    fapiao_information: Vec<Fapiao>,
}

#[derive(Deserialize)]
struct Fapiao {
    fapiao_id: String,
    status: String,
    blue_fapiao: Option<Printed>,
    red_fapiao: Option<Printed>,
}

#[derive(Deserialize)]
struct Printed {
    fapiao_number: String,
    fapiao_time: String,
}

#[derive(Deserialize)]
struct Files {
    #[serde(default)]
    fapiao_download_info_list: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    fapiao_id: String,
    download_url: String,
}

impl Fapiao {
    fn read(self) -> Result<FapiaoState> {
        Ok(match (self.status.as_str(), self.blue_fapiao, self.red_fapiao) {
            // Red-lettering that has failed is asked for again.
            ("ISSUED" | "REVERSE_FAILED", Some(blue), _) => FapiaoState::Issued(blue.read()?),
            ("REVERSED", Some(blue), Some(red)) => {
                FapiaoState::Reversed { issue: blue.read()?, red_number: red.fapiao_number }
            }
            ("ISSUE_ACCEPTED" | "REVERSE_ACCEPTED", ..) => FapiaoState::Pending,
            ("ISSUE_FAILED", ..) => FapiaoState::Failed { reason: self.status },
            (other, ..) => {
                tracing::warn!(state = other, "wechat: an invoice is in a state that isn't known here");
                FapiaoState::Pending
            }
        })
    }
}

impl Printed {
    fn read(self) -> Result<Issue> {
        let time: Timestamp = self.fapiao_time.parse().map_err(|_| unknown("it states no time of an invoice"))?;
        Ok(Issue { number: self.fapiao_number, time })
    }
}

/// How the provider calls an application, and the invoice in it.
fn names(key: &FapiaoKey) -> (String, String) {
    let number = number_of(key.invoice);
    (key.transaction.clone().unwrap_or_else(|| number.clone()), number)
}

/// The provider's word for why an invoice is red-lettered; one of them is misspelt there.
fn word(reason: ReverseReason) -> &'static str {
    match reason {
        ReverseReason::IssueError => "ISSUE_ERROR",
        ReverseReason::SalesReturn => "SALES_RETURN",
        ReverseReason::ServiceSuspended => "SERVICE_SUSPENTION",
        ReverseReason::SalesDiscount => "SALES_DISCOUNT",
    }
}

#[async_trait]
impl Invoicing for Wechat {
    fn provider(&self) -> &'static str {
        NAME
    }

    #[tracing::instrument(name = "peer.wechat.issue_invoice", skip_all, err(Debug, level = "debug"))]
    async fn issue(&self, new: &NewFapiao<'_>) -> Result<()> {
        let (application, number) = names(&new.key);
        let (serial, key) = self.encryption_key().await?;
        let mut buyer = json!({ "type": "INDIVIDUAL", "name": new.buyer.title });
        if let Some(tax_id) = &new.buyer.tax_id {
            buyer["type"] = "ORGANIZATION".into();
            buyer["taxpayer_id"] = tax_id.expose().into();
        }
        if let Some(email) = &new.buyer.email {
            buyer["email"] = key.encrypt("buyer.email", email)?.into();
        }
        let total = fen(new.amount)?;
        let mut item = json!({
            "tax_code": new.tax_code,
            "goods_name": new.goods,
            "quantity": ONE,
            "total_amount": total,
            "tax_rate": new.taxation.basis_points(),
            "discount": false,
        });
        // That what has a code of 6… is not taxable lies in the code.
        if matches!(new.taxation, Taxation::Taxed { .. }) {
            item["tax_prefer_mark"] = "NO_FAVORABLE".into();
        }
        let body = json!({
            "scene": if new.key.transaction.is_some() { "WITH_WECHATPAY" } else { "WITHOUT_WECHATPAY" },
            "fapiao_apply_id": application,
            "buyer_information": buyer,
            "fapiao_information": [{ "fapiao_id": number, "total_amount": total, "items": [item] }],
        });
        accepted(self.post_sealed(APPLICATIONS, &body, &serial).await?)
    }

    #[tracing::instrument(name = "peer.wechat.invoice", skip_all, err(Debug, level = "debug"))]
    async fn fapiao(&self, key: &FapiaoKey) -> Result<Option<FapiaoState>> {
        let (application, number) = names(key);
        let reply = self.get(&format!("{APPLICATIONS}/{application}?fapiao_id={number}")).await?;
        let found: Option<Found> = reply.find()?;
        let found = found.map(|found| found.fapiao_information).unwrap_or_default();
        found.into_iter().find(|of| of.fapiao_id == number).map(Fapiao::read).transpose()
    }

    #[tracing::instrument(name = "peer.wechat.reverse_invoice", skip_all, err(Debug, level = "debug"))]
    async fn reverse(&self, key: &FapiaoKey, number: &str, reason: ReverseReason) -> Result<()> {
        let (application, id) = names(key);
        let body = json!({
            "reverse_reason": word(reason),
            "fapiao_information": [{ "fapiao_id": id, "fapiao_number": number }],
        });
        accepted(self.post(&format!("{APPLICATIONS}/{application}/reverse"), &body).await?)
    }

    #[tracing::instrument(name = "peer.wechat.invoice_file", skip_all, err(Debug, level = "debug"))]
    async fn file(&self, key: &FapiaoKey) -> Result<Bytes> {
        let (application, id) = names(key);
        let path = format!("{APPLICATIONS}/{application}/fapiao-files?fapiao_id={id}");
        let files: Files = self.get(&path).await?.read()?;
        let file = files.fapiao_download_info_list.into_iter().find(|file| file.fapiao_id == id);
        let uri = file.ok_or_else(|| unknown("it offers no file of the invoice"))?.download_url;
        // There is a token in it, and nothing of ours goes with it: it must only not be listened to.
        if !uri.starts_with("https://") && !uri.starts_with(&format!("{}/", self.url)) {
            return Err(unknown("the file of the invoice lies at an address that can be listened to"));
        }
        let request = Request::builder().method(Method::GET).uri(uri).body(Bytes::new()).map_err(Error::internal)?;
        let mut file = BytesMut::new();
        let mut take = |piece: &[u8]| {
            if file.len() + piece.len() > MAX_FILE {
                return Err(unknown("the file of the invoice is too long"));
            }
            file.extend_from_slice(piece);
            Ok(())
        };
        self.http.download(request, &mut take).await?;
        if file.starts_with(b"%PDF-") { Ok(file.freeze()) } else { Err(unknown("the file of the invoice is no PDF")) }
    }
}

/// What is accepted is answered without a body.
fn accepted(reply: Reply) -> Result<()> {
    match reply {
        Reply::Done(_) => Ok(()),
        refused @ Reply::Refused(_) => refused.read::<Value>().map(drop),
    }
}
