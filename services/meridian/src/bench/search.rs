//! How long a search takes: 20 therapists, 14 days, half of all time taken.

use anyhow::{Context, Result, ensure};
use booking::{
    db,
    domain::{
        booking::{Booking, Channel, State},
        span::{Span, minute},
        visit::Wish,
    },
};
use jiff::SignedDuration;
use kernel::{
    Clock as _, Money, SystemClock, Timestamp,
    ids::{BookingId, MemberId},
};
use pg::{Pg, Tx};
use proto::booking::v1::{self as pb, booking_service_client::BookingServiceClient};
use rpc::convert::to_timestamp;
use tonic::transport::Channel as Transport;

use super::{
    house::House,
    load::{self, Caller, Load, Until},
    report::{Figure, Limit, Report},
    scale::Scale,
    shops::{CLEANUP, PREPARATION, Shops, TREATMENT},
};

const THERAPISTS: usize = 20;
const DAYS: usize = 14;
/// How many search side by side in the second round.
const SIDE_BY_SIDE: usize = 4;
/// The page that a screen shows, which is the default, and the largest that can be asked for.
const PAGE: i32 = 50;
const LARGEST_PAGE: i32 = 1_000;
const LIMIT: Limit = Limit::AtMost(5.0);

/// Measures.
pub async fn measure(house: &House, scale: &Scale, report: &mut Report) -> Result<()> {
    let shops = Shops::new(1, THERAPISTS, i64::try_from(DAYS)? + 1)?;
    let taken = occupy(&house.app.pg, &shops).await?;
    house.analyze().await?;
    let searcher = Searcher::new(house.channel()?, &shops, PAGE);
    let all = searcher.check().await?;
    load::drive(vec![searcher.clone()], Until::Calls(scale.searches / 4)).await?;

    let (_, alone) = load::drive(vec![searcher.clone()], Until::Calls(scale.searches)).await?;
    add(report, "search, p99", alone, &format!("{:.0} % taken, 50 slots a page", 100.0 * taken), true);
    // More than two cores have at once: it tells how many there are a second, and has no limit.
    let several = vec![searcher.clone(); SIDE_BY_SIDE];
    let (_, several) = load::drive(several, Until::Calls(scale.searches / 2)).await?;
    add(report, "search, 4 at once, p99", several, "50 slots a page", false);
    let whole = Searcher { page_size: LARGEST_PAGE, expected: all.min(usize::try_from(LARGEST_PAGE)?), ..searcher };
    let (_, whole) = load::drive(vec![whole], Until::Calls(scale.searches / 4)).await?;
    add(report, "search, the largest page, p99", whole, &format!("{all} slots in all"), false);
    Ok(())
}

fn add(report: &mut Report, name: &'static str, load: Load, note: &str, promised: bool) {
    let note = format!("{:.0} /s; {note}", load.per_second());
    let times = load.samples.times();
    let figure = Figure::new(name, times.p99, "ms", note).times(times);
    report.add(if promised { figure.limit(LIMIT) } else { figure });
}

/// Searches for any therapist within 14 days.
#[derive(Clone)]
struct Searcher {
    client: BookingServiceClient<Transport>,
    store: String,
    item: String,
    from: Timestamp,
    page_size: i32,
    /// How many slots an answer has.
    expected: usize,
}

impl Searcher {
    fn new(channel: Transport, shops: &Shops, page_size: i32) -> Self {
        let client = BookingServiceClient::new(channel);
        let (store, item) = (shops.shops[0].store.id.name(), shops.item.id.name());
        let from = shops.openings().next().unwrap_or_default();
        Self { client, store, item, from, page_size, expected: usize::try_from(page_size).unwrap_or(0) }
    }

    async fn search(&mut self, page_token: String) -> Result<pb::SearchSlotsResponse> {
        let to = self.from + SignedDuration::from_hours(24 * i64::try_from(DAYS)?);
        let request = pb::SearchSlotsRequest {
            store: self.store.clone(),
            item: self.item.clone(),
            start_time: Some(to_timestamp(self.from)),
            end_time: Some(to_timestamp(to)),
            page_size: self.page_size,
            page_token,
            ..pb::SearchSlotsRequest::default()
        };
        Ok(self.client.search_slots(request).await?.into_inner())
    }

