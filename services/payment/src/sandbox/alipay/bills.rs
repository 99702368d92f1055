//! Bills, in the provider's format: GBK text in an archive, offered at an address that is good once.

use std::{fmt::Write, sync::PoisonError};

use encoding_rs::GBK;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use jiff::civil::Date;
use kernel::{Timestamp, ids::uuid_v7};
use serde_json::{Value, json};

use super::{AlipaySandbox, Answer, Refusal, SELLER_ID, done, text};
use crate::{
    peers::{china_time, yuan},
    sandbox::wire::{Book, Stage},
};

const NOTHING: Refusal = Refusal("40004", "isp.bill_not_exist");

const COLUMNS: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,\
                       商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,\
                       商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";

impl AlipaySandbox {
    pub(super) fn offer_bill(&self, business: &Value) -> Answer {
        let day: Date = text(business, "bill_date").parse().map_err(|_| Refusal::MALFORMED)?;
        let bill = bill(&self.book(), day).ok_or(NOTHING)?;
        let token = uuid_v7(self.clock.now()).simple().to_string();
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), archive(&bill));
        Ok(done(json!({ "bill_download_url": format!("{}/bill/{token}", self.url) })))
    }
}

fn is_on(at: Option<Timestamp>, day: Date) -> bool {
    at.is_some_and(|at| china_time::local(at).date() == day)
}

/// The provider's fee for an amount: 0.6 %, rounded to a fen.
fn fee(amount: i64) -> i64 {
    (amount * 6 + 500) / 1_000
}

fn bill(book: &Book, day: Date) -> Option<String> {
    let mut text = format!(
        "#支付宝业务明细查询\r\n#账号：[{SELLER_ID}0156]\r\n#起始日期：[{day} 00:00:00]   终止日期：[{day} 24:00:00]\r\n\
         #-----------------------------------------业务明细列表----------------------------------------\r\n{COLUMNS}\r\n"
    );
    let mut line = |trade: &str,
                    number: &str,
                    kind,
                    subject: &str,
                    times: (Timestamp, Timestamp),
                    amount,
                    request,
                    fee| {
        let (made, done) = (china_time::plain(times.0), china_time::plain(times.1));
        let (amount, fee) = (yuan::format(amount), yuan::format(fee));
        writeln!(
            text,
            "{trade}\t,{number}\t,{kind}\t,{subject},{made},{done},\t,\t,\t,\t,*客(159****5620)\t,{amount},{amount},0.00,0.00,0.00,0.00,\
             0.00,,0.00\t,0.00,{request}\t,{fee},0.00,\r"
        )
        .ok()
    };
    let (mut sales, mut refunds) = ((0, 0), (0, 0));
    for trade in book.trades.values().filter(|trade| trade.stage == Stage::Paid && is_on(trade.pay_time, day)) {
        let times = (trade.create_time, trade.pay_time?);
        line(&trade.id, &trade.number, "交易", &trade.subject, times, trade.total, "", -fee(trade.total))?;
        sales = (sales.0 + 1, sales.1 + trade.total);
    }
    for refund in book.refunds.values().filter(|refund| is_on(refund.done_time, day)) {
        let trade = book.trades.get(&refund.trade)?;
        let times = (trade.create_time, refund.done_time?);
        let fee = fee(refund.amount);
        line(&trade.id, &trade.number, "退款", &trade.subject, times, -refund.amount, refund.number.as_str(), fee)?;
        refunds = (refunds.0 + 1, refunds.1 - refund.amount);
    }
    if (sales.0, refunds.0) == (0, 0) {
        return None;
    }
    write!(
        text,
        "#-----------------------------------------业务明细列表结束------------------------------------\r\n\
         #交易合计：{}笔，商家实收共{}元，商家优惠共0.00元\r\n#退款合计：{}笔，商家实收退款共{}元，商家优惠退款共0.00元\r\n\
         #导出时间：[{day} 09:00:00]\r\n",
        sales.0,
        yuan::format(sales.1),
        refunds.0,
        yuan::format(refunds.1),
    )
    .ok()?;
    Some(text)
}

/// The archive of a bill, with that of its sums before it as the provider sends it. What GBK hasn't is replaced.
pub fn archive(bill: &str) -> Vec<u8> {
    let sums = "#支付宝业务汇总查询\r\n#本页为汇总\r\n";
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    let files = [("业务明细(汇总).csv", sums), ("业务明细.csv", bill)];
    for (name, text) in files {
        let (name, content) = (GBK.encode(name).0.into_owned(), GBK.encode(text).0.into_owned());
        let start = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let mut crc = Crc::new();
        crc.update(&content);
        let packed = deflate(&content);
        let sizes =
            [crc.sum(), u32::try_from(packed.len()).unwrap_or(u32::MAX), crc.amount()].map(u32::to_le_bytes).concat();
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes();
        // Version 2.0, digest and sizes after the content, deflated, the first of January 1980.
        let head = [20_u16, 0x08, 8, 0, 0x21].map(u16::to_le_bytes).concat();
        bytes.extend([b"PK\x03\x04".as_slice(), &head, &[0; 12], &length, &[0; 2], &name, &packed].concat());
        bytes.extend([b"PK\x07\x08".as_slice(), &sizes].concat());
        let entry = [b"PK\x01\x02\x14\x00".as_slice(), &head, &sizes, &length, &[0; 12], &start.to_le_bytes(), &name];
        directory.extend(entry.concat());
    }
    let (at, size) =
        (u32::try_from(bytes.len()).unwrap_or(u32::MAX), u32::try_from(directory.len()).unwrap_or(u32::MAX));
    bytes.extend(directory);
    let count = [0_u16, 0, 2, 2].map(u16::to_le_bytes).concat();
    bytes.extend([b"PK\x05\x06".as_slice(), &count, &size.to_le_bytes(), &at.to_le_bytes(), &[0; 2]].concat());
    bytes
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut deflate = Compress::new(Compression::default(), false);
    let mut packed = Vec::with_capacity(content.len() + 64);
    loop {
        let read = usize::try_from(deflate.total_in()).unwrap_or(usize::MAX);
        let rest = content.get(read..).unwrap_or_default();
        packed.reserve(4_096);
        match deflate.compress_vec(rest, &mut packed, FlushCompress::Finish) {
            Ok(Status::StreamEnd) | Err(_) => return packed,
            Ok(_) => {}
        }
    }
}
