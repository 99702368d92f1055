//! What keeps people and places from being booked.

use proto::{access::Role, booking::v1 as pb};
use testkit::with_token;
use tonic::Code;

use super::{hours, stranded, weekly};
use crate::world::{World, at, at_minute, field, id, member, reason};

fn delete(block: &pb::Block) -> pb::DeleteBlockRequest {
    pb::DeleteBlockRequest { name: block.name.clone(), etag: block.etag.clone(), request_id: id() }
}

#[tokio::test]
async fn a_blocked_room_is_not_used_until_it_is_free_again() {
    let world = World::new(2, 2).await;
    let block = world.create_block(&world.rooms[0], at(0), at(12)).await.expect("blocked");
    let held = world.send_hold(&member().1, world.hold(at(1))).await.expect("in the other room");
    assert_eq!(held.room, world.rooms[1]);
    let refused = world.send_hold(&member().1, world.hold(at(1))).await.expect_err("no room");
    assert_eq!(reason(&refused), "SLOT_TAKEN");
    let onto = world.create_block(&world.rooms[1], at(0), at(12)).await.expect_err("a visit is there");
    assert_eq!(stranded(&onto), [held.name]);

    let shorter = pb::Block { start_time: Some(rpc::convert::to_timestamp(at(6))), ..block.clone() };
    let request = pb::UpdateBlockRequest { block: Some(shorter), update_mask: None, request_id: id() };
    let desk = world.staff(Role::FrontDesk);
    let shorter = world.roster().update_block(with_token(request.clone(), &desk)).await.expect("shorter").into_inner();
    let again = world.roster().update_block(with_token(request, &desk)).await.expect("the same").into_inner();
    assert_eq!(shorter, again);
    world.send_hold(&member().1, world.hold(at(1))).await.expect("free again");
    let stale = world.roster().delete_block(with_token(delete(&block), &desk)).await.expect_err("stale");
    assert_eq!((stale.code(), field(&stale).as_str()), (Code::Aborted, "etag"));
    world.roster().delete_block(with_token(delete(&shorter), &desk)).await.expect("deleted");
    assert_eq!(world.count("select count(*) from allocation where block_id is not null").await, 0);
    // It came, changed and went.
    assert_eq!(world.count("select count(*) from outbox where type like '%BlockChanged'").await, 3);
    assert_eq!(world.count("select count(*) from audit_entry where action like 'block.%'").await, 3);
}

#[tokio::test]
async fn a_long_block_lies_over_breaks_and_gives_them_back() {
    let world = World::new(0, 1).await;
    let (lin, _) = world.with_pattern(weekly(1..=7, &hours(600, 1_080, &[(780, 840)]))).await;
    let kept = "select sum(extract(epoch from end_time - start_time))::bigint / 60 from allocation
                where block_id is not null";
    let breaks = world.count(kept).await;
    let block = world.create_block(&lin, at(-1), at(24 * 20)).await.expect("over twenty breaks");
    assert_eq!(world.count(kept).await, breaks - 20 * 60 + (24 * 20 + 1) * 60);
    assert_eq!(world.overlaps().await, 0);
    world.roster().delete_block(with_token(delete(&block), &world.admin)).await.expect("deleted");
    assert_eq!(world.count(kept).await, breaks);
    let refused = world.send_hold(&member().1, world.hold_with(&lin, at(3))).await.expect_err("a break");
    assert_eq!(reason(&refused), "SLOT_TAKEN");
}

#[tokio::test]
async fn a_break_is_changed_with_its_shift_only() {
    let world = World::new(0, 1).await;
    world.with_pattern(weekly(1..=7, &hours(600, 1_080, &[(780, 840)]))).await;
    let list = pb::ListBlocksRequest {
        store: world.store.clone(),
        start_time: Some(rpc::convert::to_timestamp(at(0))),
        end_time: Some(rpc::convert::to_timestamp(at(48))),
        page_size: 1,
        ..pb::ListBlocksRequest::default()
    };
    let page = world.roster().list_blocks(with_token(list, &world.admin)).await.expect("a list").into_inner();
    assert!(!page.next_page_token.is_empty());
    let get = pb::GetBlockRequest { name: page.blocks[0].name.clone() };
    let pause = world.roster().get_block(with_token(get, &world.admin)).await.expect("a block").into_inner();
    assert_eq!(pause, page.blocks[0]);
    let refused = world.roster().delete_block(with_token(delete(&pause), &world.admin)).await.expect_err("derived");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "BLOCK_IS_DERIVED"));
}

#[tokio::test]
async fn blocks_that_cannot_be() {
    let world = World::new(1, 1).await;
    let room = &world.rooms[0];
    for (from, to) in [(at(2), at(2)), (at(-48), at(-24)), (at(0), at(24 * 367))] {
        assert_eq!(field(&world.create_block(room, from, to).await.expect_err("times")), "block.end_time");
    }
    let nothing = world.create_block(&world.item, at(0), at_minute(30)).await.expect_err("an item");
    assert_eq!(field(&nothing), "block.resource");
    let unknown = world.create_block(&format!("rooms/{}", id()), at(0), at(1)).await.expect_err("unknown");
    assert_eq!(unknown.code(), Code::NotFound);
    assert_eq!(world.count("select count(*) from block").await, 0);
}
