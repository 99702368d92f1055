//! The chain opens: stores, menu, rooms, therapists, shifts and accounts.

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use kernel::Uuid;
use proto::{
    access::v1::Role,
    booking::v1::{
        self as booking, CreateItemRequest, CreateRoomRequest, CreateShiftRequest, CreateStoreRequest,
        CreateTherapistRequest, OpeningHours, Room, Sex, Shift, StorePolicy,
        catalog_service_client::CatalogServiceClient,
    },
    google::r#type::{DayOfWeek, LatLng, Money, TimeOfDay},
    membership::v1::{CreateStaffRequest, staff_service_client::StaffServiceClient},
};
use rpc::convert::to_timestamp;
use runtime::config::Service;
use tonic::transport::Channel;

use super::{
    chain::{ADMINISTRATOR, CENTRAL_STAFF, ITEMS, Item, NEW_ITEM, OPEN, PASSWORD, ROOMS, SKILLS, STORE_STAFF, STORES},
    plan::{Branch, Plan},
    progress,
    suite::{Caller, Suite, refused},
};

/// The currency of the chain.
const CURRENCY: &str = "CNY";
/// Minutes before its start from which a visit can be checked in: three days, so that a visit of tomorrow can be gone
/// through at once.
const TRIAL_CHECK_IN: i32 = 3 * 24 * 60;
/// How many requests are under way at once.
const AT_ONCE: usize = 6;

/// The chain as the services know it.
#[derive(Debug)]
pub struct Chain {
    /// The menu, by name.
    pub items: Vec<String>,
    /// Store by store.
    pub stores: Vec<Store>,
}

/// A store as the services know it.
#[derive(Debug)]
pub struct Store {
    /// Its name.
    pub name: String,
    /// Its therapists, by name.
    pub therapists: Vec<String>,
    /// Who sits at its desk.
    pub desk: Caller,
    /// Who gives treatments.
    pub therapist: Caller,
}

/// Opens the chain of `plan`.
pub async fn open(suite: &Suite, plan: &Plan) -> Result<Chain> {
    let founder = founder(suite)?;
    let opening = Opening { suite, founder, catalog: CatalogServiceClient::new(suite.channel(Service::Booking)) };
    let mut items = Vec::new();
    let mut stores = Vec::new();
    for (index, branch) in plan.branches.iter().enumerate() {
        let request = if index == 0 { progress::first_request() } else { suite.request_id() };
        stores.push(opening.store(index, branch, request).await?);
    }
    for item in &ITEMS {
        items.push(opening.item(item, suite.request_id()).await?);
    }
    for (user, title, role) in std::iter::once(ADMINISTRATOR).chain(CENTRAL_STAFF) {
        opening.account(user.to_owned(), title, role, None, suite.request_id()).await?;
    }
    Ok(Chain { items, stores })
}

/// Does what completes the chain.
pub async fn finish(suite: &Suite) -> Result<()> {
    let catalog = CatalogServiceClient::new(suite.channel(Service::Booking));
    let opening = Opening { suite, founder: founder(suite)?, catalog };
    opening.item(&NEW_ITEM, progress::last_request()).await?;
    Ok(())
}

/// Who opens the chain, before anybody has an account.
fn founder(suite: &Suite) -> Result<Caller> {
    suite.caller(&format!("staff/{}", suite.request_id()), &[Role::Administrator], None)
}

struct Opening<'a> {
    suite: &'a Suite,
    founder: Caller,
    catalog: CatalogServiceClient<Channel>,
}

