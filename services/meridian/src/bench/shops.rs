//! What is sold: a chain of equal shops, and times of it of which no two meet.

use anyhow::Result;
use booking::{
    db::{self, catalog},
    domain::{
        catalog::{Item, Room, Sex, Store, Therapist},
        hours::OpeningHours,
        roster::shift::Shift,
    },
};
use jiff::{SignedDuration, tz::TimeZone};
use kernel::{
    Clock as _, Currency, Money, SystemClock, Timestamp,
    ids::{ItemId, MemberId, RoomId, ShiftId, StoreId, TherapistId},
};
use pg::Pg;

/// Shanghai has no daylight saving time, so that every day opens at the same time in UTC.
const ZONE: &str = "Asia/Shanghai";
const OPEN_HOUR_UTC: i64 = 2;
/// Local minutes of the day.
const OPEN: (i16, i16) = (600, 1_320);
const SKILL: &str = "thai";
const ROOM_KIND: &str = "massage";
const MACHINE_KIND: &str = "laser";
/// Minutes of a treatment, and for which its room is needed before and after it.
pub const TREATMENT: i64 = 60;
pub const PREPARATION: i64 = 5;
pub const CLEANUP: i64 = 10;
/// Minutes from one start to the next at which the same therapist and the same room are free again; nine fit into a day.
pub const STEP: i64 = 80;
const STARTS_A_DAY: u64 = 9;
/// Customers take turns; none of them has many visits at a time.
const MEMBERS: usize = 2_000;

/// A chain.
#[derive(Debug, Clone)]
pub struct Shops {
    /// The one thing that it sells.
    pub item: Item,
    /// Its shops.
    pub shops: Vec<Shop>,
    /// Its customers.
    pub members: Vec<MemberId>,
    /// When the shops open on the first day: tomorrow.
    first_opening: Timestamp,
    days: i64,
}

/// A shop with as many rooms as therapists.
#[derive(Debug, Clone)]
pub struct Shop {
    /// The shop.
    pub store: Store,
    /// Who works there, in the order of their names.
    pub therapists: Vec<Therapist>,
    /// Its rooms, in the order of their names.
    pub rooms: Vec<Room>,
}

/// A time that is sold once.
#[derive(Debug, Clone, Copy)]
pub struct Slot<'a> {
    /// Where.
    pub shop: &'a Shop,
    /// By whom.
    pub therapist: TherapistId,
    /// In which room.
    pub room: RoomId,
    /// To whom.
    pub customer: MemberId,
    /// When the shop opens that day.
    pub opening: Timestamp,
    /// When the treatment starts.
    pub start: Timestamp,
}

impl Shops {
    /// So many shops with so many therapists each, who work on so many days from tomorrow on.
    pub fn new(shops: usize, therapists: usize, days: i64) -> Result<Self> {
        let now = SystemClock.now();
        let tomorrow = now.as_second() - now.as_second().rem_euclid(86_400) + 86_400;
        Ok(Self {
            item: item(now),
            shops: (0..shops).map(|n| shop(now, n, therapists)).collect(),
            members: (0..MEMBERS).map(|_| MemberId::new(now)).collect(),
            first_opening: Timestamp::from_second(tomorrow + OPEN_HOUR_UTC * 3_600)?,
            days,
        })
    }

    /// One shop that has just opened for today, wherever on earth that is.
    pub fn open_now(therapists: usize) -> Result<Self> {
        let mut shops = Self::new(1, therapists, 1)?;
        let now = SystemClock.now().as_second();
        shops.first_opening = Timestamp::from_second(now - now.rem_euclid(3_600))?;
        let hour_utc = now.rem_euclid(86_400) / 3_600;
        // The IANA names of zones with a fixed offset have the sign of what is to be added to get to UTC.
        let ahead = (i64::from(OPEN.0) / 60 - hour_utc + 12).rem_euclid(24) - 12;
        for shop in &mut shops.shops {
            shop.store.time_zone = format!("Etc/GMT{:+}", -ahead);
        }
        Ok(shops)
    }

    /// The same, where the treatment needs a machine too; a shop has as many as rooms.
    #[must_use]
    pub fn with_machines(mut self) -> Self {
        let now = SystemClock.now();
        self.item.equipment_kind = Some(MACHINE_KIND.to_owned());
        for shop in &mut self.shops {
            let machine = |room: &Room| Room {
                id: RoomId::new(now),
                display_name: room.display_name.replace("Room", "Laser"),
                kind: MACHINE_KIND.to_owned(),
                ..room.clone()
            };
            let machines: Vec<Room> = shop.rooms.iter().map(machine).collect();
            shop.rooms.extend(machines);
        }
        self
    }

