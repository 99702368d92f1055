//! Notices: signed like answers, and sealed inside.

use kernel::{Error, Result};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Wechat,
    order::Transaction,
    platform::Sealed,
    refund::Told,
    verify::{NONCE, SERIAL, SIGNATURE, Signed, TIMESTAMP},
};
use crate::peers::port::{About, Envelope, Notice};

#[derive(Deserialize)]
struct Wire {
    id: String,
    event_type: String,
    resource: Sealed,
}

impl Wechat {
    /// Checks a notice and reads it. Nothing of the body is read before its signature fits.
    pub(super) async fn take_notice(&self, envelope: &Envelope<'_>) -> Result<Notice> {
        let nonce = envelope.headers.get(NONCE);
        let message = Signed {
            signature: envelope.headers.get(SIGNATURE),
            timestamp: envelope.headers.get(TIMESTAMP),
            nonce,
            serial: envelope.headers.get(SERIAL),
            body: envelope.body,
        };
        self.believe(message, envelope.tolerance).await?.map_err(|doubt| doubt.refusal(envelope.tolerance))?;
        let wire: Wire = serde_json::from_slice(envelope.body).map_err(|error| unreadable().caused_by(error))?;
        if wire.id.is_empty() || wire.id.len() > 64 || wire.event_type.len() > 64 {
            return Err(Error::invalid("body", "has no notice id of 1 to 64 characters"));
        }
        let content = self.open(&wire.resource).ok_or_else(|| Error::invalid("body", "is not sealed with our key"))?;
        let about = self.read(&wire.event_type, &content)?;
        Ok(Notice { id: wire.id, kind: wire.event_type, nonce: Some(nonce.to_owned()), about })
    }

    fn read(&self, event: &str, content: &[u8]) -> Result<About> {
        if event.starts_with("TRANSACTION.") {
            let transaction: Transaction = parse(content)?;
            self.check_own(&transaction.mchid)?;
            if transaction.appid != self.app_id {
                return Err(Error::invalid("body", "is about another app"));
            }
            Ok(About::Charge(transaction.report()))
        } else if event.starts_with("REFUND.") {
            let told: Told = parse(content)?;
            self.check_own(&told.mchid)?;
            Ok(About::Refund(told.report()))
        } else {
            Ok(About::Other)
        }
    }

    fn check_own(&self, merchant_id: &str) -> Result<()> {
        if merchant_id == self.merchant_id { Ok(()) } else { Err(Error::invalid("body", "is about another merchant")) }
    }
}

fn parse<T: DeserializeOwned>(content: &[u8]) -> Result<T> {
    serde_json::from_slice(content).map_err(|error| unreadable().caused_by(error))
}

fn unreadable() -> Error {
    Error::invalid("body", "is not a notice of this provider")
}
