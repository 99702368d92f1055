use std::collections::BTreeSet;

use prost::{Message, Name};
use prost_types::FileDescriptorSet;
use proto::DESCRIPTOR_SET;
use proto::access::ALL;
use proto::booking::v1::BookingHeld;

fn set() -> FileDescriptorSet {
    FileDescriptorSet::decode(DESCRIPTOR_SET).unwrap()
}

#[test]
fn it_has_what_the_files_import_and_the_details_of_a_status() {
    let set = set();
    let mut seen = BTreeSet::new();
    for file in &set.file {
        for dependency in &file.dependency {
            assert!(
                seen.contains(dependency.as_str()),
                "{} imports {dependency}, which does not precede it",
                file.name()
            );
        }
        seen.insert(file.name());
    }
    for name in ["google/rpc/error_details.proto", "google/rpc/status.proto", "google/protobuf/any.proto"] {
        assert!(seen.contains(name), "{name}");
    }
}

#[test]
fn every_method_of_ours_has_an_access_rule() {
    let set = set();
    let ours = set.file.iter().filter(|file| file.package().starts_with("meridian."));
    let mut paths: Vec<String> = ours
        .flat_map(|file| {
            file.service.iter().flat_map(|service| {
                let service_name = format!("/{}.{}", file.package(), service.name());
                service.method.iter().map(move |method| format!("{service_name}/{}", method.name()))
            })
        })
        .collect();
    paths.sort();
    let table: Vec<&str> = ALL.iter().map(|(path, _)| *path).collect();
    assert_eq!(paths, table);
}

#[test]
fn messages_know_their_names() {
    assert_eq!(BookingHeld::full_name(), "meridian.booking.v1.BookingHeld");
    assert_eq!(BookingHeld::type_url(), "/meridian.booking.v1.BookingHeld");
}
