//! Notices: signed forms. The provider sends one up to eight times over 25 hours, unchanged, so that its age tells less
//! than elsewhere; its id counts once.

use kernel::{Error, Result};

use super::{
    Alipay,
    sign::{Params, content},
    trade::Trade,
};
use crate::peers::{
    china_time,
    port::{About, Envelope, Notice},
};

/// For how long the provider repeats a notice, in seconds.
const REPEATED: i64 = 25 * 60 * 60;

impl Alipay {
    /// Checks a notice and reads it. Nothing of it is acted upon before its signature fits.
    pub(super) fn take_notice(&self, envelope: &Envelope<'_>) -> Result<Notice> {
        let forged = || Error::unauthenticated("BAD_SIGNATURE", "the signature does not fit the message");
        let mut params = Params::new();
        for (name, value) in form_urlencoded::parse(envelope.body).into_owned() {
            // A name that comes twice has two meanings, of which only one can have been signed.
            if params.insert(name, value).is_some() {
                return Err(forged());
            }
        }
        let signature = params.remove("sign").ok_or_else(forged)?;
        // It says how it is signed, which is not itself signed; but there is only one way.
        let kind = params.remove("sign_type");
        if kind.is_some_and(|kind| kind != "RSA2")
            || !self.keys.provider.verifies(content(&params).as_bytes(), &signature)
        {
            return Err(forged());
        }
        let of = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
        let sent = china_time::read_plain(of("notify_time")).map(|time| time.as_second());
        let sent = sent.ok_or_else(|| Error::invalid("body", "has no notify_time"))?;
        let window = envelope.received - REPEATED - envelope.tolerance..=envelope.received + envelope.tolerance;
        if !window.contains(&sent) {
            return Err(Error::unauthenticated("STALE_NOTICE", "it is older than the provider repeats a notice"));
        }
        if of("app_id") != self.app_id || (!of("seller_id").is_empty() && of("seller_id") != self.seller_id) {
            return Err(Error::invalid("body", "is about another app or seller"));
        }
        let id = of("notify_id");
        if id.is_empty() || id.len() > 128 || of("notify_type").len() > 64 {
            return Err(Error::invalid("body", "has no notice id of 1 to 128 characters"));
        }
        let about = if of("notify_type") == "trade_status_sync" {
            let text = |name: &str| Some(of(name)).filter(|value| !value.is_empty()).map(str::to_owned);
            let trade = Trade {
                out_trade_no: of("out_trade_no").to_owned(),
                trade_no: of("trade_no").to_owned(),
                trade_status: of("trade_status").to_owned(),
                total_amount: text("total_amount"),
                gmt_payment: text("gmt_payment"),
            };
            // That something went back is told in the same way; it was answered already when it was asked for.
            let report = trade.report();
            About::Charge(
                report.map_err(|error| Error::invalid("body", "states an unreadable amount").caused_by(error))?,
            )
        } else {
            About::Other
        };
        Ok(Notice { id: id.to_owned(), kind: of("notify_type").to_owned(), nonce: None, about })
    }
}
