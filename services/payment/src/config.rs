//! The rules that an operator may set.

use std::time::Duration;

use jiff::tz::TimeZone;
use kernel::{Error, Result, Timestamp};
use serde::Deserialize;

use crate::domain::{order::TenderClass, stored_value::SpendingOrder};

/// The longest that a charge can be paid; providers allow no more.
const MAX_CHARGE_MINUTES: u32 = 24 * 60;

/// The longest that what was earned may be clawed back.
const MAX_CLAW_BACK_DAYS: u32 = 366;

/// The rules of payment that an operator may set; the table `payment.policy` of the settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// How long a customer can pay a charge, in minutes from its making; 30.
    pub charge_minutes: u32,
    /// How old a pending payment is when the provider is first asked about it, and how long the worker waits before it
    /// asks again (doubling up to 10 minutes), in seconds; 60.
    pub query_after_seconds: u32,
    /// How old a payment is that the provider has never heard of when it is given up, in seconds; 300. It must be well
    /// above the time that a call to the provider may take.
    pub abandon_after_seconds: u32,
    /// How far a notice's timestamp may be off, in seconds; 300.
    pub notice_tolerance_seconds: u32,
    /// The longest pause between two attempts of a refund, in seconds; 600.
    pub refund_retry_max_seconds: u32,
    /// How often the worker looks for pending payments and refunds, in seconds; 5.
    pub worker_period_seconds: u32,
    /// The IANA time zone of the head office, and of stores of which booking has not told theirs; `Asia/Shanghai`.
    pub time_zone: String,
    /// What was agreed that providers keep of a sale, in hundred-thousandths; 600, which is 0.6 %. Where a bill says
    /// otherwise that is a break.
    pub provider_fee_rate: u32,
    /// How long after its end a store's day is closed, in minutes; 10. What is posted later with a time of that day is
    /// refused, and tried again.
    pub close_day_after_minutes: u32,
    /// How long after its last day what is left of a prepaid contract is written off, in days; 1095, the three years of the
    /// limitation period (Civil Code, Art. 188).
    pub breakage_after_days: u32,
    /// The tax in prices, in basis points; 600, the rate of services of life to general taxpayers.
    pub invoice_tax_basis_points: u32,
    /// The tax authority's code of what is sold (税收分类编码), 19 digits; `3070599000000000000`. Ask your accountant.
    pub invoice_tax_code: String,
    /// What invoices say was sold; `居民日常服务`.
    pub invoice_goods: String,
    /// In which order tenders give back what is refunded; `points_voucher`, `provider`, `card_terminal`, `cash`,
    /// `stored_value`, `prepaid_session`, `coupon`. Each of these words once.
    pub refund_order: Vec<String>,
    /// How cards that are issued from now on are spent: `bonus_first`, `proportional` or `principal_first`; `proportional`.
    pub card_spending: String,
    /// How long a top-up can be paid, in minutes; 120. What is paid later goes back whole.
    pub top_up_minutes: u32,
    /// How long after a visit what was earned by it may still be clawed back, in days; 7. It can't be paid out before. 0 is
    /// allowed.
    pub commission_claw_back_days: u32,
    /// How long after a payment its provider takes something back, in days; 365, as WeChat Pay and Alipay do. What the end
    /// of a card or contract gives back of older ones is paid out at the desk or by bank.
    pub provider_refund_days: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            charge_minutes: 30,
            query_after_seconds: 60,
            abandon_after_seconds: 300,
            notice_tolerance_seconds: 300,
            refund_retry_max_seconds: 600,
            worker_period_seconds: 5,
            time_zone: "Asia/Shanghai".to_owned(),
            provider_fee_rate: 600,
            close_day_after_minutes: 10,
            breakage_after_days: 1_095,
            invoice_tax_basis_points: 600,
            invoice_tax_code: "3070599000000000000".to_owned(),
            invoice_goods: "居民日常服务".to_owned(),
            refund_order: TenderClass::ALL.map(|class| class.as_str().to_owned()).to_vec(),
            card_spending: SpendingOrder::default().as_str().to_owned(),
            top_up_minutes: 120,
            commission_claw_back_days: 7,
            provider_refund_days: 365,
        }
    }
}

