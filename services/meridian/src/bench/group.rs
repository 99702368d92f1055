//! How long it takes to keep the visits of a group: four guests, six therapists.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use kernel::{Clock as _, SystemClock, ids::uuid_v7};
use proto::booking::v1::{self as pb, group_service_client::GroupServiceClient};
use rpc::convert::to_timestamp;
use tonic::{Request, transport::Channel};

use super::{
    house::House,
    load::{self, Caller, Until},
    report::{Figure, Limit, Report},
    scale::Scale,
    shops::Shops,
};

const THERAPISTS: usize = 6;
const GUESTS: usize = 4;
/// Nine groups fit into a day.
const DAYS: i64 = 85;
/// Minutes after the first guest at which the last may start, in the second round.
const WITHIN: i32 = 30;
const LIMIT: Limit = Limit::AtMost(30.0);

/// Measures.
pub async fn measure(house: &House, scale: &Scale, report: &mut Report) -> Result<()> {
    let shops = Arc::new(Shops::new(1, THERAPISTS, DAYS)?);
    shops.store(&house.app.pg).await?;
    house.analyze().await?;
    let organiser = Organiser {
        client: GroupServiceClient::new(house.channel()?),
        tokens: house.keys.members(&shops.members)?,
        shops,
        within_minutes: 0,
        next: 0,
    };
    let (organisers, _) = load::drive(vec![organiser], Until::Calls(scale.groups / 10)).await?;
    let (mut organisers, together) = load::drive(organisers, Until::Calls(scale.groups / 2)).await?;
    organisers.iter_mut().for_each(|organiser| organiser.within_minutes = WITHIN);
    let (_, within) = load::drive(organisers, Until::Calls(scale.groups / 2)).await?;
    let note = "4 guests, 6 therapists; 4 orders are made";
    let times = together.samples.times();
    report.add(Figure::new("hold of a group, p99", times.p99, "ms", note).times(times).limit(LIMIT));
    let times = within.samples.times();
    report.add(Figure::new("the same within 30 minutes, p99", times.p99, "ms", note).times(times));
    Ok(())
}

/// Brings one group after another, each for another member.
struct Organiser {
    client: GroupServiceClient<Channel>,
    tokens: Vec<String>,
    shops: Arc<Shops>,
    within_minutes: i32,
    next: u64,
}

impl Caller for Organiser {
    async fn call(&mut self) -> Result<()> {
        // Each start of the day is one time for each of the therapists.
        let slot = self.shops.slot(self.next * THERAPISTS as u64).context("all times are sold")?;
        let token = &self.tokens[usize::try_from(self.next)? % self.tokens.len()];
        self.next += 1;
        let guest = pb::GroupGuest { item: self.shops.item.id.name(), ..pb::GroupGuest::default() };
        let mut request = Request::new(pb::HoldGroupRequest {
            store: slot.shop.store.id.name(),
            guests: vec![guest; GUESTS],
            within_minutes: self.within_minutes,
            start_time: Some(to_timestamp(slot.start)),
            payer: pb::booking_group::Payer::One.into(),
            request_id: uuid_v7(SystemClock.now()).to_string(),
            ..pb::HoldGroupRequest::default()
        });
        request.metadata_mut().insert("authorization", token.parse()?);
        let group = self.client.hold_group(request).await?.into_inner();
        ensure!(group.bookings.len() == GUESTS, "{} visits are held, not {GUESTS}", group.bookings.len());
        Ok(())
    }
}