    /// How many times there are. They must be on every day, or nothing is measured.
    async fn check(&self) -> Result<usize> {
        let mut all = Self { page_size: LARGEST_PAGE, ..self.clone() };
        let (mut slots, mut token) = (Vec::new(), String::new());
        loop {
            let answer = all.search(token).await?;
            slots.extend(answer.slots.into_iter().filter_map(|slot| slot.start_time).map(|time| time.seconds / 86_400));
            token = answer.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let found = slots.len();
        slots.dedup();
        ensure!(slots.len() == DAYS, "{found} times on {} days were found, not on {DAYS}", slots.len());
        Ok(found)
    }
}

impl Caller for Searcher {
    async fn call(&mut self) -> Result<()> {
        let found = self.search(String::new()).await?.slots.len();
        ensure!(found == self.expected, "an answer has {found} slots, not {}", self.expected);
        Ok(())
    }
}

/// Books about half of the time, each visit in the first room that is free; returns how much of the time that is.
async fn occupy(pg: &Pg, shops: &Shops) -> Result<f64> {
    shops.store(pg).await?;
    let mut booked = 0;
    for (day, opening) in shops.openings().take(DAYS).enumerate() {
        let mut tx = pg.begin().await?;
        let mut free_from = [0; THERAPISTS];
        for (start, who) in visits(day)? {
            let room = free_from.iter().position(|from| *from <= start - PREPARATION);
            let room = room.context("the example has more visits at once than rooms")?;
            free_from[room] = start + TREATMENT + CLEANUP;
            book(&mut tx, shops, (who, room), opening + SignedDuration::from_mins(start)).await?;
            booked += 1;
        }
        tx.commit().await?;
    }
    let open = Shops::open_minutes() * i64::try_from(THERAPISTS * DAYS)?;
    Ok((booked * TREATMENT) as f64 / open as f64)
}

/// The visits of a day: the minute after opening at which they start, and who gives them.
fn visits(day: usize) -> Result<Vec<(i64, usize)>> {
    let mut visits = Vec::new();
    for who in 0..THERAPISTS {
        let mut minute = PREPARATION;
        for nth in 0.. {
            // Gaps of 0 to 110 minutes that look like chance.
            minute += 5 * i64::try_from((nth * 7 + day * 3 + who * 5) % 23)?;
            if minute + TREATMENT > Shops::open_minutes() {
                break;
            }
            visits.push((minute, who));
            minute += TREATMENT;
        }
    }
    visits.sort_unstable();
    Ok(visits)
}

/// A visit to the first shop.
pub fn booking(shops: &Shops, (who, room): (usize, usize), start: Timestamp) -> Booking {
    let (now, shop, price) = (SystemClock.now(), &shops.shops[0], shops.item.price);
    Booking {
        id: BookingId::new(now),
        store: shop.store.id,
        item: shops.item.id,
        therapist: shop.therapists[who].id,
        room: shop.rooms[room].id,
        equipment: None,
        customer: MemberId::new(now),
        start_time: start,
        end_time: start + SignedDuration::from_mins(TREATMENT),
        state: State::Confirmed,
        channel: Channel::Web,
        list_price: price,
        price,
        deposit: price,
        quote: None,
        hold_expire_time: now + SignedDuration::from_mins(10),
        create_time: now,
        version: 1,
        package: None,
        parts: Vec::new(),
        add_ons: Vec::new(),
        group: None,
        extension_minutes: 0,
        requested: false,
        assignment: String::new(),
        device: None,
        partner: None,
        hold_limit_time: now + SignedDuration::from_mins(10),
        overbook_reason: None,
        wish: Wish::default(),
        least_fee: Money::zero(price.currency()),
    }
}

async fn book(tx: &mut Tx, shops: &Shops, who: (usize, usize), start: Timestamp) -> Result<()> {
    let booking = booking(shops, who, start);
    let start = minute(start);
    let kept = [
        (booking.therapist.uuid(), Span::new(start, start + TREATMENT)),
        (booking.room.uuid(), Span::new(start - PREPARATION, start + TREATMENT + CLEANUP)),
    ];
    let change = booking.made("services/booking");
    db::booking::insert(tx, &change).await?;
    ensure!(db::allocation::take(tx, change.booking.id, &kept).await?, "two bookings of the example meet");
    Ok(())
}
