//! Alipay's open platform, as a merchant that is connected directly.
//!
//! Protocol: <https://opendocs.alipay.com/common/02kkv7> and its neighbours. One address takes forms and answers JSON; both
//! sides sign with RSA and SHA-256 (`RSA2`). A charge on a page or in an app is only a signed order until the customer
//! opens it: the provider knows nothing of it before.
//!
//! | file | holds |
//! |---|---|
//! | `keys` | how signatures are checked: by a public key, or by certificates and their names |
//! | `sign` | what is signed, and the orders that the customer's side takes |
//! | `call` | one signed call, and what is known after it |
//! | `trade`, `refund` | making, asking about, closing; giving back |
//! | `preauth` | money that is set aside now and taken, or let go, later |
//! | `notice` | reading what is told |
//! | `bill` | the bill of a day, as typed lines |
//!
//! # What is known after a call
//!
//! | answer | then |
//! |---|---|
//! | none, 5xx, code `20000`, a sub-code of the provider's own failures, or a signature that does not fit | the outcome is unknown: ask, or repeat with the same number |
//! | code `10000`, `10003` (the customer is asked for a password) | done, or under way |
//! | any other code | refused |

mod bill;
mod call;
mod keys;
mod notice;
mod preauth;
mod refund;
mod sign;
mod trade;

#[cfg(test)]
mod vectors;

use std::fmt;

use async_trait::async_trait;
use jiff::civil::Date;
use kernel::{Error, Result, SharedClock, ids::PaymentId};
use secrecy::SecretString;

use super::{
    bill::{Bill, BillReader, Sink},
    crypto::PrivateKey,
    http::Client,
    port::{Acknowledgement, ChargeReport, Envelope, NewCharge, NewRefund, Notice, Provider, RefundState, number_of},
};
use crate::domain::Charge;
use keys::Keys;

pub use bill::TradeBill;
pub use keys::{AlipayKeys, certificate_name, roots_name};
pub use preauth::{AuthOperation, AuthState, FreezeWay, NewCapture, NewFreeze};
pub use sign::{Params, content, form};

/// Its name in the path of notices and in records.
pub const NAME: &str = "alipay";

/// An account with Alipay.
#[derive(Debug, Clone)]
pub struct AlipayConfig {
    /// Where it is reached: `https://openapi.alipay.com/gateway.do`, or a sandbox.
    pub url: String,
    /// The id of the application.
    pub app_id: String,
    /// The id of the seller (`2088…`), to whom notices must be about.
    pub seller_id: String,
    /// The private key of the application, in PEM or bare base64.
    pub private_key: SecretString,
    /// How the provider's signatures are checked.
    pub keys: AlipayKeys,
    /// Where it sends its notices; it must be reachable from outside.
    pub notify_url: String,
}

/// A client of Alipay.
pub struct Alipay {
    http: Client,
    clock: SharedClock,
    url: String,
    app_id: String,
    seller_id: String,
    private_key: PrivateKey,
    keys: Keys,
    notify_url: String,
}

impl Alipay {
    /// A client; nothing is called yet.
    ///
    /// # Errors
    /// `InvalidArgument` naming the setting that can't be used; `Internal` if no HTTP client can be made on this machine.
    pub fn try_new(config: AlipayConfig, clock: SharedClock) -> Result<Self> {
        for (field, value) in [("alipay.app_id", &config.app_id), ("alipay.seller_id", &config.seller_id)] {
            if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Error::invalid(field, "must be of digits"));
            }
        }
        Ok(Self {
            http: Client::try_new()?,
            clock,
            url: config.url,
            app_id: config.app_id,
            seller_id: config.seller_id,
            private_key: PrivateKey::parse("alipay.private_key", &config.private_key)?,
            keys: Keys::try_new(config.keys)?,
            notify_url: config.notify_url,
        })
    }
}

impl fmt::Debug for Alipay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alipay").field("url", &self.url).field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

#[async_trait]
impl Provider for Alipay {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, charge: &NewCharge) -> Result<()> {
        trade::fen(charge.amount).map(drop)
    }

    #[tracing::instrument(name = "peer.alipay.create_charge", skip_all, err(Debug, level = "debug"))]
    async fn create_charge(&self, charge: NewCharge) -> Result<Charge> {
        self.make_trade(&charge).await
    }

    #[tracing::instrument(name = "peer.alipay.charge", skip_all, err(Debug, level = "debug"))]
    async fn charge(&self, payment: PaymentId) -> Result<Option<ChargeReport>> {
        self.trade(&number_of(payment)).await?.map(|trade| trade.report()).transpose()
    }

    #[tracing::instrument(name = "peer.alipay.close_charge", skip_all, err(Debug, level = "debug"))]
    async fn close_charge(&self, payment: PaymentId) -> Result<()> {
        self.close_trade(&number_of(payment)).await
    }

    #[tracing::instrument(name = "peer.alipay.refund", skip_all, err(Debug, level = "debug"))]
    async fn refund(&self, refund: &NewRefund) -> Result<RefundState> {
        self.make_refund(refund).await
    }

    #[tracing::instrument(name = "peer.alipay.refund_state", skip_all, err(Debug, level = "debug"))]
    async fn refund_state(&self, refund: &NewRefund) -> Result<Option<RefundState>> {
        self.find_refund(refund).await
    }

    async fn read_notice(&self, envelope: &Envelope<'_>) -> Result<Notice> {
        self.take_notice(envelope)
    }

    fn bill_reader(&self) -> Option<Box<dyn BillReader>> {
        Some(Box::new(bill::TradeFile::new(&self.seller_id)))
    }

    #[tracing::instrument(name = "peer.alipay.bill", skip_all, err(Debug, level = "debug"))]
    async fn bill(&self, day: Date, sink: Sink<'_>) -> Result<Option<Bill>> {
        self.trade_bill(day, sink).await
    }

    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement::TEXT
    }
}
