//! The token check at the door. It spares the backends those calls that they would refuse anyway; they check again,
//! and they alone know roles and whose data it is.

use http::{HeaderMap, header::AUTHORIZATION};
use kernel::Error;

use crate::{app::App, errors::Failure};

/// Refuses a call whose RPC isn't public unless it has a good token of a person or a partner: services talk to each other
/// directly, so a service's token that comes this way was stolen. Of a public RPC, and of one that isn't in the
/// descriptors, the backend decides.
pub async fn check(app: &App, grpc_path: &str, headers: &HeaderMap) -> Result<(), Failure> {
    if app.rpcs.get(grpc_path).is_none_or(|rpc| rpc.public) {
        return Ok(());
    }
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        let message = "this needs a signed-in caller: send an access token";
        return Err(Failure::from_kernel(Error::unauthenticated("TOKEN_MISSING", message)));
    };
    let bearer = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer") && values.next().is_none());
    let Some((_, token)) = bearer else {
        let message = "authorization must be one value: Bearer <access token>";
        return Err(Failure::from_kernel(Error::unauthenticated("TOKEN_INVALID", message)));
    };
    let caller = app.verifier.verify(token.trim()).await.map_err(Failure::from_kernel)?;
    if caller.is_service() {
        let message = "the access token is that of a service, which is not taken here";
        return Err(Failure::from_kernel(Error::unauthenticated("TOKEN_INVALID", message)));
    }
    Ok(())
}
