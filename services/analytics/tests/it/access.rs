//! Who may see figures, and requests that are wrong.

use analytics::domain::Feed;
use kernel::ids::{MemberId, StaffId, StoreId};
use proto::{
    access::Role,
    analytics::v1::{ListDailyFiguresRequest, ListFeedPositionsRequest, report_service_client::ReportServiceClient},
    google::r#type::Date,
};
use testkit::{START, keys};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::world::{Chain, World, day};

fn token(role: Role, store: Option<StoreId>) -> String {
    match role {
        Role::Member => keys().member_token(MemberId::new(START)),
        Role::Service => keys().service_token("booking"),
        staff => keys().staff_token(StaffId::new(START), [staff], store),
    }
}

fn monday() -> Option<Date> {
    Some(day(2027, 3, 1))
}

fn code<T>(result: Result<T, Status>) -> Code {
    result.err().map_or(Code::Ok, |status| status.code())
}

#[tokio::test]
async fn every_role_reaches_what_its_rule_says_and_nothing_else() {
    let (world, chain) = (World::new().await, Chain::new());
    world.apply(Feed::Booking, &chain.store_changed(1, "Asia/Shanghai", "CNY")).await;
    let figures =
        [Role::StoreManager, Role::RegionalManager, Role::Marketing, Role::Finance, Role::Administrator, Role::Auditor];
    let positions = [Role::Administrator, Role::Auditor];
    let verdict = |allowed: bool| if allowed { Code::Ok } else { Code::PermissionDenied };
    for role in Role::ALL {
        let token = token(*role, None);
        let seen = world.figures_as(&token, &chain.store.name(), monday(), monday()).await;
        assert_eq!(code(seen), verdict(figures.contains(role)), "{role}: ListDailyFigures");
        assert_eq!(
            code(world.positions_as(&token).await),
            verdict(positions.contains(role)),
            "{role}: ListFeedPositions"
        );
    }
    let mut client = ReportServiceClient::new(world.channel.clone());
    assert_eq!(code(client.list_daily_figures(ListDailyFiguresRequest::default()).await), Code::Unauthenticated);
    assert_eq!(code(client.list_feed_positions(ListFeedPositionsRequest {}).await), Code::Unauthenticated);
    let expired = keys().expired_token(MemberId::new(START));
    assert_eq!(code(world.figures_as(&expired, &chain.store.name(), monday(), monday()).await), Code::Unauthenticated);
    assert_eq!(code(world.positions_as(&expired).await), Code::Unauthenticated);
}

#[tokio::test]
async fn staff_of_one_store_see_that_store() {
    let (world, mine, other) = (World::new().await, Chain::new(), Chain::new());
    for chain in [mine, other] {
        world.apply(Feed::Booking, &chain.store_changed(1, "Asia/Shanghai", "CNY")).await;
    }
    for role in [Role::StoreManager, Role::Marketing, Role::Finance, Role::Auditor] {
        let token = token(role, Some(mine.store));
        let seen = async |store: StoreId| world.figures_as(&token, &store.name(), monday(), monday()).await;
        assert_eq!(code(seen(mine.store).await), Code::Ok, "{role}");
        assert_eq!(code(seen(other.store).await), Code::PermissionDenied, "{role}");
        // Whether a store that is not theirs exists is not theirs to know either.
        assert_eq!(code(seen(StoreId::new(START)).await), Code::PermissionDenied, "{role}");
    }
}

#[tokio::test]
async fn bad_requests_name_their_fields() {
    let (world, chain) = (World::new().await, Chain::new());
    world.apply(Feed::Booking, &chain.store_changed(1, "Asia/Shanghai", "CNY")).await;
    let admin = token(Role::Administrator, None);
    let name = chain.store.name();
    let cases = [
        (name.as_str(), Some(day(2026, 2, 30)), monday(), vec!["start_date"]),
        (&name, monday(), Some(day(2027, 0, 0)), vec!["end_date"]),
        (&name, Some(day(0, 3, 1)), Some(day(2027, 3, 32)), vec!["start_date", "end_date"]),
        (&name, Some(day(2027, 3, 2)), monday(), vec!["end_date"]),
        (&name, monday(), Some(day(2028, 3, 2)), vec!["end_date"]),
        (&name, None, monday(), vec!["start_date"]),
        (&name, monday(), None, vec!["end_date"]),
        ("stores/nowhere", monday(), monday(), vec!["store"]),
        ("", monday(), monday(), vec!["store"]),
    ];
    for (store, start, end, fields) in cases {
        let refusal = world.figures_as(&admin, store, start, end).await.expect_err("refused");
        assert_eq!(refusal.code(), Code::InvalidArgument, "{fields:?}");
        let violations = refusal.get_details_bad_request().expect("fields are named").field_violations;
        assert_eq!(violations.iter().map(|violation| violation.field.as_str()).collect::<Vec<_>>(), fields);
    }
    let longest = world.figures_as(&admin, &name, monday(), Some(day(2028, 3, 1))).await.expect("366 days apart");
    assert_eq!(longest.len(), 367);
}

#[tokio::test]
async fn a_store_that_was_never_heard_of_is_not_found() {
    let world = World::new().await;
    let refusal = world.figures(StoreId::new(START), day(2027, 3, 1), day(2027, 3, 1)).await.expect_err("unknown");
    assert_eq!(refusal.code(), Code::NotFound);
    assert_eq!(refusal.get_details_error_info().map(|info| info.reason), Some("NOT_FOUND".to_owned()));
}
