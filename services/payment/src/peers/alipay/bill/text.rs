//! The trade bill (业务明细): lines of GBK text between remarks that begin with `#`; the last remarks state sums.
//!
//! Values are separated by commas and may end with tabs; nothing is quoted. The one value that may hold commas is the name
//! of the goods, which stands before two times.

use encoding_rs::GBK;
use kernel::{Error, Result};

use super::zip::{Archive, Piece};
use crate::peers::{
    bill::{BillKind, BillLine, BillTotals, Sink, broken, foreign, unreadable},
    china_time, yuan,
};

/// What the file of the lines begins with; another file in the archive states sums by store.
const TITLE: &str = "#支付宝业务明细查询";

const COLUMNS: [&str; 9] = [
    "支付宝交易号",
    "商户订单号",
    "业务类型",
    "商品名称",
    "创建时间",
    "完成时间",
    "订单金额（元）",
    "退款批次号/请求号",
    "服务费（元）",
];

/// The longest line, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// Reads a trade bill as it comes.
#[derive(Debug)]
pub struct TradeBill {
    archive: Archive,
    body: Body,
}

#[derive(Debug)]
struct Body {
    seller_id: String,
    rest: Vec<u8>,
    number: u64,
    /// Whether the file that comes now is that of the lines; not known before its first line.
    is_wanted: Option<bool>,
    owned: bool,
    columns: Option<Columns>,
    counted: BillTotals,
    sales: u64,
    refunds: u64,
    stated: [Option<u64>; 2],
    is_read: bool,
}

#[derive(Debug, Clone, Copy)]
struct Columns {
    at: [usize; 9],
    len: usize,
}

impl TradeBill {
    /// That of a seller; nothing has come yet.
    pub fn new(seller_id: &str) -> Self {
        Self {
            archive: Archive::new(),
            body: Body {
                seller_id: seller_id.to_owned(),
                rest: Vec::new(),
                number: 0,
                is_wanted: None,
                owned: false,
                columns: None,
                counted: BillTotals::default(),
                sales: 0,
                refunds: 0,
                stated: [None; 2],
                is_read: false,
            },
        }
    }

    /// Takes in a further piece of the archive.
    ///
    /// # Errors
    /// `BILL_BROKEN`; `BILL_UNREADABLE` or `BILL_FOREIGN`, naming the line; and what `sink` answers.
    pub fn push(&mut self, piece: &[u8], sink: Sink<'_>) -> Result<()> {
        let Self { archive, body } = self;
        archive.push(piece, &mut |piece| body.take(piece, sink))
    }

    /// Takes in the end.
    ///
    /// # Errors
    /// `BILL_BROKEN` if it was cut, or its sums are not those of its lines.
    pub fn finish(self) -> Result<BillTotals> {
        let Self { archive, body } = self;
        archive.finish()?;
        let Body { counted, sales, refunds, stated, is_read, .. } = body;
        if is_read && stated == [Some(sales), Some(refunds)] {
            Ok(counted)
        } else {
            Err(broken(format!("it has {sales} sales and {refunds} refunds, its sums say {stated:?}")))
        }
    }
}

impl Body {
    fn take(&mut self, piece: Piece<'_>, sink: Sink<'_>) -> Result<()> {
        match piece {
            Piece::Begin => {
                (self.number, self.is_wanted) = (0, None);
                self.rest.clear();
            }
            Piece::Content(content) => self.content(content, sink)?,
            Piece::End => {
                let last = std::mem::take(&mut self.rest);
                if !last.is_empty() {
                    self.line(&last, sink)?;
                }
                self.is_read |= self.is_wanted == Some(true) && self.owned && self.columns.is_some();
            }
        }
        Ok(())
    }

