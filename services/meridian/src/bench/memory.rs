//! What `meridian serve all` keeps resident: while nothing happens, on empty databases; and at work, searching and holding
//! over the gateway, in a chain with a million bookings. Postgres and Redis are not counted.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use kernel::{Clock as _, SystemClock};
use pg::Pg;
use runtime::config::Service;
use serde_json::{Value, json};
use sqlx::Connection as _;

use super::{
    history, house,
    load::{self, Caller, Until},
    report::{Figure, Limit, Report},
    scale::Scale,
    servers::Servers,
    shops::Shops,
    suite::Suite,
};
use crate::demo::api::{Api, Person, new_phone, text};

const IDLE_LIMIT: Limit = Limit::AtMost(150.0);
const BUSY_LIMIT: Limit = Limit::AtMost(100.0);
/// The chain: so many shops with so many therapists each, who work on so many days to come.
const SHOPS: usize = 20;
const THERAPISTS: usize = 20;
const DAYS: i64 = 31;
/// How many search at a time; as many hold.
const SIDE_BY_SIDE: usize = 2;

/// Measures.
pub async fn measure(servers: &Servers, scale: &Scale, report: &mut Report) -> Result<()> {
    let suite = Suite::make(servers).await?;
    let running = suite.start().await?;
    let watched = running.watch(scale.idle).await;
    let ended = running.end().await;
    let [resident, peak] = watched?;
    let note = format!("peak {peak:.0} MB; {} s after it was ready; {}", scale.idle.as_secs(), ended?);
    report.add(Figure::new("`serve all` idle, resident", resident, "MB", note).limit(IDLE_LIMIT));

    let shops = Arc::new(Shops::new(SHOPS, THERAPISTS, DAYS + 1)?);
    let database = Suite::database(Service::Booking);
    let pg = Pg::connect(&house::config(&servers.database(&database).await?)).await?;
    shops.store(&pg).await?;
    let mut administrator = servers.administrator_of(&database).await?;
    history::write_many(&mut administrator, &shops, scale.stored, DAYS).await.context("the past cannot be stored")?;
    administrator.close().await?;
    let bookings: i64 = sqlx::query_scalar("select count(*) from booking").fetch_one(pg.pool()).await?;

    let running = suite.start().await?;
    let api = suite.api()?;
    let worked = tokio::try_join!(work(&api, &shops, scale), running.watch(scale.busy));
    let ended = running.end().await;
    let ([searches, holds], [resident, peak]) = worked?;
    let note = format!(
        "peak {peak:.0} MB; {bookings} bookings, {SHOPS} shops of {THERAPISTS}; {searches} searches and {holds} holds \
         meanwhile; {}",
        ended?
    );
    report.add(Figure::new("`serve all` at work, resident", resident, "MB", note).limit(BUSY_LIMIT));
    Ok(())
}

/// Searches and holds; returns how often.
async fn work(api: &Api, shops: &Arc<Shops>, scale: &Scale) -> Result<[usize; 2]> {
    let terms_version = membership::Policy::default().terms_version;
    let member = api.register(&new_phone(), &terms_version, &shops.shops[0].store.id.name()).await?;
    let guest =
        |index, holds| Guest { api: api.clone(), member: member.clone(), shops: Arc::clone(shops), holds, next: index };
    let searching = (0..SIDE_BY_SIDE).map(|index| guest(index, false)).collect();
    let holding = (0..SIDE_BY_SIDE).map(|index| guest(index, true)).collect();
    let until = Until::Time(scale.busy);
    let ((_, searches), (_, holds)) = tokio::try_join!(load::drive(searching, until), load::drive(holding, until))?;
    Ok([searches, holds].map(|load| load.samples.len()))
}

/// Goes through the shops of the chain.
struct Guest {
    api: Api,
    member: Person,
    shops: Arc<Shops>,
    /// Holds what he finds, and gives it back.
    holds: bool,
    /// In which shop he looks next.
    next: usize,
}

impl Guest {
    async fn search(&self, store: &str) -> Result<Value> {
        let now = SystemClock.now();
        let to = now + SignedDuration::from_hours(24 * DAYS);
        let (item, from, to) = (self.shops.item.id.name(), now.to_string(), to.to_string());
        let query = [("item", item.as_str()), ("startTime", &from), ("endTime", &to), ("pageSize", "50")];
        let found = self.api.get(&self.member, &format!("/v1/{store}/slots:search"), &query).await?;
        let slots = found["slots"].as_array().map(Vec::len).unwrap_or_default();
        ensure!(slots == 50, "{slots} slots were found, not 50");
        // Those who come after one another want different times.
        Ok(found["slots"][self.next % 50].clone())
    }
}

impl Caller for Guest {
    async fn call(&mut self) -> Result<()> {
        let store = self.shops.shops[self.next % SHOPS].store.id.name();
        let slot = self.search(&store).await?;
        self.next += SIDE_BY_SIDE;
        if self.holds {
            let body = json!({
                "store": store, "item": self.shops.item.id.name(), "startTime": slot["startTime"],
                "channel": "CHANNEL_WEB",
            });
            let booking = self.api.post(&self.member, "/v1/bookings:hold", body).await?;
            self.api.post(&self.member, &format!("/v1/{}:cancel", text(&booking, "name")?), json!({})).await?;
        }
        Ok(())
    }
}
