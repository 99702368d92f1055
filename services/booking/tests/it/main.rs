//! Booking through gRPC, over real Postgres and Redis, with the peers faked.

#![expect(clippy::expect_used, reason = "a test may fail where its helper does")]

mod bad_input;
mod calendars;
mod catalog;
mod catalog_edit;
mod catalog_item;
mod catalog_package;
mod catalog_store;
mod credits;
mod fakes;
mod giving_up;
mod group;
mod hold;
mod holding;
mod interleaved;
mod meanwhile;
mod moving;
mod moving_races;
mod promise;
mod promised;
mod race;
mod races;
mod roles;
mod roster;
mod rotation;
mod saga;
mod search;
mod seeking;
mod starving;
mod upgrade;
mod visit;
mod waitlist;
mod walk_in;
mod world;
