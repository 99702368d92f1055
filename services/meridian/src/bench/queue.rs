//! How long it takes to tell those who wait how long they have to: a store of fifty therapists, fifty in line.

use anyhow::{Result, ensure};
use kernel::{Clock as _, SystemClock, ids::uuid_v7};
use proto::booking::v1::{self as pb, walk_in_service_client::WalkInServiceClient};
use tonic::{Request, transport::Channel};

use super::{
    curve,
    house::House,
    load::{self, Caller, Until},
    report::{Figure, Limit, Report},
    scale::Scale,
    shops::Shops,
};

const THERAPISTS: usize = 50;
const IN_LINE: usize = 50;
const LIMIT: Limit = Limit::AtMost(5.0);

/// Measures.
pub async fn measure(house: &House, scale: &Scale, report: &mut Report) -> Result<()> {
    let shops = Shops::open_now(THERAPISTS)?;
    curve::occupy(&house.app.pg, &shops).await?;
    house.analyze().await?;
    let client = WalkInServiceClient::new(house.channel()?);
    let store = shops.shops[0].store.id.name();
    let guest = Guest {
        client: client.clone(),
        authorization: house.keys.administrator()?,
        store: store.clone(),
        item: shops.item.id.name(),
        members: shops.members.iter().map(|member| member.name()).collect(),
    };
    let (_, joining) = load::drive(vec![guest], Until::Calls(u64::try_from(IN_LINE)?)).await?;
    let board = vec![Board { client, store }];
    let (board, _) = load::drive(board, Until::Calls(scale.searches / 10)).await?;
    let (_, showing) = load::drive(board, Until::Calls(scale.searches / 2)).await?;
    let note = format!("{:.0} /s; {THERAPISTS} therapists, {IN_LINE} in line, 70 % taken", showing.per_second());
    let times = showing.samples.times();
    report.add(Figure::new("quoted waits of a queue, p99", times.p99, "ms", note).times(times).limit(LIMIT));
    let times = joining.samples.times();
    let note = format!("up to {IN_LINE} in line; the ticket is stored");
    report.add(Figure::new("ticket with its quoted wait, p99", times.p99, "ms", note).times(times));
    Ok(())
}

/// Somebody who comes, and then the next.
struct Guest {
    client: WalkInServiceClient<Channel>,
    authorization: String,
    store: String,
    item: String,
    members: Vec<String>,
}

impl Caller for Guest {
    async fn call(&mut self) -> Result<()> {
        let mut request = Request::new(pb::JoinQueueRequest {
            store: self.store.clone(),
            item: self.item.clone(),
            customer: self.members.pop().unwrap_or_default(),
            request_id: uuid_v7(SystemClock.now()).to_string(),
            ..pb::JoinQueueRequest::default()
        });
        request.metadata_mut().insert("authorization", self.authorization.parse()?);
        let ticket = self.client.join_queue(request).await?.into_inner();
        ensure!(ticket.quoted_time.is_some(), "a ticket without a time");
        Ok(())
    }
}

/// What hangs on the wall.
struct Board {
    client: WalkInServiceClient<Channel>,
    store: String,
}

impl Caller for Board {
    async fn call(&mut self) -> Result<()> {
        let request = pb::ShowQueueRequest { store: self.store.clone() };
        let places = self.client.show_queue(request).await?.into_inner().places;
        let told = places.iter().filter(|place| place.expected_time.is_some()).count();
        ensure!(told == IN_LINE, "{told} of {} know when they can begin, not {IN_LINE}", places.len());
        Ok(())
    }
}
