//! Bills: an address is asked for, and the file behind it is read as it comes. The file isn't signed; the answer that names
//! its address and its SHA-1 is.

mod file;
mod fund;
mod table;
mod trade;

#[cfg(test)]
mod tests;

use http::Method;
use jiff::civil::Date;
use kernel::Result;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Wechat, call::Reply};
use crate::peers::{
    bill::{Bill, Sink},
    http::unknown,
};

pub use file::TradeFile;
pub use fund::{FundBill, FundLine, FundSink, FundTotals};
pub use trade::TradeBill;

/// What the provider answers for a day on which nothing happened.
const NOTHING: &str = "NO_STATEMENT_EXIST";

#[derive(Deserialize)]
struct Offered {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

impl Wechat {
    /// Reads the trade bill of a day; `None` if there is none. It is made at about ten o'clock of the next day.
    ///
    /// # Errors
    /// `BILL_UNREADABLE`, `BILL_BROKEN` or `BILL_FOREIGN`; what `sink` answers; `Unavailable`. After an error nothing of
    /// what `sink` has taken in counts.
    pub async fn trade_bill(&self, day: Date, sink: Sink<'_>) -> Result<Option<Bill>> {
        let Some(offered) = self.offered(&format!("/v3/bill/tradebill?bill_date={day}&bill_type=ALL")).await? else {
            return Ok(None);
        };
        let (mut bill, mut sha256) = (TradeBill::new(&self.merchant_id), Sha256::new());
        let take = |piece: &[u8]| {
            sha256.update(piece);
            bill.push(piece, sink)
        };
        self.download(&offered, take).await?;
        let totals = bill.finish(&offered.hash_value, sink)?;
        Ok(Some(Bill { totals, sha256: sha256.finalize().into() }))
    }

    /// Reads the fund bill of a day; `None` if there is none.
    ///
    /// # Errors
    /// As [`Wechat::trade_bill`].
    pub async fn fund_bill(&self, day: Date, sink: FundSink<'_>) -> Result<Option<FundTotals>> {
        let path = format!("/v3/bill/fundflowbill?bill_date={day}&account_type=BASIC");
        let Some(offered) = self.offered(&path).await? else { return Ok(None) };
        let mut bill = FundBill::new();
        self.download(&offered, |piece| bill.push(piece, sink)).await?;
        bill.finish(&offered.hash_value, sink).map(Some)
    }

    async fn offered(&self, path: &str) -> Result<Option<Offered>> {
        let offered: Offered = match self.get(path).await? {
            Reply::Refused(refusal) if refusal.code == NOTHING => return Ok(None),
            reply => reply.read()?,
        };
        if offered.hash_type == "SHA1" {
            Ok(Some(offered))
        } else {
            Err(unknown(format!("it names a {} of its bill", offered.hash_type)))
        }
    }

    async fn download(&self, offered: &Offered, take: impl FnMut(&[u8]) -> Result<()> + Send) -> Result<()> {
        // Our signature goes nowhere else.
        let path = offered.download_url.strip_prefix(&self.url).filter(|path| path.starts_with('/'));
        let path = path.ok_or_else(|| unknown("its bill lies elsewhere"))?;
        self.http.download(self.request(&Method::GET, path, Vec::new())?, take).await
    }
}
