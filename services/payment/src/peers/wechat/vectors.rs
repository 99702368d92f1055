//! Signatures, checks and decryption against others' implementations.
//!
//! The provider's own vectors come from the folder of test data; those in this file were made with OpenSSL and Python's
//! `cryptography` over the sandbox's keys.

use base64::{Engine, prelude::BASE64_STANDARD};
use rsa::{RsaPrivateKey, pkcs8::DecodePrivateKey};
use serde_json::Value;

use super::{Authorization, Signed, check, jsapi_params, verify::Doubt};
use crate::{
    peers::{
        crypto::{AeadKey, Certificate, PrivateKey, PublicKey},
        testdata::{list, text, vectors},
    },
    sandbox::wechat::{
        API_V3_KEY, CERTIFICATE_SERIAL, MERCHANT_KEY, MERCHANT_PUBLIC_KEY, PLATFORM_CERTIFICATE, PLATFORM_KEY,
        PLATFORM_PUBLIC_KEY,
    },
};

fn private(pem: &str) -> PrivateKey {
    PrivateKey::parse("key", &pem.into()).expect("a key")
}

fn public(pem: &str) -> PublicKey {
    PublicKey::parse("key", pem).expect("a key")
}

#[test]
fn a_request_is_signed_as_openssl_signs_it() {
    // printf 'GET\n/v3/certificates\n1554208460\n593BEC0C\n\n' | openssl dgst -sha256 -sign wechat_merchant.key.pem | base64 -w0
    let expected = "bu5UtXvvyI18ZU7D37kyDFI1ajkbXG+a4YDP2Mp6xRNPZ8ALm/Gl2Q+6Ld6asycL6WCBjs7MeyVFqUG0o+HmFL7qOHa9hW6sVx8ZoNmY0Xplf58jixBtabOH7CYCS5ScAdzMBIRd0vTTg4AV7uUAyQfXJ3JFZrIfKtoxKnvmj9qh+3PQkgbxHTupcm4Y3plsj5b714/oOePanqmKXKDaKB88lquRGbxm0oyLXLlmarlRxOj8UDxHPr5b0n7checsoNtEC3RD3NIJbPqVkzf3AFettXV+RiPCOsPRMJ2ow9/9YwMAu1L6+oznSTMFQCF/14erxUVWLUqlK3dJZhdAVA==";
    let authorization = Authorization {
        merchant_id: "1900000001",
        certificate_serial: "AB12",
        method: "GET",
        path: "/v3/certificates",
        timestamp: 1_554_208_460,
        nonce: "593BEC0C",
        body: b"",
    };
    let header = format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"1900000001\",nonce_str=\"593BEC0C\",timestamp=\"1554208460\",\
         serial_no=\"AB12\",signature=\"{expected}\""
    );
    assert_eq!(authorization.header(&private(MERCHANT_KEY)).expect("signed"), header);
}

#[test]
fn what_a_page_hands_on_is_signed_line_by_line() {
    let params = jsapi_params(&private(MERCHANT_KEY), "wx1", "wx2", 1_554_208_460, "n").expect("signed");
    assert_eq!((params.package.as_str(), params.sign_type.as_str()), ("prepay_id=wx2", "RSA"));
    let key = public(MERCHANT_PUBLIC_KEY);
    assert!(key.verifies(b"wx1\n1554208460\nn\nprepay_id=wx2\n", &params.pay_sign));
    assert!(!key.verifies(b"wx1\n1554208460\nn\nprepay_id=wx3\n", &params.pay_sign));
}

