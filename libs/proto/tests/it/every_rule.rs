use proto::{Validate, Violation};

use crate::fixture::meridian::testing::v1::node::Choice;
use crate::fixture::meridian::testing::v1::others::Grade;
use crate::fixture::meridian::testing::v1::{Lists, Node, Numbers, Others, Plain, Texts};

/// What is wrong with a message, as lines of `field: description`.
fn wrong(message: &impl Validate) -> Vec<String> {
    let violations = message.validate().err().unwrap_or_default();
    violations.into_iter().map(|Violation { field, description }| format!("{field}: {description}")).collect()
}

/// What to do to a message that keeps all rules, and the one line that is then reported.
type Case<M> = (fn(&mut M), &'static str);

fn assert_each_breaks_one<M: Validate>(good: fn() -> M, cases: &[Case<M>]) {
    for (break_it, expected) in cases {
        let mut message = good();
        break_it(&mut message);
        assert_eq!(wrong(&message), [*expected]);
    }
}

fn texts() -> Texts {
    Texts {
        len: "äöü".into(),
        min_len: "äö".into(),
        not_empty: "x".into(),
        max_len: "äöüß".into(),
        pattern: "abc".into(),
        prefix: "stores/1".into(),
        r#in: "b".into(),
        r#const: "yes".into(),
        uuid: "01890a5d-AC96-774b-bcce-b302099a8057".into(),
        email: "li.wei+spa@mail.example.com".into(),
        required: "x".into(),
        or_empty: String::new(),
        optional: None,
        required_uuid: "01890a5d-ac96-774b-bcce-b302099a8057".into(),
        ignored: "anything".into(),
        r#type: "x".into(),
    }
}

#[test]
fn texts_that_keep_the_rules() {
    assert_eq!(texts().validate(), Ok(()));
}

#[test]
fn texts_that_break_the_rules() {
    let cases: &[Case<Texts>] = &[
        (|t| t.len = "ab".into(), "len: must be exactly 3 characters; it has 2"),
        (|t| t.min_len = "ä".into(), "min_len: must be at least 2 characters; it has 1"),
        (|t| t.not_empty = String::new(), "not_empty: must not be empty"),
        (|t| t.max_len = "äöüßx".into(), "max_len: must be at most 4 characters; it has 5"),
        (|t| t.pattern = "aBc".into(), "pattern: must match the pattern ^[a-z]+$"),
        (|t| t.prefix = "store/1".into(), "prefix: must begin with \"stores/\""),
        (|t| t.r#in = "c".into(), "in: must be one of a, b"),
        (|t| t.r#const = "no".into(), "const: must be \"yes\""),
        (|t| t.uuid = String::new(), "uuid: must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057"),
        (|t| t.email = "li wei@example.com".into(), "email: must be an e-mail address such as name@example.com"),
        (|t| t.required = String::new(), "required: must be given"),
        (|t| t.or_empty = "x".into(), "or_empty: must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057"),
        (|t| t.optional = Some("x".into()), "optional: must be at least 2 characters; it has 1"),
        (|t| t.optional = Some(String::new()), "optional: must be at least 2 characters; it has 0"),
        (|t| t.required_uuid = String::new(), "required_uuid: must be given"),
        (|t| t.r#type = "xx".into(), "type: must be at most 1 character; it has 2"),
    ];
    assert_each_breaks_one(texts, cases);
}

#[test]
fn texts_that_look_like_uuids_and_addresses() {
    for uuid in [
        "01890a5dac96774bbcceb302099a8057",
        "01890a5d-ac96-774b-bcce-b302099a805",
        "g1890a5d-ac96-774b-bcce-b302099a8057",
        "{01890a5d-ac96-774b-bcce-b302099a80}",
    ] {
        assert_eq!(wrong(&Texts { uuid: uuid.into(), ..texts() }).len(), 1, "{uuid}");
    }
    for email in ["", "a", "a@", "@b", "a@b..c", "a@-b.c", "a@b@c", "ä@b.c", "a@b.c\n"] {
        assert_eq!(wrong(&Texts { email: email.into(), ..texts() }).len(), 1, "{email}");
    }
}

fn numbers() -> Numbers {
    Numbers {
        gt: 6,
        gte: 5,
        lt: 4,
        lte: 5,
        r#in: -1,
        not_in: 8,
        r#const: 0,
        between: -90.0,
        finite: 1.0,
        required: 1,
        agreed: true,
    }
}

#[test]
fn numbers_that_keep_the_rules() {
    assert_eq!(numbers().validate(), Ok(()));
    assert_eq!(Numbers { gt: i32::MAX, gte: i64::MAX, lt: 0, lte: 0, ..numbers() }.validate(), Ok(()));
}

#[test]
fn numbers_that_break_the_rules() {
    let cases: &[Case<Numbers>] = &[
        (|n| n.gt = 5, "gt: must be above 5; it is 5"),
        (|n| n.gte = -4, "gte: must be at least 5; it is -4"),
        (|n| n.lt = 5, "lt: must be below 5; it is 5"),
        (|n| n.lte = u64::MAX, "lte: must be at most 5; it is 18446744073709551615"),
        (|n| n.r#in = 1, "in: must be one of -1, 0; it is 1"),
        (|n| n.not_in = 7, "not_in: must be other than 7; it is 7"),
        (|n| n.r#const = 1, "const: must be one of 0; it is 1"),
        (|n| n.between = 90.5, "between: must be at most 90; it is 90.5"),
        (|n| n.finite = f32::INFINITY, "finite: must be finite; it is inf"),
        (|n| n.required = 0, "required: must be given"),
        (|n| n.agreed = false, "agreed: must be true; it is false"),
    ];
    assert_each_breaks_one(numbers, cases);
    assert_eq!(wrong(&Numbers { between: f64::NAN, ..numbers() }).len(), 2, "what is not a number keeps no limit");
}

fn seconds(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn others() -> Others {
    Others {
        defined_only: Grade::Unspecified.into(),
        not_in: Grade::Junior.into(),
        chosen: Grade::Master.into(),
        r#in: Grade::Master.into(),
        bytes: vec![0, 255].into(),
        required: seconds(0),
        instant: seconds(100),
        span: Some(prost_types::Duration { seconds: 60, nanos: 0 }),
    }
}

#[test]
fn other_values_that_keep_the_rules() {
    assert_eq!(others().validate(), Ok(()));
    assert_eq!(Others { instant: None, span: None, not_in: 77, ..others() }.validate(), Ok(()));
}

#[test]
fn other_values_that_break_the_rules() {
    let cases: &[Case<Others>] = &[
        (
            |o| o.defined_only = 9,
            "defined_only: must be one of GRADE_UNSPECIFIED, GRADE_JUNIOR, GRADE_MASTER; it is number 9",
        ),
        (|o| o.not_in = 0, "not_in: must be given"),
        (|o| o.chosen = 0, "chosen: must be one of GRADE_JUNIOR, GRADE_MASTER; it is not given"),
        (|o| o.r#in = 1, "in: must be one of GRADE_UNSPECIFIED, GRADE_MASTER; it is number 1"),
        (|o| o.bytes = vec![0; 3].into(), "bytes: must be at most 2 bytes long; it has 3"),
        (|o| o.required = None, "required: must be given"),
        (|o| o.instant = seconds(99), "instant: must be at or after 1970-01-01T00:01:40Z; it is 1970-01-01T00:01:39Z"),
        (|o| o.instant = seconds(200), "instant: must be before 1970-01-01T00:03:20Z; it is 1970-01-01T00:03:20Z"),
        (|o| o.span = Some(prost_types::Duration::default()), "span: must be longer than 0s; it is 0s"),
        (
            |o| o.span = Some(prost_types::Duration { seconds: 60, nanos: 500_000_000 }),
            "span: must be at most 60s; it is 60.500s",
        ),
    ];
    assert_each_breaks_one(others, cases);
}

fn node() -> Node {
    Node { name: "a".into(), next: None, plain: Some(Plain { name: "x".repeat(99) }), choice: Some(Choice::Flag(true)) }
}

fn lists() -> Lists {
    Lists {
        count: vec!["a".into()],
        unique: vec!["a".into(), "b".into()],
        items: vec!["ab".into()],
        grades: vec![1, 2],
        nodes: vec![node()],
        map: [("a".to_owned(), "b".to_owned())].into(),
    }
}

#[test]
fn lists_that_keep_the_rules() {
    assert_eq!(lists().validate(), Ok(()));
}

#[test]
fn lists_that_break_the_rules() {
    let cases: &[Case<Lists>] = &[
        (|l| l.count.clear(), "count: must have at least 1 item; it has 0"),
        (|l| l.count = vec![String::new(); 3], "count: must have at most 2 items; it has 3"),
        (|l| l.unique.push("a".into()), "unique: must not have an item twice; item 2 is there before"),
        (|l| l.items.push("abc".into()), "items[1]: must be at most 2 characters; it has 3"),
        (|l| l.grades.push(0), "grades[2]: must be one of GRADE_JUNIOR, GRADE_MASTER; it is not given"),
        (|l| l.map.clear(), "map: must be given"),
    ];
    assert_each_breaks_one(lists, cases);
}

#[test]
fn messages_in_messages_are_reported_by_path() {
    let mut message = lists();
    let deep = Node { name: "long".into(), choice: Some(Choice::Text("long".into())), ..node() };
    message.nodes.push(Node { next: Some(Box::new(deep)), choice: None, ..node() });
    assert_eq!(
        wrong(&message),
        [
            "nodes[1].next.name: must be at most 3 characters; it has 4",
            "nodes[1].next.text: must be at most 3 characters; it has 4",
            "nodes[1].choice: one of text, node, flag must be given",
        ]
    );
    let inner = Node { name: "long".into(), ..node() };
    let message = Node { choice: Some(Choice::Node(Box::new(inner))), ..node() };
    assert_eq!(wrong(&message), ["node.name: must be at most 3 characters; it has 4"]);
}

#[test]
fn a_report_stays_short() {
    let message = Lists { items: vec!["long".into(); 10_000], ..lists() };
    assert_eq!(wrong(&message).len(), proto::validate::Report::LIMIT);
}

#[test]
fn boxes_and_options_are_checked_like_what_they_hold() {
    let bad = Node { name: "long".into(), ..node() };
    assert_eq!(wrong(&Box::new(bad.clone())), wrong(&bad));
    assert_eq!(wrong(&Some(bad.clone())), wrong(&bad));
    assert_eq!(None::<Node>.validate(), Ok(()));
}
