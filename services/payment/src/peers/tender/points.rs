//! Points, which membership keeps.

use async_trait::async_trait;
use kernel::{Result, ids::PointsRedemptionId};
use proto::membership::v1::{
    CommitPointsRequest, ReservePointsRequest, ReturnPointsRequest, VoidPointsRequest,
    redemption_service_client::RedemptionServiceClient,
};
use rpc::{
    client::Peer,
    convert::{to_money, to_timestamp},
    from_status,
};
use tonic::Status;

use super::{Hold, PeerTender};
use crate::domain::peer_tender::{GivenBack, Kept};

/// Membership over gRPC.
#[derive(Debug, Clone)]
pub struct GrpcPoints(RedemptionServiceClient<Peer>);

impl GrpcPoints {
    /// Over this channel.
    pub fn new(peer: Peer) -> Self {
        Self(RedemptionServiceClient::new(peer))
    }
}

fn name(of: &Kept) -> String {
    PointsRedemptionId::from_uuid(of.payment.uuid()).name()
}

fn refused(status: Status) -> kernel::Error {
    from_status(status, "membership")
}

#[async_trait]
impl PeerTender for GrpcPoints {
    async fn reserve(&self, hold: &Hold) -> Result<()> {
        let request = ReservePointsRequest {
            redemption_id: hold.of.payment.uuid().to_string(),
            member: hold.of.customer.name(),
            order: hold.of.order.name(),
            worth: Some(to_money(hold.amount)),
            order_total: Some(to_money(hold.total)),
            expire_time: Some(to_timestamp(hold.expire_time)),
        };
        self.0.clone().reserve_points(request).await.map_err(refused)?;
        Ok(())
    }

    async fn commit(&self, of: &Kept) -> Result<()> {
        let request = CommitPointsRequest { name: name(of) };
        self.0.clone().commit_points(request).await.map_err(refused)?;
        Ok(())
    }

    async fn void(&self, of: &Kept) -> Result<()> {
        let request = VoidPointsRequest { name: name(of), member: of.customer.name(), order: of.order.name() };
        self.0.clone().void_points(request).await.map_err(refused)?;
        Ok(())
    }

    async fn give_back(&self, of: &Kept, back: &GivenBack) -> Result<()> {
        let request = ReturnPointsRequest {
            name: name(of),
            return_id: back.refund.uuid().to_string(),
            amount: Some(to_money(back.amount)),
        };
        self.0.clone().return_points(request).await.map_err(refused)?;
        Ok(())
    }
}
