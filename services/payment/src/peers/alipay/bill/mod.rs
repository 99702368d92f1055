//! Bills: an address is asked for, and the archive behind it is read as it comes. The archive isn't signed; the answer that
//! names its address is. What is in it is checked by the sums in the archive itself, and by those in the bill.

mod file;
mod text;
mod zip;

#[cfg(test)]
mod tests;

use http::Request;
use jiff::civil::Date;
use kernel::{Error, Result};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Alipay, call::Reply};
use crate::peers::{
    bill::{Bill, Sink},
    http::unknown,
};

pub use file::TradeFile;
pub use text::TradeBill;

#[derive(Deserialize)]
struct Offered {
    bill_download_url: String,
}

impl Alipay {
    /// Reads the trade bill of a day; `None` if there is none. It is made in the forenoon of the next day.
    ///
    /// # Errors
    /// `BILL_UNREADABLE`, `BILL_BROKEN` or `BILL_FOREIGN`; what `sink` answers; `Unavailable`. After an error nothing of
    /// what `sink` has taken in counts.
    pub async fn trade_bill(&self, day: Date, sink: Sink<'_>) -> Result<Option<Bill>> {
        let business = json!({ "bill_type": "trade", "bill_date": day.to_string() });
        let offered = match self.call("alipay.data.dataservice.bill.downloadurl.query", &business, false).await? {
            Reply::Refused(refusal) if refusal.sub_code.ends_with("bill_not_exist") => return Ok(None),
            reply => reply.read::<Offered>()?,
        };
        // There is a token in it, and nothing of ours goes with it: it must only not be listened to.
        let origin = self.url.split('/').take(3).collect::<Vec<_>>().join("/");
        let is_private = offered.bill_download_url.starts_with("https://")
            || offered.bill_download_url.starts_with(&format!("{origin}/"));
        if !is_private {
            return Err(unknown("its bill lies at an address that can be listened to"));
        }
        let request = Request::get(offered.bill_download_url).body(bytes::Bytes::new()).map_err(Error::internal)?;
        let (mut bill, mut sha256) = (TradeBill::new(&self.seller_id), Sha256::new());
        let take = |piece: &[u8]| {
            sha256.update(piece);
            bill.push(piece, sink)
        };
        self.http.download(request, take).await?;
        let totals = bill.finish()?;
        Ok(Some(Bill { totals, sha256: sha256.finalize().into() }))
    }
}
