//! A sandbox that speaks the protocol of Alipay's open platform.
//!
//! It checks what merchants sign, signs what it answers and tells, repeats notices with the real pauses, and writes bills
//! in the real format. What the merchant gives is opened at `GET /gateway.do`, as a browser does, or by
//! [`AlipaySandbox::open`].
//!
//! | method and path | who | does |
//! |---|---|---|
//! | `GET /sandbox/pay/{number}` | customer | a page with a button |
//! | `POST /sandbox/pay/{number}` | customer | pays; with `?fault=` the notice is spoilt (see [`super::wire::Spoilt`]) |
//! | `PUT /sandbox/mishaps` | tester | what goes wrong with the calls to come, a list (see [`super::wire::Mishap`]) |
//!
//! Its keys are in this repository for everybody to read; they protect nothing. Both modes are served: a merchant that
//! names its certificate is answered with the name of the provider's.

mod admit;
mod bills;
mod freezes;
mod refunds;
mod tell;
mod trades;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query as UrlQuery, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use kernel::{Error, Result, SharedClock};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::wire::{Book, Mishap, Mishaps, Ordered, Queue, Schedule, page};
use crate::peers::{
    alipay::{AlipayConfig, AlipayKeys, Params, certificate_name, roots_name},
    crypto::{PrivateKey, PublicKey},
};
use freezes::Freeze;

pub use bills::archive;

/// The id of the one application it knows.
pub const APP_ID: &str = "2021000000000001";
/// The id of that application's owner.
pub const SELLER_ID: &str = "2088000000000001";

const KEY: &str = include_str!("../keys/alipay_provider.key.pem");
const PUBLIC_KEY: &str = include_str!("../keys/alipay_provider.pub.pem");
const CERTIFICATE: &str = include_str!("../keys/alipay_provider.cert.pem");
const ROOT: &str = include_str!("../keys/alipay_root.cert.pem");
const APP_KEY: &str = include_str!("../keys/alipay_app.key.pem");
const APP_PUBLIC_KEY: &str = include_str!("../keys/alipay_app.pub.pem");
const APP_CERTIFICATE: &str = include_str!("../keys/alipay_app.cert.pem");

/// Eight attempts over 25 hours, as the provider documents them.
const SCHEDULE: Schedule = &[240, 600, 600, 3_600, 7_200, 21_600, 54_000];

/// How long a merchant may take to answer a notice.
const NOTICE_TIMEOUT: Duration = Duration::from_secs(5);

/// A provider that speaks Alipay's protocol and takes no money.
pub struct AlipaySandbox {
    clock: SharedClock,
    url: String,
    key: PrivateKey,
    wrong_key: PrivateKey,
    app_key: PublicKey,
    book: Mutex<Book>,
    freezes: Mutex<BTreeMap<String, Freeze>>,
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    names: Names,
    /// Whether the merchant has called with certificates last.
    certificates: AtomicBool,
    queue: Queue,
    calls: AtomicUsize,
    /// What goes wrong with the calls to come.
    pub mishaps: Mishaps,
}

/// What the certificates are called.
struct Names {
    app: String,
    provider: String,
    root: String,
}

/// A call's answer: the inner object.
type Answer = Result<Value, Refusal>;

/// Why a call is not done: code, sub-code.
#[derive(Debug, Clone, Copy)]
struct Refusal(&'static str, &'static str);

impl Refusal {
    const MALFORMED: Self = Self("40002", "isv.invalid-parameter");
    const BAD_SIGNATURE: Self = Self("40002", "isv.invalid-signature");
    const SYSTEM_ERROR: Self = Self("20000", "aop.unknow-error");
    const NO_TRADE: Self = Self("40004", "ACQ.TRADE_NOT_EXIST");
}

impl AlipaySandbox {
    /// A sandbox that serves nobody yet, to be reached at `url`.
    ///
    /// # Errors
    /// `Internal` if no HTTP client can be made on this machine.
    pub fn try_new(url: &str, clock: SharedClock) -> Result<Arc<Self>> {
        let http = reqwest::Client::builder().timeout(NOTICE_TIMEOUT).no_proxy().build().map_err(Error::internal)?;
        Ok(Arc::new(Self {
            queue: Queue::new(Arc::clone(&clock), http, SCHEDULE),
            clock,
            url: url.trim_end_matches('/').to_owned(),
            key: PrivateKey::parse("key", &KEY.into())?,
            wrong_key: PrivateKey::parse("key", &APP_KEY.into())?,
            app_key: PublicKey::parse("key", APP_PUBLIC_KEY)?,
            book: Mutex::default(),
            freezes: Mutex::default(),
            files: Mutex::default(),
            names: Names {
                app: certificate_name("app", APP_CERTIFICATE)?,
                provider: certificate_name("provider", CERTIFICATE)?,
                root: roots_name("root", ROOT)?,
            },
            certificates: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
            mishaps: Mishaps::default(),
        }))
    }

