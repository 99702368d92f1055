//! The peers over gRPC.

use async_trait::async_trait;
use kernel::{Result, Uuid};
use proto::marketing::v1::{SendMessageRequest, message::Kind, message_service_client::MessageServiceClient};
use rpc::{client::Peer, from_status};

use super::Messages;
use crate::domain::phone::Phone;

/// Marketing.
#[derive(Debug, Clone)]
pub struct GrpcMessages(MessageServiceClient<Peer>);

impl GrpcMessages {
    /// Over this channel.
    pub fn new(peer: Peer) -> Self {
        Self(MessageServiceClient::new(peer))
    }
}

#[async_trait]
impl Messages for GrpcMessages {
    async fn send_code(&self, phone: &Phone, code: &str, request_id: Uuid) -> Result<()> {
        let request = SendMessageRequest {
            phone: phone.as_str().to_owned(),
            kind: Kind::VerificationCode.into(),
            variables: [("code".to_owned(), code.to_owned())].into(),
            language_code: String::new(),
            request_id: request_id.to_string(),
        };
        self.0.clone().send_message(request).await.map_err(|status| from_status(status, "marketing"))?;
        Ok(())
    }
}
