//! One attempt to pay a part of an order.

use kernel::{
    Money, Timestamp, Uuid,
    ids::{CardId, ContractId, CouponId, ItemId, PaymentId},
};

use super::Checkout;

/// One attempt to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id; the provider knows the charge by it too.
    pub id: PaymentId,
    /// Which part of the order it pays.
    pub purpose: Purpose,
    /// The way it is paid.
    pub tender: Tender,
    /// How much.
    pub amount: Money,
    /// Where it is in its life.
    pub state: State,
    /// What the provider answered; `None` for cash and until the provider has answered.
    pub charge: Option<Charge>,
    /// When it was started.
    pub create_time: Timestamp,
    /// The payments with which it comes to pass, or not at all; `None` if it stands alone.
    pub checkout: Option<Checkout>,
    /// The number of the slip of a card terminal; empty for every other tender.
    pub reference: String,
}

impl Payment {
    /// The provider's outcome is waited for.
    pub fn is_pending(&self) -> bool {
        self.state == State::Pending
    }

    /// It is set aside until those have come to pass with which it belongs together.
    pub fn is_reserved(&self) -> bool {
        self.state == State::Reserved
    }

    /// It came to nothing.
    pub fn is_failed(&self) -> bool {
        matches!(self.state, State::Failed { .. })
    }

    /// The money is ours, owed or not.
    pub fn is_captured(&self) -> bool {
        matches!(self.state, State::Captured { .. })
    }

    /// Captured when it was no longer owed.
    pub fn is_surplus(&self) -> bool {
        matches!(self.state, State::Captured { surplus: true, .. })
    }
}

/// Where a payment is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The customer can pay, or is paying.
    Pending,
    /// Set aside until the provider's outcome is known of a payment with which it belongs together.
    Reserved,
    /// The money is ours.
    Captured {
        /// When it came.
        time: Timestamp,
        /// It came when it was no longer owed: it goes back whole and doesn't count as paid.
        surplus: bool,
    },
    /// It came to nothing.
    Failed {
        /// Why, in a word for programs.
        reason: String,
    },
}

/// A charge at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The provider's id for it.
    pub id: String,
    /// How the customer pays it.
    pub action: Action,
}

/// What the customer's side does to pay a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Opens an address.
    Open {
        /// Which.
        uri: String,
    },
    /// Scans a code from a screen.
    Show {
        /// What the code says.
        code: String,
    },
    /// Hands this to the WeChat client, from a page in it or a mini program.
    Jsapi(JsapiParams),
    /// Hands this to the provider's kit in the app.
    App {
        /// A signed order, as it is.
        order: String,
    },
    /// Nothing: the desk has scanned the customer's code, and at most the customer is asked for a password.
    Wait,
}

/// What `WeixinJSBridge` and `wx.requestPayment` take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsapiParams {
    /// The id of the official account or mini program.
    pub app_id: String,
    /// In seconds since 1970.
    pub time_stamp: String,
    /// A word that makes the signature unlike any other.
    pub nonce_str: String,
    /// `prepay_id=…`
    pub package: String,
    /// `RSA`
    pub sign_type: String,
    /// The signature over the others.
    pub pay_sign: String,
}

/// Which part of an order a payment pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// What must be paid first.
    Deposit,
    /// All that is left.
    Balance,
}

impl Purpose {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Balance => "balance",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Deposit, Self::Balance].into_iter().find(|purpose| purpose.as_str() == word)
    }
}

/// The way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tender {
    /// The sandbox provider.
    Sandbox,
    /// Cash at the desk.
    Cash,
    /// A card at the terminal of the desk.
    CardTerminal,
    /// WeChat Pay, from a page in WeChat or a mini program.
    WechatJsapi,
    /// WeChat Pay, by a code that the customer scans.
    WechatNative,
    /// WeChat Pay, from a page in another browser.
    WechatH5,
    /// Alipay, on its page.
    AlipayPage,
    /// Alipay, from an app.
    AlipayApp,
    /// Alipay in the store: a code that the customer scans, or the desk scans the customer's.
    AlipayInStore,
    /// Money on a stored-value card.
    StoredValue(CardId),
    /// A use of a prepaid contract.
    PrepaidSession {
        /// Which contract.
        contract: ContractId,
        /// What of it.
        item: ItemId,
    },
    /// The customer's points, which membership keeps.
    PointsVoucher,
    /// The customer's cash coupon, which marketing keeps.
    Coupon(CouponId),
}

