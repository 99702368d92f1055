//! Trades: the provider's word for charges. They are called by the payment's id, which is also the idempotency key.

use kernel::{Error, Money, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Alipay, call::Reply};
use crate::{
    domain::{Action, Charge, Tender},
    peers::{
        china_time,
        http::unknown,
        port::{Amount, ChargeReport, ChargeState, NewCharge, number_of, payment_of},
        yuan,
    },
};

/// The longest subject, in characters.
const MAX_SUBJECT: usize = 128;

#[derive(Deserialize)]
struct Coded {
    qr_code: String,
}

/// What the provider says of a trade, when asked or in a notice.
#[derive(Debug, Deserialize)]
pub(super) struct Trade {
    pub(super) out_trade_no: String,
    #[serde(default)]
    pub(super) trade_no: String,
    pub(super) trade_status: String,
    pub(super) total_amount: Option<String>,
    /// When it was paid; only then is there one.
    #[serde(alias = "send_pay_date")]
    pub(super) gmt_payment: Option<String>,
}

impl Trade {
    /// # Errors
    /// `Unavailable` if an amount is stated that can't be read: what has come is then not known.
    pub(super) fn report(self) -> Result<ChargeReport> {
        let was_paid = self.gmt_payment.as_deref().is_some_and(|time| !time.is_empty());
        let state = match self.trade_status.as_str() {
            "TRADE_SUCCESS" | "TRADE_FINISHED" => ChargeState::Succeeded,
            "WAIT_BUYER_PAY" => ChargeState::Pending,
            // Closed is also what was given back whole.
            "TRADE_CLOSED" if was_paid => ChargeState::Succeeded,
            "TRADE_CLOSED" => ChargeState::Failed { reason: "EXPIRED".to_owned() },
            other => {
                tracing::warn!(state = other, "alipay: a trade is in a state that isn't known here");
                ChargeState::Pending
            }
        };
        let amount = match &self.total_amount {
            Some(text) => {
                let minor = yuan::parse("total_amount", text);
                let minor = minor.map_err(|error| unknown("it states an unreadable amount").caused_by(error))?;
                Some(Amount { minor, currency: "CNY".to_owned() })
            }
            None => None,
        };
        Ok(ChargeReport {
            payment: payment_of(&self.out_trade_no),
            reference: self.out_trade_no,
            transaction: self.trade_no,
            amount,
            state,
        })
    }
}

impl Alipay {
    /// Makes a trade, or the order for one, and says how it is paid.
    pub(super) async fn make_trade(&self, charge: &NewCharge) -> Result<Charge> {
        let number = number_of(charge.payment);
        let trade = |product: &str| {
            Ok::<_, Error>(json!({
                "out_trade_no": number,
                "total_amount": yuan::format(fen(charge.amount)?),
                "subject": subject(&charge.description),
                "product_code": product,
                "time_expire": china_time::plain(charge.expire_time),
            }))
        };
        let action = match charge.tender {
            Tender::AlipayPage => {
                let trade = trade("FAST_INSTANT_TRADE_PAY")?;
                Action::Open { uri: self.page("alipay.trade.page.pay", &trade, &charge.payer.return_uri)? }
            }
            Tender::AlipayApp => {
                Action::App { order: self.app_order("alipay.trade.app.pay", &trade("QUICK_MSECURITY_PAY")?)? }
            }
            Tender::AlipayInStore if charge.payer.auth_code.is_empty() => {
                let made = self.call("alipay.trade.precreate", &trade("FACE_TO_FACE_PAYMENT")?, true).await?;
                Action::Show { code: made.read::<Coded>()?.qr_code }
            }
            Tender::AlipayInStore => {
                let mut trade = trade("FACE_TO_FACE_PAYMENT")?;
                trade["scene"] = "bar_code".into();
                trade["auth_code"] = charge.payer.auth_code.as_str().into();
                self.take(&trade).await?;
                Action::Wait
            }
            other => return Err(Error::internal(format!("{} is not a way of Alipay", other.as_str()))),
        };
        Ok(Charge { id: number, action })
    }

