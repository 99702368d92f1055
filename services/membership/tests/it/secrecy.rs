//! What must not stand in the database in clear.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use proto::access::Role;
use sqlx::AssertSqlSafe;

use crate::world::*;

/// Every column of every table as text; bytes come as hexadecimal digits.
async fn dump(world: &World) -> String {
    let pool = world.db.pg.pool();
    let tables: Vec<String> = sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
        .fetch_all(pool)
        .await
        .expect("tables");
    assert!(tables.len() > 15, "{tables:?}");
    let mut dump = String::new();
    for table in tables {
        let query = AssertSqlSafe(format!("select t::text from {table} t"));
        let rows: Vec<String> = sqlx::query_scalar(query).fetch_all(pool).await.expect("rows");
        dump.push_str(&rows.join("\n"));
    }
    dump
}

/// Whether a text is in there as itself, as bytes, or in base64.
fn holds(dump: &str, text: &str) -> bool {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let base64 = STANDARD_NO_PAD.encode(text);
    // Without its last letters, which depend on what follows.
    let base64 = &base64[..base64.len() - 2];
    dump.contains(text) || dump.contains(&hex) || dump.contains(base64)
}

#[tokio::test]
async fn nothing_personal_and_no_secret_stands_in_the_database() {
    let world = world().await;
    let code = world.code(PHONE).await;
    let request = register(PHONE, &code);
    let first = world.auth().register_member(request.clone()).await.expect("registers").into_inner();
    let second = world.auth().refresh_tokens(refresh(&first.refresh_token)).await.expect("refreshes").into_inner();
    let member = member_id(&first);
    let order = world.pay(member, 1_200).await;
    world.refund(member, order, 1_200, 300, 4).await;
    let admin = world.staff_token(Role::Administrator, None);
    world.get(&first.subject, &admin).await.expect("reads");
    world.bootstrap("boss", &[Role::Administrator], None).await;
    let staff = world.auth().sign_in_staff(sign_in_staff("boss", PASSWORD)).await.expect("signs in").into_inner();
    world.auth().sign_in_staff(sign_in_staff("hunter2-typed-as-name", PASSWORD)).await.expect_err("is nobody");
    membership::worker::seal_audit(&world.app).await.expect("seals");

    let dump = dump(&world).await;
    assert!(holds(&dump, "boss") && holds(&dump, "MemberRegistered"), "the search finds what is there");
    assert!(holds(&dump, &member.name()), "also in the bytes of events");
    for secret in [
        PHONE,
        &PHONE[1..],
        "13800138000",
        NAME,
        "王芳",
        "Li Wei",
        "李伟",
        PASSWORD,
        "hunter2",
        first.refresh_token.as_str(),
        second.refresh_token.as_str(),
        staff.refresh_token.as_str(),
        first.access_token.as_str(),
        staff.access_token.as_str(),
    ] {
        assert!(!holds(&dump, secret), "{secret} stands in the database");
    }
    assert!(!dump.contains(&format!(",{code},")), "the code stands in the database");
}
