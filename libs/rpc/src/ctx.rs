//! What an RPC knows about its call, and the frame around every handler.

use std::{future::Future, sync::Arc};

use kernel::{Error, ErrorKind, FieldViolation, Result};
use proto::{Validate, access::Scope};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use crate::{
    caller::{Caller, hidden},
    status::status,
};

/// What a flow may know about the call that it serves.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Who calls.
    pub caller: Caller,
    /// The path of the RPC, such as `/meridian.booking.v1.BookingService/HoldSlot`.
    pub method: &'static str,
    /// The id under which this request is found in every log. It is not the `request_id` field of idempotency.
    pub request_id: Arc<str>,
    /// When the caller stops waiting.
    pub deadline: Instant,
}

/// What the server layer puts into the extensions of a request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) ctx: Ctx,
    pub(crate) scope: Scope,
}

/// What calls to peers inherit from the call that they serve.
#[derive(Debug, Clone)]
pub(crate) struct Inherited {
    pub(crate) request_id: Arc<str>,
    pub(crate) deadline: Instant,
}

tokio::task_local! {
    static INHERITED: Inherited;
}

/// Runs `future` so that statuses and calls to peers made in it carry the request id and the deadline.
pub(crate) async fn inherit<F: Future>(inherited: Inherited, future: F) -> F::Output {
    INHERITED.scope(inherited, future).await
}

/// What the current task inherited, unless it serves no call.
pub(crate) fn inherited() -> Option<Inherited> {
    INHERITED.try_with(Clone::clone).ok()
}

pub(crate) fn current_request_id() -> Option<Arc<str>> {
    INHERITED.try_with(|inherited| Arc::clone(&inherited.request_id)).ok()
}

/// The frame around every RPC handler: validates the message, runs the flow, answers its error.
///
/// Two rules of access are held here. When the RPC's rule has a data scope, a flow that succeeds without
/// [`Caller::see_own`] having said yes is answered `INTERNAL`: it is a programming error that the first test finds. And
/// until then a member gets one and the same `NOT_FOUND` for all that is missing or another's.
///
/// It serves server-streaming RPCs as well: `R` is then the stream. The deadline, held by the server layer, covers the
/// time until the stream is there, not its life.
pub async fn unary<Q, R, F, Fut>(request: Request<Q>, flow: F) -> Result<Response<R>, Status>
where
    Q: Validate,
    F: FnOnce(Ctx, Q) -> Fut,
    Fut: Future<Output = Result<R>>,
{
    match framed(request, flow).await {
        Ok(reply) => Ok(Response::new(reply)),
        Err(error) => Err(status(error)),
    }
}

async fn framed<Q, R, F, Fut>(request: Request<Q>, flow: F) -> Result<R>
where
    Q: Validate,
    F: FnOnce(Ctx, Q) -> Fut,
    Fut: Future<Output = Result<R>>,
{
    let (_, mut extensions, message) = request.into_parts();
    let Some(Call { ctx, scope }) = extensions.remove::<Call>() else {
        return Err(Error::internal("the server layer is not installed around this service"));
    };
    message.validate().map_err(violations)?;
    let (caller, method) = (ctx.caller.clone(), ctx.method);
    let result = flow(ctx, message).await;
    if scope == Scope::None || caller.owner_checked() {
        return result;
    }
    match result {
        Ok(_) => Err(Error::internal(format!("{method} has a data scope but never called Caller::see_own"))),
        Err(error) if error.kind() == ErrorKind::NotFound && caller.member().is_some() => Err(hidden()),
        Err(error) => Err(error),
    }
}

/// Checks the rules of a message that is not the request itself, such as a resource after an update; `field` is the field
/// of the request that holds it.
///
/// Fails with `InvalidArgument` at paths below `field`.
pub fn validate_as<M: Validate>(field: &'static str, message: &M) -> Result<()> {
    message.validate_as(field).map_err(violations)
}

fn violations(violations: Vec<proto::Violation>) -> Error {
    let violations = violations
        .into_iter()
        .map(|violation| FieldViolation { field: violation.field, description: violation.description })
        .collect();
    Error::invalid_fields(violations)
}
