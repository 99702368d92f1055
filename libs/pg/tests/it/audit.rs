//! The audit trail: append-only, chained, verifiable.

use std::time::Duration;

use pg::{
    Pg,
    audit::{self, Entry, Verdict},
};
use serde_json::json;

use crate::support::{MIGRATOR, now};

async fn record(pg: &Pg, number: i64) {
    let mut tx = pg.begin().await.expect("begun");
    let entry = Entry {
        actor: "staff/1".to_owned(),
        action: "booking.cancel".to_owned(),
        target: format!("bookings/{number}"),
        detail: json!({ "reason": "no show", "number": number }),
    };
    audit::record(&mut tx, now(), entry).await.expect("recorded");
    tx.commit().await.expect("committed");
}

async fn seal(pg: &Pg) -> u64 {
    let mut tx = pg.begin().await.expect("begun");
    let sealed = audit::seal(&mut tx, now()).await.expect("sealed");
    tx.commit().await.expect("committed");
    sealed
}

/// Seals until `entries` are covered. Other tests' transactions in the same server may hold entries back for a while.
async fn seal_all(pg: &Pg, entries: i64) -> Verdict {
    testkit::eventually(Duration::from_secs(20), || async {
        seal(pg).await;
        matches!(verify(pg).await, Verdict::Intact { entries: covered, .. } if covered == entries)
    })
    .await;
    verify(pg).await
}

async fn verify(pg: &Pg) -> Verdict {
    audit::verify(&mut pg.conn().await.expect("a connection")).await.expect("verified")
}

/// Changes what may not be changed, as the owner of the tables could.
async fn tamper(pg: &Pg, statement: &'static str) {
    let mut tx = pg.begin().await.expect("begun");
    for statement in [
        "alter table audit_entry disable trigger user",
        "alter table audit_seal disable trigger user",
        statement,
        "alter table audit_entry enable trigger user",
        "alter table audit_seal enable trigger user",
    ] {
        sqlx::query(statement).execute(&mut *tx).await.expect("done");
    }
    tx.commit().await.expect("committed");
}

/// Three seals over six entries.
async fn three_seals(pg: &Pg) {
    for covered in [2, 4, 6] {
        record(pg, covered - 1).await;
        record(pg, covered).await;
        seal_all(pg, covered).await;
    }
}

#[tokio::test]
async fn an_untouched_trail_verifies() {
    let db = testkit::database(&MIGRATOR).await;
    assert_eq!(verify(&db.pg).await, Verdict::Intact { seals: 0, entries: 0, head: [0; 32] });
    three_seals(&db.pg).await;
    record(&db.pg, 7).await;
    let Verdict::Intact { seals, entries, head } = verify(&db.pg).await else { panic!("broken") };
    assert!(seals >= 3 && entries == 6 && head != [0; 32]);
    assert!(matches!(seal_all(&db.pg, 7).await, Verdict::Intact { entries: 7, .. }));
    assert_eq!(seal(&db.pg).await, 0, "nothing is sealed twice");
}

#[tokio::test]
async fn changing_removing_and_emptying_are_refused() {
    let db = testkit::database(&MIGRATOR).await;
    three_seals(&db.pg).await;
    for statement in [
        "update audit_entry set actor = 'staff/2'",
        "delete from audit_entry",
        "truncate audit_entry",
        "update audit_seal set entries = 1",
        "delete from audit_seal",
        "truncate audit_seal",
    ] {
        let refused = sqlx::query(statement).execute(db.pg.pool()).await;
        assert!(refused.is_err_and(|e| e.to_string().contains("append-only")), "{statement}");
    }
    assert!(matches!(verify(&db.pg).await, Verdict::Intact { entries: 6, .. }));
}

#[tokio::test]
async fn tampering_with_all_rights_is_found() {
    for (statement, found) in [
        ("update audit_entry set actor = 'staff/2' where target = 'bookings/3'", "an entry or a seal was changed"),
        ("update audit_entry set detail = '{}' where target = 'bookings/4'", "an entry or a seal was changed"),
        ("delete from audit_entry where target = 'bookings/5'", "an entry was removed or slipped in"),
        (
            "insert into audit_entry (xid, create_time, actor, action, target, detail)
             select xid, create_time, actor, action, target, detail from audit_entry where target = 'bookings/1'",
            "an entry was removed or slipped in",
        ),
        ("delete from audit_seal where number = 2", "the seal before it is missing"),
        ("update audit_seal set hash = sha256('') where number = 1", "an entry or a seal was changed"),
    ] {
        let db = testkit::database(&MIGRATOR).await;
        three_seals(&db.pg).await;
        tamper(&db.pg, statement).await;
        assert!(matches!(verify(&db.pg).await, Verdict::Broken { what, .. } if what == found), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_and_sealers_work_side_by_side() {
    let db = testkit::database(&MIGRATOR).await;
    let writers = (0..8).map(|writer| {
        let pg = db.pg.clone();
        tokio::spawn(async move {
            for number in 0..20 {
                record(&pg, writer * 100 + number).await;
            }
        })
    });
    let sealers = (0..3).map(|_| {
        let pg = db.pg.clone();
        tokio::spawn(async move {
            for _ in 0..30 {
                seal(&pg).await;
            }
        })
    });
    for task in writers.chain(sealers).collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    assert!(matches!(seal_all(&db.pg, 160).await, Verdict::Intact { entries: 160, .. }));
}
