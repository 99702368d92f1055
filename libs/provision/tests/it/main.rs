//! Real servers in real folders: first start, second start, crashes, strangers in the way.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "helpers of tests fail and speak like tests")]

mod databases;
mod fetched;
mod folder;
mod ordinary_user;
mod recovery;
mod starting;
