use codegen::generate;

use crate::support::{FILE, compiled, generated, refused, tools};

fn service(options: &str) -> String {
    format!("service AService {{ rpc Do(DoRequest) returns (DoRequest) {{ {options} }} }} message DoRequest {{}}")
}

#[test]
fn a_rule_becomes_a_row() {
    if !tools("access rules") {
        return;
    }
    let rule = "option (meridian.access.v1.rule) = {roles: [ROLE_FRONT_DESK, ROLE_MEMBER] scope: SCOPE_OWN};";
    let files = generated(&service(rule)).unwrap();
    let table: String = String::from_utf8_lossy(&files["access.rs"]).split_whitespace().collect();
    assert!(table.contains(
        "(\"/meridian.testing.v1.AService/Do\",Rule{public:false,roles:&[Role::FrontDesk,Role::Member],scope:Scope::Own,},)"
    ));
}

#[test]
fn a_method_without_a_rule_is_refused() {
    if !tools("missing access rules") {
        return;
    }
    let error = refused(&service(""));
    for part in [FILE, "meridian.testing.v1.AService.Do", "no access rule"] {
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
}

#[test]
fn rules_that_contradict_themselves_are_refused() {
    if !tools("contradictory access rules") {
        return;
    }
    for (rule, expected) in [
        ("{}", "lets nobody call"),
        ("{scope: SCOPE_OWN}", "lets nobody call"),
        ("{public: true roles: [ROLE_MEMBER]}", "public and names roles"),
        ("{roles: [ROLE_UNSPECIFIED]}", "no known roles by number 0"),
    ] {
        let error = refused(&service(&format!("option (meridian.access.v1.rule) = {rule};")));
        assert!(error.contains(expected) && error.contains("AService.Do"), "{rule}: {error}");
    }
}

#[test]
fn services_of_others_need_no_rule() {
    if !tools("access rules of others") {
        return;
    }
    let files = generate(&compiled("grpc.testing.v1", &service("")), "crate::generated").unwrap();
    assert!(!String::from_utf8_lossy(&files["access.rs"]).contains("AService"));
}
