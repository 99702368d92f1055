//! What a search and an explanation cost in a large shop, and how that grows with its days and its resources.

use anyhow::{Context, Result, ensure};
use booking::{
    db,
    domain::{
        catalog::Room,
        span::{Span, minute},
    },
};
use jiff::SignedDuration;
use kernel::{Clock as _, SystemClock, Timestamp, ids::RoomId};
use pg::Pg;
use proto::{
    booking::v1::{self as pb, booking_service_client::BookingServiceClient},
    google::r#type::TimeOfDay,
};
use rpc::convert::to_timestamp;
use tonic::transport::Channel;

use super::{
    house::House,
    load::{self, Caller, Load, Until},
    report::{Figure, Limit, Report},
    scale::Scale,
    search,
    shops::Shops,
};

/// The largest shop: so many therapists, rooms and machines.
const LARGEST: [usize; 3] = [50, 20, 10];
const DAYS: i64 = 31;
const MACHINE: &str = "laser";
/// Every resource is taken for so many minutes, and then free for so many on average: 70 %.
const TAKEN: i64 = 70;
const FREE: i64 = 30;

/// Measures.
pub async fn measure(house: &House, scale: &Scale, report: &mut Report) -> Result<()> {
    let client = BookingServiceClient::new(house.channel()?);
    let calls = Until::Calls(scale.searches / 10);
    let mut evenings = Vec::new();
    for (part, names) in [
        (4, ["search, 12 × 5 × 2 × 31 days, every evening, p99", "", ""]),
        (2, ["search, 25 × 10 × 5 × 31 days, every evening, p99", "", ""]),
        (
            1,
            [
                "search, 50 × 20 × 10 × 31 days, every evening, p99",
                "search, 50 × 20 × 10 × 16 days, every evening, p99",
                "search, 50 × 20 × 10 × 8 days, every evening, p99",
            ],
        ),
    ] {
        let shops = shop(LARGEST.map(|count| count / part))?;
        occupy(&house.app.pg, &shops).await?;
        house.analyze().await?;
        for (name, days) in
            names.into_iter().zip([DAYS, DAYS / 2 + 1, DAYS / 4 + 1]).filter(|(name, _)| !name.is_empty())
        {
            let caller = Evenings { client: client.clone(), request: request(&shops, days), found: 0 };
            let (callers, _) = load::drive(vec![caller], Until::Calls(scale.searches / 40 + 1)).await?;
            let found = callers.first().map(|caller| caller.found).unwrap_or_default();
            ensure!(found > 0, "{name}: nothing was found");
            let (_, load) = load::drive(callers, calls).await?;
            evenings.push((name, days, part, load, found));
        }
        if part == 1 {
            let page = Evenings { request: page(&shops), found: 0, client: client.clone() };
            load::drive(vec![page.clone()], Until::Calls(scale.searches / 40 + 1)).await?;
            let (_, load) = load::drive(vec![page], calls).await?;
            let rate = load.per_second();
            let limit = Limit::AtMost(25.0);
            add(report, "search, 50 × 20 × 10 × 31 days, 50 slots a page, p99", load, "70 % taken", Some(limit));
            report.add(
                Figure::new("searches of it per second", rate, "/s", "one at a time").limit(Limit::AtLeast(100.0)),
            );
            let why = Why { client: client.clone(), request: why(&shops) };
            load::drive(vec![why.clone()], Until::Calls(scale.searches / 40 + 1)).await?;
            let (_, load) = load::drive(vec![why], calls).await?;
            add(report, "explanation of a day, p99", load, "288 starts, all resources", Some(Limit::AtMost(50.0)));
        }
    }
    for (name, days, part, load, found) in evenings {
        let limit = (days == DAYS && part == 1).then_some(Limit::AtMost(25.0));
        add(report, name, load, &format!("{found} slots, none left out"), limit);
    }
    Ok(())
}

fn add(report: &mut Report, name: &'static str, load: Load, note: &str, limit: Option<Limit>) {
    let note = format!("{:.0} /s; {note}", load.per_second());
    let times = load.samples.times();
    let figure = Figure::new(name, times.p99, "ms", note).times(times);
    report.add(limit.into_iter().fold(figure, Figure::limit));
}

