//! Personal data. Each owner has a key, wrapped by the master key; what it seals is bound to its table, column and row,
//! so it can't be moved elsewhere. Deleting the owner's key shreds all that it sealed, in every copy of the database
//! that is made afterwards. What must be found again (a phone number) has a keyed blind index beside it.
//!
//! AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce per value; an owner has far fewer than 2^32 values.

use std::{collections::HashMap, fmt};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Generate, Nonce, Payload},
};
use hmac::{Hmac, Mac};
use jiff_sqlx::ToSqlx;
use kernel::{Error as Refusal, Timestamp, Uuid};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;
use sqlx::PgConnection;

use crate::{Error, Result, Tx};

const NONCE_LENGTH: usize = 12;

type Key = [u8; 32];

/// The holder of the master key, from which everything else is derived.
pub struct Vault {
    wrapping: Aes256Gcm,
    index_root: SecretBox<Key>,
}

/// The column that a sealed value stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The table's name.
    pub table: &'static str,
    /// The column's name.
    pub column: &'static str,
}

/// The opened key of one owner.
pub struct OwnerKey {
    cipher: Aes256Gcm,
}

impl Vault {
    /// A vault under the 32 bytes of a master key.
    pub fn new(master: [u8; 32]) -> Self {
        let master = SecretBox::new(Box::new(master));
        Self {
            wrapping: Aes256Gcm::new(&derive(&master, "meridian vault: wrapping").into()),
            index_root: SecretBox::new(Box::new(derive(&master, "meridian vault: blind index"))),
        }
    }

    /// Makes the key of a new owner. Fails if the owner has one.
    #[tracing::instrument(name = "db.vault_key.create", skip_all)]
    pub async fn create_key(&self, tx: &mut Tx, now: Timestamp, owner: Uuid) -> Result<OwnerKey> {
        let key = Key::try_generate().map_err(Refusal::internal)?;
        let wrapped = seal(&self.wrapping, &key, owner.as_bytes())?;
        sqlx::query("insert into vault_key (owner, wrapped, create_time) values ($1, $2, $3)")
            .bind(owner)
            .bind(wrapped)
            .bind(now.to_sqlx())
            .execute(&mut **tx)
            .await?;
        Ok(OwnerKey { cipher: Aes256Gcm::new(&key.into()) })
    }

    /// The key of an owner. Fails with `FailedPrecondition`, reason `PERSONAL_DATA_SHREDDED`, if there is none any more.
    pub async fn open(&self, conn: &mut PgConnection, owner: Uuid) -> Result<OwnerKey> {
        self.open_many(conn, &[owner]).await?.remove(&owner).ok_or_else(|| {
            Error::Kernel(Refusal::precondition("PERSONAL_DATA_SHREDDED", "the personal data was erased for good"))
        })
    }

    /// The keys of several owners at once, less those that were shredded.
    #[tracing::instrument(name = "db.vault_key.open", skip_all, fields(owners = owners.len()))]
    pub async fn open_many(&self, conn: &mut PgConnection, owners: &[Uuid]) -> Result<HashMap<Uuid, OwnerKey>> {
        let rows: Vec<(Uuid, Vec<u8>)> = sqlx::query_as("select owner, wrapped from vault_key where owner = any($1)")
            .bind(owners)
            .fetch_all(conn)
            .await?;
        rows.into_iter().map(|(owner, wrapped)| Ok((owner, self.unwrap_key(owner, &wrapped)?))).collect()
    }

    /// A digest by which a value can be found without being readable: the same for the same `purpose` and text. The text
    /// must be in its one normal form (a phone number in E.164).
    pub fn blind_index(&self, purpose: &str, normalised: &str) -> [u8; 32] {
        let key = SecretBox::new(Box::new(derive(&self.index_root, purpose)));
        derive(&key, normalised)
    }

    fn unwrap_key(&self, owner: Uuid, wrapped: &[u8]) -> Result<OwnerKey> {
        let unreadable = || Error::inconsistent("vault_key", owner, "is not wrapped by this master key");
        let key = open(&self.wrapping, wrapped, owner.as_bytes()).ok_or_else(unreadable)?;
        let cipher = Aes256Gcm::new_from_slice(&key).map_err(|_| unreadable())?;
        Ok(OwnerKey { cipher })
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

/// Deletes the key of an owner, and with it all hope of reading what it sealed. Doing it twice is no error.
#[tracing::instrument(name = "db.vault_key.shred", skip_all)]
pub async fn shred(tx: &mut Tx, owner: Uuid) -> Result<()> {
    sqlx::query("delete from vault_key where owner = $1").bind(owner).execute(&mut **tx).await?;
    Ok(())
}

impl OwnerKey {
    /// Seals a text for one column of one row: nonce, ciphertext and tag.
    pub fn seal(&self, column: Column, row: Uuid, text: &str) -> Result<Vec<u8>> {
        seal(&self.cipher, text.as_bytes(), &place(column, row))
    }

    /// Reads what [`OwnerKey::seal`] sealed for the same column and row. Anything else is an inconsistent row.
    pub fn unseal(&self, column: Column, row: Uuid, sealed: &[u8]) -> Result<String> {
        let text = open(&self.cipher, sealed, &place(column, row));
        text.and_then(|text| String::from_utf8(text).ok())
            .ok_or_else(|| Error::inconsistent(column.table, row, format!("{} can't be unsealed", column.column)))
    }
}

impl fmt::Debug for OwnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnerKey").finish_non_exhaustive()
    }
}

fn place(column: Column, row: Uuid) -> Vec<u8> {
    format!("{}|{}|{row}", column.table, column.column).into_bytes()
}

fn seal(cipher: &Aes256Gcm, plain: &[u8], place: &[u8]) -> Result<Vec<u8>> {
    let nonce = Nonce::<Aes256Gcm>::try_generate().map_err(Refusal::internal)?;
    let sealed = cipher
        .encrypt(&nonce, Payload { msg: plain, aad: place })
        .map_err(|_| Refusal::internal("a value is too long to be sealed"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open(cipher: &Aes256Gcm, sealed: &[u8], place: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LENGTH)?;
    let nonce = Nonce::<Aes256Gcm>::try_from(nonce).ok()?;
    cipher.decrypt(&nonce, Payload { msg: sealed, aad: place }).ok()
}

/// HMAC-SHA256 (RFC 2104) of `purpose` under `key`.
fn derive(key: &SecretBox<Key>, purpose: &str) -> Key {
    // The RFC pads a short key with zeros to the block of the hash.
    let mut block = [0; 64];
    block[..key.expose_secret().len()].copy_from_slice(key.expose_secret());
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.update(purpose.as_bytes());
    mac.finalize().into_bytes().into()
}
