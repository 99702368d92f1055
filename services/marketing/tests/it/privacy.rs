//! Nothing personal and no code stands in clear anywhere in the database.

use std::collections::BTreeMap;

use kernel::ids::uuid_v7;
use proto::marketing::v1::{self as pb, message::Kind};
use sqlx::AssertSqlSafe;
use testkit::START;

use crate::{
    support::{PHONE, World, as_service, member},
    visits::{Told, Visit},
};

const CODE: &str = "90817263";

/// Every row of every table, as text.
async fn dump(world: &World) -> String {
    let pool = world.app.pg.pool();
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public' order by 1")
            .fetch_all(pool)
            .await
            .expect("tables");
    let mut dump = String::new();
    for table in tables {
        let rows = format!(r#"select t::text from "{table}" t"#);
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(pool).await.expect("rows");
        dump.push_str(&format!("{table}: {} rows\n{}\n", rows.len(), rows.join("\n")));
    }
    dump
}

#[tokio::test]
async fn phones_codes_and_texts_are_sealed() {
    let (world, me) = (World::new().await, member());
    world.tell(&Visit::new(&world, me, ""), &[(Told::Confirmed, 3)]).await;
    world.send().await;
    let request = pb::SendMessageRequest {
        phone: PHONE.to_owned(),
        kind: Kind::VerificationCode.into(),
        variables: BTreeMap::from([("code".to_owned(), CODE.to_owned())]),
        language_code: "en".to_owned(),
        request_id: uuid_v7(START).to_string(),
    };
    world.texts.clone().send_message(as_service(request)).await.expect("sent");
    assert_eq!(world.mailbox(PHONE).await.expect("the mailbox").len(), 2);

    let dump = dump(&world).await;
    for table in
        ["message: 3 rows", "mailbox: 2 rows", "outbox: 2 rows", "idempotency_key: 1 rows", "vault_key: 2 rows"]
    {
        assert!(dump.contains(table), "{table} is not what was looked at");
    }
    for secret in [PHONE, PHONE.trim_start_matches('+'), CODE, "Your visit", "Swedish", "Your code"] {
        // Bytes are dumped as hexadecimal digits.
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!dump.contains(secret), "{secret} is in clear");
        assert!(!dump.contains(&hex), "{secret} is in clear as bytes");
    }
}
