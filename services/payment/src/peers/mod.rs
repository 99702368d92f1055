//! Systems that are not ours: payment providers; and services of the suite that payment calls.
//!
//! | module | holds |
//! |---|---|
//! | [`port`] | what payment needs of any provider |
//! | [`invoicing`] | what it needs of a provider that issues invoices |
//! | [`wechat`] | WeChat Pay, API v3 |
//! | [`alipay`] | Alipay's open platform |
//! | [`sandbox`], [`signature`] | the provider that takes no money |
//! | [`tender`] | what other services keep that pays a part of an order: points, and cash coupons |
//! | [`bill`] | what a bill says, whatever its format |
//! | [`http`], [`crypto`], [`yuan`], [`china_time`] | what the clients share |

pub mod alipay;
pub mod bill;
pub mod china_time;
pub mod crypto;
pub mod http;
pub mod invoicing;
pub mod port;
pub mod sandbox;
pub mod signature;
pub mod tender;
#[cfg(test)]
mod testdata;
pub mod wechat;
pub mod yuan;

pub use alipay::{Alipay, AlipayConfig};
pub use bill::{Bill, BillKind, BillLine, BillReader, BillTotals};
pub use invoicing::Invoicing;
pub use port::{
    About, Acknowledgement, Amount, ChargeReport, ChargeState, Envelope, Headers, NewCharge, NewRefund, Notice, Payer,
    Provider, Providers, RefundReport, RefundState,
};
pub use sandbox::{SandboxClient, SandboxClientConfig};
pub use tender::{GrpcCoupons, GrpcPoints, PeerTender, PeerTenders};
pub use wechat::{Wechat, WechatConfig};