/// A shop that sells a treatment with a machine.
fn shop([therapists, rooms, machines]: [usize; 3]) -> Result<Shops> {
    let mut shops = Shops::new(1, therapists, DAYS + 1)?;
    shops.item.equipment_kind = Some(MACHINE.to_owned());
    let shop = shops.shops.first_mut().context("a chain without a shop")?;
    let machine = |(n, room): (usize, &Room)| Room {
        id: RoomId::new(SystemClock.now()),
        display_name: format!("Machine {n:02}"),
        kind: MACHINE.to_owned(),
        ..room.clone()
    };
    let machines: Vec<Room> = shop.rooms.iter().enumerate().take(machines).map(machine).collect();
    shop.rooms.truncate(rooms);
    shop.rooms.extend(machines);
    Ok(shops)
}

/// Stores a shop, and takes 70 % of the time of every resource; each by one booking, since only the times matter.
pub async fn occupy(pg: &Pg, shops: &Shops) -> Result<()> {
    shops.store(pg).await?;
    let shop = &shops.shops[0];
    let resources = shop.therapists.iter().map(|therapist| therapist.id.uuid());
    let resources = resources.chain(shop.rooms.iter().map(|room| room.id.uuid()));
    for (n, resource) in (0_i64..).zip(resources) {
        let mut kept = Vec::new();
        for (day, opening) in (0_i64..).zip(shops.openings()) {
            let (opening, mut from) = (minute(opening), 5 * ((n * 7 + day * 3) % 12));
            for nth in 0.. {
                if from + TAKEN > Shops::open_minutes() {
                    break;
                }
                kept.push((resource, Span::new(opening + from, opening + from + TAKEN)));
                // Gaps that look like chance; many are too short for a treatment.
                from += TAKEN + if (nth + n + day) % 4 == 0 { 4 * FREE - 45 } else { 15 };
            }
        }
        let mut tx = pg.begin().await?;
        let booking = search::booking(shops, (0, 0), shops.openings().next().unwrap_or_default());
        let change = booking.made("services/booking");
        db::booking::insert(&mut tx, &change).await?;
        ensure!(db::allocation::take(&mut tx, change.booking.id, &kept).await?, "two times of a resource meet");
        tx.commit().await?;
    }
    Ok(())
}

/// Every evening of so many days, all on one page: nothing of them may be left out.
fn request(shops: &Shops, days: i64) -> pb::SearchSlotsRequest {
    let time = |hours, minutes| Some(TimeOfDay { hours, minutes, ..TimeOfDay::default() });
    let daypart = pb::Daypart { start_time: time(18, 0), end_time: time(20, 30), days: Vec::new() };
    let from = first(shops);
    pb::SearchSlotsRequest {
        store: shops.shops[0].store.id.name(),
        item: shops.item.id.name(),
        start_time: Some(to_timestamp(from)),
        end_time: Some(to_timestamp(from + SignedDuration::from_hours(24 * days))),
        daypart: Some(daypart),
        page_size: 1_000,
        ..pb::SearchSlotsRequest::default()
    }
}

/// The first page of everything.
fn page(shops: &Shops) -> pb::SearchSlotsRequest {
    pb::SearchSlotsRequest { daypart: None, page_size: 50, ..request(shops, DAYS) }
}

fn why(shops: &Shops) -> pb::ExplainSlotsRequest {
    let pb::SearchSlotsRequest { store, item, start_time, .. } = request(shops, DAYS);
    let end_time = Some(to_timestamp(first(shops) + SignedDuration::from_hours(24)));
    pb::ExplainSlotsRequest { store, item, start_time, end_time, ..pb::ExplainSlotsRequest::default() }
}

fn first(shops: &Shops) -> Timestamp {
    shops.openings().next().unwrap_or_default()
}

/// Searches.
#[derive(Clone)]
struct Evenings {
    client: BookingServiceClient<Channel>,
    request: pb::SearchSlotsRequest,
    /// How many slots the last answer had.
    found: usize,
}

impl Caller for Evenings {
    async fn call(&mut self) -> Result<()> {
        let answer = self.client.search_slots(self.request.clone()).await?.into_inner();
        ensure!(self.request.page_size < 1_000 || answer.next_page_token.is_empty(), "the answer has a second page");
        self.found = answer.slots.len();
        Ok(())
    }
}

/// Asks why a day is not offered.
#[derive(Clone)]
struct Why {
    client: BookingServiceClient<Channel>,
    request: pb::ExplainSlotsRequest,
}

impl Caller for Why {
    async fn call(&mut self) -> Result<()> {
        let answer = self.client.explain_slots(self.request.clone()).await?.into_inner();
        ensure!(!answer.explanations.is_empty(), "nothing was explained");
        Ok(())
    }
}
