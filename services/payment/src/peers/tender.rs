//! What other services keep that pays a part of an order: points, and cash coupons.

mod coupons;
mod points;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use kernel::{Error, Money, Result, Timestamp, ids::StoreId};

use crate::domain::{
    Tender,
    peer_tender::{GivenBack, Kept},
};

pub use coupons::GrpcCoupons;
pub use points::GrpcPoints;

/// What shall be set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Whom it is about.
    pub of: Kept,
    /// Where the order is.
    pub store: StoreId,
    /// What it shall pay.
    pub amount: Money,
    /// What the whole order costs.
    pub total: Money,
    /// When it is free by itself, unless something was decided.
    pub expire_time: Timestamp,
}

/// Who keeps it. Each call has one effect however often it is made. One that fails with `Unavailable`, `DeadlineExceeded`
/// or `Internal` may or may not have had it, and may be made again.
#[async_trait]
pub trait PeerTender: fmt::Debug + Send + Sync {
    /// Sets it aside, so that nobody else can spend it.
    ///
    /// # Errors
    /// `FailedPrecondition` or `InvalidArgument` saying why not.
    async fn reserve(&self, hold: &Hold) -> Result<()>;

    /// It is spent.
    ///
    /// # Errors
    /// `FailedPrecondition` if it is not set aside any more.
    async fn commit(&self, of: &Kept) -> Result<()>;

    /// It is free again; a reservation that is still on its way sets nothing aside.
    ///
    /// # Errors
    /// `FailedPrecondition` if it is spent.
    async fn void(&self, of: &Kept) -> Result<()>;

    /// Something comes back of what was spent.
    ///
    /// # Errors
    /// `FailedPrecondition` if it is not spent, or not so much.
    async fn give_back(&self, of: &Kept, back: &GivenBack) -> Result<()>;
}

/// Those that a deployment has.
#[derive(Debug, Clone, Default)]
pub struct PeerTenders {
    /// Points.
    pub points: Option<Arc<dyn PeerTender>>,
    /// Cash coupons.
    pub coupons: Option<Arc<dyn PeerTender>>,
}

impl PeerTenders {
    /// Who keeps what pays in a way.
    ///
    /// # Errors
    /// `TENDER_NOT_OFFERED`.
    pub fn of(&self, tender: Tender) -> Result<&Arc<dyn PeerTender>> {
        let known = match tender {
            Tender::PointsVoucher => self.points.as_ref(),
            Tender::Coupon(_) => self.coupons.as_ref(),
            _ => None,
        };
        known.ok_or_else(|| {
            Error::precondition("TENDER_NOT_OFFERED", "one can't pay in this way here; choose another")
                .with("tender", tender.as_str())
        })
    }
}
