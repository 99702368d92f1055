//! Accounts of people who work for the chain.

use jiff::SignedDuration;
use kernel::{
    Error, ErrorKind, Result, Timestamp,
    ids::{StaffId, StoreId},
};
use proto::access::Role;

/// How many sign-ins may fail in [`FAILURE_WINDOW`].
pub const MAX_FAILURES: i64 = 10;

/// See [`MAX_FAILURES`].
pub const FAILURE_WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// Its id.
    pub id: StaffId,
    /// What he signs in with.
    pub user_name: String,
    /// How to address him.
    pub display_name: String,
    /// What he may do.
    pub roles: Vec<Role>,
    /// The store that he is bound to; none for the whole chain.
    pub store: Option<StoreId>,
    /// When the account was opened.
    pub create_time: Timestamp,
}

/// Reads a user name: lower-case letters, digits, dots and dashes.
pub fn user_name(field: &str, text: &str) -> Result<String> {
    let valid = (3..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    if valid {
        return Ok(text.to_owned());
    }
    Err(Error::invalid(field, "must be 3 to 64 lower-case letters, digits, dots and dashes"))
}

/// Reads roles: at least one, of staff only, each once, in a fixed order.
pub fn roles(field: &str, roles: impl IntoIterator<Item = Role>) -> Result<Vec<Role>> {
    let mut roles: Vec<Role> = roles.into_iter().collect();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() {
        return Err(Error::invalid(field, "must have at least one role"));
    }
    if let Some(role) = roles.iter().find(|role| matches!(role, Role::Member | Role::Service | Role::Partner)) {
        return Err(Error::invalid(field, format!("must be roles of staff; {role} is not")));
    }
    Ok(roles)
}

/// Therapists, front desk and store managers work for one store.
pub fn check_store(field: &str, roles: &[Role], store: Option<StoreId>) -> Result<()> {
    let bound = roles.iter().find(|role| matches!(role, Role::Therapist | Role::FrontDesk | Role::StoreManager));
    match (bound, store) {
        (Some(role), None) => Err(Error::invalid(field, format!("must be given for the role {role}"))),
        _ => Ok(()),
    }
}

/// Refuses another try after so many failures.
pub fn check_failures(failures: i64) -> Result<()> {
    if failures < MAX_FAILURES {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::ResourceExhausted,
        "TOO_MANY_TRIES",
        "too many sign-ins with this name have failed: wait a quarter of an hour",
    )
    .with("retry_after_seconds", FAILURE_WINDOW.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["ann", "li.wei-2", "000"] {
            assert!(user_name("user_name", good).is_ok(), "{good}");
        }
        for bad in ["ab", "Ann", "a b c", "李伟啊", "a_b_c", &"a".repeat(65)] {
            assert!(user_name("user_name", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_roles_of_staff_are_given_and_each_once() {
        let given = roles("roles", [Role::Finance, Role::Therapist, Role::Finance]);
        assert_eq!(given.ok(), Some(vec![Role::Therapist, Role::Finance]));
        for role in [Role::Member, Role::Service, Role::Partner] {
            assert!(roles("roles", [Role::Finance, role]).is_err(), "{role}");
        }
        assert!(roles("roles", []).is_err());
    }

    #[test]
    fn who_works_in_a_store_has_one() {
        let store = Some(StoreId::new(Timestamp::UNIX_EPOCH));
        for role in [Role::Therapist, Role::FrontDesk, Role::StoreManager] {
            assert!(check_store("store", &[role], None).is_err(), "{role}");
            assert!(check_store("store", &[role], store).is_ok(), "{role}");
        }
        assert!(check_store("store", &[Role::RegionalManager, Role::Administrator], None).is_ok());
    }

    #[test]
    fn the_eleventh_try_is_refused() {
        assert!(check_failures(9).is_ok());
        assert_eq!(check_failures(10).map_err(|error| error.reason()), Err("TOO_MANY_TRIES"));
    }
}
