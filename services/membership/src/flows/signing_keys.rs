//! Keys that sign access tokens: made by themselves, in time, and forgotten.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::{Error, Result, Timestamp, ids::uuid_v7};
use pg::{
    Tx,
    vault::{self, Column},
};
use rpc::token::Signer;
use serde_json::json;

use crate::{
    App,
    db::{self, signing_key::SealedKey},
    domain::signing_key::{KeyLife, next_activation, retire_time},
    secrets,
};

const PRIVATE_KEY: Column = Column { table: "signing_key", column: "sealed_private_key" };

/// The key that signs now; the first of all is made here.
pub async fn signer(app: &App) -> Result<Signer> {
    if let Some(signer) = current(app).await? {
        return Ok(signer);
    }
    rotate_keys(app).await?;
    current(app).await?.ok_or_else(|| Error::internal("no signing key is active although one was made"))
}

/// Makes the next key when its time has come and forgets private halves that sign no more; returns how many keys it made
/// or forgot. Replicas take turns.
pub async fn rotate_keys(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    db::signing_key::lock(&mut tx).await?;
    let newest = db::signing_key::newest(&mut tx).await?;
    let activate = next_activation(newest.as_ref(), app.policy.signing_key(), now);
    if let Some(activate_time) = activate {
        let kid = make(app, &mut tx, activate_time, now).await?;
        if let Some(old) = &newest {
            db::signing_key::retire(&mut tx, &old.kid, retire_time(activate_time, app.policy.access_token())).await?;
        }
        tracing::info!(kid, %activate_time, "signing key made");
    }
    let erased = db::signing_key::erase_retired(&mut tx, now).await?;
    for id in &erased {
        vault::shred(&mut tx, *id).await?;
    }
    tx.commit().await?;
    Ok(erased.len() + usize::from(activate.is_some()))
}

/// The public halves as a JWK set (RFC 7517).
pub async fn jwks(app: &App) -> Result<Vec<u8>> {
    // So that whoever asks first gets a key that he will meet.
    signer(app).await?;
    let keys = db::signing_key::published(&mut *app.pg.conn().await?, app.clock.now()).await?;
    let keys: Vec<_> = keys.iter().map(|(kid, key)| key.jwk(kid)).collect();
    serde_json::to_vec(&json!({ "keys": keys })).map_err(Error::internal)
}

async fn current(app: &App) -> Result<Option<Signer>> {
    let mut conn = app.pg.conn().await?;
    let Some(key) = db::signing_key::signing(&mut conn, app.clock.now()).await? else { return Ok(None) };
    let text = app.vault.open(&mut conn, key.id).await?.unseal(PRIVATE_KEY, key.id, &key.sealed)?;
    let seed = URL_SAFE_NO_PAD.decode(text).ok().and_then(|seed| <[u8; 32]>::try_from(seed).ok());
    let seed = seed.ok_or_else(|| Error::internal("a signing key has no 32 bytes"))?;
    Signer::try_from_seed(&seed).map(Some)
}

async fn make(app: &App, tx: &mut Tx, activate_time: Timestamp, now: Timestamp) -> Result<String> {
    let seed = secrets::random()?;
    let signer = Signer::try_from_seed(&seed)?;
    let id = uuid_v7(now);
    let key = app.vault.create_key(tx, now, id).await?;
    let private = SealedKey { id, sealed: key.seal(PRIVATE_KEY, id, &URL_SAFE_NO_PAD.encode(seed))? };
    let life = KeyLife { kid: signer.kid().to_owned(), activate_time, retire_time: None };
    let public = URL_SAFE_NO_PAD.decode(signer.public_key().to_base64url()).map_err(Error::internal)?;
    db::signing_key::insert(tx, &life, &public, &private, now).await?;
    Ok(life.kid)
}