    /// What a merchant sets up to be its customer, with certificates or with a public key.
    pub fn merchant(&self, notify_url: &str, certificates: bool) -> AlipayConfig {
        let keys = if certificates {
            AlipayKeys::Certificates {
                app: APP_CERTIFICATE.to_owned(),
                provider: CERTIFICATE.to_owned(),
                roots: ROOT.to_owned(),
            }
        } else {
            AlipayKeys::PublicKey { key: PUBLIC_KEY.to_owned() }
        };
        AlipayConfig {
            url: format!("{}/gateway.do", self.url),
            app_id: APP_ID.to_owned(),
            seller_id: SELLER_ID.to_owned(),
            private_key: SecretString::from(APP_KEY),
            keys,
            notify_url: notify_url.to_owned(),
        }
    }

    /// Its HTTP side.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/gateway.do", get(visit).post(call))
            .route("/bill/{token}", get(give_bill))
            .route("/sandbox/pay/{number}", get(show).post(pay))
            .route("/sandbox/mishaps", put(order_mishaps))
            .with_state(Arc::clone(self))
    }

    /// Its books.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.expire(self.clock.now());
        book
    }

    /// How many calls have come so far.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    async fn answer(&self, uri: &Uri, body: &[u8]) -> Response {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mishap = self.mishaps.take();
        mishap.delay().await;
        if mishap == Mishap::Down {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let params: Params = query.into_owned().chain(form_urlencoded::parse(body).into_owned()).collect();
        let (method, answer) = match self.admit(params) {
            Ok(call) => (call.method.clone(), self.act(&call.method, &call.business, &call.notify_url, mishap)),
            Err(refusal) => (String::new(), Err(refusal)),
        };
        if mishap == Mishap::LoseAnswer {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        self.signed_answer(&method, answer, mishap)
    }

    fn act(&self, method: &str, business: &Value, notify_url: &str, mishap: Mishap) -> Answer {
        match method {
            "alipay.trade.precreate" => self.precreate(business, notify_url),
            "alipay.trade.pay" => self.take(business, notify_url),
            "alipay.trade.query" => self.show_trade(business, mishap),
            "alipay.trade.close" => self.close_trade(business),
            "alipay.trade.cancel" => self.cancel_trade(business),
            "alipay.trade.refund" => self.make_refund(business),
            "alipay.trade.fastpay.refund.query" => self.show_refund(business),
            "alipay.data.dataservice.bill.downloadurl.query" => self.offer_bill(business),
            "alipay.fund.auth.order.voucher.create" => self.make_voucher(business),
            "alipay.fund.auth.order.freeze" => self.freeze_scanned(business),
            "alipay.fund.auth.operation.detail.query" => self.show_freeze(business),
            "alipay.fund.auth.order.unfreeze" => self.unfreeze(business),
            "alipay.fund.auth.operation.cancel" => self.cancel_freeze(business),
            _ => Err(Refusal("40002", "isv.invalid-method")),
        }
    }
}

impl fmt::Debug for AlipaySandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlipaySandbox").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A text of the business content; empty if there is none.
fn text<'a>(business: &'a Value, name: &str) -> &'a str {
    business[name].as_str().unwrap_or_default()
}

async fn call(State(sandbox): State<Arc<AlipaySandbox>>, uri: Uri, body: Bytes) -> Response {
    sandbox.answer(&uri, &body).await
}

/// The customer's browser opens a page.
async fn visit(State(sandbox): State<Arc<AlipaySandbox>>, uri: Uri) -> Response {
    match sandbox.open(uri.query().unwrap_or_default()) {
        Ok(number) => page::at(&sandbox.url, &number).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.message().to_owned()).into_response(),
    }
}

/// The customer's browser opens the page of a trade.
async fn show(State(sandbox): State<Arc<AlipaySandbox>>, Path(number): Path<String>) -> Response {
    page::of(sandbox.book().trades.get(&number))
}

/// A tester orders what goes wrong with the calls to come.
async fn order_mishaps(State(sandbox): State<Arc<AlipaySandbox>>, Json(mishaps): Json<Vec<Mishap>>) -> StatusCode {
    sandbox.mishaps.order(mishaps);
    StatusCode::NO_CONTENT
}

async fn pay(
    State(sandbox): State<Arc<AlipaySandbox>>,
    Path(number): Path<String>,
    UrlQuery(ordered): UrlQuery<Ordered>,
) -> Response {
    let paid = match ordered.fault {
        Some(spoilt) => sandbox.pay_spoilt(&number, spoilt),
        None => sandbox.pay(&number),
    };
    page::after(paid, sandbox.book().trades.get(&number))
}

async fn give_bill(State(sandbox): State<Arc<AlipaySandbox>>, Path(token): Path<String>) -> Response {
    let file = sandbox.files.lock().unwrap_or_else(PoisonError::into_inner).remove(&token);
    file.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}

/// What is answered with code 10000.
fn done(mut answer: Value) -> Value {
    answer["code"] = "10000".into();
    answer["msg"] = "Success".into();
    answer
}

fn refused(Refusal(code, sub_code): Refusal) -> Value {
    json!({ "code": code, "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "见错误码" })
}
