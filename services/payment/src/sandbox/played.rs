//! The real providers whose protocols the sandbox speaks, beside its own: at `/wechat` and `/alipay` of the same port.
//!
//! Their books live as long as the process. Nobody has to push: refunds are finished, invoices issued and notices sent by themselves.

use std::{sync::Arc, time::Duration};

use axum::Router;
use kernel::{Result, SharedClock};
use runtime::{Tasks, lifecycle::Next};

use super::{alipay::AlipaySandbox, wechat::WechatSandbox};

/// How often the queues of notices are looked at.
const PERIOD: Duration = Duration::from_millis(500);

/// The sandboxes that play real providers.
#[derive(Debug, Clone)]
pub struct Played {
    /// Plays WeChat Pay.
    pub wechat: Arc<WechatSandbox>,
    /// Plays Alipay.
    pub alipay: Arc<AlipaySandbox>,
}

impl Played {
    /// Those of a sandbox at `url`.
    ///
    /// # Errors
    /// `Internal` if no HTTP client can be made on this machine.
    pub fn try_new(url: &str, clock: &SharedClock) -> Result<Self> {
        Ok(Self {
            wechat: WechatSandbox::try_new(&format!("{url}/wechat"), Arc::clone(clock))?,
            alipay: AlipaySandbox::try_new(&format!("{url}/alipay"), Arc::clone(clock))?,
        })
    }

    /// Their HTTP sides.
    pub fn router(&self) -> Router {
        Router::new().nest("/wechat", self.wechat.router()).nest("/alipay", self.alipay.router())
    }

    /// Sends their notices until `tasks` are asked to stop.
    pub fn spawn(&self, tasks: &Tasks) {
        let of = Arc::clone(&self.wechat);
        tasks.spawn_loop("sandbox.wechat", PERIOD, None, move || {
            let sandbox = Arc::clone(&of);
            async move {
                sandbox.finish_refunds()?;
                sandbox.finish_fapiaos();
                sandbox.deliver_due().await;
                Ok(Next::Wait)
            }
        });
        let of = Arc::clone(&self.alipay);
        tasks.spawn_loop("sandbox.alipay", PERIOD, None, move || {
            let sandbox = Arc::clone(&of);
            async move {
                sandbox.deliver_due().await;
                Ok(Next::Wait)
            }
        });
    }
}
