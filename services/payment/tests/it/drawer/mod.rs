//! Cash drawers at the desk.

mod life;
mod policy;
mod races;
mod refused;
pub mod roles;

use proto::{
    access::Role,
    payment::v1::{
        self as pb,
        drawer_movement::{Counterpart, Direction},
        drawer_policy::CashDrawer,
        drawer_service_client::DrawerServiceClient,
    },
};
use tonic::{Status, transport::Channel};

use crate::{
    house::House,
    wire::{cny, fresh},
};

pub fn client(house: &House) -> DrawerServiceClient<Channel> {
    DrawerServiceClient::new(house.channel.clone())
}

pub fn opening(house: &House, till: &str, minor: i64) -> pb::OpenDrawerRequest {
    pb::OpenDrawerRequest {
        store: house.store.name(),
        till: till.to_owned(),
        opening_float: cny(minor),
        request_id: fresh().to_string(),
    }
}

pub fn closing(drawer: &pb::Drawer, counted: i64, carried: Option<i64>) -> pb::CloseDrawerRequest {
    pb::CloseDrawerRequest {
        name: drawer.name.clone(),
        counted: cny(counted),
        carried: carried.and_then(cny),
        difference_reason: String::new(),
        request_id: fresh().to_string(),
    }
}

pub fn paying(drawer: &pb::Drawer, direction: Direction, counterpart: Counterpart, minor: i64) -> pb::PayInOutRequest {
    pb::PayInOutRequest {
        name: drawer.name.clone(),
        direction: direction.into(),
        counterpart: counterpart.into(),
        amount: cny(minor),
        reason: "SHOPPING".to_owned(),
        request_id: fresh().to_string(),
    }
}

pub fn counting(drawer: &pb::Drawer, minor: i64) -> pb::CountDrawerRequest {
    pb::CountDrawerRequest { name: drawer.name.clone(), counted: cny(minor), request_id: fresh().to_string() }
}

/// The desk opens a drawer.
pub async fn open(house: &House, till: &str, minor: i64) -> Result<pb::Drawer, Status> {
    Ok(client(house).open_drawer(house.as_desk(opening(house, till, minor))).await?.into_inner())
}

/// The desk closes a drawer.
pub async fn close(house: &House, request: pb::CloseDrawerRequest) -> Result<pb::Drawer, Status> {
    Ok(client(house).close_drawer(house.as_desk(request)).await?.into_inner())
}

/// The desk puts cash in or takes it out.
pub async fn pay_in_out(house: &House, request: pb::PayInOutRequest) -> Result<pb::DrawerMovement, Status> {
    Ok(client(house).pay_in_out(house.as_desk(request)).await?.into_inner())
}

/// What a manager reads of a drawer.
pub async fn report(house: &House, drawer: &pb::Drawer) -> pb::DrawerReport {
    let request = pb::GetDrawerReportRequest { name: drawer.name.clone() };
    let request = house.as_staff(request, Role::StoreManager, Some(house.store));
    client(house).get_drawer_report(request).await.expect("a report").into_inner()
}

pub fn policy(house: &House, cash_drawer: CashDrawer) -> pb::UpdateDrawerPolicyRequest {
    let policy = pb::DrawerPolicy {
        name: format!("{}/drawerPolicy", house.store.name()),
        cash_drawer: cash_drawer.into(),
        update_time: None,
    };
    pb::UpdateDrawerPolicyRequest { policy: Some(policy), request_id: fresh().to_string() }
}

/// Cash is only taken while a drawer is open.
pub async fn require(house: &House) {
    let request = house.as_staff(policy(house, CashDrawer::Required), Role::StoreManager, Some(house.store));
    client(house).update_drawer_policy(request).await.expect("said");
}
