//! A house with three providers, and processes of the service that come and go.

use std::{pin::Pin, sync::Arc, task::Poll};

use kernel::{Clock, Uuid};
use payment::{
    App, Policy,
    domain::order::TenderClass,
    sandbox::wire::{Mishap, Stage, Trade},
};
use rpc::{ServerLayer, ServerLayerConfig, server_layer};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tower::Layer;

use super::{
    model::{How, Rules},
    seen::PayId,
};
use crate::{house::vault, shop::Shop};

/// The service behind its real layer, without a wire between: a request's work is done by whoever waits for it, and ends
/// with them.
pub type Door = <ServerLayer as Layer<Routes>>::Service;

/// What became of a charge, as the provider knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It was never made.
    Unknown,
    /// It can be paid.
    Waiting,
    /// The customer has paid.
    Paid,
    /// It failed, was closed, or its time is over.
    Ended,
}

/// How a notice is spoilt; the words of the sandbox.
pub const SPOILT: [&str; 8] = ["", "", "late", "twice", "lost", "reordered", "wrong_amount", "bad_signature"];

/// A house.
pub struct World {
    pub shop: Shop,
    pub rules: Rules,
    /// The process that runs now.
    pub app: Arc<App>,
    pub door: Door,
}

impl World {
    /// A new house; each of them has other rules.
    pub async fn open(nth: u64) -> Self {
        let spending = ["proportional", "bonus_first", "principal_first"][usize::try_from(nth % 3).expect("few")];
        let usual_refunds = nth.is_multiple_of(2);
        let mut classes = TenderClass::ALL.map(|class| class.as_str().to_owned()).to_vec();
        if !usual_refunds {
            classes.reverse();
        }
        let policy = Policy { card_spending: spending.to_owned(), refund_order: classes, ..Policy::default() };
        let shop = Shop::open_with(nth.is_multiple_of(2), policy).await;
        let app = Arc::clone(&shop.app);
        let door = door(&app);
        // Only those who count the events of one thing read by it.
        let index = sqlx::query("create index outbox_of_one on outbox (aggregate_id)").execute(shop.db.pg.pool());
        index.await.expect("an index");
        Self { shop, rules: Rules { spending, usual_refunds }, app, door }
    }

    /// The seconds of its clock.
    pub fn now(&self) -> i64 {
        self.shop.clock.now().as_second()
    }

