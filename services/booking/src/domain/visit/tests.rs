use kernel::{Currency, Money, Timestamp};

use super::*;

fn item(minutes: i32) -> Item {
    let now = Timestamp::UNIX_EPOCH;
    Item {
        id: ItemId::new(now),
        display_name: "Massage".to_owned(),
        description: String::new(),
        category: String::new(),
        duration_minutes: minutes,
        preparation_minutes: 10,
        cleanup_minutes: 15,
        price: Money::new(10_000, Currency::CNY),
        skill: "MASSAGE".to_owned(),
        room_kind: "ROOM".to_owned(),
        equipment_kind: None,
        certificate: None,
        phases: Vec::new(),
        create_time: now,
    }
}

fn kept(visit: &Visit, kind: ResourceKind) -> Vec<Vec<(i64, i64)>> {
    let of_kind = visit.demands.iter().filter(|demand| demand.class.resource() == kind);
    of_kind.map(|demand| demand.spans.iter().map(|span| (span.start, span.end)).collect()).collect()
}

#[test]
fn an_item_keeps_its_therapist_while_it_is_given_and_its_room_around_it() {
    let visit = Visit::of_item(&item(60), &[]).expect("a visit");
    assert_eq!(kept(&visit, ResourceKind::Therapist), [[(0, 60)]]);
    assert_eq!(kept(&visit, ResourceKind::Room), [[(-10, 75)]]);
    assert_eq!(visit.treatment, Span::new(0, 60));
}
