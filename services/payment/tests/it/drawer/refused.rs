//! Bad input, and drawers of others.

use kernel::ids::StoreId;
use proto::{
    access::Role,
    payment::v1::{
        self as pb,
        drawer_movement::{Counterpart, Direction},
        drawer_policy::CashDrawer,
    },
};
use tonic::Code;

use super::{client, close, closing, counting, open, opening, pay_in_out, paying, policy};
use crate::{
    house::House,
    wire::{cny, fresh, refused, usd},
};

fn invalid() -> (Code, String) {
    (Code::InvalidArgument, "INVALID_ARGUMENT".to_owned())
}

fn in_other_currency() -> (Code, String) {
    (Code::InvalidArgument, "CURRENCY_MISMATCH".to_owned())
}

#[tokio::test]
async fn what_cant_be_opened_counted_or_moved_changes_nothing() {
    let house = House::open().await;
    let mut client = client(&house);
    for wish in [
        pb::OpenDrawerRequest { opening_float: cny(-1), ..opening(&house, "front", 0) },
        pb::OpenDrawerRequest { opening_float: None, ..opening(&house, "front", 0) },
        opening(&house, "  ", 0),
        opening(&house, "", 0),
        pb::OpenDrawerRequest { store: "stores/x".to_owned(), ..opening(&house, "front", 0) },
    ] {
        assert_eq!(refused(client.open_drawer(house.as_desk(wish)).await), invalid());
    }
    assert_eq!(house.count("select count(*) from drawer").await, 0);
    let drawer = open(&house, "front", 500).await.expect("open");
    assert_eq!(refused(open(&house, " front ", 500).await), (Code::FailedPrecondition, "DRAWER_OPEN".to_owned()));

    let (into, bank) = (Direction::In, Counterpart::Bank);
    for minor in [0, -1, i64::MIN] {
        assert_eq!(refused(pay_in_out(&house, paying(&drawer, into, bank, minor)).await), invalid());
    }
    let most = paying(&drawer, into, bank, i64::MAX);
    assert_eq!(refused(pay_in_out(&house, most).await), (Code::InvalidArgument, "AMOUNT_OVERFLOW".to_owned()));
    let in_dollars = pb::PayInOutRequest { amount: usd(5), ..paying(&drawer, into, bank, 5) };
    assert_eq!(refused(pay_in_out(&house, in_dollars).await), in_other_currency());
    for unstated in [
        paying(&drawer, Direction::Unspecified, bank, 5),
        paying(&drawer, into, Counterpart::Unspecified, 5),
        pb::PayInOutRequest { direction: 9, ..paying(&drawer, into, bank, 5) },
        pb::PayInOutRequest { reason: " ".to_owned(), ..paying(&drawer, into, bank, 5) },
    ] {
        assert_eq!(refused(pay_in_out(&house, unstated).await), invalid());
    }
    let mut third_decimal = paying(&drawer, into, bank, 5);
    third_decimal.amount = Some(proto::google::r#type::Money { nanos: 1_000_000, ..Default::default() });
    assert!(pay_in_out(&house, third_decimal).await.is_err());

    assert_eq!(refused(client.count_drawer(house.as_desk(counting(&drawer, -1))).await), invalid());
    let in_dollars = pb::CountDrawerRequest { counted: usd(5), ..counting(&drawer, 5) };
    assert_eq!(refused(client.count_drawer(house.as_desk(in_dollars)).await), in_other_currency());
    assert_eq!(refused(close(&house, closing(&drawer, -1, None)).await), invalid());
    assert_eq!(refused(close(&house, closing(&drawer, 5, Some(6))).await), invalid());
    assert_eq!(refused(close(&house, closing(&drawer, 5, Some(-1))).await), invalid());
    let in_dollars = pb::CloseDrawerRequest { carried: usd(5), ..closing(&drawer, 5, None) };
    assert_eq!(refused(close(&house, in_dollars).await), in_other_currency());
    assert_eq!(house.count("select count(*) from drawer_movement").await, 1);

    close(&house, closing(&drawer, 500, None)).await.expect("closed");
    let closed = (Code::FailedPrecondition, "DRAWER_CLOSED".to_owned());
    assert_eq!(refused(close(&house, closing(&drawer, 500, None)).await), closed);
    assert_eq!(refused(pay_in_out(&house, paying(&drawer, into, bank, 5)).await), closed);
    assert_eq!(refused(client.count_drawer(house.as_desk(counting(&drawer, 5))).await), closed);
}

#[tokio::test]
async fn nobody_touches_the_drawers_of_another_store() {
    let house = House::open().await;
    let drawer = open(&house, "front", 500).await.expect("open");
    let elsewhere = Some(StoreId::from_uuid(fresh()));
    let mut client = client(&house);
    let get = pb::GetDrawerRequest { name: drawer.name.clone() };
    let other = (Code::PermissionDenied, "OTHER_STORE".to_owned());
    for role in [Role::FrontDesk, Role::StoreManager] {
        let wish = house.as_staff(opening(&house, "back", 0), role, elsewhere);
        assert_eq!(refused(client.open_drawer(wish).await), other);
        assert_eq!(refused(client.get_drawer(house.as_staff(get.clone(), role, elsewhere)).await), other);
        let count = house.as_staff(counting(&drawer, 1), role, elsewhere);
        assert_eq!(refused(client.count_drawer(count).await), other);
        let paying = house.as_staff(paying(&drawer, Direction::In, Counterpart::Bank, 1), role, elsewhere);
        assert_eq!(refused(client.pay_in_out(paying).await), other);
        let close = house.as_staff(closing(&drawer, 1, None), role, elsewhere);
        assert_eq!(refused(client.close_drawer(close).await), other);
        let of = pb::GetDrawerReportRequest { name: drawer.name.clone() };
        assert_eq!(refused(client.get_drawer_report(house.as_staff(of, role, elsewhere)).await), other);
        let list = pb::ListDrawersRequest { store: house.store.name(), ..Default::default() };
        assert_eq!(refused(client.list_drawers(house.as_staff(list, role, elsewhere)).await), other);
        let own = house.as_staff(pb::ListDrawersRequest::default(), role, elsewhere);
        assert!(client.list_drawers(own).await.expect("a page").into_inner().drawers.is_empty());
        let read = pb::GetDrawerPolicyRequest { name: format!("{}/drawerPolicy", house.store.name()) };
        assert_eq!(refused(client.get_drawer_policy(house.as_staff(read, role, elsewhere)).await), other);
    }
    let said = house.as_staff(policy(&house, CashDrawer::Required), Role::StoreManager, elsewhere);
    assert_eq!(refused(client.update_drawer_policy(said).await), other);
    let unknown = pb::Drawer { name: format!("drawers/{}", fresh()), ..drawer };
    assert_eq!(refused(close(&house, closing(&unknown, 1, None)).await).0, Code::NotFound);
    let bad = pb::GetDrawerPolicyRequest { name: house.store.name() };
    assert_eq!(refused(client.get_drawer_policy(house.as_desk(bad)).await), invalid());
}
