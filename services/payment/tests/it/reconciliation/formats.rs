//! Bills in the formats of their providers, and how finance sends them.

use std::fmt::Write as _;

use kernel::Uuid;
use payment::{
    peers::{BillKind, BillLine, china_time, crypto::Sha1, yuan},
    sandbox::{
        alipay::{SELLER_ID, archive},
        wechat::MERCHANT_ID,
    },
};
use proto::payment::v1::{
    self as pb,
    import_bill_request::{Header, Part},
};
use tonic::Status;

use super::{as_finance, client};
use crate::{house::House, wire::fresh};

/// How much of a file is sent at once, in bytes: lines and characters are torn.
const PIECE: usize = 997;

/// The trade bill of WeChat Pay, as text.
pub fn wechat(lines: &[BillLine]) -> String {
    let mut text = String::from(
        "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
         应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,\
         订单金额,申请退款金额,费率备注\r\n",
    );
    for line in lines {
        let (time, amount, fee) = (china_time::plain(line.time), yuan::format(line.amount_minor), fine(line.fee_fine));
        let (state, paid, back) = match line.kind {
            BillKind::Sale => ("SUCCESS", amount.as_str(), "0.00"),
            BillKind::Revoked => ("REVOKED", amount.as_str(), "0.00"),
            BillKind::Refund => ("REFUND", "0.00", amount.as_str()),
        };
        let refunded = if line.kind == BillKind::Refund { line.state.as_str() } else { "" };
        let BillLine { transaction, payment, refund, currency, .. } = line;
        write!(
            text,
            "`{time},`wx0000000000000000,`{MERCHANT_ID},`0,`,`{transaction},`{payment},`o-payer,`NATIVE,`{state},`OTHERS,\
             `{currency},`{paid},`0.00,`0,`{refund},`{back},`0.00,`ORIGINAL,`{refunded},`肩颈按摩, 60 分钟,`,`{fee},`0.60%,\
             `{paid},`{back},`\r\n"
        )
        .expect("text");
    }
    let sum = |kind| yuan::format(lines.iter().filter(|line| line.kind == kind).map(|line| line.amount_minor).sum());
    let (count, sales, refunds) = (lines.len(), sum(BillKind::Sale), sum(BillKind::Refund));
    let fees = fine(lines.iter().map(|line| line.fee_fine).sum());
    write!(
        text,
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n\
         `{count}.0,`{sales},`{refunds},`0.00,`{fees},`{sales},`{refunds}\r\n"
    )
    .expect("text");
    text
}

/// The trade bill of Alipay before it is packed. It knows no currency and nothing undone.
pub fn alipay_text(lines: &[BillLine]) -> String {
    let mut text = format!(
        "#支付宝业务明细查询\r\n#账号：[{SELLER_ID}0156]\r\n#起始日期：[2027年02月26日 00:00:00]   终止日期：[2027年02月27日 00:00:00]\r\n\
         #-----------------------------------------业务明细列表----------------------------------------\r\n\
         支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,\
         商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,\
         卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n"
    );
    let mut counts = [0, 0];
    for line in lines {
        let BillLine { transaction, payment, refund, .. } = line;
        let is_refund = line.kind == BillKind::Refund;
        let (kind, sign) = if is_refund { ("退款", -1) } else { ("交易", 1) };
        counts[usize::from(is_refund)] += 1;
        let (time, amount) = (china_time::plain(line.time), yuan::format(sign * line.amount_minor));
        let fee = yuan::format(-line.fee_fine / 1_000);
        write!(
            text,
            "{transaction}\t,{payment}\t,{kind}\t,肩颈按摩, 60 分钟,{time},{time},\t,\t,\t,\t,*客(159****5620)\t,{amount},{amount},0.00,\
             0.00,0.00,0.00,0.00,,0.00\t,0.00,{refund}\t,{fee},0.00,\r\n"
        )
        .expect("text");
    }
    let [sales, refunds] = counts;
    write!(
        text,
        "#-----------------------------------------业务明细列表结束------------------------------------\r\n\
         #交易合计：{sales}笔，商家实收共0.00元，商家优惠共0.00元\r\n#退款合计：{refunds}笔，商家实收退款共0.00元，商家优惠退款共0.00元\r\n\
         #导出时间：[2027年02月27日 09:00:00]\r\n"
    )
    .expect("text");
    text
}

/// The same in its archive.
pub fn alipay(lines: &[BillLine]) -> Vec<u8> {
    archive(&alipay_text(lines))
}

/// The SHA-1 of a file.
pub fn sha1(file: &[u8]) -> String {
    let mut digest = Sha1::new();
    digest.update(file);
    digest.hex()
}

/// The first message of a file of a day.
pub fn header(day: &str, file: &[u8]) -> pb::ImportBillRequest {
    let header = Header { name: day.to_owned(), sha1: sha1(file), request_id: fresh().to_string() };
    pb::ImportBillRequest { part: Some(Part::Header(header)) }
}

/// A piece of a file.
pub fn piece(bytes: &[u8]) -> pb::ImportBillRequest {
    pb::ImportBillRequest { part: Some(Part::Piece(bytes.to_vec().into())) }
}

/// Sends messages as finance.
pub async fn send(house: &House, messages: Vec<pb::ImportBillRequest>) -> Result<pb::DayProof, Status> {
    let request = as_finance(house, futures_util::stream::iter(messages));
    client(house).import_bill(request).await.map(tonic::Response::into_inner)
}

/// Sends a file piece by piece.
pub async fn upload(house: &House, header: pb::ImportBillRequest, file: &[u8]) -> Result<pb::DayProof, Status> {
    send(house, [header].into_iter().chain(file.chunks(PIECE).map(piece)).collect()).await
}

/// A sale of a day at noon that has a number of ours, and nothing else about it.
pub fn at_noon(day: jiff::civil::Date, sale: Uuid, minor: i64) -> BillLine {
    BillLine { time: super::noon(day), ..super::sold(sale, minor) }
}

/// Hundred-thousandths of a yuan, with all decimals.
fn fine(amount: i64) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}.{:05}", amount.abs() / 100_000, amount.abs() % 100_000)
}
