//! Hashing passwords with Argon2id.

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use kernel::{Error, Result};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// How many passwords are hashed at a time: each takes 19 MiB and some 20 ms of a core (OWASP's first choice, which is
/// the crate's default). Others wait in line.
const AT_A_TIME: usize = 2;

/// The hash that is checked for a user name that does not exist, so that the answer takes as long. It is no password's.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bWVyaWRpYW4gZGVjb3k$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and checks passwords, a few at a time and off the threads that serve.
#[derive(Debug)]
pub struct Passwords {
    slots: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// With nobody in line.
    pub fn new() -> Self {
        Self { slots: Semaphore::new(AT_A_TIME) }
    }

    /// The PHC string of a password, under a salt of its own.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let _slot = self.slots.acquire().await.map_err(Error::internal)?;
        let password = password.to_owned();
        let hash = move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string());
        spawn_blocking(hash).await.map_err(Error::internal)?.map_err(|error| Error::internal(error.to_string()))
    }

    /// Whether it is the password of `hash`. Without a hash it takes as long and is false.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        let _slot = self.slots.acquire().await.map_err(Error::internal)?;
        let (password, hash) = (password.to_owned(), hash.unwrap_or(DECOY).to_owned());
        let verify = move || {
            let hash = PasswordHash::new(&hash).map_err(|error| Error::internal(error.to_string()))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        };
        spawn_blocking(verify).await.map_err(Error::internal)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse").await.expect("hashes");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse").await.expect("hashes"), "the salt is its own");
        assert!(passwords.verify("correct horse", Some(&hash)).await.expect("verifies"));
        assert!(!passwords.verify("wrong horse", Some(&hash)).await.expect("verifies"));
        assert!(!passwords.verify("correct horse", None).await.expect("the decoy can be read"));
    }
}
