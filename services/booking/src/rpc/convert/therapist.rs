//! Therapists.

use kernel::{
    Error, Result, Timestamp,
    ids::{StoreId, TherapistId},
};
use proto::booking::v1 as pb;
use rpc::convert::to_timestamp;

use super::{
    View,
    time::{date, to_date},
};
use crate::domain::{
    catalog::{Certificate, Sex, Therapist},
    etag,
};

/// The weight of whoever works full time.
const FULL_TIME: i32 = 100;

/// A new therapist.
pub fn therapist(therapist: pb::Therapist, now: Timestamp) -> Result<Therapist> {
    let hire_date = therapist.hire_date.as_ref();
    Ok(Therapist {
        id: TherapistId::new(now),
        store: StoreId::parse_name("therapist.store", &therapist.store)?,
        sex: sex(therapist.sex()).unwrap_or(Sex::Unspecified),
        hire_date: hire_date.map(|day| date("therapist.hire_date", Some(day))).transpose()?,
        display_name: therapist.display_name,
        grade: i16::try_from(therapist.grade).unwrap_or(1),
        skills: therapist.skills,
        languages: therapist.languages,
        photo: therapist.photo,
        rating: rating(therapist.rating_hundredths)?,
        weight: i16::try_from(therapist.weight.unwrap_or(FULL_TIME)).unwrap_or_default(),
        certificates: certificates(therapist.certificates)?,
        version: 1,
        create_time: now,
        retire_time: None,
    })
}

/// The validation rules have seen that it is not above five stars.
fn rating(hundredths: i32) -> Result<Option<i16>> {
    match hundredths {
        0 => Ok(None),
        100.. => Ok(i16::try_from(hundredths).ok()),
        _ => Err(Error::invalid("therapist.rating_hundredths", "must be 100 to 500, or 0 if nobody gave any")),
    }
}

fn certificates(certificates: Vec<pb::Certificate>) -> Result<Vec<Certificate>> {
    let mut all: Vec<Certificate> = Vec::with_capacity(certificates.len());
    for (index, certificate) in certificates.into_iter().enumerate() {
        let field = format!("therapist.certificates[{index}]");
        if let Some(other) = all.iter().position(|other| other.kind == certificate.kind) {
            let text = format!("is that of therapist.certificates[{other}]; leave out the older one");
            return Err(Error::invalid(format!("{field}.kind"), text));
        }
        let expire_date = certificate.expire_date.as_ref();
        let expire_date = expire_date.map(|day| date(&format!("{field}.expire_date"), Some(day))).transpose()?;
        all.push(Certificate { kind: certificate.kind, number: certificate.number, expire_date });
    }
    all.sort_by(|a, b| a.kind.cmp(&b.kind));
    Ok(all)
}

/// A sex that is wished for; `None` for any.
pub fn sex(sex: pb::Sex) -> Option<Sex> {
    match sex {
        pb::Sex::Unspecified => None,
        pb::Sex::Female => Some(Sex::Female),
        pb::Sex::Male => Some(Sex::Male),
    }
}

/// A sex for the wire.
pub fn to_sex(sex: Sex) -> pb::Sex {
    match sex {
        Sex::Unspecified => pb::Sex::Unspecified,
        Sex::Female => pb::Sex::Female,
        Sex::Male => pb::Sex::Male,
    }
}

/// A therapist for the wire.
pub fn to_therapist(therapist: &Therapist, view: View) -> pb::Therapist {
    let staff = view == View::Staff;
    let certificate = |certificate: &Certificate| pb::Certificate {
        kind: certificate.kind.clone(),
        number: if staff { certificate.number.clone() } else { String::new() },
        expire_date: certificate.expire_date.map(to_date),
    };
    pb::Therapist {
        name: therapist.id.name(),
        store: therapist.store.name(),
        display_name: therapist.display_name.clone(),
        sex: to_sex(therapist.sex).into(),
        grade: i32::from(therapist.grade),
        skills: therapist.skills.clone(),
        etag: etag::etag(therapist.version),
        retire_time: therapist.retire_time.map(to_timestamp),
        languages: therapist.languages.clone(),
        photo: therapist.photo.clone(),
        rating_hundredths: therapist.rating.map(i32::from).unwrap_or_default(),
        weight: staff.then_some(i32::from(therapist.weight)),
        certificates: therapist.certificates.iter().map(certificate).collect(),
        hire_date: therapist.hire_date.filter(|_| staff).map(to_date),
    }
}