#[test]
fn what_openssl_has_signed_is_believed_and_nothing_else() {
    // printf '1554208460\nc5ac7061fccab6bf3e254dcf98995b8c\n{"id":"1"}\n' | openssl dgst -sha256 -sign wechat_platform.key.pem | base64 -w0
    let signature = "VigE6Uq5X0MUh1d6XgFeIDfe4x9RE6vkdeUDHvB2r6EF6gvCB0vxoGPlrCj8iCAFYMf1eOra4BnJaay/brbO1bTztBx/jLQtRkP+51h+w9OMaOFS2tsaUmmGPQmJ5hzERiQYGtLGzEo7Y6EdT1qp9a/dv7PjK/CJfqIuZFcjbQOhX6EnbbRvccxb4kqTjL1CU+ghrCWj23xUCQl4u+tdnFvPpIMWQsp3Wb0XL0wdJ/YHJdm3UUH4k9yzkbYbZ+LeoIyoKeYrDBj779H/P2ySYbPwReGphZZJxWEiC7Lhol4ukk8ulzKd5FpT0dzaM5kv+S3x7hTSjf3BogzIXsTo9w==";
    let sound = Signed {
        signature,
        timestamp: "1554208460",
        nonce: "c5ac7061fccab6bf3e254dcf98995b8c",
        serial: CERTIFICATE_SERIAL,
        body: br#"{"id":"1"}"#,
    };
    let probe = format!("WECHATPAY/SIGNTEST/{signature}");
    let certificate = Certificate::parse("certificate", PLATFORM_CERTIFICATE).expect("a certificate");
    assert_eq!(certificate.serial_hex(), CERTIFICATE_SERIAL);
    let key = certificate.public_key;
    assert_eq!(key, public(PLATFORM_PUBLIC_KEY), "both modes know one key");
    let at = |now, message| check(&key, message, now, 300);
    for now in [1_554_208_460, 1_554_208_160, 1_554_208_760] {
        assert_eq!(at(now, sound), Ok(()));
    }
    for now in [1_554_208_159, 1_554_208_761, 0, i64::MAX, i64::MIN] {
        assert_eq!(at(now, sound), Err(Doubt::Stale));
    }
    for (message, doubt) in [
        (Signed { body: br#"{"id":"2"}"#, ..sound }, Doubt::Forged),
        (Signed { nonce: "c5ac7061fccab6bf3e254dcf98995b8d", ..sound }, Doubt::Forged),
        (Signed { timestamp: "1554208461", ..sound }, Doubt::Forged),
        (Signed { signature: "", ..sound }, Doubt::Unsigned),
        (Signed { serial: "", ..sound }, Doubt::Unsigned),
        (Signed { signature: "AAAA", ..sound }, Doubt::Forged),
        (Signed { signature: "not base64", ..sound }, Doubt::Forged),
        (Signed { signature: &probe, ..sound }, Doubt::Probe),
    ] {
        assert_eq!(at(1_554_208_460, message), Err(doubt), "{message:?}");
    }
    // Another's key.
    assert_eq!(check(&public(MERCHANT_PUBLIC_KEY), sound, 1_554_208_460, 300), Err(Doubt::Forged));
}

#[test]
fn what_others_have_sealed_is_opened() {
    // AESGCM(key).encrypt(nonce, text, associated) of Python's cryptography
    let key = AeadKey::parse("key", &API_V3_KEY.into()).expect("a key");
    let sealed = BASE64_STANDARD.decode("ClbJDwELk3V2A3Iaf/+IAIXUr56gWoySrh6LtSo=").expect("base64");
    assert_eq!(key.open(b"fdasflkja484", b"transaction", &sealed).as_deref(), Some(br#"{"mchid":"1"}"#.as_slice()));
    assert_eq!(key.open(b"fdasflkja485", b"transaction", &sealed), None);
    assert_eq!(key.open(b"fdasflkja484", b"refund", &sealed), None);
    assert_eq!(key.open(b"short", b"transaction", &sealed), None);
    assert_eq!(key.open(b"fdasflkja484", b"transaction", &sealed[1..]), None);
    assert_eq!(key.open(b"fdasflkja484", b"transaction", b""), None);
    let error = AeadKey::parse("wechat.api_v3_key", &"a key that is too short".into()).expect_err("refused");
    assert!(!error.chain().contains("too short") && error.violations()[0].field == "wechat.api_v3_key");
}

#[test]
fn what_is_encrypted_for_the_provider_can_be_decrypted_by_it_alone() {
    let sealed = public(PLATFORM_PUBLIC_KEY).encrypt("name", "张三").expect("encrypted");
    let decrypt = |pem| {
        let key = RsaPrivateKey::from_pkcs8_pem(pem).expect("a key");
        key.decrypt(rsa::Oaep::new::<sha1::Sha1>(), &BASE64_STANDARD.decode(&sealed).expect("base64"))
    };
    assert_eq!(decrypt(PLATFORM_KEY).expect("decrypted"), "张三".as_bytes());
    assert!(decrypt(MERCHANT_KEY).is_err());
    assert!(public(PLATFORM_PUBLIC_KEY).encrypt("name", &"x".repeat(300)).is_err());
}

#[test]
fn no_key_is_ever_printed_nor_repeated_in_an_error() {
    let printed =
        format!("{:?} {:?}", private(MERCHANT_KEY), AeadKey::parse("key", &API_V3_KEY.into()).expect("a key"));
    assert_eq!(printed, "PrivateKey([REDACTED]) AeadKey([REDACTED])");
    let error = PrivateKey::parse("wechat.private_key", &"-----BEGIN PRIVATE KEY-----\nhunter2".into());
    assert!(!format!("{:?}", error.expect_err("refused")).contains("hunter2"));
}

#[test]
fn the_providers_vectors_of_signatures() {
    let Some(vectors) = vectors("the_providers_vectors_of_signatures", "wechatpay/vectors.json") else { return };
    for vector in list(&vectors, "sign") {
        let signature = private(text(vector, "private_key")).sign(text(vector, "message").as_bytes());
        assert_eq!(signature.expect("signed"), text(vector, "signature"));
    }
    for vector in list(&vectors, "verify") {
        let certificate = Certificate::parse("certificate", text(vector, "certificate")).expect("a certificate");
        assert_eq!(certificate.serial_hex(), text(vector, "serial"));
        let message = Signed {
            signature: text(vector, "signature"),
            timestamp: text(vector, "timestamp"),
            nonce: text(vector, "nonce"),
            serial: text(vector, "serial"),
            body: text(vector, "body").as_bytes(),
        };
        let now = text(vector, "timestamp").parse().expect("seconds");
        assert_eq!(check(&certificate.public_key, message, now, 300), Ok(()));
        let changed = text(vector, "body").replace('1', "2");
        let message = Signed { body: changed.as_bytes(), ..message };
        assert_eq!(check(&certificate.public_key, message, now, 300), Err(Doubt::Forged));
    }
}

#[test]
fn the_providers_vectors_of_decryption() {
    let Some(vectors) = vectors("the_providers_vectors_of_decryption", "wechatpay/vectors.json") else { return };
    let open = |key: &str, sealed: &Value| {
        let key = AeadKey::parse("key", &key.into()).expect("a key");
        let ciphertext = BASE64_STANDARD.decode(text(sealed, "ciphertext")).expect("base64");
        key.open(text(sealed, "nonce").as_bytes(), text(sealed, "associated_data").as_bytes(), &ciphertext)
    };
    for vector in list(&vectors, "decrypt") {
        assert_eq!(open(text(vector, "key"), vector).expect("opened"), text(vector, "plaintext").as_bytes());
    }
    for vector in list(&vectors, "certificates") {
        let pem = String::from_utf8(open(text(vector, "key"), &vector["sealed"]).expect("opened")).expect("PEM");
        let certificate = Certificate::parse("certificate", &pem).expect("a certificate");
        assert_eq!(certificate.serial_hex(), text(vector, "serial"));
    }
    for vector in list(&vectors, "oaep") {
        let key = RsaPrivateKey::from_pkcs8_pem(text(vector, "private_key").trim()).expect("a key");
        let sealed = BASE64_STANDARD.decode(text(vector, "ciphertext")).expect("base64");
        let opened = key.decrypt(rsa::Oaep::new::<sha1::Sha1>(), &sealed).expect("decrypted");
        assert_eq!(opened, text(vector, "plaintext").as_bytes());
    }
}