    /// When the shops open on each day.
    pub fn openings(&self) -> impl Iterator<Item = Timestamp> + '_ {
        (0..self.days).map(|day| self.first_opening + SignedDuration::from_hours(24 * day))
    }

    /// How many minutes they are open a day.
    pub fn open_minutes() -> i64 {
        i64::from(OPEN.1 - OPEN.0)
    }

    /// How many times there are.
    pub fn slots(&self) -> u64 {
        let therapists: usize = self.shops.iter().map(|shop| shop.therapists.len()).sum();
        therapists as u64 * u64::try_from(self.days).unwrap_or(0) * STARTS_A_DAY
    }

    /// The `n`th time. Times that follow each other are in different shops.
    pub fn slot(&self, n: u64) -> Option<Slot<'_>> {
        if n >= self.slots() {
            return None;
        }
        let index = usize::try_from(n).ok()?;
        let shop = &self.shops[index % self.shops.len()];
        let rest = index / self.shops.len();
        let who = rest % shop.therapists.len();
        let turn = i64::try_from(rest / shop.therapists.len()).ok()?;
        let a_day = i64::try_from(STARTS_A_DAY).ok()?;
        let opening = self.first_opening + SignedDuration::from_hours(24 * (turn / a_day));
        Some(Slot {
            shop,
            therapist: shop.therapists[who].id,
            room: shop.rooms[who].id,
            customer: self.members[index % self.members.len()],
            opening,
            start: opening + SignedDuration::from_mins(STEP * (turn % a_day)),
        })
    }

    /// Stores the chain in a database of booking.
    pub async fn store(&self, pg: &Pg) -> Result<()> {
        let now = SystemClock.now();
        let mut tx = pg.begin().await?;
        catalog::insert_item(&mut tx, &self.item).await?;
        for shop in &self.shops {
            catalog::insert_store(&mut tx, &shop.store).await?;
            for room in &shop.rooms {
                catalog::insert_room(&mut tx, room).await?;
            }
            for therapist in &shop.therapists {
                catalog::insert_therapist(&mut tx, therapist).await?;
                for start_time in self.openings() {
                    let end_time = start_time + SignedDuration::from_mins(Self::open_minutes());
                    let shift = Shift {
                        id: ShiftId::new(now),
                        therapist: therapist.id,
                        store: shop.store.id,
                        start_time,
                        end_time,
                        // The shop opens in the morning of UTC, too.
                        date: start_time.to_zoned(TimeZone::UTC).date(),
                        pattern: None,
                        breaks: Vec::new(),
                        version: 1,
                    };
                    db::shift::insert(&mut tx, &shift, now).await?;
                }
            }
        }
        Ok(tx.commit().await?)
    }
}

fn item(now: Timestamp) -> Item {
    let minutes = |minutes: i64| i32::try_from(minutes).unwrap_or(i32::MAX);
    Item {
        id: ItemId::new(now),
        display_name: "Thai massage".to_owned(),
        description: "An hour of stretching and pressure points.".to_owned(),
        category: "massage".to_owned(),
        photos: Vec::new(),
        duration_minutes: minutes(TREATMENT),
        preparation_minutes: minutes(PREPARATION),
        cleanup_minutes: minutes(CLEANUP),
        phases: Vec::new(),
        price: Money::new(29_800, Currency::CNY),
        prices: Vec::new(),
        skill: SKILL.to_owned(),
        certificate: None,
        room_kind: ROOM_KIND.to_owned(),
        equipment_kind: None,
        add_on_to: Vec::new(),
        version: 1,
        create_time: now,
        retire_time: None,
    }
}

fn shop(now: Timestamp, number: usize, therapists: usize) -> Shop {
    let store = Store {
        id: StoreId::new(now),
        display_name: format!("Shop {number:02}"),
        address: format!("{} Nanjing West Road", number + 1),
        position: None,
        time_zone: ZONE.to_owned(),
        opening_hours: (1..=7).map(|day| OpeningHours { day, open_minute: OPEN.0, close_minute: OPEN.1 }).collect(),
        special_days: Vec::new(),
        currency: Currency::CNY,
        photos: Vec::new(),
        version: 1,
        create_time: now,
    };
    let therapist = |n| Therapist {
        id: TherapistId::new(now),
        store: store.id,
        display_name: format!("Therapist {n:02}"),
        sex: if n % 2 == 0 { Sex::Female } else { Sex::Male },
        grade: 3,
        skills: vec![SKILL.to_owned(), "shiatsu".to_owned()],
        languages: Vec::new(),
        photo: String::new(),
        rating: None,
        weight: 100,
        certificates: Vec::new(),
        hire_date: None,
        version: 1,
        create_time: now,
        retire_time: None,
    };
    let room = |n| Room {
        id: RoomId::new(now),
        store: store.id,
        display_name: format!("Room {n:02}"),
        kind: ROOM_KIND.to_owned(),
        parent: None,
        position: 0,
        version: 1,
        create_time: now,
        retire_time: None,
    };
    Shop { therapists: (0..therapists).map(therapist).collect(), rooms: (0..therapists).map(room).collect(), store }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_shop_that_is_open_now_is_open_by_its_own_clock() {
        let shops = Shops::open_now(1).unwrap();
        let opening = shops.openings().next().unwrap();
        let local = opening.to_zoned(TimeZone::get(&shops.shops[0].store.time_zone).unwrap());
        assert_eq!((local.hour(), local.minute()), (10, 0));
        assert!(SystemClock.now().duration_since(opening) < SignedDuration::from_hours(1));
    }

    #[test]
    fn every_slot_is_within_opening_hours_and_sold_once() {
        let shops = Shops::new(2, 3, 2).unwrap();
        let mut seen = HashSet::new();
        for n in 0..shops.slots() {
            let slot = shops.slot(n).unwrap();
            let minutes = |from: Timestamp| slot.start.duration_since(from).as_mins();
            assert!((0..=Shops::open_minutes() - TREATMENT).contains(&minutes(slot.opening)), "{n}");
            assert_eq!(minutes(slot.opening) % 5, 0);
            assert!(seen.insert((slot.therapist, slot.start)) && slot.start > SystemClock.now());
        }
        assert_eq!(seen.len() as u64, shops.slots());
        assert!(shops.slot(shops.slots()).is_none());
        const { assert!(STEP >= PREPARATION + TREATMENT + CLEANUP, "a room is free again at the next start") };
    }
}
