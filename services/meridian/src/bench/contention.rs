//! How many answers a second there are when all want the same few times: four therapists, four rooms, four machines.
//!
//! Each client asks for a time of one day, at any start of the grid, so that visits overlap in part. Whoever gets one keeps
//! it while he tries for more, and gives it back after a while: the day stays as good as sold out, and what gets free is
//! fought for. Every answer (held, given back, refused) was decided in Postgres and counts.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Result, bail, ensure};
use jiff::SignedDuration;
use kernel::{Clock as _, SystemClock, Timestamp, ids::uuid_v7};
use pg::Pg;
use proto::booking::v1::{self as pb, booking_service_client::BookingServiceClient};
use rpc::convert::to_timestamp;
use tonic::{Code, Request, transport::Channel};

use super::{
    house::House,
    load::{self, Caller, Until, per_second},
    report::{Figure, Limit, Report},
    scale::Scale,
    shops::{Shops, TREATMENT},
};

/// Therapists, and as many rooms and machines.
const EACH: usize = 4;
const CLIENTS: usize = 32;
/// Minutes between two starts.
const GRID: i64 = 5;
/// How many more times somebody tries for until he gives one back.
const TRIES: u32 = 16;

/// Measures.
pub async fn measure(house: &House, scale: &Scale, report: &mut Report) -> Result<()> {
    let shops = Arc::new(Shops::new(1, EACH, 1)?.with_machines());
    shops.store(&house.app.pg).await?;
    house.analyze().await?;
    let counts = Arc::new(Counts::default());
    let contenders = (0..CLIENTS).map(|_| Contender::new(house, &shops, &counts)).collect::<Result<Vec<_>>>()?;
    let (contenders, _) = load::drive(contenders, Until::Time(scale.warm_up)).await?;
    counts.reset();
    let deadlocks = deadlocks(&house.app.pg).await?;
    let (_, load) = load::drive(contenders, Until::Time(scale.round)).await?;
    let deadlocks = self::deadlocks(&house.app.pg).await? - deadlocks;
    let [held, given_back, refused] =
        [&counts.held, &counts.given_back, &counts.refused].map(|count| count.load(Ordering::Relaxed));
    ensure!(held > 0 && refused > held, "{held} times were held and {refused} were refused: that is no contention");
    let rate = per_second((held + given_back + refused) as f64, load.time);
    let note = format!(
        "{CLIENTS} clients, 4 × 4 × 4 resources; {held} held, {given_back} given back, {refused} refused as taken"
    );
    let figure = Figure::new("decisions under contention", rate, "/s", note).times(load.samples.times());
    report.add(figure.limit(Limit::AtLeast(2_000.0)));
    let figure = Figure::new("deadlocks under contention", deadlocks as f64, "", "as Postgres counts them");
    report.add(figure.limit(Limit::AtMost(0.0)));
    Ok(())
}

/// How many deadlocks Postgres has resolved in the database of booking.
async fn deadlocks(pg: &Pg) -> Result<i64> {
    let count = "select deadlocks from pg_stat_database where datname = current_database()";
    Ok(sqlx::query_scalar(count).fetch_one(pg.pool()).await?)
}

/// What the answers were.
#[derive(Debug, Default)]
struct Counts {
    held: AtomicU64,
    given_back: AtomicU64,
    refused: AtomicU64,
    /// Numbers the attempts.
    next: AtomicU64,
}

impl Counts {
    fn reset(&self) {
        for count in [&self.held, &self.given_back, &self.refused] {
            count.store(0, Ordering::Relaxed);
        }
    }
}

/// Wants times, and gives them back after a while.
struct Contender {
    client: BookingServiceClient<Channel>,
    shops: Arc<Shops>,
    authorization: String,
    counts: Arc<Counts>,
    /// What he has, the oldest first, and how often he has tried for more since.
    kept: VecDeque<(String, u32)>,
}

impl Contender {
    fn new(house: &House, shops: &Arc<Shops>, counts: &Arc<Counts>) -> Result<Self> {
        let member = shops.members[usize::try_from(counts.next.fetch_add(1, Ordering::Relaxed))?];
        Ok(Self {
            client: BookingServiceClient::new(house.channel()?),
            shops: Arc::clone(shops),
            authorization: house.keys.member(member)?,
            counts: Arc::clone(counts),
            kept: VecDeque::new(),
        })
    }

    fn request<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.parse()?);
        Ok(request)
    }

    async fn give_back(&mut self) -> Result<()> {
        let Some((name, _)) = self.kept.pop_front() else { return Ok(()) };
        let request_id = uuid_v7(SystemClock.now()).to_string();
        let cancel = self.request(pb::CancelBookingRequest { name, request_id, ..Default::default() })?;
        self.client.cancel_booking(cancel).await?;
        self.counts.given_back.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Neighbours in time want starts that are far apart, and come round to the same ones.
    fn start(&self) -> Timestamp {
        let starts = u64::try_from((Shops::open_minutes() - TREATMENT) / GRID).unwrap_or(1);
        let step = self.counts.next.fetch_add(1, Ordering::Relaxed) * 37 % starts;
        let opening = self.shops.openings().next().unwrap_or_default();
        opening + SignedDuration::from_mins(GRID * i64::try_from(step).unwrap_or(0))
    }
}

impl Caller for Contender {
    async fn call(&mut self) -> Result<()> {
        if self.kept.front().is_some_and(|(_, tries)| *tries >= TRIES) {
            return self.give_back().await;
        }
        self.kept.iter_mut().for_each(|(_, tries)| *tries += 1);
        let hold = self.request(pb::HoldSlotRequest {
            store: self.shops.shops[0].store.id.name(),
            item: self.shops.item.id.name(),
            start_time: Some(to_timestamp(self.start())),
            request_id: uuid_v7(SystemClock.now()).to_string(),
            ..pb::HoldSlotRequest::default()
        })?;
        match self.client.hold_slot(hold).await {
            Ok(booking) => {
                self.kept.push_back((booking.into_inner().name, 0));
                self.counts.held.fetch_add(1, Ordering::Relaxed);
            }
            Err(refused) if refused.code() == Code::FailedPrecondition => {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
            }
            Err(other) => bail!("a hold under contention ended in {other}"),
        }
        Ok(())
    }
}
