//! Wire ↔ domain of what customers say of therapists.

use kernel::{Result, ids::TherapistId};
use proto::booking::v1::{self as pb, therapist_preference::Liking};

use crate::domain::assignment::history::Preference;

/// What is said of whom; `None` takes back what was said.
pub fn preference(preference: &pb::TherapistPreference) -> Result<(TherapistId, Option<Preference>)> {
    let liking = match preference.liking() {
        Liking::Unspecified => None,
        Liking::Favourite => Some(Preference::Favourite),
        Liking::Avoided => Some(Preference::Avoided),
    };
    Ok((TherapistId::parse_name("preference.therapist", &preference.therapist)?, liking))
}

/// What is said of a therapist, for the wire.
pub fn to_preference(therapist: TherapistId, preference: Option<Preference>) -> pb::TherapistPreference {
    let liking = match preference {
        None => Liking::Unspecified,
        Some(Preference::Favourite) => Liking::Favourite,
        Some(Preference::Avoided) => Liking::Avoided,
    };
    pb::TherapistPreference { therapist: therapist.name(), liking: liking.into() }
}
