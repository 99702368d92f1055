//! Breaks are worked off.

use proto::{
    access::Role,
    payment::v1::{
        self as pb,
        reconciliation_break::{Kind, Resolution, State},
    },
};
use tonic::{Code, Status};

use super::{DAY, Office, as_finance, name, noon, sold};
use crate::wire::{fresh, minor, refused};

/// An office with three breaks: 700 missing there, 40 too much, and a fee.
async fn office() -> Office {
    let office = Office::open().await;
    let at = Some(noon(DAY));
    office.sale(700, at).await;
    let more = office.sale(1_000, at).await;
    let dear = office.sale(6_000, at).await;
    let dear = payment::peers::BillLine { fee_fine: 90_000, ..sold(dear, 6_000) };
    office.book(DAY, &[sold(more, 1_040), dear]).await;
    office
}

fn how(broken: &pb::ReconciliationBreak, resolution: Resolution) -> pb::ResolveBreakRequest {
    pb::ResolveBreakRequest {
        name: broken.name.clone(),
        resolution: resolution.into(),
        note: "asked the provider".to_owned(),
        request_id: fresh().to_string(),
    }
}

async fn resolve(office: &Office, request: pb::ResolveBreakRequest) -> Result<pb::ReconciliationBreak, Status> {
    let request = as_finance(&office.house, request);
    office.client().resolve_break(request).await.map(tonic::Response::into_inner)
}

async fn list(office: &Office, request: pb::ListBreaksRequest) -> pb::ListBreaksResponse {
    let request = as_finance(&office.house, request);
    office.client().list_breaks(request).await.expect("a page").into_inner()
}

#[tokio::test]
async fn what_is_in_suspense_leaves_it_by_its_reason() {
    let office = office().await;
    let parent = name(DAY).to_string();
    let page = list(&office, pb::ListBreaksRequest { parent, ..Default::default() }).await;
    let of = |kind: Kind| page.breaks.iter().find(|of| of.kind() == kind).expect("found");
    let (missing, amount, fee) = (of(Kind::MissingThere), of(Kind::Amount), of(Kind::Fee));
    assert_eq!((minor(&missing.difference), minor(&amount.difference), minor(&fee.difference)), (-700, 40, 0));
    assert_eq!((office.balance("suspense").await, fee.theirs_minor), (660, 90_000));

    let answer = refused(resolve(&office, how(missing, Resolution::Explained)).await);
    assert_eq!(answer, (Code::FailedPrecondition, "MONEY_UNEXPLAINED".to_owned()));
    for bad in [Resolution::Unspecified, Resolution::Arrived] {
        assert_eq!(refused(resolve(&office, how(missing, bad)).await).0, Code::InvalidArgument);
    }
    let unknown = pb::ReconciliationBreak { name: format!("{}/breaks/99", name(DAY)), ..Default::default() };
    assert_eq!(refused(resolve(&office, how(&unknown, Resolution::WrittenOff)).await).0, Code::NotFound);
    assert_eq!(office.balance("suspense").await, 660, "what is refused changes nothing");

    let request = how(missing, Resolution::WrittenOff);
    let done = resolve(&office, request.clone()).await.expect("worked off");
    assert_eq!(
        (done.state(), done.resolution(), done.note.as_str()),
        (State::Resolved, Resolution::WrittenOff, "asked the provider")
    );
    assert_eq!(resolve(&office, request).await.expect("the same"), done);
    assert_eq!(resolve(&office, how(missing, Resolution::WrittenOff)).await.expect("nothing to do"), done);
    let answer = refused(resolve(&office, how(missing, Resolution::BookedHere)).await);
    assert_eq!(answer, (Code::FailedPrecondition, "BREAK_RESOLVED".to_owned()));

    resolve(&office, how(amount, Resolution::CorrectedThere)).await.expect("worked off");
    resolve(&office, how(fee, Resolution::Explained)).await.expect("worked off");
    assert_eq!((office.balance("suspense").await, office.balance("reconciliation_differences").await), (0, 700));
    let open = pb::ListBreaksRequest { state: State::Open.into(), ..Default::default() };
    assert!(list(&office, open).await.breaks.is_empty());
    let audited = "select count(*) from audit_entry where action = 'payment.break_resolved'";
    assert_eq!(office.house.count(audited).await, 3);
}

#[tokio::test]
async fn breaks_are_listed_page_by_page() {
    let office = office().await;
    let mut request = pb::ListBreaksRequest { page_size: 1, ..Default::default() };
    let mut seen = Vec::new();
    loop {
        let page = list(&office, request.clone()).await;
        seen.extend(page.breaks.into_iter().map(|of| of.name));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, [3, 2, 1].map(|number| format!("{}/breaks/{number}", name(DAY))));
    let fees = list(&office, pb::ListBreaksRequest { kind: Kind::Fee.into(), ..Default::default() }).await;
    assert_eq!(fees.breaks.len(), 1);
}

#[tokio::test]
async fn many_who_work_off_the_same_do_it_once() {
    let office = office().await;
    let page = list(&office, pb::ListBreaksRequest { kind: Kind::Amount.into(), ..Default::default() }).await;
    let mut twins = tokio::task::JoinSet::new();
    for n in 0..8 {
        let how = how(&page.breaks[0], if n % 2 == 0 { Resolution::WrittenOff } else { Resolution::BookedHere });
        let (mut client, request) = (office.client(), as_finance(&office.house, how));
        twins.spawn(async move { client.resolve_break(request).await.map(|reply| reply.into_inner().resolution()) });
    }
    let done: Vec<_> = twins.join_all().await.into_iter().filter_map(Result::ok).collect();
    assert!(!done.is_empty() && done.iter().all(|how| *how == done[0]), "{done:?}");
    assert_eq!(office.balance("suspense").await, 700);
}

#[tokio::test]
async fn staff_of_one_store_see_nothing_of_it() {
    let office = office().await;
    let bound = |message| office.house.as_staff(message, Role::Finance, Some(office.house.store));
    let answer = refused(office.client().list_breaks(bound(pb::ListBreaksRequest::default())).await);
    assert_eq!(answer, (Code::PermissionDenied, "OTHER_STORE".to_owned()));
}
