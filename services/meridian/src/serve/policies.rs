//! The services' own rules, checked before anything is bound.

use runtime::{
    Settings,
    config::{ConfigError, Service},
};

/// The rules of all services.
#[derive(Debug, Clone)]
pub struct Policies {
    /// Of booking.
    pub booking: ::booking::Policy,
    /// Of membership.
    pub membership: ::membership::Policy,
    /// Of payment.
    pub payment: ::payment::Policy,
    /// Of marketing.
    pub marketing: ::marketing::Policy,
    /// Of analytics.
    pub analytics: ::analytics::Policy,
}

impl Policies {
    /// Reads and checks all of them: a process that serves one service may share its file with the others, and a mistake
    /// is better seen by the first than by the last.
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let policies = Self {
            booking: settings.booking.policy(Service::Booking)?,
            membership: settings.membership.policy(Service::Membership)?,
            payment: settings.payment.policy(Service::Payment)?,
            marketing: settings.marketing.policy(Service::Marketing)?,
            analytics: settings.analytics.policy(Service::Analytics)?,
        };
        let checks = [
            (Service::Booking, policies.booking.validate()),
            (Service::Membership, policies.membership.validate()),
            (Service::Payment, policies.payment.validate()),
            (Service::Marketing, policies.marketing.validate()),
            (Service::Analytics, policies.analytics.validate()),
        ];
        for (service, check) in checks {
            check.map_err(|error| ConfigError::new(format!("{service}.policy"), error.message()))?;
        }
        Ok(policies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[&str]) -> Result<Policies, ConfigError> {
        let set: Vec<String> = set.iter().map(|text| (*text).to_owned()).collect();
        Policies::read(&runtime::config::load(None, [], &set).unwrap())
    }

    #[test]
    fn the_defaults_are_valid() {
        read(&[]).unwrap();
    }

    #[test]
    fn an_unknown_rule_and_a_senseless_one_are_named() {
        let error = read(&["booking.policy.hold_minute=3"]).unwrap_err();
        assert!(error.to_string().contains("hold_minute"), "{error}");
        let error = read(&["booking.policy.hold_minutes=0"]).unwrap_err();
        assert!(error.to_string().contains("booking.policy.hold_minutes"), "{error}");
    }
}