    fn content(&mut self, mut content: &[u8], sink: Sink<'_>) -> Result<()> {
        while let Some(end) = content.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = content.split_at(end);
            content = tail.get(1..).unwrap_or_default();
            let mut line = std::mem::take(&mut self.rest);
            line.extend_from_slice(head);
            self.line(&line, sink)?;
        }
        self.rest.extend_from_slice(content);
        if self.rest.len() > MAX_LINE { Err(unreadable(self.number + 1, "is too long")) } else { Ok(()) }
    }

    fn line(&mut self, line: &[u8], sink: Sink<'_>) -> Result<()> {
        self.number += 1;
        let number = self.number;
        if self.is_wanted == Some(false) {
            return Ok(());
        }
        let (text, unknown) = GBK.decode_without_bom_handling(line);
        if unknown {
            return Err(unreadable(number, "is not GBK"));
        }
        let text = text.trim_end_matches(['\r', '\t', ' ']);
        if number == 1 {
            self.is_wanted = Some(text == TITLE);
            return if self.is_read && text == TITLE { Err(broken("it has two lists of lines")) } else { Ok(()) };
        }
        match text.strip_prefix('#') {
            Some(remark) => self.remark(number, remark),
            None if text.is_empty() => Ok(()),
            None => self.values(number, text, sink),
        }
    }

    fn remark(&mut self, number: u64, remark: &str) -> Result<()> {
        if let Some(account) = remark.strip_prefix("账号：[") {
            self.owned = account.starts_with(&self.seller_id);
            return if self.owned { Ok(()) } else { Err(foreign(number)) };
        }
        for (at, name) in ["交易合计：", "退款合计："].into_iter().enumerate() {
            if let Some(sums) = remark.strip_prefix(name) {
                let count = sums.split_once('笔').and_then(|(count, _)| count.parse().ok());
                let count: u64 = count.ok_or_else(|| unreadable(number, "has a count that is none"))?;
                if let Some(stated) = self.stated.get_mut(at) {
                    *stated = Some(count);
                }
            }
        }
        Ok(())
    }

    fn values(&mut self, number: u64, text: &str, sink: Sink<'_>) -> Result<()> {
        let values: Vec<&str> = text.split(',').map(|value| value.trim_matches(['\t', ' '])).collect();
        let Some(columns) = self.columns else {
            self.columns = Some(Columns::find(number, &values)?);
            return Ok(());
        };
        if !self.owned {
            return Err(unreadable(number, "comes before the account is stated"));
        }
        let line = read(number, columns.of(number, &values)?)?;
        self.counted.count(&line)?;
        match line.kind {
            BillKind::Sale | BillKind::Revoked => self.sales += 1,
            BillKind::Refund => self.refunds += 1,
        }
        sink(line)
    }
}

impl Columns {
    fn find(number: u64, names: &[&str]) -> Result<Self> {
        let mut at = [0; 9];
        for (at, wanted) in at.iter_mut().zip(COLUMNS) {
            let found = names.iter().position(|name| *name == wanted);
            *at = found.ok_or_else(|| unreadable(number, format!("has no column {wanted}")))?;
        }
        Ok(Self { at, len: names.len() })
    }

    /// The wanted values. Where there are more values than columns, the name of the goods has commas in it, or the remark
    /// at the end of the line has: the times after the name tell which.
    fn of<'a>(&self, number: u64, values: &[&'a str]) -> Result<[&'a str; 9]> {
        let [_, _, _, name, made, done, ..] = self.at;
        let mismatch = || unreadable(number, format!("has {} values for {} columns", values.len(), self.len));
        let extra = values.len().checked_sub(self.len).ok_or_else(mismatch)?;
        let is_time = |at: usize| values.get(at).is_some_and(|text| china_time::read_plain(text).is_some());
        let shift = (0..=extra).find(|shift| is_time(made + shift) && is_time(done + shift)).ok_or_else(mismatch)?;
        Ok(self.at.map(|at| {
            let at = if at > name { at + shift } else { at };
            values.get(at).copied().unwrap_or_default()
        }))
    }
}

fn read(number: u64, values: [&str; 9]) -> Result<BillLine> {
    let [transaction, payment, kind, _, _, time, amount, refund, fee] = values;
    let bad = |error: Error| unreadable(number, "has an amount that can't be read").caused_by(error);
    let amount = yuan::parse("amount", amount).map_err(bad)?;
    let fee = yuan::parse_fine("fee", fee).map_err(bad)?;
    let (kind, fits) = match kind {
        "交易" => (BillKind::Sale, amount >= 0),
        "退款" => (BillKind::Refund, amount <= 0 && !refund.is_empty()),
        other => return Err(unreadable(number, format!("is of the kind {other}"))),
    };
    if !fits || payment.is_empty() {
        return Err(unreadable(number, "has a number or an amount that can't be"));
    }
    let is_refund = kind == BillKind::Refund;
    Ok(BillLine {
        time: china_time::read_plain(time).ok_or_else(|| unreadable(number, "has no time"))?,
        kind,
        payment: payment.to_owned(),
        refund: if is_refund { refund.to_owned() } else { String::new() },
        transaction: transaction.to_owned(),
        amount_minor: amount.abs(),
        currency: "CNY".to_owned(),
        // It is stated as what moves on the account: below zero when it is taken.
        fee_fine: if is_refund { -fee.abs() } else { fee.abs() },
        state: "SUCCESS".to_owned(),
    })
}
