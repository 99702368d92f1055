use kernel::{Currency, Uuid};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_803_873_600 + second).expect("a time")
}

fn invoice(state: State) -> Invoice {
    let yuan = |yuan: i64| Money::new(yuan * 100, Currency::CNY);
    Invoice {
        id: InvoiceId::from_uuid(Uuid::from_u128(1)),
        order: OrderId::from_uuid(Uuid::from_u128(2)),
        customer: MemberId::from_uuid(Uuid::from_u128(3)),
        store: StoreId::from_uuid(Uuid::from_u128(4)),
        amount: yuan(106),
        tax: yuan(6),
        taxation: Taxation::Taxed { basis_points: 600 },
        transaction: None,
        state,
        create_time: at(0),
        version: 1,
    }
}

fn issue() -> Issue {
    Issue { number: "26000001".to_owned(), time: at(5) }
}

#[test]
fn it_is_issued_and_red_lettered_once() {
    let requested = invoice(State::Requested);
    assert!(requested.stands() && requested.is_under_way());
    let issued = requested.issued(issue());
    assert_eq!((issued.state.clone(), issued.version), (State::Issued { issue: issue() }, 2));
    assert_eq!(issued.clone().issued(issue()), issued, "it is known");
    assert_eq!(issued.clone().refused("NO".to_owned()), issued, "too late for that");
    let reversing = issued.reverse(ReverseReason::SalesReturn, true, at(9)).expect("reversed");
    assert!(!reversing.stands() && reversing.is_under_way());
    assert_eq!(reversing.clone().reverse(ReverseReason::SalesReturn, true, at(9)).expect("the same"), reversing);
    let error = reversing.clone().reverse(ReverseReason::IssueError, true, at(9)).expect_err("another reason");
    assert_eq!(error.reason(), "INVOICE_ENDED");
    let reversed = reversing.reversed("26000002".to_owned(), at(10));
    assert_eq!((reversed.issue(), reversed.version, reversed.is_under_way()), (Some(&issue()), 4, false));
    assert_eq!(reversed.clone().reversed("26000003".to_owned(), at(11)), reversed);
}

#[test]
fn what_nobody_was_asked_for_is_taken_back_and_else_it_is_issued_first() {
    let back = invoice(State::Requested).reverse(ReverseReason::IssueError, false, at(1)).expect("taken back");
    assert_eq!(back.state, State::Reversed { issue: None, reason: ReverseReason::IssueError, time: at(1) });
    let waits = invoice(State::Requested).reverse(ReverseReason::IssueError, true, at(1)).expect("it waits");
    assert_eq!(waits.clone().reversed("26000002".to_owned(), at(2)), waits, "there is nothing to red-letter yet");
    let issued = waits.clone().issued(issue());
    assert_eq!(issued.state, State::Reversing { issue: Some(issue()), reason: ReverseReason::IssueError });
    let refused = waits.refused("NO_AUTH".to_owned());
    assert!(!refused.is_under_way());
    assert_eq!(refused.reverse(ReverseReason::IssueError, true, at(3)).expect_err("ended").reason(), "INVOICE_ENDED");
}

#[test]
fn words_are_read_back() {
    for reason in ReverseReason::ALL {
        assert_eq!(ReverseReason::from_stored(reason.as_str()), Some(reason));
    }
    assert_eq!(ReverseReason::from_stored("whim"), None);
}
