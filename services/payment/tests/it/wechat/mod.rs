//! WeChat Pay over real HTTP, against the sandbox that speaks its protocol.

mod bills;
mod calls;
mod faults;
mod notices;
mod shares;

use crate::shop::Shop;

/// Both ways to check the provider's signatures.
const MODES: [bool; 2] = [true, false];

/// The sandbox's notices, delivered, with what they were answered.
async fn delivered(shop: &Shop) -> Vec<u16> {
    shop.wechat.deliver_due().await
}
