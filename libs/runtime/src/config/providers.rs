//! The accounts with payment providers. Defaults and meanings are in `defaults.toml`.
//!
//! A key is given as it is, by an environment variable, or as a file that holds it; never both.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::ConfigError;

/// An account with WeChat Pay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatSettings {
    /// Whether there is one.
    pub enabled: bool,
    /// Where the provider is reached.
    pub url: String,
    /// The id of the official account or mini program that payers use.
    #[serde(default)]
    pub app_id: String,
    /// The merchant's id.
    #[serde(default)]
    pub merchant_id: String,
    /// The serial number of the merchant's API certificate, in hex.
    #[serde(default)]
    pub certificate_serial: String,
    /// The private key of that certificate, in PEM.
    pub private_key: Option<SecretString>,
    /// The file that holds it.
    pub private_key_file: Option<PathBuf>,
    /// The key that seals notices: 32 characters.
    pub api_v3_key: Option<SecretString>,
    /// The file that holds it.
    pub api_v3_key_file: Option<PathBuf>,
    /// The id of the provider's public key; without it its certificates are downloaded.
    pub public_key_id: Option<String>,
    /// The provider's public key, in PEM.
    pub public_key: Option<String>,
    /// The file that holds it.
    pub public_key_file: Option<PathBuf>,
    /// Where the provider sends its notices: an HTTPS address of the gateway that is reached from outside.
    #[serde(default)]
    pub notice_url: String,
    /// Whether what is paid waits to be shared with partners.
    pub profit_sharing: bool,
    /// Whether the account may issue invoices (电子发票).
    pub invoices: bool,
}

impl WechatSettings {
    /// The merchant's private key.
    ///
    /// # Errors
    /// When it is not set, or its file can't be read.
    pub fn private_key(&self) -> Result<SecretString, ConfigError> {
        secret("wechat.private_key", self.private_key.as_ref(), self.private_key_file.as_deref())
    }

    /// The key that seals notices.
    ///
    /// # Errors
    /// When it is not set, or its file can't be read.
    pub fn api_v3_key(&self) -> Result<SecretString, ConfigError> {
        secret("wechat.api_v3_key", self.api_v3_key.as_ref(), self.api_v3_key_file.as_deref())
    }

    /// The provider's public key with its id, if its signatures are checked so.
    ///
    /// # Errors
    /// When only one of them is set, or the file can't be read.
    pub fn public_key(&self) -> Result<Option<(String, String)>, ConfigError> {
        let Some(id) = &self.public_key_id else {
            return match (&self.public_key, &self.public_key_file) {
                (None, None) => Ok(None),
                _ => Err(ConfigError::new("wechat.public_key_id", "is not set, but the key is")),
            };
        };
        text("wechat.public_key", self.public_key.as_ref(), self.public_key_file.as_deref())
            .map(|key| Some((id.clone(), key)))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let needed = [
            ("wechat.app_id", &self.app_id),
            ("wechat.merchant_id", &self.merchant_id),
            ("wechat.certificate_serial", &self.certificate_serial),
            ("wechat.notice_url", &self.notice_url),
        ];
        needs(self.enabled, &needed)
    }
}

/// An account with Alipay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlipaySettings {
    /// Whether there is one.
    pub enabled: bool,
    /// Where the provider is reached.
    pub url: String,
    /// The id of the application.
    #[serde(default)]
    pub app_id: String,
    /// The id of its owner, `2088…`.
    #[serde(default)]
    pub seller_id: String,
    /// The application's private key, in PEM or bare base64.
    pub private_key: Option<SecretString>,
    /// The file that holds it.
    pub private_key_file: Option<PathBuf>,
    /// The provider's public key, in PEM or bare base64; without it the three certificates.
    pub public_key: Option<String>,
    /// The file that holds it.
    pub public_key_file: Option<PathBuf>,
    /// The application's certificate, in PEM.
    pub app_certificate: Option<String>,
    /// The file that holds it.
    pub app_certificate_file: Option<PathBuf>,
    /// The provider's certificate, in PEM.
    pub certificate: Option<String>,
    /// The file that holds it.
    pub certificate_file: Option<PathBuf>,
    /// The provider's root certificates, in PEM.
    pub root_certificates: Option<String>,
    /// The file that holds them.
    pub root_certificates_file: Option<PathBuf>,
    /// Where the provider sends its notices: an address of the gateway that is reached from outside.
    #[serde(default)]
    pub notice_url: String,
}

impl AlipaySettings {
    /// The application's private key.
    ///
    /// # Errors
    /// When it is not set, or its file can't be read.
    pub fn private_key(&self) -> Result<SecretString, ConfigError> {
        secret("alipay.private_key", self.private_key.as_ref(), self.private_key_file.as_deref())
    }

    /// The provider's public key, if its signatures are checked so.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn public_key(&self) -> Result<Option<String>, ConfigError> {
        match (&self.public_key, &self.public_key_file) {
            (None, None) => Ok(None),
            (key, file) => text("alipay.public_key", key.as_ref(), file.as_deref()).map(Some),
        }
    }

    /// The certificates of application, provider and roots, in PEM.
    ///
    /// # Errors
    /// When one is not set, or can't be read.
    pub fn certificates(&self) -> Result<[String; 3], ConfigError> {
        let of = |key, value: &Option<String>, file: &Option<PathBuf>| text(key, value.as_ref(), file.as_deref());
        Ok([
            of("alipay.app_certificate", &self.app_certificate, &self.app_certificate_file)?,
            of("alipay.certificate", &self.certificate, &self.certificate_file)?,
            of("alipay.root_certificates", &self.root_certificates, &self.root_certificates_file)?,
        ])
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let needed = [
            ("alipay.app_id", &self.app_id),
            ("alipay.seller_id", &self.seller_id),
            ("alipay.notice_url", &self.notice_url),
        ];
        needs(self.enabled, &needed)
    }
}

fn needs(enabled: bool, needed: &[(&str, &String)]) -> Result<(), ConfigError> {
    match needed.iter().find(|(_, value)| enabled && value.is_empty()) {
        Some((key, _)) => Err(ConfigError::new(key, "is not set, but the provider is enabled")),
        None => Ok(()),
    }
}

fn secret(key: &str, value: Option<&SecretString>, file: Option<&Path>) -> Result<SecretString, ConfigError> {
    match (value, file) {
        (Some(value), None) => Ok(value.clone()),
        (None, Some(file)) => read(key, file).map(SecretString::from),
        (None, None) => Err(ConfigError::new(key, "is not set; set it, or the file that holds it")),
        (Some(_), Some(_)) => Err(ConfigError::new(key, "is set twice, as it is and as a file")),
    }
}

fn text(key: &str, value: Option<&String>, file: Option<&Path>) -> Result<String, ConfigError> {
    match (value, file) {
        (Some(value), None) => Ok(value.clone()),
        (None, Some(file)) => read(key, file),
        (None, None) => Err(ConfigError::new(key, "is not set; set it, or the file that holds it")),
        (Some(_), Some(_)) => Err(ConfigError::new(key, "is set twice, as it is and as a file")),
    }
}

fn read(key: &str, file: &Path) -> Result<String, ConfigError> {
    let read = std::fs::read_to_string(file).map(|text| text.trim().to_owned());
    read.map_err(|error| ConfigError::new(format!("{key}_file"), format!("{}: {error}", file.display())))
}
