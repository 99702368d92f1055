//! One effect and one answer per request id.

use kernel::{ErrorKind, Uuid, ids};
use pg::{
    Pg,
    idempotency::{self, Begin, Key},
};
use prost::Message;
use prost_types::{Duration as Request, Timestamp as Reply};

use crate::support::{MIGRATOR, notes, now, write_note};

const METHOD: &str = "meridian.test.v1.Notes/WriteNote";

fn key(request_id: Uuid) -> Key<'static> {
    Key { caller: "members/1", method: METHOD, request_id }
}

/// A flow whose reply is never the same twice, unless it is the stored one.
async fn write(pg: &Pg, key: Key<'_>, request: &Request) -> kernel::Result<Reply> {
    let mut tx = pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now(), key, request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    write_note(&mut tx, &ids::uuid_v7(now()).to_string()).await?;
    let reply = Reply { seconds: rand::random(), nanos: rand::random() };
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn all_notes(pg: &Pg) -> i64 {
    sqlx::query_scalar("select count(*) from note").fetch_one(pg.pool()).await.expect("counted")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_twins_have_one_effect_and_one_answer() {
    let db = testkit::database(&MIGRATOR).await;
    let id = ids::uuid_v7(now());
    let twins: Vec<_> = (0..100)
        .map(|_| {
            let pg = db.pg.clone();
            tokio::spawn(async move { write(&pg, key(id), &Request { seconds: 1, nanos: 2 }).await })
        })
        .collect();
    let mut answers = Vec::new();
    for twin in twins {
        answers.push(twin.await.expect("no panic").expect("answered").encode_to_vec());
    }
    assert_eq!(answers.len(), 100);
    assert!(answers.iter().all(|answer| answer == &answers[0]), "twins got different answers");
    assert_eq!(all_notes(&db.pg).await, 1);
}

#[tokio::test]
async fn the_answer_stays_the_same_for_ever() {
    let db = testkit::database(&MIGRATOR).await;
    let id = ids::uuid_v7(now());
    let request = Request { seconds: 5, nanos: 0 };
    let first = write(&db.pg, key(id), &request).await.expect("answered");
    for _ in 0..3 {
        assert_eq!(write(&db.pg, key(id), &request).await.expect("answered"), first);
    }
    assert_eq!(all_notes(&db.pg).await, 1);
}

#[tokio::test]
async fn an_id_with_another_body_or_method_is_refused() {
    let db = testkit::database(&MIGRATOR).await;
    let id = ids::uuid_v7(now());
    let request = Request { seconds: 5, nanos: 0 };
    write(&db.pg, key(id), &request).await.expect("answered");
    let other_method = Key { method: "meridian.test.v1.Notes/EraseNote", ..key(id) };
    for refused in
        [write(&db.pg, key(id), &Request { seconds: 6, nanos: 0 }).await, write(&db.pg, other_method, &request).await]
    {
        let error = refused.expect_err("refused");
        assert_eq!((error.kind(), error.reason()), (ErrorKind::InvalidArgument, "REQUEST_ID_REUSED"));
        assert_eq!(error.violations()[0].field, "request_id");
    }
    assert_eq!(all_notes(&db.pg).await, 1);
}

#[tokio::test]
async fn callers_do_not_see_each_others_ids() {
    let db = testkit::database(&MIGRATOR).await;
    let id = ids::uuid_v7(now());
    let request = Request::default();
    let mine = write(&db.pg, key(id), &request).await.expect("answered");
    let theirs = write(&db.pg, Key { caller: "members/2", ..key(id) }, &request).await.expect("answered");
    assert_ne!(mine, theirs);
    assert_eq!(all_notes(&db.pg).await, 2);
}

#[tokio::test]
async fn a_rejected_request_leaves_no_trace() {
    let db = testkit::database(&MIGRATOR).await;
    let id = ids::uuid_v7(now());
    let request = Request::default();
    let mut tx = db.pg.begin().await.expect("begun");
    assert!(matches!(idempotency::begin::<_, Reply>(&mut tx, now(), key(id), &request).await, Ok(Begin::Fresh(_))));
    tx.rollback().await.expect("rolled back");
    write(&db.pg, key(id), &Request { seconds: 9, nanos: 9 }).await.expect("the id is still free");
}

#[tokio::test]
async fn an_effect_can_not_be_committed_without_its_reply() {
    let db = testkit::database(&MIGRATOR).await;
    let id = ids::uuid_v7(now());
    let mut tx = db.pg.begin().await.expect("begun");
    let claimed = idempotency::begin::<_, Reply>(&mut tx, now(), key(id), &Request::default()).await.expect("claimed");
    assert!(matches!(claimed, Begin::Fresh(_)));
    write_note(&mut tx, "unanswered").await.expect("written");
    assert!(tx.commit().await.is_err());
    assert_eq!(notes(&mut db.pg.conn().await.expect("a connection"), "unanswered").await, 0);
}
