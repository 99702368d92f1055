//! What membership tells: who has which tier.

use std::sync::Arc;

use feed::{Consumer, Event};
use kernel::{Result, ids::MemberId};
use pg::Tx;
use proto::membership::v1 as pb;

use crate::{App, db, rpc::convert::read_tier};

/// Reads membership's feed.
#[derive(Debug)]
pub struct FollowMembers(pub Arc<App>);

impl Consumer for FollowMembers {
    const NAME: &'static str = "marketing";

    async fn apply(&self, tx: &mut Tx, event: &Event) -> Result<()> {
        let (member, tier) = if let Some(told) = event.decode::<pb::MemberRegistered>()? {
            (told.member.clone(), told.tier())
        } else if let Some(told) = event.decode::<pb::TierChanged>()? {
            (told.member.clone(), told.new_tier())
        } else {
            return Ok(());
        };
        let member = MemberId::parse_name("member", &member)?;
        Ok(db::member::note(tx, member, read_tier(tier), event.aggregate_version).await?)
    }
}
