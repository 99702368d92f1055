//! Tiers.

use membership::worker::review_tiers;
use proto::membership::v1::{Tier, TierChanged};

use crate::world::*;

async fn tier(world: &World, member: kernel::ids::MemberId) -> Tier {
    world.look(member).await.tier()
}

#[tokio::test]
async fn a_better_tier_comes_at_once() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 999).await;
    assert_eq!(tier(&world, member).await, Tier::Member);
    world.pay(member, 1).await;
    assert_eq!(tier(&world, member).await, Tier::Silver);
    world.pay(member, 19_000).await;
    assert_eq!(tier(&world, member).await, Tier::Platinum);
    let changes = world.payloads::<TierChanged>(member.uuid()).await;
    let changes: Vec<_> = changes.iter().map(|change| (change.old_tier(), change.new_tier())).collect();
    assert_eq!(changes, [(Tier::Member, Tier::Silver), (Tier::Silver, Tier::Platinum)]);
    let spend = world.look(member).await.rolling_spend.expect("a spend");
    assert_eq!((spend.units, spend.currency_code.as_str()), (20_000, "CNY"));
}

#[tokio::test]
async fn a_tier_is_lost_only_after_the_grace() {
    let world = world().await;
    let member = world.member(PHONE).await;
    let order = world.pay(member, 6_000).await;
    world.refund(member, order, 6_000, 4_500, 4).await;
    assert_eq!(world.look(member).await.rolling_spend.map(|spend| spend.units), Some(1_500));
    assert_eq!(tier(&world, member).await, Tier::Gold, "a refund takes no tier at once");
    for _ in 0..29 {
        world.days(1);
        review_tiers(&world.app).await.expect("reviews");
    }
    assert_eq!(tier(&world, member).await, Tier::Gold);
    world.days(1);
    assert_eq!(review_tiers(&world.app).await.expect("reviews"), 1);
    assert_eq!(review_tiers(&world.app).await.expect("is done"), 0);
    assert_eq!(tier(&world, member).await, Tier::Silver);
    assert_eq!(world.payloads::<TierChanged>(member.uuid()).await.len(), 2);
}

#[tokio::test]
async fn who_spends_again_in_time_keeps_the_tier() {
    let world = world().await;
    let member = world.member(PHONE).await;
    world.pay(member, 1_000).await;
    world.days(365);
    review_tiers(&world.app).await.expect("reviews");
    assert_eq!(world.look(member).await.rolling_spend.map(|spend| spend.units), Some(0));
    world.days(20);
    world.pay(member, 1_000).await;
    world.days(20);
    review_tiers(&world.app).await.expect("reviews");
    assert_eq!(tier(&world, member).await, Tier::Silver);
    world.days(346);
    review_tiers(&world.app).await.expect("reviews");
    world.days(30);
    review_tiers(&world.app).await.expect("reviews");
    assert_eq!(tier(&world, member).await, Tier::Member);
    assert_eq!(review_tiers(&world.app).await.expect("nothing to lose"), 0);
}
