//! The client of the sandbox provider, over its HTTP API (see [`crate::sandbox`]).

use std::{fmt, time::Duration};

use async_trait::async_trait;
use kernel::{
    Error, Result, SharedClock,
    ids::{PaymentId, uuid_v7},
};
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    About, Acknowledgement, Amount, ChargeReport, ChargeState, Envelope, NewCharge, NewRefund, Notice, Provider,
    RefundState,
    signature::{NONCE, SIGNATURE, Signed, Signer, TIMESTAMP},
};
use crate::domain::{Action, Charge};

/// The provider as errors name it.
const PROVIDER: &str = "the payment provider";

/// How long one call may take. It is well below what callers of PayOrder wait.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// How to reach the sandbox.
#[derive(Debug, Clone)]
pub struct SandboxClientConfig {
    /// Where it is, such as `http://127.0.0.1:8090`.
    pub url: String,
    /// Where it shall send its notices.
    pub notify_url: String,
    /// The secret shared with it.
    pub secret: SecretString,
}

/// A client of the sandbox provider.
pub struct SandboxClient {
    http: reqwest::Client,
    url: String,
    notify_url: String,
    signer: Signer,
    clock: SharedClock,
}

impl SandboxClient {
    /// A client; nothing is called yet.
    ///
    /// # Errors
    /// `Internal` if no HTTP client can be made on this machine.
    pub fn try_new(config: SandboxClientConfig, clock: SharedClock) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(CALL_TIMEOUT).no_proxy().build().map_err(Error::internal)?;
        Ok(Self {
            http,
            url: config.url.trim_end_matches('/').to_owned(),
            notify_url: config.notify_url,
            signer: Signer::new(config.secret),
            clock,
        })
    }

    /// One signed call. `Ok(None)` is the provider's 404.
    async fn call<R: DeserializeOwned>(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Option<R>> {
        let now = self.clock.now();
        let nonce = uuid_v7(now).to_string();
        let signature = self.signer.sign(now.as_second(), &nonce, &body)?;
        let answer = self
            .http
            .request(method, format!("{}{path}", self.url))
            .header(SIGNATURE, signature)
            .header(TIMESTAMP, now.as_second())
            .header(NONCE, nonce)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .map_err(unreachable)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(unreachable)?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => serde_json::from_slice(&body).map(Some).map_err(Error::internal),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(Error::unavailable(PROVIDER).caused_by(format!("it answered {status}")))
            }
            StatusCode::UNAUTHORIZED => Err(Error::internal("the provider does not accept our signature")),
            status => Err(Error::precondition("PROVIDER_REFUSED", "the payment provider refused")
                .with("status", status.as_u16())
                .caused_by(String::from_utf8_lossy(&body).into_owned())),
        }
    }

    async fn post<R: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<R> {
        let body = serde_json::to_vec(body).map_err(Error::internal)?;
        let answer = self.call(Method::POST, path, body).await?;
        answer.ok_or_else(|| Error::precondition("PROVIDER_REFUSED", "the payment provider knows of no such thing"))
    }
}

#[async_trait]
impl Provider for SandboxClient {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    #[tracing::instrument(name = "peer.provider.create_charge", skip_all, err(Debug, level = "debug"))]
    async fn create_charge(&self, charge: NewCharge) -> Result<Charge> {
        let wire = WireNewCharge {
            id: charge.payment.uuid(),
            amount_minor: charge.amount.minor(),
            currency: charge.amount.currency().code().to_owned(),
            notify_url: &self.notify_url,
            minutes: charge.minutes,
        };
        let made: WireCharge = self.post("/v1/charges", &wire).await?;
        Ok(Charge { id: made.charge_id, action: Action::Open { uri: made.pay_uri } })
    }

    #[tracing::instrument(name = "peer.provider.charge", skip_all, err(Debug, level = "debug"))]
    async fn charge(&self, payment: PaymentId) -> Result<Option<ChargeReport>> {
        let found: Option<WireReport> =
            self.call(Method::GET, &format!("/v1/charges/{}", payment.uuid()), Vec::new()).await?;
        Ok(found.map(WireReport::read))
    }

