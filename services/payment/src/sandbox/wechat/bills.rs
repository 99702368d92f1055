//! Bills, in the provider's format: offered with their digest, then given to whoever has the address.

use std::fmt::Write;

use axum::http::StatusCode;
use jiff::civil::Date;
use kernel::{Timestamp, ids::uuid_v7};
use serde_json::json;

use super::{
    APP_ID, MERCHANT_ID, WechatSandbox,
    answer::{Answer, Query, Refusal},
    refunds::status,
};
use crate::{
    peers::{china_time, crypto::Sha1, yuan},
    sandbox::wire::{Book, RefundStage, Stage},
};

const NOTHING: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "NO_STATEMENT_EXIST", "there is no bill of that day");
const GONE: Refusal = Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", "there is no such file");

/// What the provider keeps, in hundred-thousandths of the amount: 0.6 %.
const FEE_RATE: i64 = 600;

/// How one bill is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpoiltBill {
    /// It ends in the middle.
    Cut,
    /// A byte of it is another, and its digest is that of the sound one.
    Changed,
    /// It is that of another merchant.
    Foreign,
}

impl WechatSandbox {
    /// Spoils the bills that are offered from now on; `None` ends that.
    pub fn spoil_bills(&self, how: Option<SpoiltBill>) {
        self.bills().spoilt = how;
    }

    pub(super) fn offer_bill(&self, kind: &str, query: &Query) -> Result<Answer, Refusal> {
        let day: Date = query.get("bill_date").parse().map_err(|_| Refusal::MALFORMED)?;
        let text = {
            let book = self.book();
            if kind == "tradebill" { trade_bill(&book, day) } else { fund_bill(&book, day) }
        };
        let text = text.ok_or(NOTHING)?;
        let mut bills = self.bills();
        let (mut digest, mut bytes) = (Sha1::new(), text.into_bytes());
        if bills.spoilt == Some(SpoiltBill::Foreign) {
            bytes = String::from_utf8_lossy(&bytes).replace(MERCHANT_ID, "1900000002").into_bytes();
        }
        digest.update(&bytes);
        match bills.spoilt {
            Some(SpoiltBill::Cut) => bytes.truncate(bytes.len() / 2),
            Some(SpoiltBill::Changed) => {
                if let Some(byte) = bytes.iter_mut().rev().find(|byte| byte.is_ascii_digit()) {
                    *byte ^= 1;
                }
            }
            Some(SpoiltBill::Foreign) | None => {}
        }
        let token = uuid_v7(self.clock.now()).simple().to_string();
        bills.files.insert(token.clone(), bytes);
        Ok(Answer::Json(json!({
            "hash_type": "SHA1",
            "hash_value": digest.hex(),
            "download_url": format!("{}/v3/billdownload/file?token={token}", self.url),
        })))
    }

    pub(super) fn give_bill(&self, query: &Query) -> Result<Answer, Refusal> {
        self.bills().files.remove(query.get("token")).map(Answer::File).ok_or(GONE)
    }
}

/// The files that are offered, and how they are spoilt.
#[derive(Debug, Default)]
pub(super) struct Bills {
    files: std::collections::BTreeMap<String, Vec<u8>>,
    spoilt: Option<SpoiltBill>,
}

fn is_on(at: Option<Timestamp>, day: Date) -> bool {
    at.is_some_and(|at| china_time::local(at).date() == day)
}

/// The provider's fee for an amount, rounded to a fen, in fen.
fn fee(amount: i64) -> i64 {
    (amount * FEE_RATE + 50_000) / 100_000
}

