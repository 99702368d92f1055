use std::str::FromStr;

use proto::access::{ALL, Role, Scope, rule, v1};

#[test]
fn rules_are_found_by_path() {
    let get = rule("/meridian.booking.v1.BookingService/GetBooking").unwrap();
    assert!(get.roles.contains(&Role::Member));
    assert_eq!(get.scope, Scope::Own);
    assert!(get.admits(&[Role::Marketing, Role::Member]));
    assert!(!get.admits(&[Role::Partner]));
    assert!(!get.admits(&[]));

    let search = rule("/meridian.booking.v1.BookingService/SearchSlots").unwrap();
    assert!(search.public && search.roles.is_empty() && search.admits(&[]));

    for path in ["", "/grpc.health.v1.Health/Check", "meridian.booking.v1.BookingService/GetBooking"] {
        assert_eq!(rule(path), None, "{path}");
    }
}

#[test]
fn the_table_is_ordered_and_everybody_in_it_may_call() {
    assert!(ALL.is_sorted_by(|(a, _), (b, _)| a < b));
    for (path, expected) in ALL {
        assert_eq!(rule(path), Some(expected));
        assert_ne!(expected.public, !expected.roles.is_empty(), "{path}");
    }
}

#[test]
fn roles_are_those_of_the_proto() {
    for role in Role::ALL {
        let wire = v1::Role::from(*role);
        assert_eq!(wire.as_str_name(), format!("ROLE_{role}"));
        assert_eq!(Role::try_from(wire), Ok(*role));
        assert_eq!(Role::from_str(role.as_str()), Ok(*role));
    }
    let known = (1..).map_while(|number| v1::Role::try_from(number).ok()).count();
    assert_eq!(known, Role::ALL.len());
    assert!(Role::try_from(v1::Role::Unspecified).is_err());
    assert!(Role::from_str("front_desk").is_err());
}
