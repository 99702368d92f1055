//! Invoices: accepted at once, issued and red-lettered when [`WechatSandbox::finish_fapiaos`] is called. What is for a
//! payment is never more than was paid. A buyer called `REFUSED` gets none; one called `FAILED` waits for it in vain.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode};
use kernel::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    WechatSandbox,
    answer::{Answer, Query, Refusal},
    shares::sealed_with_ours,
};
use crate::peers::china_time;

const NOT_EXIST: Refusal = Refusal::new(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS", "there is no such invoice");
const INVALID: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", "it does not fit what is known");
const TOO_MUCH: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", "there was not so much paid");

/// An invoice as the provider keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fapiao {
    /// The application that it belongs to.
    pub application: String,
    /// To whom it is made out: title, tax id, decrypted e-mail.
    pub buyer: (String, String, String),
    /// How much, in fen.
    pub total: i64,
    /// The code of what was sold.
    pub tax_code: String,
    /// In basis points.
    pub tax_rate: i64,
    /// Where it is in its life, in the provider's word.
    pub status: &'static str,
    /// Its number, once it is issued, and when.
    pub issue: Option<(String, Timestamp)>,
    /// The number of the red-letter invoice, and when.
    pub red: Option<(String, Timestamp)>,
    /// Why it was red-lettered.
    pub reason: String,
}

/// All invoices, by the merchant's numbers.
#[derive(Debug, Default)]
pub(super) struct Fapiaos {
    all: BTreeMap<String, Fapiao>,
    numbers: u64,
}

#[derive(Deserialize)]
struct NewApplication {
    scene: String,
    fapiao_apply_id: String,
    buyer_information: NewBuyer,
    fapiao_information: Vec<NewFapiao>,
}

#[derive(Deserialize)]
struct NewBuyer {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    taxpayer_id: String,
    email: Option<String>,
}

#[derive(Deserialize)]
struct NewFapiao {
    fapiao_id: String,
    total_amount: i64,
    items: Vec<NewItem>,
}

#[derive(Deserialize)]
struct NewItem {
    tax_code: String,
    goods_name: String,
    total_amount: i64,
    tax_rate: i64,
}

#[derive(Deserialize)]
struct NewReverse {
    reverse_reason: String,
    fapiao_information: Vec<Reversed>,
}

#[derive(Deserialize)]
struct Reversed {
    fapiao_id: String,
    fapiao_number: String,
}

impl WechatSandbox {
    /// An invoice by the merchant's number.
    pub fn fapiao(&self, number: &str) -> Option<Fapiao> {
        self.fapiaos().all.get(number).cloned()
    }

    /// Issues and red-letters what was accepted. Returns how many.
    pub fn finish_fapiaos(&self) -> usize {
        let now = self.clock.now();
        let mut fapiaos = self.fapiaos();
        let Fapiaos { all, numbers } = &mut *fapiaos;
        let mut finished = 0;
        for fapiao in all.values_mut() {
            let next = match fapiao.status {
                "ISSUE_ACCEPTED" if fapiao.buyer.0 == "FAILED" => "ISSUE_FAILED",
                "ISSUE_ACCEPTED" => "ISSUED",
                "REVERSE_ACCEPTED" => "REVERSED",
                _ => continue,
            };
            *numbers += 1;
            let printed = Some((format!("26{:018}", *numbers), now));
            match next {
                "ISSUED" => fapiao.issue = printed,
                "REVERSED" => fapiao.red = printed,
                _ => {}
            }
            fapiao.status = next;
            finished += 1;
        }
        finished
    }

