//! One use case a file. A flow that changes something ends in the reply for the wire, since the reply is part of the
//! effect: it is stored with it, under the request id.

pub mod check_code;
pub mod clean;
pub mod create_staff;
pub mod expire_points;
pub mod once;
pub mod payment_feed;
pub mod profile;
pub mod publish;
pub mod read_members;
pub mod read_staff;
pub mod redeem;
pub mod refresh_tokens;
pub mod register_member;
pub mod review_tier;
pub mod send_code;
pub mod sign_in;
pub mod sign_in_staff;
pub mod sign_out;
pub mod signing_keys;
pub mod tokens;

pub use create_staff::{NewStaff, bootstrap_staff};
pub use register_member::NewMember;
