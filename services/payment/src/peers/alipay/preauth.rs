//! Pre-authorisation: money of the customer is set aside now, and taken or let go later.

use std::fmt;

use kernel::{Money, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Alipay, call::Reply, trade::fen};
use crate::{
    domain::Action,
    peers::{china_time, http::unknown, yuan},
};

/// Money to be set aside.
#[derive(Debug, Clone)]
pub struct NewFreeze {
    /// The merchant's number for all that happens to it.
    pub order: String,
    /// The merchant's number for the setting aside.
    pub request: String,
    /// What the customer reads.
    pub title: String,
    /// How much.
    pub amount: Money,
    /// When the customer can't agree any more.
    pub expire_time: Timestamp,
    /// How the customer agrees.
    pub way: FreezeWay,
}

/// How the customer agrees that money is set aside.
#[derive(Clone)]
pub enum FreezeWay {
    /// In an app.
    App,
    /// By a code that the customer scans.
    Code,
    /// The desk has scanned the customer's code.
    Scanned {
        /// What it says.
        auth_code: String,
    },
}

impl fmt::Debug for FreezeWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::App => "App",
            Self::Code => "Code",
            Self::Scanned { .. } => "Scanned",
        })
    }
}

impl FreezeWay {
    /// The provider's word for the product: one for what happens in an app, another for the desk.
    fn product(&self) -> &'static str {
        match self {
            Self::App => "PREAUTH_PAY",
            Self::Code | Self::Scanned { .. } => "PRE_AUTH",
        }
    }
}

/// Money to be taken of what is set aside.
#[derive(Debug, Clone)]
pub struct NewCapture {
    /// The provider's own id of the authorisation.
    pub authorisation: String,
    /// How the customer agreed to it.
    pub way: FreezeWay,
    /// The merchant's number for the trade, which is the idempotency key.
    pub number: String,
    /// What the customer reads.
    pub subject: String,
    /// How much.
    pub amount: Money,
    /// Whether the rest is let go.
    pub complete: bool,
}

/// What the provider says of one operation on money that is set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthOperation {
    /// The provider's own id of the authorisation (`auth_no`), by which money is taken and let go.
    pub authorisation: String,
    /// The provider's own id of the operation.
    pub operation: String,
    /// Where the operation is in its life.
    pub state: AuthState,
    /// What is still set aside, in fen, if it says so.
    pub rest: Option<i64>,
}

/// Where an operation is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthState {
    /// The customer has not agreed yet.
    Pending,
    /// Done.
    Done,
    /// It came to nothing.
    Closed,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    auth_no: String,
    #[serde(default)]
    operation_id: String,
    status: String,
    rest_amount: Option<String>,
}

#[derive(Deserialize)]
struct Coded {
    code_value: String,
}

impl Wire {
    fn read(self) -> Result<AuthOperation> {
        let state = match self.status.as_str() {
            "SUCCESS" => AuthState::Done,
            "CLOSED" => AuthState::Closed,
            _ => AuthState::Pending,
        };
        let rest = self.rest_amount.map(|text| yuan::parse("rest_amount", &text)).transpose();
        let rest = rest.map_err(|error| unknown("it states an unreadable amount").caused_by(error))?;
        Ok(AuthOperation { authorisation: self.auth_no, operation: self.operation_id, state, rest })
    }
}

impl Alipay {
    /// Has money set aside (资金授权冻结). What the customer does for it is answered; whether it is done is told, or asked
    /// by [`Alipay::freeze_state`].
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn freeze(&self, new: &NewFreeze) -> Result<Action> {
        let mut business = json!({
            "out_order_no": new.order,
            "out_request_no": new.request,
            "order_title": new.title,
            "amount": yuan::format(fen(new.amount)?),
            "product_code": new.way.product(),
            "time_express": china_time::plain(new.expire_time),
        });
        Ok(match &new.way {
            FreezeWay::App => Action::App { order: self.app_order("alipay.fund.auth.order.app.freeze", &business)? },
            FreezeWay::Code => {
                let made = self.call("alipay.fund.auth.order.voucher.create", &business, true).await?;
                Action::Show { code: made.read::<Coded>()?.code_value }
            }
            FreezeWay::Scanned { auth_code } => {
                business["auth_code"] = auth_code.as_str().into();
                business["auth_code_type"] = "bar_code".into();
                self.call("alipay.fund.auth.order.freeze", &business, true).await?.read::<Value>()?;
                Action::Wait
            }
        })
    }

    /// What became of one operation on money that is, or shall be, set aside; `None` if the customer has not seen it yet.
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn freeze_state(&self, order: &str, request: &str) -> Result<Option<AuthOperation>> {
        let business = json!({ "out_order_no": order, "out_request_no": request });
        match self.call("alipay.fund.auth.operation.detail.query", &business, false).await? {
            Reply::Refused(refusal) if refusal.sub_code == "AUTH_ORDER_NOT_EXIST" => Ok(None),
            reply => reply.read::<Wire>()?.read().map(Some),
        }
    }

    /// Takes of what is set aside (授权转支付), as a trade.
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn capture(&self, new: &NewCapture) -> Result<()> {
        let trade = json!({
            "out_trade_no": new.number,
            "total_amount": yuan::format(fen(new.amount)?),
            "subject": new.subject,
            "product_code": new.way.product(),
            "auth_no": new.authorisation,
            "auth_confirm_mode": if new.complete { "COMPLETE" } else { "NOT_COMPLETE" },
        });
        self.take(&trade).await.map(drop)
    }

    /// Lets go of what is set aside (资金授权解冻); `request` is the idempotency key.
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn unfreeze(
        &self,
        authorisation: &str,
        request: &str,
        amount: Money,
        remark: &str,
    ) -> Result<AuthOperation> {
        let business = json!({
            "auth_no": authorisation,
            "out_request_no": request,
            "amount": yuan::format(fen(amount)?),
            "remark": remark,
        });
        self.call("alipay.fund.auth.order.unfreeze", &business, true).await?.read::<Wire>()?.read()
    }

    /// Gives up an authorisation to which the customer has not agreed yet, or undoes it (资金授权撤销).
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn cancel_freeze(&self, order: &str, request: &str, remark: &str) -> Result<()> {
        let business = json!({ "out_order_no": order, "out_request_no": request, "remark": remark });
        self.call("alipay.fund.auth.operation.cancel", &business, false).await?.read::<Value>().map(drop)
    }
}
