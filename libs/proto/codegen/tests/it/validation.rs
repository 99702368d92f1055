//! What each rule does when it runs is tested in `libs/proto/tests/it/every_rule.rs`, on messages generated from
//! `tests/fixture`. Here is what is refused, and who gets an implementation.

use crate::support::{FILE, generated, refused, tools};

fn field(declaration: &str) -> String {
    format!("enum Grade {{ GRADE_UNSPECIFIED = 0; GRADE_A = 1; }} message Thing {{ {declaration} }}")
}

#[test]
fn rules_that_are_not_known_are_refused_by_file_and_field() {
    if !tools("unknown validation rules") {
        return;
    }
    for (declaration, expected) in [
        ("string a = 1 [(buf.validate.field).string.tuuid = true];", "string.tuuid"),
        ("string a = 1 [(buf.validate.field).string.not_in = \"x\"];", "string.not_in"),
        ("string a = 1 [(buf.validate.field).cel_expression = \"this != ''\"];", "cel_expression"),
        ("bytes a = 1 [(buf.validate.field).bytes.prefix = \"x\"];", "bytes.prefix"),
        ("double a = 1 [(buf.validate.field).double.const = 1];", "double.const"),
        ("google.protobuf.Timestamp a = 1 [(buf.validate.field).timestamp.lt_now = true];", "timestamp.lt_now"),
        ("google.protobuf.Duration a = 1 [(buf.validate.field).duration.const = {seconds: 1}];", "duration.const"),
        ("map<string, string> a = 1 [(buf.validate.field).map.min_pairs = 1];", "map rules"),
        ("google.protobuf.Any a = 1 [(buf.validate.field).any.in = \"x\"];", "any rules do not fit"),
    ] {
        let error = refused(&field(declaration));
        for part in [FILE, "meridian.testing.v1.Thing", "field a", expected] {
            assert!(error.contains(part), "{declaration}: {part} is missing in: {error}");
        }
    }
}

#[test]
fn rules_that_cannot_be_meant_are_refused() {
    if !tools("impossible validation rules") {
        return;
    }
    for (declaration, expected) in [
        ("string a = 1 [(buf.validate.field).int32.gt = 1];", "int32 rules do not fit"),
        ("repeated string a = 1 [(buf.validate.field).string.max_len = 1];", "put them into repeated.items"),
        ("repeated string a = 1 [(buf.validate.field).repeated.items.required = true];", "`required` on items"),
        ("repeated Thing a = 1 [(buf.validate.field).repeated.unique = true];", "`unique` is known for"),
        ("int32 a = 1 [(buf.validate.field).int32 = {gt: 5 lt: 3}];", "lower limit is above"),
        ("string a = 1 [(buf.validate.field).string.pattern = \"(\"];", "cannot be used"),
        ("Grade a = 1 [(buf.validate.field).enum.in = 7];", "names 7"),
        ("Grade a = 1 [(buf.validate.field).enum = {defined_only: true not_in: [0, 1]}];", "no value to choose"),
        ("oneof b { string a = 1 [(buf.validate.field).required = true]; }", "(buf.validate.oneof).required"),
        (
            "message Inner { string b = 1 [(buf.validate.field).required = true]; } map<string, Inner> a = 1;",
            "would not be checked",
        ),
        (
            "option (buf.validate.message).cel_expression = \"true\"; string a = 1;",
            "rules on a whole message are not supported",
        ),
    ] {
        let error = refused(&field(declaration));
        assert!(error.contains(expected) && error.contains(FILE), "{declaration}: {error}");
    }
}

#[test]
fn requests_and_what_has_rules_get_an_implementation() {
    if !tools("implementations of Validate") {
        return;
    }
    let files = generated(
        r#"
        service AService {
          rpc Do(DoRequest) returns (DoResponse) { option (meridian.access.v1.rule) = {public: true}; }
        }
        message DoRequest { Outer outer = 1; }
        message DoResponse { Plain plain = 1; }
        message Outer { message Inner { string type = 1 [(buf.validate.field).required = true]; } Inner inner = 1; }
        message Plain { string name = 1; }
        "#,
    )
    .unwrap();
    let code = String::from_utf8_lossy(&files["validate.rs"]);
    for expected in ["DoRequest {", "Outer {", "outer::Inner {", "self.r#type"] {
        assert!(code.contains(expected), "{expected} is missing in:\n{code}");
    }
    for unexpected in ["DoResponse", "Plain"] {
        assert!(!code.contains(unexpected), "{unexpected} has no rule, and is no request:\n{code}");
    }
}
