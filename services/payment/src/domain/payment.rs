//! One attempt to pay a part of an order.

use kernel::{Money, Timestamp, ids::PaymentId};

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
}

impl Payment {
    /// Neither captured nor failed.
    pub fn is_pending(&self) -> bool {
        self.state == State::Pending
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
}

impl Tender {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Sandbox,
        Self::Cash,
        Self::WechatJsapi,
        Self::WechatNative,
        Self::WechatH5,
        Self::AlipayPage,
        Self::AlipayApp,
        Self::AlipayInStore,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Cash => "cash",
            Self::WechatJsapi => "wechat_jsapi",
            Self::WechatNative => "wechat_native",
            Self::WechatH5 => "wechat_h5",
            Self::AlipayPage => "alipay_page",
            Self::AlipayApp => "alipay_app",
            Self::AlipayInStore => "alipay_in_store",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tender| tender.as_str() == word)
    }

    /// The name of the provider that takes the money; `None` if it is taken at the desk.
    pub const fn provider(self) -> Option<&'static str> {
        match self {
            Self::Cash => None,
            Self::Sandbox => Some("sandbox"),
            Self::WechatJsapi | Self::WechatNative | Self::WechatH5 => Some("wechat"),
            Self::AlipayPage | Self::AlipayApp | Self::AlipayInStore => Some("alipay"),
        }
    }
}
