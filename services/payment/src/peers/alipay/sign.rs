//! What is signed: all parameters but the signature and the empty ones, sorted, as `name=value` joined by `&`, as they are.

use std::collections::BTreeMap;

use kernel::Result;
use serde::Serialize;
use serde_json::Value;

use super::Alipay;
use crate::peers::china_time;

/// Parameters by their names.
pub type Params = BTreeMap<String, String>;

/// What is signed of parameters.
pub fn content(params: &Params) -> String {
    let signed = params.iter().filter(|(name, value)| name.as_str() != "sign" && !value.is_empty());
    signed.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Parameters as a form, or a query.
pub fn form(params: &Params) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

impl Alipay {
    /// The signed parameters of a call. `extra` are those beside the business content.
    pub(super) fn signed(&self, method: &str, business: &impl Serialize, extra: &[(&str, &str)]) -> Result<Params> {
        let business: Value = serde_json::to_value(business).map_err(kernel::Error::internal)?;
        let mut params = Params::new();
        let mut put = |name: &str, value: &str| drop(params.insert(name.to_owned(), value.to_owned()));
        put("app_id", &self.app_id);
        put("method", method);
        put("format", "JSON");
        put("charset", "utf-8");
        put("sign_type", "RSA2");
        put("timestamp", &china_time::plain(self.clock.now()));
        put("version", "1.0");
        put("biz_content", &business.to_string());
        if let Some(names) = &self.keys.names {
            put("app_cert_sn", &names.app);
            put("alipay_root_cert_sn", &names.roots);
        }
        for (name, value) in extra.iter().filter(|(_, value)| !value.is_empty()) {
            put(name, value);
        }
        let signature = self.private_key.sign(content(&params).as_bytes())?;
        params.insert("sign".to_owned(), signature);
        Ok(params)
    }

    /// A signed order that the kit in an app takes.
    pub(super) fn app_order(&self, method: &str, business: &impl Serialize) -> Result<String> {
        Ok(form(&self.signed(method, business, &[("notify_url", &self.notify_url)])?))
    }

    /// An address that the customer's browser opens.
    pub(super) fn page(&self, method: &str, business: &impl Serialize, return_uri: &str) -> Result<String> {
        let extra = [("notify_url", self.notify_url.as_str()), ("return_url", return_uri)];
        Ok(format!("{}?{}", self.url, form(&self.signed(method, business, &extra)?)))
    }
}