fn trade_bill(book: &Book, day: Date) -> Option<String> {
    let mut text = String::from(
        "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
         应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,\
         订单金额,申请退款金额,费率备注\r\n",
    );
    let (mut lines, mut sales, mut refunds, mut fees) = (0, 0, 0, 0);
    for trade in book.trades.values().filter(|trade| trade.stage == Stage::Paid && is_on(trade.pay_time, day)) {
        let (time, total) = (china_time::plain(trade.pay_time?), yuan::format(trade.total));
        let fee = fee(trade.total);
        writeln!(
            text,
            "`{time},`{APP_ID},`{MERCHANT_ID},`0,`,`{id},`{number},`{payer},`{way},`SUCCESS,`OTHERS,`CNY,`{total},`0.00,`0,`0,\
             `0.00,`0.00,`,`,`{subject},`,`{fee}000,`0.60%,`{total},`0.00,`\r",
            id = trade.id,
            number = trade.number,
            payer = trade.payer,
            way = trade.way,
            subject = trade.subject,
            fee = yuan::format(fee),
        )
        .ok()?;
        (lines, sales, fees) = (lines + 1, sales + trade.total, fees + fee);
    }
    let done = book.refunds.values().filter(|refund| refund.stage == RefundStage::Done && is_on(refund.done_time, day));
    for refund in done {
        let trade = book.trades.get(&refund.trade)?;
        let (time, amount) = (china_time::plain(refund.done_time?), yuan::format(refund.amount));
        let fee = -fee(refund.amount);
        writeln!(
            text,
            "`{time},`{APP_ID},`{MERCHANT_ID},`0,`,`{id},`{number},`{payer},`{way},`REFUND,`OTHERS,`CNY,`0.00,`0.00,`{refund_id},\
             `{refund_number},`{amount},`0.00,`ORIGINAL,`{state},`{subject},`,`{fee}000,`0.60%,`0.00,`{amount},`\r",
            id = trade.id,
            number = trade.number,
            payer = trade.payer,
            way = trade.way,
            refund_id = refund.id,
            refund_number = refund.number,
            state = status(refund.stage),
            subject = trade.subject,
            fee = yuan::format(fee),
        )
        .ok()?;
        (lines, refunds, fees) = (lines + 1, refunds + refund.amount, fees + fee);
    }
    if lines == 0 {
        return None;
    }
    let [sales, refunds, fees] = [sales, refunds, fees].map(yuan::format);
    write!(
        text,
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n\
         `{lines}.0,`{sales},`{refunds},`0.00,`{fees},`{sales},`{refunds}\r\n"
    )
    .ok()?;
    Some(text)
}

fn fund_bill(book: &Book, day: Date) -> Option<String> {
    let sales = book.trades.values().filter(|trade| trade.stage == Stage::Paid && is_on(trade.pay_time, day));
    let sales = sales.map(|trade| (trade.pay_time, trade.id.as_str(), trade.number.as_str(), trade.total));
    let done = book.refunds.values().filter(|refund| refund.stage == RefundStage::Done && is_on(refund.done_time, day));
    let done = done.map(|refund| (refund.done_time, refund.id.as_str(), refund.number.as_str(), -refund.amount));
    let mut movements: Vec<_> = sales.chain(done).collect();
    movements.sort();
    let mut text = String::from(
        "\u{feff}记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,\
         业务凭证号\r\n",
    );
    let (mut balance, mut income, mut expense) = (0, (0, 0), (0, 0));
    for (number, (time, id, reference, amount)) in movements.iter().enumerate() {
        balance += amount;
        let (name, way) = if *amount < 0 { ("退款", "支出") } else { ("交易", "收入") };
        let side = if *amount < 0 { &mut expense } else { &mut income };
        *side = (side.0 + 1, side.1 + amount.abs());
        let (time, shown) = (china_time::plain((*time)?), yuan::format(amount.abs()));
        let left = yuan::format(balance);
        writeln!(
            text,
            "`{time},`{id},`F{number:08},`{name},`{name},`{way},`{shown},`{left},`system,`{name}总金额{shown}元,`{reference}\r"
        )
        .ok()?;
    }
    if movements.is_empty() {
        return None;
    }
    let (all, incomes, expenses) = (movements.len(), income.0, expense.0);
    let [income, expense] = [income.1, expense.1].map(yuan::format);
    write!(
        text,
        "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`{all}.0,`{incomes}.0,`{income},`{expenses}.0,`{expense}\r\n"
    )
    .ok()?;
    Some(text)
}
