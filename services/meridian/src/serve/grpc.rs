//! The server around a service's routes: access, health, reflection.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Result;
use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use proto::{
    analytics::v1::report_service_server,
    booking::v1::{
        booking_service_server, calendar_service_server, catalog_service_server, group_service_server,
        life_cycle_service_server, package_service_server, preference_service_server, roster_service_server,
        rotation_service_server, waitlist_service_server, walk_in_service_server,
    },
    feed::v1::event_feed_service_server,
    marketing::v1::{coupon_service_server, message_service_server, promotion_service_server},
    membership::v1::{auth_service_server, member_service_server, redemption_service_server, staff_service_server},
    payment::v1::{
        checkout_service_server, commission_service_server, drawer_service_server, invoice_service_server,
        ledger_service_server, payment_service_server, payout_service_server, prepaid_service_server,
        reconciliation_service_server, records_service_server, risk_service_server, stored_value_service_server,
        tip_service_server,
    },
};
use rpc::{KeySource, ServerLayerConfig};
use runtime::{config::Service, health};
use tokio::net::TcpListener;
use tonic::service::Routes;

use super::Host;

/// Serves `routes` as `service`, believing tokens of `keys`, until the host stops.
pub fn serve(
    host: &Host,
    service: Service,
    routes: Routes,
    keys: Arc<dyn KeySource>,
    listener: TcpListener,
) -> Result<()> {
    let names = names(service);
    let described = describe(names)?;
    let reflection = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_file_descriptor_set(described.clone())
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health");
        names.iter().fold(builder, |builder, name| builder.with_service_name(*name))
    };
    let routes = routes
        .add_service(health::service(&host.readiness, service.name(), names))
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    let clock = Arc::clone(&host.token_clock);
    let layer = rpc::server_layer(ServerLayerConfig { service: service.name(), keys, clock });
    let shutdown = host.tasks.shutdown().clone();
    host.tasks.spawn_essential(format!("{service}.grpc"), async move {
        runtime::serve::grpc(listener, routes, layer, &shutdown).await
    });
    Ok(())
}

/// The gRPC services of a service.
const fn names(service: Service) -> &'static [&'static str] {
    const FEED: &str = event_feed_service_server::SERVICE_NAME;
    match service {
        Service::Booking => &[
            booking_service_server::SERVICE_NAME,
            catalog_service_server::SERVICE_NAME,
            package_service_server::SERVICE_NAME,
            life_cycle_service_server::SERVICE_NAME,
            preference_service_server::SERVICE_NAME,
            roster_service_server::SERVICE_NAME,
            rotation_service_server::SERVICE_NAME,
            calendar_service_server::SERVICE_NAME,
            group_service_server::SERVICE_NAME,
            waitlist_service_server::SERVICE_NAME,
            walk_in_service_server::SERVICE_NAME,
            FEED,
        ],
        Service::Membership => &[
            auth_service_server::SERVICE_NAME,
            member_service_server::SERVICE_NAME,
            redemption_service_server::SERVICE_NAME,
            staff_service_server::SERVICE_NAME,
            FEED,
        ],
        Service::Payment => &[
            payment_service_server::SERVICE_NAME,
            checkout_service_server::SERVICE_NAME,
            drawer_service_server::SERVICE_NAME,
            ledger_service_server::SERVICE_NAME,
            prepaid_service_server::SERVICE_NAME,
            invoice_service_server::SERVICE_NAME,
            payout_service_server::SERVICE_NAME,
            reconciliation_service_server::SERVICE_NAME,
            stored_value_service_server::SERVICE_NAME,
            tip_service_server::SERVICE_NAME,
            commission_service_server::SERVICE_NAME,
            risk_service_server::SERVICE_NAME,
            records_service_server::SERVICE_NAME,
            FEED,
        ],
        Service::Marketing => &[
            message_service_server::SERVICE_NAME,
            promotion_service_server::SERVICE_NAME,
            coupon_service_server::SERVICE_NAME,
            FEED,
        ],
        Service::Analytics => &[report_service_server::SERVICE_NAME, FEED],
    }
}

/// The files that describe the gRPC services `names`, with all that they import. Comments are left out: a client that
/// builds stubs has no use for them, and they are most of the size.
fn describe(names: &[&str]) -> Result<FileDescriptorSet> {
    let all = FileDescriptorSet::decode(proto::DESCRIPTOR_SET)?.file;
    let by_name: BTreeMap<&str, &FileDescriptorProto> = all.iter().map(|file| (file.name(), file)).collect();
    let serves = |file: &&FileDescriptorProto| {
        file.service.iter().any(|service| names.contains(&format!("{}.{}", file.package(), service.name()).as_str()))
    };
    let mut open: Vec<&FileDescriptorProto> = all.iter().filter(serves).collect();
    let mut wanted = BTreeSet::new();
    while let Some(file) = open.pop() {
        if wanted.insert(file.name()) {
            open.extend(file.dependency.iter().filter_map(|name| by_name.get(name.as_str()).copied()));
        }
    }
    let files = all.iter().filter(|file| wanted.contains(file.name()));
    Ok(FileDescriptorSet {
        file: files.map(|file| FileDescriptorProto { source_code_info: None, ..file.clone() }).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_describes_itself_and_what_it_imports() {
        for service in Service::ALL {
            let described = describe(names(service)).unwrap();
            let files: BTreeSet<&str> = described.file.iter().map(|file| file.name()).collect();
            for file in &described.file {
                assert!(file.dependency.iter().all(|name| files.contains(name.as_str())), "{service}: {}", file.name());
            }
            let served: BTreeSet<String> = described
                .file
                .iter()
                .flat_map(|file| file.service.iter().map(|s| format!("{}.{}", file.package(), s.name())))
                .collect();
            for name in names(service) {
                assert!(served.contains(*name), "{service}: {name}");
            }
        }
    }

    #[test]
    fn every_grpc_service_of_the_protos_is_served_by_somebody() {
        let served: BTreeSet<&str> =
            Service::ALL.into_iter().flat_map(|service| names(service).iter().copied()).collect();
        for file in FileDescriptorSet::decode(proto::DESCRIPTOR_SET).unwrap().file {
            for service in file.service.iter().filter(|_| file.package().starts_with("meridian.")) {
                let name = format!("{}.{}", file.package(), service.name());
                assert!(served.contains(name.as_str()), "{name}");
            }
        }
    }
}
