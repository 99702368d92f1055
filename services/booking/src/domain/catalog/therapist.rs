//! Therapists.

use jiff::civil::Date;
use kernel::{
    Timestamp,
    ids::{StoreId, TherapistId},
};

/// A person's sex, for customers who wish for a woman or a man.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sex {
    /// Not stated.
    #[default]
    Unspecified,
    /// A woman.
    Female,
    /// A man.
    Male,
}

/// Somebody who gives treatments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Therapist {
    /// His id.
    pub id: TherapistId,
    /// Where he works.
    pub store: StoreId,
    /// The name that customers see.
    pub display_name: String,
    /// His sex.
    pub sex: Sex,
    /// 1 (junior) to 5 (master).
    pub grade: i16,
    /// What he can do.
    pub skills: Vec<String>,
    /// What he speaks: BCP 47 tags.
    pub languages: Vec<String>,
    /// Address of a picture; may be empty.
    pub photo: String,
    /// Mean of what customers gave, in hundredths of a star, 100–500; `None` if nobody gave any.
    pub rating: Option<i16>,
    /// Share of the work where it is given out by weights, in hundredths of a full-time colleague's.
    pub weight: i16,
    /// What he has proved, by kind.
    pub certificates: Vec<Certificate>,
    /// When he was hired.
    pub hire_date: Option<Date>,
    /// Counts the edits, from 1.
    pub version: i64,
    /// When he was entered.
    pub create_time: Timestamp,
    /// When he left.
    pub retire_time: Option<Timestamp>,
}

/// Proof of a qualification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// What it proves.
    pub kind: String,
    /// Its number; may be empty.
    pub number: String,
    /// The last day on which it is valid; `None` is for ever.
    pub expire_date: Option<Date>,
}

impl Therapist {
    /// Whether he can give what needs this skill and, if any, a certificate of this kind on that day.
    pub fn can_give(&self, skill: &str, certificate: Option<&str>, day: Date) -> bool {
        let valid = |kind: &str| {
            let known = self.certificates.iter().find(|known| known.kind == kind);
            known.is_some_and(|known| known.expire_date.is_none_or(|last| day <= last))
        };
        self.skills.iter().any(|known| known == skill) && certificate.is_none_or(valid)
    }
}