    /// Has a trade paid without the customer's doing; whether it waits for a password.
    pub(super) async fn take(&self, trade: &Value) -> Result<bool> {
        match self.call("alipay.trade.pay", trade, true).await? {
            Reply::Done { waits, .. } => Ok(waits),
            // An answer was lost, and meanwhile it was paid: whoever asks learns so.
            Reply::Refused(refusal) if refusal.sub_code == "ACQ.TRADE_HAS_SUCCESS" => {
                Err(unknown("the trade is paid already"))
            }
            Reply::Refused(refusal) => Err(refusal.error()),
        }
    }

    /// What became of a trade.
    pub(super) async fn trade(&self, number: &str) -> Result<Option<Trade>> {
        match self.call("alipay.trade.query", &json!({ "out_trade_no": number }), false).await? {
            Reply::Refused(refusal) if refusal.is_not_found() => Ok(None),
            reply => reply.read().map(Some),
        }
    }

    /// Closes a trade that nobody has paid. One that the customer has not opened yet can't be closed: it ends by its time.
    pub(super) async fn close_trade(&self, number: &str) -> Result<()> {
        match self.call("alipay.trade.close", &json!({ "out_trade_no": number }), false).await? {
            Reply::Done { .. } => Ok(()),
            Reply::Refused(refusal) if refusal.is_not_found() => Ok(()),
            Reply::Refused(refusal) => match self.trade(number).await?.map(Trade::report).transpose()? {
                Some(report) if report.state == ChargeState::Succeeded => {
                    Err(Error::precondition("ALREADY_PAID", "the customer has paid already"))
                }
                Some(ChargeReport { state: ChargeState::Failed { .. }, .. }) => Ok(()),
                _ => Err(refusal.error()),
            },
        }
    }

    /// Undoes a trade whose customer's code was scanned: closes it if it was not paid, else gives all of it back.
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn cancel(&self, number: &str) -> Result<()> {
        match self.call("alipay.trade.cancel", &json!({ "out_trade_no": number }), false).await? {
            Reply::Done { .. } => Ok(()),
            Reply::Refused(refusal) if refusal.is_not_found() => Ok(()),
            Reply::Refused(refusal) => Err(refusal.error()),
        }
    }
}

/// An amount in fen: the provider takes no other currency.
pub(super) fn fen(amount: Money) -> Result<i64> {
    if amount.currency().code() == "CNY" {
        Ok(amount.minor())
    } else {
        Err(Error::precondition("CURRENCY_NOT_OFFERED", "this provider takes yuan only; choose another way to pay"))
    }
}

/// A description without what the provider refuses in one, and without commas, which its bills don't quote.
fn subject(text: &str) -> String {
    text.chars()
        .take(MAX_SUBJECT)
        .map(|c| if matches!(c, '/' | '=' | '&' | ',' | '\n' | '\r') { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(state: &str, paid: Option<&str>) -> ChargeState {
        let trade = Trade {
            out_trade_no: "x".to_owned(),
            trade_no: String::new(),
            trade_status: state.to_owned(),
            total_amount: Some("0.10".to_owned()),
            gmt_payment: paid.map(str::to_owned),
        };
        trade.report().expect("read").state
    }

    #[test]
    fn states_are_read_and_closed_is_two_things() {
        assert_eq!(read("TRADE_SUCCESS", None), ChargeState::Succeeded);
        assert_eq!(read("TRADE_FINISHED", None), ChargeState::Succeeded);
        assert_eq!(read("WAIT_BUYER_PAY", None), ChargeState::Pending);
        assert_eq!(read("TRADE_CLOSED", None), ChargeState::Failed { reason: "EXPIRED".to_owned() });
        assert_eq!(read("TRADE_CLOSED", Some("")), ChargeState::Failed { reason: "EXPIRED".to_owned() });
        assert_eq!(read("TRADE_CLOSED", Some("2026-03-01 10:00:00")), ChargeState::Succeeded);
        assert_eq!(read("SOMETHING_NEW", None), ChargeState::Pending);
    }

    #[test]
    fn a_subject_has_nothing_that_is_refused() {
        assert_eq!(subject("a/b=c&d,e\nf"), "a b c d e f");
        assert_eq!(subject(&"按".repeat(300)).chars().count(), 128);
    }
}
