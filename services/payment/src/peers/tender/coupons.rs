//! Cash coupons, which marketing keeps.

use async_trait::async_trait;
use kernel::{
    Error, Result,
    ids::{CouponId, CouponRedemptionId},
};
use proto::marketing::v1::{
    CommitCouponRequest, ReserveCouponRequest, ReturnCouponRequest, VoidCouponRequest,
    coupon_service_client::CouponServiceClient,
};
use rpc::{
    client::Peer,
    convert::{to_money, to_timestamp},
    from_status,
};
use tonic::Status;

use super::{Hold, PeerTender};
use crate::domain::peer_tender::{GivenBack, Kept};

/// Marketing over gRPC.
#[derive(Debug, Clone)]
pub struct GrpcCoupons(CouponServiceClient<Peer>);

impl GrpcCoupons {
    /// Over this channel.
    pub fn new(peer: Peer) -> Self {
        Self(CouponServiceClient::new(peer))
    }
}

fn name(of: &Kept) -> String {
    CouponRedemptionId::from_uuid(of.payment.uuid()).name()
}

fn coupon(of: &Kept) -> Result<String> {
    of.coupon.map(CouponId::name).ok_or_else(|| Error::internal(format!("{} names no coupon", of.payment)))
}

fn refused(status: Status) -> Error {
    from_status(status, "marketing")
}

#[async_trait]
impl PeerTender for GrpcCoupons {
    async fn reserve(&self, hold: &Hold) -> Result<()> {
        let request = ReserveCouponRequest {
            redemption_id: hold.of.payment.uuid().to_string(),
            coupon: coupon(&hold.of)?,
            customer: hold.of.customer.name(),
            order: hold.of.order.name(),
            amount: Some(to_money(hold.amount)),
            order_total: Some(to_money(hold.total)),
            expire_time: Some(to_timestamp(hold.expire_time)),
        };
        self.0.clone().reserve_coupon(request).await.map_err(refused)?;
        Ok(())
    }

    async fn commit(&self, of: &Kept) -> Result<()> {
        let request = CommitCouponRequest { name: name(of) };
        self.0.clone().commit_coupon(request).await.map_err(refused)?;
        Ok(())
    }

    async fn void(&self, of: &Kept) -> Result<()> {
        let request = VoidCouponRequest {
            name: name(of),
            coupon: coupon(of)?,
            customer: of.customer.name(),
            order: of.order.name(),
        };
        self.0.clone().void_coupon(request).await.map_err(refused)?;
        Ok(())
    }

    async fn give_back(&self, of: &Kept, back: &GivenBack) -> Result<()> {
        // A part of a coupon is nothing.
        if back.whole {
            let request = ReturnCouponRequest { name: name(of) };
            self.0.clone().return_coupon(request).await.map_err(refused)?;
        }
        Ok(())
    }
}