    pub(super) fn fapiao_call(
        &self,
        method: &str,
        path: &[&str],
        query: &Query,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Answer, Refusal> {
        match (method, path) {
            ("POST", ["fapiao-applications"]) => self.apply(headers, body),
            ("GET", ["fapiao-applications", application]) => self.show_application(application, query),
            ("POST", ["fapiao-applications", application, "reverse"]) => self.reverse(application, body),
            ("GET", ["fapiao-applications", application, "fapiao-files"]) => self.offer_files(application, query),
            _ => Err(NOT_EXIST),
        }
    }

    fn apply(&self, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Refusal> {
        let new: NewApplication = serde_json::from_slice(body).map_err(|_| Refusal::MALFORMED)?;
        let NewBuyer { kind, name, taxpayer_id, email } = new.buyer_information;
        let email = email.map(|sealed| sealed_with_ours(headers, &sealed).ok_or(Refusal::MALFORMED)).transpose()?;
        let is_buyer = match kind.as_str() {
            "INDIVIDUAL" => taxpayer_id.is_empty(),
            "ORGANIZATION" => !taxpayer_id.is_empty(),
            _ => false,
        };
        let [wanted] = new.fapiao_information.as_slice() else { return Err(Refusal::MALFORMED) };
        let [item] = wanted.items.as_slice() else { return Err(Refusal::MALFORMED) };
        let is_sound = wanted.total_amount > 0
            && item.total_amount == wanted.total_amount
            && item.tax_code.len() == 19
            && !item.goods_name.is_empty();
        if !is_buyer || name.is_empty() || !is_sound {
            return Err(Refusal::MALFORMED);
        }
        if name == "REFUSED" {
            return Err(INVALID);
        }
        let fapiao = Fapiao {
            application: new.fapiao_apply_id,
            buyer: (name, taxpayer_id, email.unwrap_or_default()),
            total: wanted.total_amount,
            tax_code: item.tax_code.clone(),
            tax_rate: item.tax_rate,
            status: "ISSUE_ACCEPTED",
            issue: None,
            red: None,
            reason: String::new(),
        };
        let mut fapiaos = self.fapiaos();
        if let Some(known) = fapiaos.all.get(&wanted.fapiao_id) {
            let is_same = |of: &Fapiao| (of.application.clone(), of.buyer.clone(), of.total);
            return if is_same(known) == is_same(&fapiao) { Ok(Answer::Accepted) } else { Err(INVALID) };
        }
        match new.scene.as_str() {
            "WITHOUT_WECHATPAY" => {}
            "WITH_WECHATPAY" => {
                let paid = self.paid(&fapiao.application)?;
                let stands = |of: &&Fapiao| of.red.is_none() && of.status != "ISSUE_FAILED";
                let standing = fapiaos.all.values().filter(|of| of.application == fapiao.application).filter(stands);
                let standing: i64 = standing.map(|of| of.total).sum();
                if standing + fapiao.total > paid.total - self.book().refunded(&paid.number) {
                    return Err(TOO_MUCH);
                }
            }
            _ => return Err(Refusal::MALFORMED),
        }
        fapiaos.all.insert(wanted.fapiao_id.clone(), fapiao);
        Ok(Answer::Accepted)
    }

    fn show_application(&self, application: &str, query: &Query) -> Result<Answer, Refusal> {
        let fapiaos = self.fapiaos();
        let wanted = query.get("fapiao_id");
        let of = fapiaos
            .all
            .iter()
            .filter(|(number, of)| of.application == application && (wanted.is_empty() || number.as_str() == wanted));
        let shown: Vec<Value> = of.map(|(number, of)| shown(number, of)).collect();
        if shown.is_empty() {
            return Err(NOT_EXIST);
        }
        Ok(Answer::Json(json!({ "total_count": shown.len(), "fapiao_information": shown })))
    }

    fn reverse(&self, application: &str, body: &[u8]) -> Result<Answer, Refusal> {
        let new: NewReverse = serde_json::from_slice(body).map_err(|_| Refusal::MALFORMED)?;
        let words = ["ISSUE_ERROR", "SALES_RETURN", "SERVICE_SUSPENTION", "SALES_DISCOUNT"];
        let [wanted] = new.fapiao_information.as_slice() else { return Err(Refusal::MALFORMED) };
        if !words.contains(&new.reverse_reason.as_str()) {
            return Err(Refusal::MALFORMED);
        }
        let mut fapiaos = self.fapiaos();
        let fapiao = fapiaos.all.get_mut(&wanted.fapiao_id).filter(|of| of.application == application);
        let fapiao = fapiao.ok_or(NOT_EXIST)?;
        if fapiao.issue.as_ref().is_none_or(|(number, _)| *number != wanted.fapiao_number) {
            return Err(INVALID);
        }
        if fapiao.status == "ISSUED" {
            fapiao.status = "REVERSE_ACCEPTED";
            fapiao.reason = new.reverse_reason;
        }
        Ok(Answer::Accepted)
    }

    fn offer_files(&self, application: &str, query: &Query) -> Result<Answer, Refusal> {
        let fapiaos = self.fapiaos();
        let number = query.get("fapiao_id");
        let fapiao = fapiaos.all.get(number).filter(|of| of.application == application && of.issue.is_some());
        let fapiao = fapiao.ok_or(NOT_EXIST)?;
        let uri = format!("{}/invoicing/fapiao/fapiao-file?token={number}", self.url);
        let file = json!({ "fapiao_id": number, "download_url": uri, "status": fapiao.status });
        Ok(Answer::Json(json!({ "fapiao_download_info_list": [file] })))
    }

    /// The file of an invoice: as small as a PDF can be that opens.
    pub(super) fn fapiao_file(&self, token: &str) -> Option<Vec<u8>> {
        let number = self.fapiao(token)?.issue?.0;
        let text = format!("BT /F1 14 Tf 40 140 Td (Sandbox invoice {number}, of no value) Tj ET");
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 200] /Contents 4 0 R \
             /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
                .to_owned(),
            format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        ];
        let (mut file, mut table) = ("%PDF-1.4\n".to_owned(), String::from("0000000000 65535 f \n"));
        for (at, object) in (1..).zip(&objects) {
            table.push_str(&format!("{:010} 00000 n \n", file.len()));
            file.push_str(&format!("{at} 0 obj\n{object}\nendobj\n"));
        }
        let start = file.len();
        file.push_str(&format!("xref\n0 5\n{table}trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"));
        Some(file.into_bytes())
    }
}

fn shown(number: &str, of: &Fapiao) -> Value {
    let printed = |(number, time): &(String, Timestamp)| json!({ "fapiao_code": "", "fapiao_number": number, "fapiao_time": china_time::rfc3339(*time) });
    let mut shown = json!({ "fapiao_id": number, "status": of.status, "total_amount": of.total });
    if let Some(issue) = &of.issue {
        shown["blue_fapiao"] = printed(issue);
    }
    if let Some(red) = &of.red {
        shown["red_fapiao"] = printed(red);
    }
    shown
}
