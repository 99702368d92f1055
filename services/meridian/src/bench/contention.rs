//! How many answers a second there are when all want the same few times: four therapists, four rooms, four machines.
//!
//! Each client asks for a time of one day, at any start of the grid, so that visits overlap in part. Whoever gets it gives
//! it back at once: the times stay contested. Both answers were decided in Postgres, and both are counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::{Result, bail, ensure};
use jiff::SignedDuration;
use kernel::{Clock as _, SystemClock, Timestamp, ids::uuid_v7};
use pg::Pg;
use proto::booking::v1::{self as pb, booking_service_client::BookingServiceClient};
use rpc::convert::to_timestamp;
use tonic::{Code, Request, transport::Channel};

use super::{
    house::{self, House},
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

/// Measures.
pub async fn measure(house: &House, scale: &Scale, report: &mut Report) -> Result<()> {
    let shops = Arc::new(Shops::new(1, EACH, 1)?.with_machines());
    shops.store(&house.app.pg).await?;
    house::analyze(&house.app.pg).await?;
    let counts = Arc::new(Counts::default());
    let contenders = (0..CLIENTS).map(|_| Contender::new(house, &shops, &counts)).collect::<Result<Vec<_>>>()?;
    let (contenders, _) = load::drive(contenders, Until::Time(scale.warm_up)).await?;
    counts.reset();
    let deadlocks = deadlocks(&house.app.pg).await?;
    let (_, load) = load::drive(contenders, Until::Time(scale.round)).await?;
    let deadlocks = self::deadlocks(&house.app.pg).await? - deadlocks;
    let [held, taken] = [&counts.held, &counts.taken].map(|count| count.load(Ordering::Relaxed));
    ensure!(held > 0 && taken > 0, "{held} times were held and {taken} were taken: that is no contention");
    let rate = per_second((2 * held + taken) as f64, load.time);
    let note = format!("{CLIENTS} clients, 4 × 4 × 4 resources; {held} held and given back, {taken} refused");
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
    taken: AtomicU64,
    /// Numbers the attempts.
    next: AtomicU64,
}

impl Counts {
    fn reset(&self) {
        self.held.store(0, Ordering::Relaxed);
        self.taken.store(0, Ordering::Relaxed);
    }
}

/// Wants a time, and gives it back.
struct Contender {
    client: BookingServiceClient<Channel>,
    shops: Arc<Shops>,
    authorization: String,
    counts: Arc<Counts>,
}

impl Contender {
    fn new(house: &House, shops: &Arc<Shops>, counts: &Arc<Counts>) -> Result<Self> {
        let member = shops.members[usize::try_from(counts.next.fetch_add(1, Ordering::Relaxed))?];
        Ok(Self {
            client: BookingServiceClient::new(house.channel()?),
            shops: Arc::clone(shops),
            authorization: house.keys.member(member)?,
            counts: Arc::clone(counts),
        })
    }

    fn request<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.parse()?);
        Ok(request)
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
        let now = SystemClock.now();
        let hold = self.request(pb::HoldSlotRequest {
            store: self.shops.shops[0].store.id.name(),
            item: self.shops.item.id.name(),
            start_time: Some(to_timestamp(self.start())),
            request_id: uuid_v7(now).to_string(),
            ..pb::HoldSlotRequest::default()
        })?;
        let name = match self.client.hold_slot(hold).await {
            Ok(booking) => booking.into_inner().name,
            Err(refused) if refused.code() == Code::FailedPrecondition => {
                self.counts.taken.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            Err(other) => bail!("a hold under contention ended in {other}"),
        };
        let request_id = uuid_v7(now).to_string();
        let cancel = self.request(pb::CancelBookingRequest { name, request_id, ..Default::default() })?;
        self.client.cancel_booking(cancel).await?;
        self.counts.held.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
