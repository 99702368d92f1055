//! How a charge is paid, as a word and a text.

use serde::{Deserialize, Serialize};

use crate::domain::{Action, JsapiParams};

/// The word that is stored.
pub fn word(action: &Action) -> &'static str {
    match action {
        Action::Open { .. } => "open",
        Action::Show { .. } => "show",
        Action::Jsapi(_) => "jsapi",
        Action::App { .. } => "app",
        Action::Wait => "wait",
    }
}

/// The text that is stored: an address, a code, a signed order, or JSON.
pub fn text(action: &Action) -> String {
    match action {
        Action::Open { uri } => uri.clone(),
        Action::Show { code } => code.clone(),
        Action::App { order } => order.clone(),
        Action::Jsapi(params) => serde_json::to_value(Stored::from(params)).unwrap_or_default().to_string(),
        Action::Wait => String::new(),
    }
}

/// Reads both; `None` if they don't fit each other.
pub fn read(word: &str, text: String) -> Option<Action> {
    Some(match word {
        "open" => Action::Open { uri: text },
        "show" => Action::Show { code: text },
        "app" => Action::App { order: text },
        "wait" => Action::Wait,
        "jsapi" => Action::Jsapi(serde_json::from_str::<Stored>(&text).ok()?.into()),
        _ => return None,
    })
}

#[derive(Serialize, Deserialize)]
struct Stored {
    app_id: String,
    time_stamp: String,
    nonce_str: String,
    package: String,
    sign_type: String,
    pay_sign: String,
}

impl From<&JsapiParams> for Stored {
    fn from(params: &JsapiParams) -> Self {
        let JsapiParams { app_id, time_stamp, nonce_str, package, sign_type, pay_sign } = params.clone();
        Self { app_id, time_stamp, nonce_str, package, sign_type, pay_sign }
    }
}

impl From<Stored> for JsapiParams {
    fn from(stored: Stored) -> Self {
        let Stored { app_id, time_stamp, nonce_str, package, sign_type, pay_sign } = stored;
        Self { app_id, time_stamp, nonce_str, package, sign_type, pay_sign }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_back() {
        let some = || "x\"y".to_owned();
        let params = JsapiParams {
            app_id: some(),
            time_stamp: some(),
            nonce_str: some(),
            package: some(),
            sign_type: some(),
            pay_sign: some(),
        };
        for action in [
            Action::Open { uri: some() },
            Action::Show { code: some() },
            Action::Jsapi(params),
            Action::App { order: some() },
            Action::Wait,
        ] {
            assert_eq!(read(word(&action), text(&action)), Some(action));
        }
        assert_eq!(read("jsapi", String::new()), None);
        assert_eq!(read("dance", String::new()), None);
    }
}
