//! Checks a one-time code.

use kernel::{Error, Result, Timestamp, Uuid};
use pg::Tx;

use crate::{App, db, domain::code, secrets};

/// Checks the code of a phone, whose lock the caller holds. A right one is still to be used up: a request that is refused
/// for another reason leaves it good. A wrong one is counted, which needs a commit: so this takes the transaction and
/// gives it back only if the code is right.
///
/// Fails with `Unauthenticated`, reason `CODE_WRONG`, the same for a wrong, used, outlived and missing code.
pub(super) async fn check_code(
    app: &App,
    mut tx: Tx,
    phone_index: &[u8; 32],
    given: &str,
    now: Timestamp,
) -> Result<(Tx, Uuid)> {
    let code = db::code::newest(&mut tx, phone_index).await?.filter(|code| code.is_open(now));
    let Some(code) = code else { return Err(wrong()) };
    if code::same(&secrets::code_digits(&app.vault, &code), given) {
        return Ok((tx, code.id));
    }
    db::code::failed(&mut tx, code.id).await?;
    tx.commit().await?;
    Err(wrong())
}

fn wrong() -> Error {
    Error::unauthenticated("CODE_WRONG", "the code is wrong, used or too old: ask for a new one after five tries")
}