    /// A new process takes the place of one that has died, as soon as the database has noticed that.
    pub async fn restart(&mut self) {
        let old = &self.app;
        let clock = Arc::clone(&old.clock);
        let app = App::new(old.pg.clone(), vault(), clock, old.policy.clone(), old.peers.clone());
        self.app = Arc::new(app);
        self.door = door(&self.app);
        let busy =
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
                    and backend_type = 'client backend' and state <> 'idle'";
        while self.shop.count(busy).await > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// What the provider knows of a payment.
    pub async fn truth(&self, how: How, pay: &PayId) -> Truth {
        let number = pay.id.as_simple().to_string();
        let now = self.shop.clock.now();
        let of = |trade: Option<&Trade>| match trade {
            None => Truth::Unknown,
            Some(trade) => match trade.stage {
                Stage::Waiting if trade.expire_time > now => Truth::Waiting,
                Stage::Paid => Truth::Paid,
                _ => Truth::Ended,
            },
        };
        match how {
            How::Wechat => of(self.shop.wechat.book().trades.get(&number)),
            How::Alipay => of(self.shop.alipay.book().trades.get(&number)),
            _ => {
                let state: Option<String> = sqlx::query_scalar("select state from sandbox.charge where id = $1")
                    .bind(pay.id)
                    .fetch_optional(self.shop.db.pg.pool())
                    .await
                    .expect("the sandbox's books");
                match state.as_deref() {
                    None => Truth::Unknown,
                    Some("pending") => Truth::Waiting,
                    Some("succeeded") => Truth::Paid,
                    Some(_) => Truth::Ended,
                }
            }
        }
    }

    /// What the provider has given back of a payment.
    pub async fn given_back(&self, how: How, pay: &PayId) -> i64 {
        let number = pay.id.as_simple().to_string();
        match how {
            How::Wechat => self.shop.wechat.book().refunded(&number),
            How::Alipay => self.shop.alipay.book().refunded(&number),
            _ => sqlx::query_scalar(
                "select coalesce(sum(amount_minor), 0)::bigint from sandbox.refund where charge = $1",
            )
            .bind(pay.id)
            .fetch_one(self.shop.db.pg.pool())
            .await
            .expect("the sandbox's books"),
        }
    }

    /// The customer pays, or fails to, and the notice is spoilt; nothing, if that is not possible.
    pub async fn press(&self, how: How, pay: &PayId, succeeds: bool, spoilt: &str) {
        let number = pay.id.as_simple().to_string();
        let word = if spoilt == "bad_signature" { "forged" } else { spoilt };
        let word = (!word.is_empty()).then(|| serde_json::from_value(word.into()).expect("a word of the wire's"));
        match (how, word) {
            (How::Wechat, None) => drop(self.shop.wechat.pay(&number)),
            (How::Wechat, Some(spoilt)) => drop(self.shop.wechat.pay_spoilt(&number, spoilt)),
            (How::Alipay, word) => {
                // There is a trade as soon as the customer opens the page.
                if let Some((_, query)) = pay.uri.as_ref().and_then(|uri| uri.split_once('?')) {
                    drop(self.shop.alipay.open(query));
                }
                match word {
                    None => drop(self.shop.alipay.pay(&number)),
                    Some(spoilt) => drop(self.shop.alipay.pay_spoilt(&number, spoilt)),
                }
            }
            _ => {
                let Some(uri) = &pay.uri else { return };
                let query = if spoilt.is_empty() { String::new() } else { format!("?fault={spoilt}") };
                let body = serde_json::json!({ "outcome": if succeeds { "succeed" } else { "fail" } });
                let press = self.shop.http.post(format!("{uri}{query}")).json(&body);
                press.send().await.expect("the sandbox answers");
            }
        }
    }

    /// All notices that are due are delivered.
    pub async fn deliver(&self) {
        self.shop.deliver().await;
        while !self.shop.wechat.deliver_due().await.is_empty() {}
        while !self.shop.alipay.deliver_due().await.is_empty() {}
    }

    /// The providers are away, or do what they are asked to and their answers get lost.
    pub async fn spoil(&self, lost: bool) {
        let mishap = if lost { Mishap::LoseAnswer } else { Mishap::Down };
        self.shop.wechat.mishaps.order([mishap]);
        self.shop.alipay.mishaps.order([mishap]);
        self.order_faults(true).await;
    }

    /// The providers are well again.
    pub async fn well(&self) {
        self.shop.wechat.mishaps.clear();
        self.shop.alipay.mishaps.clear();
        self.order_faults(false).await;
    }

    async fn order_faults(&self, down: bool) {
        let faults = serde_json::json!({ "down": down });
        let put = self.shop.http.put(format!("{}/faults", self.shop.sandbox_url)).json(&faults);
        put.send().await.expect("the sandbox answers");
    }

    /// The sandbox gives up what nobody takes in.
    pub async fn forget_notices(&self) {
        let given_up = sqlx::query("update sandbox.notice set done_time = next_attempt_time where done_time is null");
        given_up.execute(self.shop.db.pg.pool()).await.expect("given up");
    }

    /// What wasn't paid in time can't be paid any more at the sandbox; the others look for themselves.
    pub async fn expire_charges(&self) {
        self.shop.sandbox.expire_due().await.expect("expired");
    }
}

fn door(app: &Arc<App>) -> Door {
    let feed = feed::FeedServer::new(app.pg.clone(), watch::channel(0).1, CancellationToken::new());
    let keys = testkit::keys().trusted();
    server_layer(ServerLayerConfig { service: "test", keys, clock: testkit::clock() })
        .layer(payment::rpc::routes(app, feed))
}

/// Polls `work` until it has waited `waits` times, and drops it then, wherever it is: so ends a process. `None` if it did.
pub async fn crash<T>(waits: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work: Pin<Box<dyn Future<Output = T>>> = Box::pin(work);
    let mut waited = 0;
    std::future::poll_fn(move |context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => {
            waited += 1;
            if waited > waits { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}

/// A UUID that the dice decide.
pub fn uuid(dice: &mut crate::dice::Dice) -> Uuid {
    let mut half = || (0..4).fold(0_u128, |sum, _| (sum << 16) | u128::try_from(dice.roll(1 << 16)).expect("small"));
    let bits = (half() << 64) | half();
    Uuid::from_u128(bits & !(0xF << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62))
}
