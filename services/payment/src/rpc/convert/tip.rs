//! Tips on the wire.

use proto::payment::v1 as pb;
use rpc::convert::{to_money, to_timestamp};

use crate::db::tips::{Payout, Way};

/// What was handed over.
pub fn payout(payout: &Payout) -> pb::TipPayout {
    pb::TipPayout {
        name: payout.id.name(),
        therapist: payout.therapist.name(),
        store: payout.store.name(),
        amount: Some(to_money(payout.amount)),
        way: match payout.way {
            Way::Drawer => pb::tip_payout::Way::Drawer,
            Way::Transfer => pb::tip_payout::Way::Transfer,
        }
        .into(),
        create_time: Some(to_timestamp(payout.create_time)),
    }
}