    #[tracing::instrument(name = "peer.provider.close_charge", skip_all, err(Debug, level = "debug"))]
    async fn close_charge(&self, payment: PaymentId) -> Result<()> {
        let path = format!("/v1/charges/{}/close", payment.uuid());
        match self.call::<WireCharge>(Method::POST, &path, Vec::new()).await {
            Ok(_) => Ok(()),
            // The one thing that it refuses.
            Err(error) if error.reason() == "PROVIDER_REFUSED" => {
                Err(Error::precondition("ALREADY_PAID", "the customer has paid already").caused_by(error))
            }
            Err(error) => Err(error),
        }
    }

    #[tracing::instrument(name = "peer.provider.refund", skip_all, err(Debug, level = "debug"))]
    async fn refund(&self, refund: &NewRefund) -> Result<RefundState> {
        let wire = WireNewRefund {
            id: refund.id.uuid(),
            charge: refund.payment.uuid(),
            amount_minor: refund.amount.minor(),
            currency: refund.amount.currency().code().to_owned(),
        };
        let made: WireRefund = self.post("/v1/refunds", &wire).await?;
        Ok(made.state.read())
    }

    #[tracing::instrument(name = "peer.provider.refund_state", skip_all, err(Debug, level = "debug"))]
    async fn refund_state(&self, refund: &NewRefund) -> Result<Option<RefundState>> {
        let found: Option<WireRefund> =
            self.call(Method::GET, &format!("/v1/refunds/{}", refund.id.uuid()), Vec::new()).await?;
        Ok(found.map(|refund| refund.state.read()))
    }

    async fn read_notice(&self, envelope: &Envelope<'_>) -> Result<Notice> {
        let message = Signed {
            signature: envelope.headers.get(SIGNATURE),
            timestamp: envelope.headers.get(TIMESTAMP),
            nonce: envelope.headers.get(NONCE),
            body: envelope.body,
        };
        self.signer.check(message, envelope.received, envelope.tolerance)?;
        let notice: WireNotice = serde_json::from_slice(envelope.body)
            .map_err(|error| Error::invalid("body", "is not a notice of this provider").caused_by(error))?;
        if notice.id.is_empty() || notice.id.len() > 64 {
            return Err(Error::invalid("body", "has no notice id of 1 to 64 characters"));
        }
        Ok(Notice { id: notice.id, kind: notice.kind, nonce: None, about: About::Charge(notice.charge.read()) })
    }

    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement::JSON
    }
}

impl fmt::Debug for SandboxClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxClient").field("url", &self.url).finish_non_exhaustive()
    }
}

fn unreachable(error: reqwest::Error) -> Error {
    // Its text would carry the address only, but the address is ours to know.
    Error::unavailable(PROVIDER).caused_by(error.without_url())
}

#[derive(Serialize)]
struct WireNewCharge<'a> {
    id: kernel::Uuid,
    amount_minor: i64,
    currency: String,
    notify_url: &'a str,
    minutes: u32,
}

#[derive(Serialize)]
struct WireNewRefund {
    id: kernel::Uuid,
    charge: kernel::Uuid,
    amount_minor: i64,
    currency: String,
}

#[derive(Deserialize)]
struct WireCharge {
    charge_id: String,
    pay_uri: String,
}

#[derive(Deserialize)]
struct WireRefund {
    state: WireRefundState,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireRefundState {
    Pending,
    Succeeded,
}

#[derive(Deserialize)]
struct WireNotice {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    charge: WireReport,
}

#[derive(Deserialize)]
struct WireReport {
    id: kernel::Uuid,
    amount_minor: i64,
    currency: String,
    state: WireChargeState,
    #[serde(default)]
    failure_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireChargeState {
    Pending,
    Succeeded,
    Failed,
    Expired,
}

impl WireRefundState {
    fn read(self) -> RefundState {
        match self {
            Self::Pending => RefundState::Pending,
            Self::Succeeded => RefundState::Succeeded,
        }
    }
}

impl WireReport {
    fn read(self) -> ChargeReport {
        let state = match self.state {
            WireChargeState::Pending => ChargeState::Pending,
            WireChargeState::Succeeded => ChargeState::Succeeded,
            WireChargeState::Expired => ChargeState::Failed { reason: "EXPIRED".to_owned() },
            WireChargeState::Failed => {
                ChargeState::Failed { reason: self.failure_reason.unwrap_or_else(|| "DECLINED".to_owned()) }
            }
        };
        ChargeReport {
            payment: PaymentId::from_uuid(self.id),
            reference: self.id.to_string(),
            transaction: String::new(),
            amount: Some(Amount { minor: self.amount_minor, currency: self.currency }),
            state,
        }
    }
}
