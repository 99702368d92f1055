//! Signatures and names against others' implementations; see `testdata`.

use super::{AlipayKeys, Params, certificate_name, content, form, keys::Keys, roots_name};
use crate::peers::{
    crypto::{PrivateKey, PublicKey},
    testdata::{list, text, vectors},
};

#[test]
fn the_providers_notices_are_believed_and_changed_ones_are_not() {
    let Some(vectors) = vectors("the_providers_notices_are_believed", "alipay/vectors.json") else { return };
    for vector in list(&vectors, "notices") {
        let key = PublicKey::parse("key", text(vector, "public_key")).expect("a key");
        let params = vector["params"].as_object().expect("parameters");
        let mut params: Params =
            params.iter().map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned())).collect();
        let signature = params.remove("sign").expect("signed");
        params.remove("sign_type");
        assert!(key.verifies(content(&params).as_bytes(), &signature));
        for name in params.keys().cloned().collect::<Vec<_>>() {
            let mut changed = params.clone();
            changed.entry(name.clone()).and_modify(|value| value.push('1'));
            assert!(!key.verifies(content(&changed).as_bytes(), &signature), "{name}");
            changed.remove(&name);
            assert!(!key.verifies(content(&changed).as_bytes(), &signature), "{name}");
        }
    }
}

#[test]
fn certificates_are_called_as_the_provider_calls_them() {
    let Some(vectors) = vectors("certificates_are_called_as_the_provider_calls_them", "alipay/vectors.json") else {
        return;
    };
    for vector in list(&vectors, "certificates") {
        assert_eq!(certificate_name("pem", text(vector, "pem")).expect("a certificate"), text(vector, "name"));
    }
    for vector in list(&vectors, "roots") {
        assert_eq!(roots_name("pem", text(vector, "pem")).expect("certificates"), text(vector, "name"));
    }
}

#[test]
fn a_certificate_is_called_by_its_issuer_and_number() {
    // openssl x509 -noout -issuer -serial -nameopt RFC2253 < alipay_app.cert.pem, the number in decimal, through md5sum
    let pem = include_str!("../../sandbox/keys/alipay_app.cert.pem");
    assert_eq!(certificate_name("pem", pem).expect("a certificate"), "62ef5f534fbd6203655106d2f9f4a0be");
    let broken = certificate_name("alipay.app_certificate", "no certificate").expect_err("refused");
    assert_eq!(broken.violations()[0].field, "alipay.app_certificate");
}

#[test]
fn what_is_signed_is_sorted_and_has_nothing_empty() {
    let params = [("b", "2 &="), ("a", "1"), ("sign", "x"), ("empty", "")];
    let params: Params = params.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(content(&params), "a=1&b=2 &=");
    assert_eq!(form(&params), "a=1&b=2+%26%3D&empty=&sign=x");
}

#[test]
fn keys_are_read_as_the_providers_tools_write_them() {
    let pem = include_str!("../../sandbox/keys/alipay_app.key.pem");
    let bare: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
    let signed = |text: &str| PrivateKey::parse("key", &text.into()).expect("a key").sign(b"x").expect("signed");
    assert_eq!(signed(pem), signed(&bare), "PEM, and the base64 alone");
    let pem = include_str!("../../sandbox/keys/alipay_provider.pub.pem");
    let bare: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
    let read = |key: String| Keys::try_new(AlipayKeys::PublicKey { key }).expect("a key").provider;
    assert_eq!(read(pem.to_owned()), read(bare));
    for bad in ["", "AAAA", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"] {
        let refused = Keys::try_new(AlipayKeys::PublicKey { key: bad.to_owned() }).expect_err("refused");
        assert_eq!(refused.violations()[0].field, "alipay.public_key");
    }
}