impl Tender {
    /// Those of which there is nothing more to say.
    pub const PLAIN: [Self; 10] = [
        Self::Sandbox,
        Self::Cash,
        Self::CardTerminal,
        Self::WechatJsapi,
        Self::WechatNative,
        Self::WechatH5,
        Self::AlipayPage,
        Self::AlipayApp,
        Self::AlipayInStore,
        Self::PointsVoucher,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Cash => "cash",
            Self::CardTerminal => "card_terminal",
            Self::WechatJsapi => "wechat_jsapi",
            Self::WechatNative => "wechat_native",
            Self::WechatH5 => "wechat_h5",
            Self::AlipayPage => "alipay_page",
            Self::AlipayApp => "alipay_app",
            Self::AlipayInStore => "alipay_in_store",
            Self::StoredValue(_) => "stored_value",
            Self::PrepaidSession { .. } => "prepaid_session",
            Self::PointsVoucher => "points_voucher",
            Self::Coupon(_) => "coupon",
        }
    }

    /// The stored-value card that pays, if one does.
    pub const fn card(self) -> Option<CardId> {
        match self {
            Self::StoredValue(card) => Some(card),
            _ => None,
        }
    }

    /// The id of the card, contract or coupon that pays, if one does.
    pub const fn source(self) -> Option<Uuid> {
        match self {
            Self::StoredValue(card) => Some(card.uuid()),
            Self::PrepaidSession { contract, .. } => Some(contract.uuid()),
            Self::Coupon(coupon) => Some(coupon.uuid()),
            _ => None,
        }
    }

    /// What of a contract is used, if one is.
    pub const fn item(self) -> Option<ItemId> {
        match self {
            Self::PrepaidSession { item, .. } => Some(item),
            _ => None,
        }
    }

    /// Whether it is a use of a contract, which pays a line whole.
    pub const fn is_session(self) -> bool {
        matches!(self, Self::PrepaidSession { .. })
    }

    /// Reads the stored word, source and item; `None` if no code of ours can have stored them.
    pub fn from_stored(word: &str, source: Option<Uuid>, item: Option<Uuid>) -> Option<Self> {
        match (word, source, item) {
            ("stored_value", Some(card), None) => Some(Self::StoredValue(CardId::from_uuid(card))),
            ("prepaid_session", Some(contract), Some(item)) => {
                Some(Self::PrepaidSession { contract: ContractId::from_uuid(contract), item: ItemId::from_uuid(item) })
            }
            ("coupon", Some(coupon), None) => Some(Self::Coupon(CouponId::from_uuid(coupon))),
            (_, None, None) => Self::PLAIN.into_iter().find(|tender| tender.as_str() == word),
            _ => None,
        }
    }

    /// The name of the provider that takes the money; `None` if nobody else does.
    pub const fn provider(self) -> Option<&'static str> {
        match self {
            Self::Cash
            | Self::CardTerminal
            | Self::StoredValue(_)
            | Self::PrepaidSession { .. }
            | Self::PointsVoucher
            | Self::Coupon(_) => None,
            Self::Sandbox => Some("sandbox"),
            Self::WechatJsapi | Self::WechatNative | Self::WechatH5 => Some("wechat"),
            Self::AlipayPage | Self::AlipayApp | Self::AlipayInStore => Some("alipay"),
        }
    }

    /// Whether only staff at the desk can take it.
    pub const fn is_at_desk(self) -> bool {
        matches!(self, Self::Cash | Self::CardTerminal)
    }

    /// Whether no money comes by it: it spends what was paid ahead, which is in our own books, or what was given away.
    pub const fn is_internal(self) -> bool {
        matches!(self, Self::StoredValue(_) | Self::PrepaidSession { .. }) || self.is_kept_by_peer()
    }

    /// Whether another service of the suite keeps what it spends.
    pub const fn is_kept_by_peer(self) -> bool {
        matches!(self, Self::PointsVoucher | Self::Coupon(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tender_is_read_back_and_nothing_else_is() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let with_source = [
            Tender::StoredValue(CardId::from_uuid(one)),
            Tender::PrepaidSession { contract: ContractId::from_uuid(one), item: ItemId::from_uuid(two) },
            Tender::Coupon(CouponId::from_uuid(one)),
        ];
        for tender in Tender::PLAIN.into_iter().chain(with_source) {
            let item = tender.item().map(ItemId::uuid);
            assert_eq!(Tender::from_stored(tender.as_str(), tender.source(), item), Some(tender));
            assert_eq!(tender.is_internal(), tender.source().is_some() || tender == Tender::PointsVoucher);
            assert!(!(tender.is_internal() || tender.is_at_desk()) || tender.provider().is_none());
        }
        assert_eq!(Tender::from_stored("stored_value", None, None), None);
        assert_eq!(Tender::from_stored("cash", Some(one), None), None);
        assert_eq!(Tender::from_stored("shells", None, None), None);
    }
}
