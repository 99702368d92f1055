//! Who calls, and whether a thing is theirs to see.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use kernel::{
    Error, ErrorKind, Result,
    ids::{MemberId, StaffId, StoreId},
};
use proto::access::Role;

/// The caller of an RPC, as its token said. Clones share the mark of [`Caller::see_own`].
#[derive(Debug, Clone)]
pub struct Caller {
    subject: Arc<str>,
    kind: CallerKind,
    roles: Arc<[Role]>,
    owner_checked: Arc<AtomicBool>,
}

/// What sort of caller it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallerKind {
    /// Nobody signed in: only public RPCs.
    Anonymous,
    /// A customer, who sees only what is theirs.
    Member(MemberId),
    /// Somebody who works for the chain.
    Staff {
        /// Who.
        id: StaffId,
        /// The one store that they are bound to; `None` for those who work for the whole chain.
        store: Option<StoreId>,
    },
    /// Another service of the suite, by name.
    Service(Arc<str>),
}

impl Caller {
    /// Nobody.
    pub fn anonymous() -> Self {
        Self::new("anonymous".into(), CallerKind::Anonymous, Vec::new())
    }

    /// A customer.
    pub fn for_member(id: MemberId) -> Self {
        Self::new(id.name(), CallerKind::Member(id), vec![Role::Member])
    }

    /// Somebody who works for the chain. The roles of customers and services are not theirs to have and are dropped.
    pub fn for_staff(id: StaffId, roles: impl IntoIterator<Item = Role>, store: Option<StoreId>) -> Self {
        let roles = roles.into_iter().filter(|role| !matches!(role, Role::Member | Role::Service)).collect();
        Self::new(id.name(), CallerKind::Staff { id, store }, roles)
    }

    /// A service of the suite, such as `booking`; also for what a worker does by itself.
    pub fn for_service(name: &str) -> Self {
        Self::new(format!("services/{name}"), CallerKind::Service(name.into()), vec![Role::Service])
    }

    fn new(subject: String, kind: CallerKind, roles: Vec<Role>) -> Self {
        Self { subject: subject.into(), kind, roles: roles.into(), owner_checked: Arc::default() }
    }

    /// The resource name: `members/<uuid>`, `staff/<uuid>`, `services/<name>` or `anonymous`. For idempotency and audit.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What sort of caller it is.
    pub fn kind(&self) -> &CallerKind {
        &self.kind
    }

    /// The roles that access rules are checked against.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Whether the caller has the role.
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Another service of the suite.
    pub fn is_service(&self) -> bool {
        matches!(self.kind, CallerKind::Service(_))
    }

    /// The customer, if it is one.
    pub fn member(&self) -> Option<MemberId> {
        match self.kind {
            CallerKind::Member(id) => Some(id),
            _ => None,
        }
    }

    /// The one store that a staff member is bound to.
    pub fn bound_store(&self) -> Option<StoreId> {
        match self.kind {
            CallerKind::Staff { store, .. } if !self.has_role(Role::Administrator) => store,
            _ => None,
        }
    }

    /// The data rule: may the caller touch a thing that belongs to `owner` and lies in `store`?
    ///
    /// A member: only what they own; anything else is `NotFound`, so that they don't learn that it exists. Staff bound
    /// to a store: what lies there and what lies in no store (`None`); else `PermissionDenied`. Services,
    /// administrators and staff of the whole chain: everything.
    ///
    /// Every RPC whose access rule has a data scope must call this before it answers; [`crate::unary`] checks it.
    pub fn see_own(&self, owner: Option<MemberId>, store: Option<StoreId>) -> Result<()> {
        match &self.kind {
            CallerKind::Anonymous => {
                return Err(Error::unauthenticated("TOKEN_MISSING", "sign in first"));
            }
            CallerKind::Member(member) if owner != Some(*member) => return Err(hidden()),
            CallerKind::Staff { .. } => {
                if let (Some(bound), Some(store)) = (self.bound_store(), store)
                    && bound != store
                {
                    return Err(Error::new(
                        ErrorKind::PermissionDenied,
                        "OTHER_STORE",
                        "this belongs to a store that you don't work for",
                    )
                    .with("your_store", bound));
                }
            }
            CallerKind::Member(_) | CallerKind::Service(_) => {}
        }
        self.owner_checked.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether [`Caller::see_own`] has said yes in this call.
    pub(crate) fn owner_checked(&self) -> bool {
        self.owner_checked.load(Ordering::Relaxed)
    }
}

/// What a member learns of a thing that isn't there and of one that is another's: the same.
pub(crate) fn hidden() -> Error {
    Error::new(ErrorKind::NotFound, "NOT_FOUND", "there is no such thing, or it isn't yours")
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;

    use super::*;

    fn refusal(caller: &Caller, owner: Option<MemberId>, store: Option<StoreId>) -> Option<ErrorKind> {
        caller.see_own(owner, store).err().map(|error| error.kind())
    }

    #[test]
    fn a_member_sees_only_their_own() {
        let (me, other) = (MemberId::new(Timestamp::UNIX_EPOCH), MemberId::new(Timestamp::UNIX_EPOCH));
        let caller = Caller::for_member(me);
        assert_eq!(refusal(&caller, Some(other), None), Some(ErrorKind::NotFound));
        assert_eq!(refusal(&caller, None, None), Some(ErrorKind::NotFound));
        assert!(!caller.owner_checked());
        assert_eq!(refusal(&caller, Some(me), None), None);
        assert!(caller.clone().owner_checked());
    }

    #[test]
    fn bound_staff_stay_in_their_store() {
        let at = Timestamp::UNIX_EPOCH;
        let (here, there) = (StoreId::new(at), StoreId::new(at));
        let desk = Caller::for_staff(StaffId::new(at), [Role::FrontDesk], Some(here));
        assert_eq!(refusal(&desk, None, Some(here)), None);
        assert_eq!(refusal(&desk, Some(MemberId::new(at)), None), None);
        assert_eq!(refusal(&desk, None, Some(there)), Some(ErrorKind::PermissionDenied));
        let region = Caller::for_staff(StaffId::new(at), [Role::RegionalManager], None);
        assert_eq!(refusal(&region, None, Some(there)), None);
        let admin = Caller::for_staff(StaffId::new(at), [Role::Administrator], Some(here));
        assert_eq!(refusal(&admin, None, Some(there)), None);
    }

    #[test]
    fn staff_cannot_pose_as_a_service() {
        let staff = Caller::for_staff(StaffId::new(Timestamp::UNIX_EPOCH), [Role::Service, Role::Finance], None);
        assert_eq!(staff.roles(), [Role::Finance]);
        assert!(!staff.is_service());
    }

    #[test]
    fn nobody_owns_nothing() {
        assert_eq!(refusal(&Caller::anonymous(), None, None), Some(ErrorKind::Unauthenticated));
        assert_eq!(refusal(&Caller::for_service("payment"), None, None), None);
    }
}
