//! The payment providers that a deployment has accounts with; in a trial the sandbox plays the others.

use std::sync::Arc;

use kernel::SharedClock;
use payment::{
    Peers,
    peers::{
        Alipay, AlipayConfig, Invoicing, Provider, Providers, SandboxClient, SandboxClientConfig, Wechat, WechatConfig,
        alipay::AlipayKeys, wechat::PlatformKeys,
    },
    sandbox::Played,
};
use runtime::{
    Settings,
    config::{AlipaySettings, ConfigError, WechatSettings},
};

/// Clients of all providers that are enabled, and of those that the sandbox plays; and who of them issues invoices.
///
/// # Errors
/// Naming the setting that can't be used. Nothing is called yet.
pub fn peers(settings: &Settings, clock: &SharedClock, played: Option<&Played>) -> Result<Peers, ConfigError> {
    let mut invoicing: Option<Arc<dyn Invoicing>> = None;
    let mut clients: Vec<Arc<dyn Provider>> = Vec::new();
    if settings.sandbox.enabled {
        let config = SandboxClientConfig {
            url: settings.sandbox.url(),
            notify_url: settings.sandbox_notice_url(),
            secret: settings.sandbox.secret.clone(),
        };
        clients.push(Arc::new(SandboxClient::try_new(config, Arc::clone(clock)).map_err(refused)?));
    }
    let of_wechat = match played {
        _ if settings.wechat.enabled => Some(wechat(&settings.wechat)?),
        Some(played) => Some(played.wechat.merchant(&settings.sandbox_notice_url_of("wechat"), true)),
        None => None,
    };
    if let Some(config) = of_wechat {
        let wechat = Arc::new(Wechat::try_new(config, Arc::clone(clock)).map_err(refused)?);
        if settings.wechat.invoices || !settings.wechat.enabled {
            invoicing = Some(Arc::clone(&wechat) as Arc<dyn Invoicing>);
        }
        clients.push(wechat);
    }
    let of_alipay = match played {
        _ if settings.alipay.enabled => Some(alipay(&settings.alipay)?),
        Some(played) => Some(played.alipay.merchant(&settings.sandbox_notice_url_of("alipay"), false)),
        None => None,
    };
    if let Some(config) = of_alipay {
        clients.push(Arc::new(Alipay::try_new(config, Arc::clone(clock)).map_err(refused)?));
    }
    Ok(Peers { providers: Providers::new(clients), invoicing })
}

fn wechat(settings: &WechatSettings) -> Result<WechatConfig, ConfigError> {
    let platform = match settings.public_key()? {
        Some((id, pem)) => PlatformKeys::PublicKey { id, pem },
        None => PlatformKeys::Certificates,
    };
    Ok(WechatConfig {
        url: settings.url.clone(),
        app_id: settings.app_id.clone(),
        merchant_id: settings.merchant_id.clone(),
        certificate_serial: settings.certificate_serial.clone(),
        private_key: settings.private_key()?,
        api_v3_key: settings.api_v3_key()?,
        platform,
        notify_url: settings.notice_url.clone(),
        profit_sharing: settings.profit_sharing,
    })
}

fn alipay(settings: &AlipaySettings) -> Result<AlipayConfig, ConfigError> {
    let keys = match settings.public_key()? {
        Some(key) => AlipayKeys::PublicKey { key },
        None => {
            let [app, provider, roots] = settings.certificates()?;
            AlipayKeys::Certificates { app, provider, roots }
        }
    };
    Ok(AlipayConfig {
        url: settings.url.clone(),
        app_id: settings.app_id.clone(),
        seller_id: settings.seller_id.clone(),
        private_key: settings.private_key()?,
        keys,
        notify_url: settings.notice_url.clone(),
    })
}

/// The error of a setting; that it can't be used is known only where it is read.
fn refused(error: kernel::Error) -> ConfigError {
    match error.violations().first() {
        Some(violation) => ConfigError::new(&violation.field, &violation.description),
        None => ConfigError::new("the payment providers", error.message()),
    }
}

#[cfg(test)]
mod tests {
    use kernel::SystemClock;

    use super::*;

    fn read(set: &[&str]) -> Result<Vec<&'static str>, ConfigError> {
        let set: Vec<String> = set.iter().map(|text| (*text).to_owned()).collect();
        let settings = runtime::config::load(None, [], &set)?;
        let clock: SharedClock = Arc::new(SystemClock);
        let peers = peers(&settings, &clock, None)?;
        assert!(peers.invoicing.is_none(), "nobody issues invoices unless it is wanted");
        Ok(["sandbox", "wechat", "alipay"].into_iter().filter(|name| peers.providers.named(name).is_some()).collect())
    }

    #[test]
    fn only_what_is_enabled_is_offered() {
        assert_eq!(read(&[]).unwrap(), ["sandbox"]);
        assert!(
            read(&["sandbox.enabled=false"]).unwrap().is_empty(),
            "nor are notices of its well-known secret taken in"
        );
    }

    #[test]
    fn an_account_that_cannot_be_used_is_refused_by_its_setting() {
        let account = [
            "wechat.enabled=true",
            "wechat.app_id=wx1",
            "wechat.merchant_id=1900000001",
            "wechat.certificate_serial=AB12",
            "wechat.notice_url=https://pay.example/v1/payments:notify/wechat",
            "wechat.api_v3_key=hunter2",
        ];
        let error = read(&account).unwrap_err();
        assert_eq!(error.origin, "wechat.private_key");
        let error = read(&[&account[..], &["wechat.private_key=hunter2"]].concat()).unwrap_err();
        assert_eq!(error.origin, "wechat.private_key");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
