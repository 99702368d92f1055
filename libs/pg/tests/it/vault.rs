//! Personal data: sealed, found, shredded.

use kernel::{ErrorKind, Uuid, ids};
use pg::vault::{self, Column, Vault};

use crate::support::{MIGRATOR, now};

const PHONE: Column = Column { table: "member", column: "phone" };
const NAME: Column = Column { table: "member", column: "name" };

async fn owner_with_key(pg: &pg::Pg, vault: &Vault) -> Uuid {
    let owner = ids::uuid_v7(now());
    let mut tx = pg.begin().await.expect("begun");
    vault.create_key(&mut tx, now(), owner).await.expect("made");
    tx.commit().await.expect("committed");
    owner
}

#[tokio::test]
async fn what_was_sealed_reads_back_in_its_place_only() {
    let db = testkit::database(&MIGRATOR).await;
    let vault = Vault::new([7; 32]);
    let (owner, other) = (owner_with_key(&db.pg, &vault).await, owner_with_key(&db.pg, &vault).await);
    let mut conn = db.pg.conn().await.expect("a connection");
    let key = vault.open(&mut conn, owner).await.expect("opened");
    let sealed = key.seal(PHONE, owner, "+8613800138000").expect("sealed");

    assert!(!String::from_utf8_lossy(&sealed).contains("1380"));
    assert_eq!(key.unseal(PHONE, owner, &sealed).expect("unsealed"), "+8613800138000");
    assert!(key.unseal(NAME, owner, &sealed).is_err(), "another column");
    assert!(key.unseal(PHONE, other, &sealed).is_err(), "another row");
    let foreign = vault.open(&mut conn, other).await.expect("opened");
    assert!(foreign.unseal(PHONE, owner, &sealed).is_err(), "another owner");
    let mut altered = sealed.clone();
    altered[20] ^= 1;
    assert!(key.unseal(PHONE, owner, &altered).is_err(), "altered");
    assert!(key.unseal(PHONE, owner, &sealed[..5]).is_err(), "cut short");
}

#[tokio::test]
async fn one_text_is_never_sealed_the_same_way_twice() {
    let db = testkit::database(&MIGRATOR).await;
    let vault = Vault::new([7; 32]);
    let owner = owner_with_key(&db.pg, &vault).await;
    let key = vault.open(&mut db.pg.conn().await.expect("a connection"), owner).await.expect("opened");
    assert_ne!(key.seal(PHONE, owner, "x").expect("sealed"), key.seal(PHONE, owner, "x").expect("sealed"));
}

#[tokio::test]
async fn a_shredded_owner_can_not_be_read_any_more() {
    let db = testkit::database(&MIGRATOR).await;
    let vault = Vault::new([7; 32]);
    let (gone, kept) = (owner_with_key(&db.pg, &vault).await, owner_with_key(&db.pg, &vault).await);
    let mut tx = db.pg.begin().await.expect("begun");
    vault::shred(&mut tx, gone).await.expect("shredded");
    vault::shred(&mut tx, gone).await.expect("twice is no error");
    tx.commit().await.expect("committed");

    let mut conn = db.pg.conn().await.expect("a connection");
    let error = kernel::Error::from(vault.open(&mut conn, gone).await.expect_err("shredded"));
    assert_eq!((error.kind(), error.reason()), (ErrorKind::FailedPrecondition, "PERSONAL_DATA_SHREDDED"));
    let opened = vault.open_many(&mut conn, &[gone, kept]).await.expect("opened");
    assert_eq!(opened.keys().copied().collect::<Vec<_>>(), [kept]);
}

#[tokio::test]
async fn another_master_key_opens_nothing() {
    let db = testkit::database(&MIGRATOR).await;
    let owner = owner_with_key(&db.pg, &Vault::new([7; 32])).await;
    let mut conn = db.pg.conn().await.expect("a connection");
    let error = kernel::Error::from(Vault::new([8; 32]).open(&mut conn, owner).await.expect_err("not its key"));
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[test]
fn a_blind_index_is_stable_and_keyed() {
    let vault = Vault::new([7; 32]);
    let index = vault.blind_index("member.phone", "+8613800138000");
    assert_eq!(index, Vault::new([7; 32]).blind_index("member.phone", "+8613800138000"));
    assert_ne!(index, vault.blind_index("staff.phone", "+8613800138000"));
    assert_ne!(index, vault.blind_index("member.phone", "+8613800138001"));
    assert_ne!(index, Vault::new([8; 32]).blind_index("member.phone", "+8613800138000"));
    // It is stored: a change of the derivation would lose every member.
    let hex: String = index.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "a21bd37ff0ba3733dbc426cf1683cc94cdf3b94aa65a7a2f0902617cbe239643");
}
