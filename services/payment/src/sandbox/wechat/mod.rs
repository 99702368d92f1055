//! A sandbox that speaks WeChat Pay's API v3.
//!
//! It checks what merchants sign, signs what it answers, seals its notices and sends them with the real pauses, and writes
//! bills in the real format. Merchants reach it as they reach the provider.
//!
//! | method and path | who | does |
//! |---|---|---|
//! | `GET /sandbox/pay/{number}` | customer | a page with a button |
//! | `POST /sandbox/pay/{number}` | customer | pays; with `?fault=` the notice is spoilt (see [`super::wire::Spoilt`]) |
//! | `GET /invoicing/fapiao/fapiao-file` | merchant | the file of an invoice |
//! | `PUT /sandbox/mishaps` | tester | what goes wrong with the calls to come, a list (see [`super::wire::Mishap`]) |
//!
//! Its keys are in this repository for everybody to read; they protect nothing. With
//! [`PUBLIC_KEY_ID`] a merchant is answered in public-key mode, without it with the certificate.

mod admit;
mod answer;
mod bills;
mod fapiao;
mod orders;
mod refunds;
mod shares;
mod tell;

use std::{
    collections::HashSet,
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
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use kernel::{Error, Result, SharedClock};

use super::wire::{Book, Mishap, Mishaps, Ordered, Queue, Schedule, page};
use crate::peers::{
    crypto::{AeadKey, PrivateKey, PublicKey},
    wechat::{PlatformKeys, SERIAL, WechatConfig},
};
use answer::{Answer, Refusal};
use bills::Bills;
use fapiao::Fapiaos;
use shares::Shares;

pub use bills::SpoiltBill;
pub use fapiao::Fapiao;

/// The serial number of the sandbox's certificate.
pub const CERTIFICATE_SERIAL: &str = "4D6572696469616E53616E64626F7801";
/// The id of the sandbox's public key.
pub const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0100000000000000000000000000000001";
/// The id of the one merchant it knows.
pub const MERCHANT_ID: &str = "1900000001";
/// The id of that merchant's app.
pub const APP_ID: &str = "wx00000000sandbox1";
/// The serial number of that merchant's certificate.
pub const MERCHANT_SERIAL: &str = "4D65726368616E7453616E64626F7801";
/// The key that it shares with the merchant.
pub const API_V3_KEY: &str = "an-api-v3-key-of-the-sandbox-007";

pub(crate) const PLATFORM_KEY: &str = include_str!("../keys/wechat_platform.key.pem");
pub(crate) const PLATFORM_CERTIFICATE: &str = include_str!("../keys/wechat_platform.cert.pem");
pub(crate) const PLATFORM_PUBLIC_KEY: &str = include_str!("../keys/wechat_platform.pub.pem");
pub(crate) const MERCHANT_KEY: &str = include_str!("../keys/wechat_merchant.key.pem");
pub(crate) const MERCHANT_PUBLIC_KEY: &str = include_str!("../keys/wechat_merchant.pub.pem");

/// 15 attempts over a day, as the provider documents them.
const SCHEDULE: Schedule =
    &[15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600];

/// How long a merchant may take to answer a notice.
const NOTICE_TIMEOUT: Duration = Duration::from_secs(5);

/// A provider that speaks WeChat Pay's protocol and takes no money.
pub struct WechatSandbox {
    clock: SharedClock,
    url: String,
    key: PrivateKey,
    api_v3_key: AeadKey,
    merchant_key: PublicKey,
    book: Mutex<Book>,
    bills: Mutex<Bills>,
    shares: Mutex<Shares>,
    fapiaos: Mutex<Fapiaos>,
    nonces: Mutex<HashSet<String>>,
    queue: Queue,
    /// Whether the merchant has called in public-key mode last.
    public_key_mode: AtomicBool,
    calls: AtomicUsize,
    /// What goes wrong with the calls to come.
    pub mishaps: Mishaps,
}

impl WechatSandbox {
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
            key: PrivateKey::parse("key", &PLATFORM_KEY.into())?,
            api_v3_key: AeadKey::parse("api_v3_key", &API_V3_KEY.into())?,
            merchant_key: PublicKey::parse("key", MERCHANT_PUBLIC_KEY)?,
            book: Mutex::default(),
            bills: Mutex::default(),
            shares: Mutex::default(),
            fapiaos: Mutex::default(),
            nonces: Mutex::default(),
            public_key_mode: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
            mishaps: Mishaps::default(),
        }))
    }

    /// What a merchant sets up to be its customer, in either mode.
    pub fn merchant(&self, notify_url: &str, public_key: bool) -> WechatConfig {
        let platform = if public_key {
            PlatformKeys::PublicKey { id: PUBLIC_KEY_ID.to_owned(), pem: PLATFORM_PUBLIC_KEY.to_owned() }
        } else {
            PlatformKeys::Certificates
        };
        WechatConfig {
            url: self.url.clone(),
            app_id: APP_ID.to_owned(),
            merchant_id: MERCHANT_ID.to_owned(),
            certificate_serial: MERCHANT_SERIAL.to_owned(),
            private_key: MERCHANT_KEY.into(),
            api_v3_key: API_V3_KEY.into(),
            platform,
            notify_url: notify_url.to_owned(),
            profit_sharing: false,
        }
    }

    /// Its HTTP side.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/sandbox/pay/{number}", get(show).post(pay))
            .route("/invoicing/fapiao/fapiao-file", get(give_fapiao))
            .route("/sandbox/mishaps", put(order_mishaps))
            .fallback(serve)
            .with_state(Arc::clone(self))
    }

    /// Its books.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.expire(self.clock.now());
        book
    }

    fn bills(&self) -> MutexGuard<'_, Bills> {
        self.bills.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shares(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fapiaos(&self) -> MutexGuard<'_, Fapiaos> {
        self.fapiaos.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a merchant.
    async fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Response {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mishap = self.mishaps.take();
        mishap.delay().await;
        if mishap == Mishap::Down {
            return Refusal::SYSTEM_ERROR.plain();
        }
        let path = uri.path_and_query().map_or(uri.path(), |path| path.as_str());
        let answer = match self.admit(method, path, headers, body) {
            Ok(()) => {
                let announced = headers.get(SERIAL).is_some_and(|value| value == PUBLIC_KEY_ID);
                self.public_key_mode.store(announced, Ordering::SeqCst);
                self.act(method, uri, headers, body, mishap)
            }
            Err(refusal) => Err(refusal),
        };
        if mishap == Mishap::LoseAnswer {
            return Refusal::LOST.plain();
        }
        self.sealed(answer, mishap)
    }

    /// How many calls have come so far.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// With which key the merchant wants to be addressed.
    fn serial(&self) -> &'static str {
        if self.public_key_mode.load(Ordering::SeqCst) { PUBLIC_KEY_ID } else { CERTIFICATE_SERIAL }
    }

    fn act(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        mishap: Mishap,
    ) -> Result<Answer, Refusal> {
        let path: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
        let query = answer::Query::read(uri.query().unwrap_or_default());
        match (method.as_str(), path.as_slice()) {
            ("GET", ["v3", "certificates"]) => self.certificates(),
            ("POST", ["v3", "pay", "transactions", way]) => self.make_order(way, body),
            ("GET", ["v3", "pay", "transactions", "out-trade-no", number]) => self.show_order(number, &query, mishap),
            ("POST", ["v3", "pay", "transactions", "out-trade-no", number, "close"]) => self.close_order(number, body),
            ("POST", ["v3", "refund", "domestic", "refunds"]) => self.make_refund(body),
            ("GET", ["v3", "refund", "domestic", "refunds", number]) => self.show_refund(number, mishap),
            ("GET", ["v3", "bill", kind @ ("tradebill" | "fundflowbill")]) => self.offer_bill(kind, &query),
            ("GET", ["v3", "billdownload", "file"]) => self.give_bill(&query),
            (_, ["v3", "profitsharing", rest @ ..]) => self.share_call(rest, &query, headers, body),
            (method, ["v3", "new-tax-control-fapiao", rest @ ..]) => {
                self.fapiao_call(method, rest, &query, headers, body)
            }
            _ => Err(Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", "there is no such call")),
        }
    }
}

