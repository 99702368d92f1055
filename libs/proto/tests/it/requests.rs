use proto::Validate;
use proto::booking::v1::{CreateStoreRequest, HoldSlotRequest, OpeningHours, Store};
use proto::feed::v1::SubscribeRequest;
use proto::google::r#type::{DayOfWeek, TimeOfDay};

const REQUEST_ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn fields(message: &impl Validate) -> Vec<String> {
    message.validate().err().unwrap_or_default().into_iter().map(|violation| violation.field).collect()
}

fn hours(day: i32) -> OpeningHours {
    let time = |hours| Some(TimeOfDay { hours, ..TimeOfDay::default() });
    OpeningHours { day, open_time: time(9), close_time: time(22) }
}

fn create_store() -> CreateStoreRequest {
    CreateStoreRequest {
        store: Some(Store {
            display_name: "静安店".into(),
            time_zone: "Asia/Shanghai".into(),
            currency_code: "CNY".into(),
            opening_hours: vec![hours(DayOfWeek::Monday.into())],
            ..Store::default()
        }),
        request_id: REQUEST_ID.into(),
    }
}

#[test]
fn a_good_store_is_taken() {
    assert_eq!(create_store().validate(), Ok(()));
}

#[test]
fn a_bad_store_is_refused_field_by_field() {
    let mut request = create_store();
    let store = request.store.as_mut().unwrap();
    store.currency_code = "RMB¥".into();
    store.opening_hours.push(hours(8));
    store.opening_hours.push(OpeningHours { open_time: None, ..hours(DayOfWeek::Friday.into()) });
    request.request_id = "1".into();
    assert_eq!(
        fields(&request),
        ["store.opening_hours[1].day", "store.opening_hours[2].open_time", "store.currency_code", "request_id"]
    );
    assert_eq!(fields(&CreateStoreRequest { store: None, ..create_store() }), ["store"]);
}

#[test]
fn a_hold_needs_a_time_and_a_request_id() {
    assert_eq!(fields(&HoldSlotRequest::default()), ["start_time", "request_id"]);
}

#[test]
fn a_partition_is_one_that_exists() {
    let request = |partition| SubscribeRequest { consumer: "analytics".into(), partition, cursor: String::new() };
    assert_eq!(request(3).validate(), Ok(()));
    for partition in [-1, 4] {
        assert_eq!(fields(&request(partition)), ["partition"]);
    }
}
