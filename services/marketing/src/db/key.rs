//! The keys of personal data: one per member, and one per phone number of people who need not be members.

use kernel::{Timestamp, Uuid};
use pg::{
    Tx,
    vault::{OwnerKey, Vault},
};

use crate::domain::phone::Phone;

/// The key of `owner`, made now if there is none yet.
#[tracing::instrument(name = "db.vault_key.ensure", skip_all)]
pub async fn ensure(vault: &Vault, tx: &mut Tx, owner: Uuid, now: Timestamp) -> pg::Result<OwnerKey> {
    if let Some(key) = vault.open_many(tx, &[owner]).await?.remove(&owner) {
        return Ok(key);
    }
    // Two transactions may be first at the same time: the second waits here and then finds the key of the first.
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", owner.to_string()).execute(&mut **tx).await?;
    match vault.open_many(tx, &[owner]).await?.remove(&owner) {
        Some(key) => Ok(key),
        None => vault.create_key(tx, now, owner).await,
    }
}

/// What a phone number is found by.
pub fn phone_index(vault: &Vault, phone: &Phone) -> [u8; 32] {
    vault.blind_index("marketing phone", phone.expose())
}

/// Under whom the key of a phone number is kept.
pub fn phone_owner(vault: &Vault, phone: &Phone) -> Uuid {
    let mut id = [0; 16];
    id.copy_from_slice(&vault.blind_index("marketing phone key", phone.expose())[..16]);
    Uuid::from_bytes(id)
}
