use super::*;

use secrecy::ExposeSecret;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn set(pairs: &[&str]) -> Vec<String> {
    pairs.iter().map(|pair| (*pair).to_owned()).collect()
}

fn file(name: &str, text: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("meridian-config-{}-{name}.toml", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_defaults_alone_are_complete() {
    let settings = load(None, env(&[]), &[]).unwrap();
    assert_eq!(settings.http.addr.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.http.body_limit_bytes, 1 << 20);
    for (index, service) in Service::ALL.into_iter().enumerate() {
        let port = 50_051 + index;
        assert_eq!(settings.service(service).grpc_addr.to_string(), format!("127.0.0.1:{port}"));
        assert_eq!(settings.service(service).url(), format!("http://127.0.0.1:{port}"));
    }
    assert_eq!(settings.sandbox_notice_url(), "http://127.0.0.1:8080/v1/payments:notify/sandbox");
    assert!(!settings.demo.mailbox);
}

#[test]
fn a_later_layer_wins() {
    let path = file(
        "precedence",
        "[booking]\nmax_connections = 1\n[payment]\nmax_connections = 2\n[marketing]\nmax_connections = 3\n",
    );
    let variables =
        env(&[("MERIDIAN__PAYMENT__MAX_CONNECTIONS", "20"), ("MERIDIAN__MARKETING__MAX_CONNECTIONS", "30")]);
    let settings = load(Some(&path), variables, &set(&["marketing.max_connections=300"])).unwrap();
    std::fs::remove_file(path).unwrap();
    assert_eq!(settings.analytics.max_connections, 8);
    assert_eq!(settings.booking.max_connections, 1);
    assert_eq!(settings.payment.max_connections, 20);
    assert_eq!(settings.marketing.max_connections, 300);
    assert_eq!(settings.booking.grpc_addr.port(), 50_051, "the rest of a section stays");
}

#[test]
fn values_need_no_quotes_and_take_the_type_of_their_setting() {
    let flags = set(&[
        "http.addr=0.0.0.0:9000",
        "sandbox.secret=12345",
        "demo.mailbox=true",
        "http.cors_origins=[\"https://a.example\"]",
        "data_dir=/var/lib/meridian",
        "booking.url=http://booking:50051?a=b",
    ]);
    let settings = load(None, env(&[]), &flags).unwrap();
    assert_eq!(settings.sandbox.secret.expose_secret(), "12345");
    assert!(settings.demo.mailbox);
    assert_eq!(settings.http.cors_origins, ["https://a.example"]);
    assert_eq!(settings.booking.url(), "http://booking:50051?a=b");
    assert_eq!(
        settings.sandbox_notice_url(),
        "http://127.0.0.1:9000/v1/payments:notify/sandbox",
        "an address of all interfaces is reached over the loopback"
    );
}

#[test]
fn an_unknown_key_is_named_with_its_origin_and_the_known_ones() {
    let error = load(None, env(&[("MERIDIAN__BOOKING__GRPC_ADR", "127.0.0.1:1")]), &[]).unwrap_err();
    assert_eq!(error.origin, "MERIDIAN__BOOKING__GRPC_ADR");
    assert!(error.message.contains("`grpc_adr`") && error.message.contains("`grpc_addr`"), "{error}");

    let path = file("unknown", "[bookings]\nmax_connections = 1\n");
    let error = load(Some(&path), env(&[]), &[]).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(error.origin, path.display().to_string());
    assert!(error.message.contains("`bookings`"), "{error}");

    let error = load(None, env(&[]), &set(&["http.port=1"])).unwrap_err();
    assert_eq!(error.origin, "--set http.port");
}

#[test]
fn wrong_values_are_refused_and_their_key_named() {
    for (flag, part) in [
        ("booking.max_connections=many", "max_connections"),
        ("booking.max_connections=-1", "max_connections"),
        ("booking.max_connections=0", "at least 1"),
        ("http.addr=localhost", "addr"),
        ("telemetry.log_format=xml", "xml"),
        ("booking", "section.key=value"),
        ("booking..url=x", "empty part"),
        ("auth.master_key=dG9vIHNob3J0", "32 bytes"),
    ] {
        let error = load(None, env(&[]), &set(&[flag])).unwrap_err();
        assert!(error.to_string().contains(part), "{flag}: {error}");
    }
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let path = file("broken", "[http]\naddr = \n");
    let error = load(Some(&path), env(&[]), &[]).unwrap_err();
    std::fs::remove_file(path).unwrap();
    assert!(error.message.contains("line 2"), "{error}");
    assert!(load(Some(Path::new("/nonexistent/meridian.toml")), env(&[]), &[]).is_err());
}

#[test]
fn foreign_variables_are_left_alone() {
    let variables = env(&[("MERIDIAN_SERVICE_HOST", "10.0.0.1"), ("HOME", "/root")]);
    load(None, variables, &[]).unwrap();
}

#[test]
fn secrets_are_redacted() {
    let flags = set(&[
        &format!("auth.master_key={KEY}"),
        "booking.database_url=postgres://booking:hunter2@db/booking",
        "redis.url=redis://:hunter2@cache/",
    ]);
    let settings = load(None, env(&[]), &flags).unwrap();
    let printed = format!("{settings:?}");
    assert!(!printed.contains("hunter2") && !printed.contains(KEY), "{printed}");
    assert_eq!(settings.auth.master_key().unwrap().expose_secret()[31], 31);
    assert!(settings.auth.service_key_seed().unwrap_err().message.contains("not set"));
}

#[test]
fn a_provider_that_is_enabled_needs_its_account() {
    let error = load(None, env(&[]), &set(&["wechat.enabled=true"])).unwrap_err();
    assert_eq!(error.origin, "wechat.app_id");
    let account = [
        "wechat.enabled=true",
        "wechat.app_id=wx1",
        "wechat.merchant_id=1900000001",
        "wechat.certificate_serial=AB12",
        "wechat.notice_url=https://pay.example/v1/payments:notify/wechat",
    ];
    let settings = load(None, env(&[("MERIDIAN__WECHAT__API_V3_KEY", "hunter2")]), &set(&account)).unwrap();
    assert_eq!(settings.wechat.merchant_id, "1900000001", "digits need no quotes");
    assert_eq!(settings.wechat.api_v3_key().unwrap().expose_secret(), "hunter2");
    assert_eq!(settings.wechat.private_key().unwrap_err().origin, "wechat.private_key");
    assert!(settings.wechat.public_key().unwrap().is_none(), "by certificates");
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert_eq!(load(None, env(&[]), &set(&["alipay.enabled=true"])).unwrap_err().origin, "alipay.app_id");
}

#[test]
fn a_key_is_read_from_its_file_and_a_missing_file_is_named() {
    let path = file("key", "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n");
    let flag = |path: &std::path::Path| set(&[&format!("alipay.private_key_file={}", path.display())]);
    let settings = load(None, env(&[]), &flag(&path)).unwrap();
    assert!(settings.alipay.private_key().unwrap().expose_secret().contains("hunter2"));
    let both = load(None, env(&[("MERIDIAN__ALIPAY__PRIVATE_KEY", "x")]), &flag(&path)).unwrap();
    assert!(both.alipay.private_key().unwrap_err().message.contains("twice"));
    std::fs::remove_file(&path).unwrap();
    let error = settings.alipay.private_key().unwrap_err();
    assert_eq!(error.origin, "alipay.private_key_file");
    assert_eq!(settings.sandbox_notice_url_of("alipay"), "http://127.0.0.1:8080/v1/payments:notify/alipay");
}

#[test]
fn a_wrong_secret_is_not_repeated_in_the_error() {
    let error = load(None, env(&[]), &set(&["auth.master_key=hunter2"])).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn a_service_reads_its_own_policy() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Policy {
        hold_minutes: u32,
        grid_minutes: u32,
    }
    impl Default for Policy {
        fn default() -> Self {
            Self { hold_minutes: 10, grid_minutes: 5 }
        }
    }
    let settings = load(None, env(&[("MERIDIAN__BOOKING__POLICY__HOLD_MINUTES", "20")]), &[]).unwrap();
    let policy: Policy = settings.booking.policy(Service::Booking).unwrap();
    assert_eq!((policy.hold_minutes, policy.grid_minutes), (20, 5));

    let settings = load(None, env(&[]), &set(&["booking.policy.hold_minute=20"])).unwrap();
    let error = settings.booking.policy::<Policy>(Service::Booking).unwrap_err();
    assert_eq!(error.origin, "booking.policy");
    assert!(error.message.contains("hold_minute"), "{error}");
}
