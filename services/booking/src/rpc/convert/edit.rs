//! What an update wants to change (AIP-134), and who gets to see what.
//!
//! An edit is read at the edge and carried out by a flow: under its lock the flow hands over the present content, gets it
//! back with the named fields changed, checked as a whole, and stores that.

use kernel::{Error, Result};
use prost_types::FieldMask;
use proto::{Validate, booking::v1 as pb};
use rpc::{Caller, CallerKind, convert::field_mask};

/// How much of a resource is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// What the chain publishes.
    Public,
    /// All of it, for those who run it.
    Staff,
}

impl View {
    /// What the caller gets to see.
    pub fn of(caller: &Caller) -> Self {
        match caller.kind() {
            CallerKind::Anonymous | CallerKind::Member(_) => Self::Public,
            CallerKind::Staff { .. } | CallerKind::Service(_) => Self::Staff,
        }
    }
}

/// A resource of which fields can be changed.
pub trait Editable: Validate + Clone {
    /// The field of a request that holds it.
    const FIELD: &'static str;
    /// What can be changed.
    const FIELDS: &'static [&'static str];

    /// Its resource name.
    fn name(&self) -> &str;

    /// The etag that came with it.
    fn etag(&self) -> &str;

    /// Takes over one of [`Editable::FIELDS`].
    fn take(&mut self, from: &Self, field: &str);
}

macro_rules! editable {
    ($message:ident, $name:literal: $($field:ident)+) => {
        impl Editable for pb::$message {
            const FIELD: &'static str = $name;
            const FIELDS: &'static [&'static str] = &[$(stringify!($field)),+];

            fn name(&self) -> &str {
                &self.name
            }

            fn etag(&self) -> &str {
                &self.etag
            }

            fn take(&mut self, from: &Self, field: &str) {
                $(if field == stringify!($field) {
                    self.$field.clone_from(&from.$field);
                })+
            }
        }
    };
}

editable!(Store, "store": display_name address position time_zone opening_hours special_days photos licences policy
    cancellation_tiers);
editable!(Item, "item": display_name description category duration_minutes preparation_minutes cleanup_minutes price
    skill room_kind equipment_kind photos phases prices add_on_to certificate cancellations);
editable!(Therapist, "therapist": display_name sex grade skills languages photo rating_hundredths weight certificates
    hire_date);
editable!(Room, "room": display_name kind parent position);
editable!(Package, "package": display_name description photos items gap_limit_minutes one_therapist price);

/// Which fields of a resource are to become what.
#[derive(Debug, Clone)]
pub struct Edit<M> {
    /// What the resource is to be like in the named fields.
    wanted: M,
    /// The fields.
    pub fields: Vec<&'static str>,
}

impl<M: Editable> Edit<M> {
    /// Reads an update. Fails with `InvalidArgument` if the resource is missing, or the mask names what can't be changed.
    pub fn new(wanted: Option<&M>, mask: Option<&FieldMask>) -> Result<Self> {
        let wanted = wanted.cloned().ok_or_else(|| Error::invalid(M::FIELD, "must be given"))?;
        Ok(Self { wanted, fields: field_mask("update_mask", mask, M::FIELDS)? })
    }

    /// Which resource is to be changed.
    pub fn name(&self) -> &str {
        self.wanted.name()
    }

    /// What it was made from; may be empty.
    pub fn etag(&self) -> &str {
        self.wanted.etag()
    }

    /// The present content with the changes. Fails with `InvalidArgument` if the whole breaks a rule.
    pub fn onto(&self, mut present: M) -> Result<M> {
        for field in &self.fields {
            present.take(&self.wanted, field);
        }
        rpc::validate_as(M::FIELD, &present)?;
        Ok(present)
    }
}
