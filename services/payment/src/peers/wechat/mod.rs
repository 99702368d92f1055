//! WeChat Pay, API v3, as a merchant that is connected directly (直连商户).
//!
//! Protocol: <https://pay.weixin.qq.com/doc/v3/merchant/4012365336> and its neighbours. JSON over HTTPS; both sides sign
//! with RSA and SHA-256; what is confidential in notices is sealed with AES-256-GCM under a key shared with the provider.
//!
//! | file | holds |
//! |---|---|
//! | `sign` | the signature of our requests, and of what a page hands to the WeChat client |
//! | `verify` | the check of answers and notices: signature, age, probes |
//! | `platform` | the provider's keys: one public key, or certificates that come and go |
//! | `call` | one signed call, and what is known after it |
//! | `order`, `refund` | making, asking about, closing; giving back |
//! | `notice` | reading what is told |
//! | `bill` | the bills of a day, as typed lines |
//! | `share` | profit sharing with partners |
//!
//! # What is known after a call
//!
//! | answer | then |
//! |---|---|
//! | none, 5xx, 429, or 2xx whose signature does not fit (probes of ours included) | the outcome is unknown: ask, or repeat with the same number |
//! | 4xx | refused |
//! | 2xx with a fitting signature at most 300 s off | done |

mod bill;
mod call;
mod fapiao;
mod notice;
mod order;
mod platform;
mod refund;
mod share;
mod sign;
mod verify;

#[cfg(test)]
mod vectors;

use std::fmt;

use async_trait::async_trait;
use jiff::civil::Date;
use kernel::{Error, Result, SharedClock, ids::PaymentId};
use secrecy::SecretString;

use super::{
    bill::{Bill, BillReader, Sink},
    crypto::{AeadKey, PrivateKey},
    http::Client,
    port::{Acknowledgement, ChargeReport, Envelope, NewCharge, NewRefund, Notice, Provider, RefundState, number_of},
};
use crate::domain::Charge;
use platform::Platform;

pub use bill::{FundBill, FundLine, FundSink, FundTotals, TradeBill};
pub use platform::PlatformKeys;
pub use share::{Part, PartState, Receiver, Relation, Shared, SharedPart};
pub use sign::{Authorization, jsapi_params};
pub use verify::{NONCE, PROBE, SERIAL, SIGNATURE, Signed, TIMESTAMP, check};

/// Its name in the path of notices and in records.
pub const NAME: &str = "wechat";

/// An account with WeChat Pay.
#[derive(Debug, Clone)]
pub struct WechatConfig {
    /// Where it is reached: `https://api.mch.weixin.qq.com`, or a sandbox.
    pub url: String,
    /// The id of the official account or mini program that payers use (`appid`).
    pub app_id: String,
    /// The merchant's id (`mchid`).
    pub merchant_id: String,
    /// The serial number of the merchant's API certificate, in hex.
    pub certificate_serial: String,
    /// The private key of that certificate, in PEM.
    pub private_key: SecretString,
    /// The key that seals notices and certificates (`APIv3 key`): 32 characters.
    pub api_v3_key: SecretString,
    /// How the provider's signatures are checked.
    pub platform: PlatformKeys,
    /// Where it sends its notices; it must be reachable from outside, by HTTPS.
    pub notify_url: String,
    /// Whether what is paid waits to be shared with partners before it can be withdrawn.
    pub profit_sharing: bool,
}

/// A client of WeChat Pay.
pub struct Wechat {
    http: Client,
    clock: SharedClock,
    url: String,
    app_id: String,
    merchant_id: String,
    certificate_serial: String,
    private_key: PrivateKey,
    api_v3_key: AeadKey,
    platform: Platform,
    notify_url: String,
    profit_sharing: bool,
}

impl Wechat {
    /// A client; nothing is called yet.
    ///
    /// # Errors
    /// `InvalidArgument` naming the setting that can't be used; `Internal` if no HTTP client can be made on this machine.
    pub fn try_new(config: WechatConfig, clock: SharedClock) -> Result<Self> {
        for (field, value) in [
            ("wechat.app_id", &config.app_id),
            ("wechat.merchant_id", &config.merchant_id),
            ("wechat.certificate_serial", &config.certificate_serial),
        ] {
            // They go into a quoted header and into addresses.
            if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(Error::invalid(field, "must be of letters and digits"));
            }
        }
        Ok(Self {
            http: Client::try_new()?,
            clock,
            url: config.url.trim_end_matches('/').to_owned(),
            app_id: config.app_id,
            merchant_id: config.merchant_id,
            certificate_serial: config.certificate_serial,
            private_key: PrivateKey::parse("wechat.private_key", &config.private_key)?,
            api_v3_key: AeadKey::parse("wechat.api_v3_key", &config.api_v3_key)?,
            platform: Platform::try_new(config.platform)?,
            notify_url: config.notify_url,
            profit_sharing: config.profit_sharing,
        })
    }
}

impl fmt::Debug for Wechat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wechat").field("url", &self.url).field("merchant_id", &self.merchant_id).finish_non_exhaustive()
    }
}

#[async_trait]
impl Provider for Wechat {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, charge: &NewCharge) -> Result<()> {
        order::check(charge)
    }

    #[tracing::instrument(name = "peer.wechat.create_charge", skip_all, err(Debug, level = "debug"))]
    async fn create_charge(&self, charge: NewCharge) -> Result<Charge> {
        self.make_order(&charge).await
    }

    #[tracing::instrument(name = "peer.wechat.charge", skip_all, err(Debug, level = "debug"))]
    async fn charge(&self, payment: PaymentId) -> Result<Option<ChargeReport>> {
        Ok(self.order(&number_of(payment)).await?.map(order::Transaction::report))
    }

    #[tracing::instrument(name = "peer.wechat.close_charge", skip_all, err(Debug, level = "debug"))]
    async fn close_charge(&self, payment: PaymentId) -> Result<()> {
        self.close_order(&number_of(payment)).await
    }

    #[tracing::instrument(name = "peer.wechat.refund", skip_all, err(Debug, level = "debug"))]
    async fn refund(&self, refund: &NewRefund) -> Result<RefundState> {
        self.make_refund(refund).await
    }

    #[tracing::instrument(name = "peer.wechat.refund_state", skip_all, err(Debug, level = "debug"))]
    async fn refund_state(&self, refund: &NewRefund) -> Result<Option<RefundState>> {
        self.find_refund(&number_of(refund.id)).await
    }

    async fn read_notice(&self, envelope: &Envelope<'_>) -> Result<Notice> {
        self.take_notice(envelope).await
    }

    fn bill_reader(&self) -> Option<Box<dyn BillReader>> {
        Some(Box::new(bill::TradeFile::new(&self.merchant_id)))
    }

    #[tracing::instrument(name = "peer.wechat.bill", skip_all, err(Debug, level = "debug"))]
    async fn bill(&self, day: Date, sink: Sink<'_>) -> Result<Option<Bill>> {
        self.trade_bill(day, sink).await
    }

    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement::JSON
    }
}