impl Policy {
    /// Checks what the types do not say.
    ///
    /// # Errors
    /// `InvalidArgument` naming the setting.
    pub fn validate(&self) -> Result<()> {
        let positive = [
            ("charge_minutes", self.charge_minutes),
            ("query_after_seconds", self.query_after_seconds),
            ("notice_tolerance_seconds", self.notice_tolerance_seconds),
            ("refund_retry_max_seconds", self.refund_retry_max_seconds),
            ("worker_period_seconds", self.worker_period_seconds),
            ("close_day_after_minutes", self.close_day_after_minutes),
            ("breakage_after_days", self.breakage_after_days),
            ("top_up_minutes", self.top_up_minutes),
            ("provider_refund_days", self.provider_refund_days),
        ];
        if let Some((name, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(Error::invalid(format!("payment.policy.{name}"), "must be at least 1"));
        }
        if self.charge_minutes > MAX_CHARGE_MINUTES {
            return Err(Error::invalid("payment.policy.charge_minutes", "must be at most 1440, which is a day"));
        }
        if self.provider_fee_rate > 100_000 {
            return Err(Error::invalid(
                "payment.policy.provider_fee_rate",
                "must be at most 100000, which is all of it",
            ));
        }
        if self.commission_claw_back_days > MAX_CLAW_BACK_DAYS {
            return Err(Error::invalid(
                "payment.policy.commission_claw_back_days",
                "must be at most 366, which is a year",
            ));
        }
        if TimeZone::get(&self.time_zone).is_err() {
            return Err(Error::invalid("payment.policy.time_zone", "must be an IANA time zone, such as Asia/Shanghai"));
        }
        if self.invoice_tax_basis_points > 10_000 {
            return Err(Error::invalid("payment.policy.invoice_tax_basis_points", "must be at most 10000"));
        }
        if self.invoice_tax_code.len() != 19 || !self.invoice_tax_code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::invalid("payment.policy.invoice_tax_code", "must be of 19 digits"));
        }
        let classes = self.refund_classes();
        if self.refund_order.len() != TenderClass::ALL.len()
            || TenderClass::ALL.iter().any(|class| !classes.contains(class))
        {
            let all = TenderClass::ALL.map(TenderClass::as_str).join(", ");
            return Err(Error::invalid("payment.policy.refund_order", format!("must name each of these once: {all}")));
        }
        if SpendingOrder::from_stored(&self.card_spending).is_none() {
            let words = "must be bonus_first, proportional or principal_first";
            return Err(Error::invalid("payment.policy.card_spending", words));
        }
        if self.abandon_after_seconds < 60 {
            return Err(Error::invalid("payment.policy.abandon_after_seconds", "must be at least 60"));
        }
        Ok(())
    }

    /// The order in which tenders give back.
    pub fn refund_classes(&self) -> Vec<TenderClass> {
        self.refund_order.iter().filter_map(|word| TenderClass::parse(word)).collect()
    }

    /// How old a payment is, in seconds, when it is given up because the provider knows nothing of it; whether the charge
    /// `was_made` makes a difference, as the customer can then pay for some time.
    pub fn abandon_after(&self, was_made: bool) -> i64 {
        let payable = if was_made { i64::from(self.charge_minutes) * 60 } else { 0 };
        i64::from(self.abandon_after_seconds) + payable
    }

    /// Since when what a provider has captured can go back there, as of `now`.
    pub fn provider_refunds_since(&self, now: Timestamp) -> Timestamp {
        now - Duration::from_secs(u64::from(self.provider_refund_days) * 24 * 60 * 60)
    }

    /// How cards that are issued from now on are spent.
    pub fn card_spending_order(&self) -> SpendingOrder {
        SpendingOrder::from_stored(&self.card_spending).unwrap_or_default()
    }

    /// How long after asking a provider `asked` times about a payment it is asked again.
    pub fn query_pause(&self, asked: u32) -> Duration {
        backoff(self.query_after_seconds, asked, 600)
    }

    /// How long after `attempts` attempts a refund is tried again.
    pub fn refund_pause(&self, attempts: u32) -> Duration {
        backoff(2, attempts, self.refund_retry_max_seconds)
    }

    /// How long after a visit what was earned by it can't be paid out.
    pub fn claw_back(&self) -> Duration {
        Duration::from_secs(u64::from(self.commission_claw_back_days) * 24 * 60 * 60)
    }

    /// How often the worker looks around.
    pub fn worker_period(&self) -> Duration {
        Duration::from_secs(u64::from(self.worker_period_seconds))
    }
}

fn backoff(first_seconds: u32, doublings: u32, max_seconds: u32) -> Duration {
    let seconds = first_seconds.saturating_mul(1_u32.checked_shl(doublings.min(20)).unwrap_or(u32::MAX));
    Duration::from_secs(u64::from(seconds.min(max_seconds.max(first_seconds))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_zero_is_not() {
        assert!(Policy::default().validate().is_ok());
        let error = Policy { charge_minutes: 0, ..Policy::default() }.validate().expect_err("zero");
        assert_eq!(error.violations()[0].field, "payment.policy.charge_minutes");
        let twice = ["cash", "cash", "card_terminal", "stored_value", "prepaid_session"].map(str::to_owned).to_vec();
        for refund_order in [
            vec![],
            vec!["shells".to_owned()],
            twice,
            [TenderClass::ALL; 2].concat().iter().map(|class| class.as_str().to_owned()).collect(),
        ] {
            let error = Policy { refund_order, ..Policy::default() }.validate().expect_err("incomplete");
            assert_eq!(error.violations()[0].field, "payment.policy.refund_order");
        }
        let nowhere = Policy { time_zone: "Middle/Earth".to_owned(), ..Policy::default() };
        assert_eq!(nowhere.validate().expect_err("unknown").violations()[0].field, "payment.policy.time_zone");
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let policy = Policy::default();
        let seconds: Vec<u64> = [0, 1, 3, 10, 40].map(|n| policy.query_pause(n).as_secs()).to_vec();
        assert_eq!(seconds, [60, 120, 480, 600, 600]);
        assert_eq!(policy.refund_pause(1).as_secs(), 4);
    }
}