impl fmt::Debug for WechatSandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WechatSandbox").field("url", &self.url).finish_non_exhaustive()
    }
}

async fn serve(
    State(sandbox): State<Arc<WechatSandbox>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    sandbox.answer(&method, &uri, &headers, &body).await
}

/// Whoever has the token gets the file of an invoice.
async fn give_fapiao(State(sandbox): State<Arc<WechatSandbox>>, UrlQuery(of): UrlQuery<FileToken>) -> Response {
    sandbox.fapiao_file(&of.token).map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}

/// The query of a file.
#[derive(serde::Deserialize)]
struct FileToken {
    token: String,
}

/// The customer's browser opens the page of an order.
async fn show(State(sandbox): State<Arc<WechatSandbox>>, Path(number): Path<String>) -> Response {
    page::of(sandbox.book().trades.get(&number))
}

/// A tester orders what goes wrong with the calls to come.
async fn order_mishaps(State(sandbox): State<Arc<WechatSandbox>>, Json(mishaps): Json<Vec<Mishap>>) -> StatusCode {
    sandbox.mishaps.order(mishaps);
    StatusCode::NO_CONTENT
}

async fn pay(
    State(sandbox): State<Arc<WechatSandbox>>,
    Path(number): Path<String>,
    UrlQuery(ordered): UrlQuery<Ordered>,
) -> Response {
    let paid = match ordered.fault {
        Some(spoilt) => sandbox.pay_spoilt(&number, spoilt),
        None => sandbox.pay(&number),
    };
    page::after(paid, sandbox.book().trades.get(&number))
}
