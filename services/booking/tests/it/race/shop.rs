//! Where the clients meet: four therapists and rooms, two machines, and items that need them for offset times.

use booking::domain::policy::AssignmentPolicy;
use jiff::SignedDuration;
use kernel::{Timestamp, ids::StoreId};
use pg::Pg;
use proto::booking::v1::{self as pb, phase::Resource};
use rpc::convert::to_money;
use slotlock::SlotLock;
use testkit::with_token;

use super::dice::Decision;
use crate::world::{World, at, at_minute, cny, id};

const THERAPISTS: usize = 4;
const ROOMS: usize = 4;
const MACHINES: usize = 2;
/// Minutes that a therapist may work in a day, where there is a limit.
const MOST_WORK: i32 = 200;
const MACHINE: &str = "laser";
/// The steps of the grid at which visits start on the first day.
const STARTS: u64 = 72;
/// The first of them.
const STARTS_SOON: u64 = 24;
/// Those of the second day, whose shifts are edited.
const STARTS_TOMORROW: u64 = 72;

/// A store with its world.
pub struct Shop {
    /// The service, and what surrounds it.
    pub world: World,
    /// What can be booked.
    pub items: Vec<String>,
    /// Everything that can be blocked.
    pub resources: Vec<String>,
    /// The shifts of the second day, with their therapists.
    pub shifts: Vec<(String, String)>,
    /// The minute of the first day from which on visits are asked for.
    first: i64,
}

impl std::fmt::Debug for Shop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shop").field("store", &self.world.store).finish_non_exhaustive()
    }
}

impl Shop {
    /// Opens one, on this database or on a new one. Which rules it has follows from the seed.
    pub async fn open(pg: Option<Pg>, locks: SlotLock, seed: u64) -> Self {
        let mut world = match pg {
            Some(pg) => World::on(pg, 0, ROOMS, locks).await,
            None => World::with_locks(0, ROOMS, locks).await,
        };
        rules(&world, seed).await;
        // So that the first visits begin while the clients are at it, and whoever walks in finds the door open.
        world.clock.set(at_minute(0));
        let mut resources = world.rooms.clone();
        for n in 0..MACHINES {
            let room = pb::Room {
                store: world.store.clone(),
                display_name: format!("laser {n}"),
                kind: MACHINE.to_owned(),
                ..pb::Room::default()
            };
            let request = pb::CreateRoomRequest { room: Some(room), request_id: id() };
            let room = world.catalog().create_room(with_token(request, &world.admin)).await.expect("a machine");
            resources.push(room.into_inner().name);
        }
        let (mut therapists, mut shifts) = (Vec::new(), Vec::new());
        for n in 0..THERAPISTS {
            let therapist = world.create_therapist(&format!("therapist {n}"), "thai").await.name;
            world.create_shift(&therapist, at(0), at(12)).await.expect("a shift");
            let (start, end) = tomorrow();
            let shift = world.create_shift(&therapist, start, end).await.expect("a shift");
            shifts.push((therapist.clone(), shift.name));
            therapists.push(therapist);
        }
        resources.extend(therapists.iter().cloned());
        let mut items = vec![world.item.clone()];
        for item in [short(), in_phases()] {
            let request = pb::CreateItemRequest { item: Some(item), request_id: id() };
            let item = world.catalog().create_item(with_token(request, &world.admin)).await.expect("an item");
            items.push(item.into_inner().name);
        }
        world.therapists = therapists;
        // In every other shop the first hour is left to those who walk in, until the first visits are due.
        let first = if seed.is_multiple_of(2) { 0 } else { 60 };
        Self { world, items, resources, shifts, first }
    }

    /// When a visit shall start: mostly on the first day, and there mostly soon, so that many want the same.
    pub fn start(&self, decision: &Decision) -> Timestamp {
        let minutes = |steps: u64| i64::try_from(steps * 5).expect("small");
        match decision.when % 4 {
            0 => at_minute(24 * 60 + minutes(decision.when / 4 % STARTS_TOMORROW)),
            1 => at_minute(self.first + minutes(decision.when / 4 % STARTS_SOON)),
            _ => at_minute(self.first + minutes(decision.when / 4 % STARTS)),
        }
    }

    /// A quarter to two hours from then.
    pub fn end(&self, decision: &Decision) -> Timestamp {
        let quarters = i64::try_from(decision.whom % 8).expect("small");
        self.start(decision) + SignedDuration::from_mins(15 * (quarters + 1))
    }
}

/// Each way to find a therapist, and for every third seed a limit on their work: rules that span visits.
async fn rules(world: &World, seed: u64) {
    let policies = AssignmentPolicy::ALL;
    let (_, policy) = policies[usize::try_from(seed).expect("small") % policies.len()];
    // The clock goes on by minutes only: whoever is to be checked in is so at any time.
    let rules = "insert into store_policy (store_id, assignment, max_minutes_per_day, check_in_minutes)
                 values ($1, $2, $3, 44640)";
    sqlx::query(rules)
        .bind(StoreId::parse_name("store", &world.store).expect("a store").uuid())
        .bind(policy)
        .bind(seed.is_multiple_of(3).then_some(MOST_WORK))
        .execute(world.app.pg.pool())
        .await
        .expect("rules");
}

/// The shift of the second day.
pub fn tomorrow() -> (Timestamp, Timestamp) {
    (at(24), at(36))
}

fn offered(display_name: &str, minutes: i32) -> pb::Item {
    pb::Item {
        display_name: display_name.to_owned(),
        duration_minutes: minutes,
        price: Some(to_money(cny(20_000))),
        skill: "thai".to_owned(),
        room_kind: "massage".to_owned(),
        equipment_kind: MACHINE.to_owned(),
        ..pb::Item::default()
    }
}

/// All three kinds from start to end, and the room for a while after it.
fn short() -> pb::Item {
    pb::Item { cleanup_minutes: 5, ..offered("Laser", 35) }
}

/// The room first, the therapist twice, the machine in between.
fn in_phases() -> pb::Item {
    let phase = |resource: Resource, start_minutes, duration_minutes| pb::Phase {
        resource: resource.into(),
        start_minutes,
        duration_minutes,
    };
    let phases = vec![
        phase(Resource::Room, -10, 75),
        phase(Resource::Therapist, 0, 20),
        phase(Resource::Equipment, 20, 15),
        phase(Resource::Therapist, 40, 15),
    ];
    pb::Item { phases, ..offered("Peeling", 55) }
}