impl Opening<'_> {
    async fn store(&self, index: usize, branch: &Branch, request_id: Uuid) -> Result<Store> {
        let what = &STORES[index];
        let hour = |hours: i8| Some(TimeOfDay { hours: hours.into(), ..TimeOfDay::default() });
        let store = booking::Store {
            display_name: what.name.to_owned(),
            address: what.address.to_owned(),
            position: Some(LatLng { latitude: what.position.0, longitude: what.position.1 }),
            time_zone: what.zone.to_owned(),
            opening_hours: (1..=7)
                .map(|day| OpeningHours { day, open_time: hour(OPEN.0), close_time: hour(OPEN.1) })
                .filter(|hours| DayOfWeek::try_from(hours.day).is_ok())
                .collect(),
            currency_code: CURRENCY.to_owned(),
            policy: Some(StorePolicy { check_in_minutes: Some(TRIAL_CHECK_IN), ..StorePolicy::default() }),
            ..booking::Store::default()
        };
        let request = CreateStoreRequest { store: Some(store), request_id: request_id.to_string() };
        let created = self.catalog.clone().create_store(self.founder.asks(request)).await;
        let name = created.map_err(refused("opening a store"))?.into_inner().name;

        for (kind, label, count) in ROOMS {
            for number in 1..=count {
                self.room(&name, kind, format!("{label} {number}")).await?;
            }
        }
        let therapists: Vec<String> = stream::iter(branch.therapists.iter().enumerate())
            .map(|(number, therapist)| self.therapist(&name, therapist, SKILLS[number]))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        stream::iter(&branch.shifts)
            .map(|shift| self.shift(&therapists[shift.therapist], shift))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;

        let mut accounts = Vec::new();
        for (user, title, role) in STORE_STAFF {
            let (user, request) = (format!("{user}-{}", what.key), self.suite.request_id());
            let account = self.account(user, title, role, Some(&name), request).await?;
            accounts.push(self.suite.caller(&account, &[role], Some(&name))?);
        }
        let [_, desk, therapist] = accounts.try_into().ok().context("every store has three accounts")?;
        Ok(Store { name, therapists, desk, therapist })
    }

    async fn room(&self, store: &str, kind: &str, display_name: String) -> Result<()> {
        let room = Room { store: store.to_owned(), display_name, kind: kind.to_owned(), ..Room::default() };
        let request = CreateRoomRequest { room: Some(room), request_id: self.suite.request_id().to_string() };
        self.catalog.clone().create_room(self.founder.asks(request)).await.map_err(refused("adding a room"))?;
        Ok(())
    }

    async fn therapist(&self, store: &str, therapist: &super::plan::Therapist, skills: &[&str]) -> Result<String> {
        let sex = if therapist.female { Sex::Female } else { Sex::Male };
        let therapist = booking::Therapist {
            store: store.to_owned(),
            display_name: therapist.name.clone(),
            sex: sex.into(),
            grade: therapist.grade,
            skills: skills.iter().map(|skill| (*skill).to_owned()).collect(),
            ..booking::Therapist::default()
        };
        let request =
            CreateTherapistRequest { therapist: Some(therapist), request_id: self.suite.request_id().to_string() };
        let created = self.catalog.clone().create_therapist(self.founder.asks(request)).await;
        Ok(created.map_err(refused("taking on a therapist"))?.into_inner().name)
    }

    async fn shift(&self, therapist: &str, shift: &super::plan::Shift) -> Result<()> {
        let shift = Shift {
            therapist: therapist.to_owned(),
            start_time: Some(to_timestamp(shift.start)),
            end_time: Some(to_timestamp(shift.end)),
            ..Shift::default()
        };
        let request = CreateShiftRequest { shift: Some(shift), request_id: self.suite.request_id().to_string() };
        self.catalog.clone().create_shift(self.founder.asks(request)).await.map_err(refused("adding a shift"))?;
        Ok(())
    }

    async fn item(&self, what: &Item, request_id: Uuid) -> Result<String> {
        let (preparation_minutes, duration_minutes, cleanup_minutes) = what.minutes;
        let item = booking::Item {
            display_name: what.name.to_owned(),
            description: what.description.to_owned(),
            category: what.category.to_owned(),
            duration_minutes,
            preparation_minutes,
            cleanup_minutes,
            price: Some(Money { currency_code: CURRENCY.to_owned(), units: what.yuan, nanos: 0 }),
            skill: what.skill.to_owned(),
            room_kind: what.room.to_owned(),
            equipment_kind: what.equipment.to_owned(),
            ..booking::Item::default()
        };
        let request = CreateItemRequest { item: Some(item), request_id: request_id.to_string() };
        let created = self.catalog.clone().create_item(self.founder.asks(request)).await;
        Ok(created.map_err(refused("adding an item"))?.into_inner().name)
    }

    /// Returns the name of the account.
    async fn account(
        &self,
        user_name: String,
        title: &str,
        role: Role,
        store: Option<&str>,
        request_id: Uuid,
    ) -> Result<String> {
        let request = CreateStaffRequest {
            user_name,
            display_name: title.to_owned(),
            password: PASSWORD.to_owned(),
            roles: vec![role.into()],
            store: store.unwrap_or_default().to_owned(),
            request_id: request_id.to_string(),
        };
        let mut staff = StaffServiceClient::new(self.suite.channel(Service::Membership));
        let created = staff.create_staff(self.founder.asks(request)).await;
        Ok(created.map_err(refused("opening an account"))?.into_inner().name)
    }
}
