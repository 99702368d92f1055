//! Nobody can be named from the facts.

use std::sync::Arc;

use analytics::{App, Policy};
use kernel::ids::MemberId;
use pg::vault::Vault;
use testkit::START;

use crate::world::{Chain, MASTER, World, spellings};

#[tokio::test]
async fn no_table_holds_the_id_of_a_member() {
    let (world, chain) = (World::new().await, Chain::new());
    for (feed, event) in chain.story(START) {
        world.apply(feed, &event).await;
    }
    let tables: Vec<String> = sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
        .fetch_all(world.db.pg.pool())
        .await
        .expect("listed");
    assert!(tables.iter().any(|table| table == "fact_booking"));
    let mut dump = String::new();
    for table in tables {
        // A bytea reads as hexadecimal digits.
        let sql = sqlx::AssertSqlSafe(format!("select row_to_json(t)::text from {table} as t"));
        let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(world.db.pg.pool()).await.expect("dumped");
        dump.extend(rows);
    }
    assert!(dump.contains(&chain.store.uuid().to_string()), "the dump holds what may be known");
    for spelling in spellings(chain.member.uuid()) {
        assert!(!dump.contains(&spelling), "the dump names a member");
    }
}

#[tokio::test]
async fn a_customer_is_the_same_in_all_facts_and_a_stranger_under_another_key() {
    let (world, chain) = (World::new().await, Chain::new());
    for (feed, event) in chain.story(START) {
        world.apply(feed, &event).await;
    }
    let known: Vec<Vec<u8>> = sqlx::query_scalar(
        "select customer::bytea from fact_booking union select customer::bytea from fact_payment
         union select customer::bytea from fact_refund union select member::bytea from fact_member
         union select member::bytea from fact_points union select customer::bytea from fact_coupon
         union select customer::bytea from fact_message where customer is not null",
    )
    .fetch_all(world.db.pg.pool())
    .await
    .expect("read");
    assert_eq!(known, [world.app.pseudonym(chain.member).bytes().to_vec()]);

    let under = |master| {
        let app = App::new(world.db.pg.clone(), testkit::clock(), Policy::default(), Arc::new(Vault::new(master)));
        app.pseudonym(chain.member)
    };
    assert_eq!(under(MASTER), world.app.pseudonym(chain.member));
    assert_ne!(under([8; 32]), world.app.pseudonym(chain.member));
    assert_ne!(world.app.pseudonym(MemberId::new(START)), world.app.pseudonym(chain.member));
    assert_eq!(format!("{:?}", world.app.pseudonym(chain.member)), "Pseudonym(…)");
}
