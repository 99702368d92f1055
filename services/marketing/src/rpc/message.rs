//! `MessageService`.

use std::sync::Arc;

use proto::marketing::v1::{self as pb, message_service_server::MessageService};
use rpc::{
    paging::{Listing, PageRequest, time_key},
    unary,
};
use tonic::{Request, Response, Status, async_trait};

use super::convert;
use crate::{
    App,
    domain::phone::Phone,
    flows::{Once, list_mailbox::list_mailbox, list_messages::list_messages, send_message::send_message},
};

/// The service as tonic sees it.
pub struct Service {
    app: Arc<App>,
}

impl Service {
    /// Serves `app`.
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[async_trait]
impl MessageService for Service {
    async fn send_message(&self, request: Request<pb::SendMessageRequest>) -> Result<Response<pb::Message>, Status> {
        unary(request, |ctx, message| async move {
            let wanted = convert::read_send_message(&message)?;
            let once = Once { key: convert::key(&ctx, &message.request_id)?, message: &message };
            send_message(&self.app, once, wanted).await
        })
        .await
    }

    async fn list_messages(
        &self,
        request: Request<pb::ListMessagesRequest>,
    ) -> Result<Response<pb::ListMessagesResponse>, Status> {
        unary(request, |ctx, message| async move {
            let customer = convert::customer(&ctx.caller, &message.customer)?;
            let listing = Listing::new(ctx.method).with(customer.name());
            let page = PageRequest::parse(message.page_size, &message.page_token, listing)?;
            let messages = list_messages(&self.app, &ctx.caller, customer, convert::page(&page)?).await?;
            let (messages, next_page_token) = page.cut(messages, |(last, _)| time_key(last.send_time, last.id.uuid()));
            let messages = messages.into_iter().map(|(message, text)| convert::to_message(&message, text)).collect();
            Ok(pb::ListMessagesResponse { messages, next_page_token })
        })
        .await
    }

    async fn list_mailbox_messages(
        &self,
        request: Request<pb::ListMailboxMessagesRequest>,
    ) -> Result<Response<pb::ListMailboxMessagesResponse>, Status> {
        unary(request, |ctx, message| async move {
            let phone = Phone::parse("phone", &message.phone)?;
            let listing = Listing::new(ctx.method).with(&message.phone);
            let page = PageRequest::parse(message.page_size, &message.page_token, listing)?;
            let letters = list_mailbox(&self.app, &phone, convert::page(&page)?).await?;
            let (letters, next_page_token) =
                page.cut(letters, |(last, _)| time_key(last.receive_time, last.message.uuid()));
            let messages = letters.into_iter().map(|(letter, text)| convert::to_letter(&letter, text)).collect();
            Ok(pb::ListMailboxMessagesResponse { messages, next_page_token })
        })
        .await
    }
}
