//! The right to read a feed, and the address that carries it.
//!
//! An address is the base64url (RFC 4648 §5) of a link's id (16 octets), its version (4, big-endian) and the first half
//! of their HMAC-SHA256 (RFC 2104). It can be made again from the link at any time, so it is stored nowhere; and nobody
//! can make one without the key, whatever he reads in the database.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use kernel::{
    Error, Result, Timestamp, Uuid,
    ids::{CalendarLinkId, StoreId, TherapistId},
};
use sha2::Sha256;

const ID: usize = 16;
const SIGNED: usize = ID + 4;
const LENGTH: usize = SIGNED + 16;

/// The right to read one feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarLink {
    /// Which.
    pub id: CalendarLinkId,
    /// Of which store.
    pub store: StoreId,
    /// Of which therapist; `None` for the whole store.
    pub therapist: Option<TherapistId>,
    /// Who uses it.
    pub display_name: String,
    /// Who made it.
    pub creator: String,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it was revoked.
    pub revoke_time: Option<Timestamp>,
    /// The version that a good address carries.
    pub version: i32,
}

impl CalendarLink {
    /// Takes every address of it out of use.
    ///
    /// # Errors
    /// WRONG_STATE if that was done before.
    pub fn revoke(self, now: Timestamp) -> Result<Self> {
        match self.revoke_time {
            None => Ok(Self { revoke_time: Some(now), version: self.version + 1, ..self }),
            Some(time) => {
                let text = format!("the link was revoked at {time}");
                Err(Error::precondition("WRONG_STATE", text).with("state", "REVOKED"))
            }
        }
    }

    /// Whether an address with this version is good.
    pub fn admits(&self, version: i32) -> bool {
        self.revoke_time.is_none() && self.version == version
    }
}

/// The key that signs addresses.
#[derive(Clone)]
pub struct LinkKey(Hmac<Sha256>);

impl LinkKey {
    /// Derives it from 32 secret octets that serve other purposes too.
    pub fn derive(secret: &[u8; 32]) -> Self {
        let mut mac = keyed(secret);
        mac.update(b"meridian booking: calendar links");
        Self(keyed(&mac.finalize().into_bytes().into()))
    }

    /// The last part of the address of a link.
    pub fn token(&self, link: &CalendarLink) -> String {
        let mut token = Vec::with_capacity(LENGTH);
        token.extend_from_slice(link.id.uuid().as_bytes());
        token.extend_from_slice(&link.version.to_be_bytes());
        let tag = self.0.clone().chain_update(&token).finalize().into_bytes();
        token.extend(tag.iter().take(LENGTH - SIGNED));
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The link and version that a token was made for; `None` if it was not made with this key.
    pub fn read(&self, token: &str) -> Option<(CalendarLinkId, i32)> {
        let token: [u8; LENGTH] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (signed, tag) = token.split_at(SIGNED);
        self.0.clone().chain_update(signed).verify_truncated_left(tag).ok()?;
        let (id, version) = signed.split_at(ID);
        let version = i32::from_be_bytes(version.try_into().ok()?);
        Some((CalendarLinkId::from_uuid(Uuid::from_slice(id).ok()?), version))
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // The RFC pads a short key with zeros to the block of the hash.
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    <Hmac<Sha256> as KeyInit>::new(&block.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> CalendarLink {
        CalendarLink {
            id: CalendarLinkId::from_uuid(Uuid::from_u128(7)),
            store: StoreId::from_uuid(Uuid::from_u128(1)),
            therapist: None,
            display_name: String::new(),
            creator: "staff/1".to_owned(),
            create_time: Timestamp::UNIX_EPOCH,
            revoke_time: None,
            version: 1,
        }
    }

    #[test]
    fn a_token_reads_back_with_its_key_alone() {
        let (key, other) = (LinkKey::derive(&[1; 32]), LinkKey::derive(&[2; 32]));
        let token = key.token(&link());
        assert_eq!(token.len(), 48);
        assert_eq!(key.read(&token), Some((link().id, 1)));
        assert_eq!(other.read(&token), None);
        assert_ne!(key.token(&CalendarLink { version: 2, ..link() }), token);
    }

    #[test]
    fn no_changed_token_is_good() {
        let key = LinkKey::derive(&[1; 32]);
        let token = key.token(&link());
        let octets = URL_SAFE_NO_PAD.decode(&token).expect("base64url");
        for bit in 0..octets.len() * 8 {
            let mut changed = octets.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.read(&URL_SAFE_NO_PAD.encode(changed)), None, "bit {bit}");
        }
        for bad in ["", "x", "推", &token[..47], &format!("{token}A"), &format!("{token}=")] {
            assert_eq!(key.read(bad), None, "{bad}");
        }
    }

    #[test]
    fn revoking_ends_every_address_once() {
        assert!(link().admits(1) && !link().admits(2));
        let revoked = link().revoke(Timestamp::UNIX_EPOCH).expect("revoked");
        assert!(!revoked.admits(1) && !revoked.admits(2));
        assert_eq!(revoked.revoke(Timestamp::UNIX_EPOCH).err().map(|error| error.reason()), Some("WRONG_STATE"));
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(format!("{:?}", LinkKey::derive(&[1; 32])), "LinkKey(…)");
    }
}
