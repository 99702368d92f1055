//! Telling the merchant: a signed form, repeated unchanged until it is acknowledged.

use std::time::Duration;

use kernel::{Result, Timestamp, ids::uuid_v7};

use super::{APP_ID, AlipaySandbox, SELLER_ID};
use crate::{
    peers::{
        alipay::{Params, content, form},
        china_time,
        crypto::PrivateKey,
        yuan,
    },
    sandbox::wire::{Outgoing, Seal, Spoilt, Trade},
};

/// How much later a late notice comes.
const LATE: Duration = Duration::from_secs(20);

/// How old what is stale is, in seconds.
const STALE: u64 = 26 * 3_600;

impl AlipaySandbox {
    /// Queues the notice of a payment, spoilt if wanted.
    pub(super) fn tell_of_trade(&self, trade: &Trade, spoilt: Option<Spoilt>) -> Result<()> {
        if trade.notify_url.is_empty() {
            return Ok(());
        }
        let extra = i64::from(spoilt == Some(Spoilt::WrongAmount));
        let age = if spoilt == Some(Spoilt::Stale) { STALE } else { 0 };
        let mut params = self.params(trade, "TRADE_SUCCESS", extra, age);
        let key = if spoilt == Some(Spoilt::Forged) { &self.wrong_key } else { &self.key };
        let mut notice = self.notice(trade, params.clone(), key)?;
        match spoilt {
            Some(Spoilt::Lost) => return Ok(()),
            Some(Spoilt::Late) => notice.at += LATE,
            Some(Spoilt::Twice | Spoilt::Replayed) => self.queue.push(notice.clone()),
            Some(Spoilt::Reordered) => {
                self.queue.push(notice);
                params.insert("notify_id".to_owned(), uuid_v7(self.clock.now()).simple().to_string());
                params.insert("trade_status".to_owned(), "WAIT_BUYER_PAY".to_owned());
                params.remove("gmt_payment");
                notice = self.notice(trade, params, &self.key)?;
            }
            // The provider has no probes.
            Some(Spoilt::Probe | Spoilt::Forged | Spoilt::Stale | Spoilt::WrongAmount) | None => {}
        }
        self.queue.push(notice);
        Ok(())
    }

    /// Queues the notice that of a trade `all` has gone back by now.
    pub(super) fn tell_of_refund(&self, trade: &Trade, request: &str, all: &str) -> Result<()> {
        if trade.notify_url.is_empty() {
            return Ok(());
        }
        let state = if all == yuan::format(trade.total) { "TRADE_CLOSED" } else { "TRADE_SUCCESS" };
        let mut params = self.params(trade, state, 0, 0);
        params.insert("out_biz_no".to_owned(), request.to_owned());
        params.insert("refund_fee".to_owned(), all.to_owned());
        params.insert("gmt_refund".to_owned(), format!("{}.000", china_time::plain(self.clock.now())));
        let notice = self.notice(trade, params, &self.key)?;
        self.queue.push(notice);
        Ok(())
    }

    /// Sends the notices that are due. Returns the statuses of the answers, 0 for none.
    pub async fn deliver_due(&self) -> Vec<u16> {
        // The seven characters, and nothing else, acknowledge.
        self.queue.deliver(|_| Vec::new(), |_, body| body == b"success").await
    }

    /// Takes the next notice off the line: its body, as it would have been sent.
    pub fn intercept(&self) -> Option<Vec<u8>> {
        self.queue.pop().map(|notice| notice.body)
    }

    /// When the next notice is to be sent.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.queue.next_due()
    }

    /// A form as a notice, with the provider's signature: what only the provider could send.
    ///
    /// # Errors
    /// `Internal` if it can't be signed.
    pub fn signed_notice(&self, body: &[u8]) -> Result<Vec<u8>> {
        let params = form_urlencoded::parse(body).into_owned();
        self.signed(params.filter(|(name, _)| !matches!(name.as_str(), "sign" | "sign_type")).collect(), &self.key)
    }

    fn params(&self, trade: &Trade, state: &str, extra: i64, age: u64) -> Params {
        let now = self.clock.now();
        let total = yuan::format(trade.total + extra);
        let mut params: Params = [
            ("notify_type", "trade_status_sync"),
            ("charset", "utf-8"),
            ("version", "1.0"),
            ("app_id", APP_ID),
            ("auth_app_id", APP_ID),
            ("seller_id", SELLER_ID),
            ("buyer_id", &trade.payer),
            ("out_trade_no", &trade.number),
            ("trade_no", &trade.id),
            ("trade_status", state),
            ("subject", &trade.subject),
            ("total_amount", &total),
            ("receipt_amount", &total),
            ("fund_bill_list", r#"[{"amount":"0.10","fundChannel":"ALIPAYACCOUNT"}]"#),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        params.insert("notify_id".to_owned(), uuid_v7(now).simple().to_string());
        params.insert("notify_time".to_owned(), china_time::plain(now - Duration::from_secs(age)));
        params.insert("gmt_create".to_owned(), china_time::plain(trade.create_time));
        if let Some(time) = trade.pay_time {
            params.insert("gmt_payment".to_owned(), china_time::plain(time));
        }
        params
    }

    fn signed(&self, mut params: Params, key: &PrivateKey) -> Result<Vec<u8>> {
        let signature = key.sign(content(&params).as_bytes())?;
        params.insert("sign".to_owned(), signature);
        params.insert("sign_type".to_owned(), "RSA2".to_owned());
        Ok(form(&params).into_bytes())
    }

    fn notice(&self, trade: &Trade, params: Params, key: &PrivateKey) -> Result<Outgoing> {
        Ok(Outgoing {
            url: trade.notify_url.clone(),
            content_type: "application/x-www-form-urlencoded; charset=utf-8",
            body: self.signed(params, key)?,
            at: self.clock.now(),
            seal: Seal::Sound,
            attempts: 0,
        })
    }
}
