//! Stores.

use jiff::{civil::Date, tz::TimeZone};
use kernel::{Currency, Error, Result, Timestamp, ids::StoreId};
use proto::{
    booking::v1 as pb,
    google::r#type::{DayOfWeek, LatLng},
};
use rpc::convert::to_timestamp;

use super::{
    View,
    time::{date, span_of_day, to_date, to_end_of_span, to_time_of_day},
};
use crate::domain::{
    catalog::{Store, StoreDetails},
    etag,
    geo::Position,
    hours::{self, OpeningHours, SpecialDay},
    licence::{Licence, LicenceKind, LicenceState},
    policy::{AssignmentPolicy, CancellationTier, OwnPolicy, order_tiers},
};

/// A new store.
pub fn store(store: pb::Store, now: Timestamp) -> Result<(Store, StoreDetails)> {
    hours::time_zone("store.time_zone", &store.time_zone)?;
    let mut opening_hours = store
        .opening_hours
        .iter()
        .enumerate()
        .map(|(index, hours)| opening_hours(&format!("store.opening_hours[{index}]"), hours))
        .collect::<Result<Vec<_>>>()?;
    hours::check(&opening_hours)?;
    opening_hours.sort_unstable_by_key(|hours| (hours.day, hours.open_minute));
    let special_days = store
        .special_days
        .into_iter()
        .enumerate()
        .map(|(index, day)| special_day(&format!("store.special_days[{index}]"), day))
        .collect::<Result<_>>()?;
    let details = StoreDetails {
        licences: licences(store.licences)?,
        policy: store.policy.as_ref().map(policy).unwrap_or_default(),
        cancellation: order_tiers("store.cancellation_tiers", tiers(&store.cancellation_tiers))?,
    };
    let store = Store {
        id: StoreId::new(now),
        display_name: store.display_name,
        address: store.address,
        position: store.position.map(|at| position("store.position", at)).transpose()?,
        time_zone: store.time_zone,
        special_days: hours::order_special_days(&opening_hours, special_days)?,
        opening_hours,
        currency: Currency::parse("store.currency_code", &store.currency_code)?,
        photos: store.photos,
        version: 1,
        create_time: now,
    };
    Ok((store, details))
}

/// The point and radius in metres of a search by distance.
pub fn near(point: Option<LatLng>, radius_meters: i32) -> Result<Option<(Position, i32)>> {
    const DEFAULT: i32 = 10_000;
    match (point, radius_meters) {
        (None, 0) => Ok(None),
        (None, _) => Err(Error::invalid("radius_meters", "needs near: say around which point")),
        (Some(at), 0) => Ok(Some((position("near", at)?, DEFAULT))),
        (Some(at), radius) => Ok(Some((position("near", at)?, radius))),
    }
}

fn position(field: &str, position: LatLng) -> Result<Position> {
    let LatLng { latitude, longitude } = position;
    if !(-90.0..=90.0).contains(&latitude) {
        return Err(Error::invalid(format!("{field}.latitude"), "must be from -90 to 90 degrees"));
    }
    if !(-180.0..=180.0).contains(&longitude) {
        return Err(Error::invalid(format!("{field}.longitude"), "must be from -180 to 180 degrees"));
    }
    Ok((latitude, longitude))
}

fn opening_hours(field: &str, hours: &pb::OpeningHours) -> Result<OpeningHours> {
    let (open_minute, close_minute) = span_of_day(
        (format!("{field}.open_time"), hours.open_time.as_ref()),
        (format!("{field}.close_time"), hours.close_time.as_ref()),
    )?;
    Ok(OpeningHours { day: i16::try_from(hours.day).unwrap_or_default(), open_minute, close_minute })
}

fn special_day(field: &str, day: pb::SpecialDay) -> Result<SpecialDay> {
    let span = |(index, hours): (usize, &pb::OpenSpan)| {
        span_of_day(
            (format!("{field}.hours[{index}].open_time"), hours.open_time.as_ref()),
            (format!("{field}.hours[{index}].close_time"), hours.close_time.as_ref()),
        )
    };
    Ok(SpecialDay {
        date: date(&format!("{field}.date"), day.date.as_ref())?,
        hours: day.hours.iter().enumerate().map(span).collect::<Result<_>>()?,
        note: day.note,
    })
}

fn licences(licences: Vec<pb::Licence>) -> Result<Vec<Licence>> {
    let mut all: Vec<Licence> = Vec::with_capacity(licences.len());
    for (index, licence) in licences.into_iter().enumerate() {
        let field = format!("store.licences[{index}]");
        let kind =
            LicenceKind::ALL.into_iter().map(|(kind, _)| kind).find(|kind| to_licence_kind(*kind) == licence.kind());
        let kind = kind.ok_or_else(|| Error::invalid(format!("{field}.kind"), "must be given"))?;
        if let Some(other) = all.iter().position(|other| other.kind == kind && other.number == licence.number) {
            let text = format!("is that of store.licences[{other}]; leave one out");
            return Err(Error::invalid(format!("{field}.number"), text));
        }
        let expire_date = date(&format!("{field}.expire_date"), licence.expire_date.as_ref())?;
        all.push(Licence { kind, number: licence.number, expire_date });
    }
    // As they are read back: whatever lapses first comes first.
    all.sort_by(|a, b| {
        let key = |licence: &Licence| (licence.expire_date, licence.kind.as_str());
        key(a).cmp(&key(b)).then_with(|| a.number.cmp(&b.number))
    });
    Ok(all)
}

/// The tiers of a cancellation as they came in.
pub(super) fn tiers(tiers: &[pb::CancellationTier]) -> Vec<CancellationTier> {
    let tier = |tier: &pb::CancellationTier| CancellationTier {
        notice_minutes: i64::from(tier.notice_minutes),
        fee_basis_points: u32::try_from(tier.fee_basis_points).unwrap_or_default(),
    };
    tiers.iter().map(tier).collect()
}

/// The tiers of a cancellation for the wire.
pub(super) fn to_tiers(tiers: &[CancellationTier]) -> Vec<pb::CancellationTier> {
    let tier = |tier: &CancellationTier| pb::CancellationTier {
        notice_minutes: i32::try_from(tier.notice_minutes).unwrap_or(i32::MAX),
        fee_basis_points: i32::try_from(tier.fee_basis_points).unwrap_or(i32::MAX),
    };
    tiers.iter().map(tier).collect()
}

fn policy(policy: &pb::StorePolicy) -> OwnPolicy {
    let known = AssignmentPolicy::ALL.into_iter().map(|(known, _)| known);
    OwnPolicy {
        assignment: { known }.find(|known| to_assignment(*known) == policy.assignment()),
        hold_minutes: policy.hold_minutes,
        hold_limit_minutes: policy.hold_limit_minutes,
        lead_minutes: policy.lead_minutes,
        no_show_grace_minutes: policy.no_show_grace_minutes,
        waitlist_offer_minutes: policy.waitlist_offer_minutes,
        max_minutes_in_row: policy.max_minutes_in_row,
        max_minutes_per_day: policy.max_minutes_per_day,
        rest_minutes: policy.rest_minutes,
        partner_quota: policy.partner_quota,
        check_in_minutes: policy.check_in_minutes,
    }
}

fn to_policy(policy: &OwnPolicy) -> pb::StorePolicy {
    pb::StorePolicy {
        assignment: policy.assignment.map(to_assignment).unwrap_or_default().into(),
        hold_minutes: policy.hold_minutes,
        hold_limit_minutes: policy.hold_limit_minutes,
        lead_minutes: policy.lead_minutes,
        no_show_grace_minutes: policy.no_show_grace_minutes,
        waitlist_offer_minutes: policy.waitlist_offer_minutes,
        max_minutes_in_row: policy.max_minutes_in_row,
        max_minutes_per_day: policy.max_minutes_per_day,
        rest_minutes: policy.rest_minutes,
        partner_quota: policy.partner_quota,
        check_in_minutes: policy.check_in_minutes,
    }
}

fn to_assignment(policy: AssignmentPolicy) -> pb::store_policy::Assignment {
    use pb::store_policy::Assignment as Pb;
    match policy {
        AssignmentPolicy::LeastWork => Pb::LeastWork,
        AssignmentPolicy::Rotation => Pb::Rotation,
        AssignmentPolicy::WeightedFairness => Pb::WeightedFairness,
        AssignmentPolicy::Preference => Pb::Preference,
        AssignmentPolicy::Rating => Pb::Rating,
        AssignmentPolicy::LeastFragmentation => Pb::LeastFragmentation,
    }
}

/// A store for the wire, as it is at `now`.
pub fn to_store(store: &Store, details: &StoreDetails, view: View, now: Timestamp) -> pb::Store {
    let zone = TimeZone::get(&store.time_zone).unwrap_or(TimeZone::UTC);
    let today = now.to_zoned(zone).date();
    let policy = Some(&details.policy).filter(|policy| view == View::Staff && !policy.is_empty());
    pb::Store {
        name: store.id.name(),
        display_name: store.display_name.clone(),
        address: store.address.clone(),
        position: store.position.map(|(latitude, longitude)| LatLng { latitude, longitude }),
        time_zone: store.time_zone.clone(),
        opening_hours: store.opening_hours.iter().map(to_opening_hours).collect(),
        currency_code: store.currency.code().to_owned(),
        create_time: Some(to_timestamp(store.create_time)),
        etag: etag::etag(store.version),
        special_days: store.special_days.iter().map(to_special_day).collect(),
        photos: store.photos.clone(),
        licences: details.licences.iter().map(|licence| to_licence(licence, today)).collect(),
        licence_warning: details.licences.iter().any(|licence| licence.state(today) != LicenceState::Valid),
        policy: policy.map(to_policy),
        cancellation_tiers: to_tiers(&details.cancellation),
        distance_meters: None,
    }
}

fn to_opening_hours(hours: &OpeningHours) -> pb::OpeningHours {
    pb::OpeningHours {
        day: DayOfWeek::try_from(i32::from(hours.day)).unwrap_or_default().into(),
        open_time: Some(to_time_of_day(hours.open_minute)),
        close_time: Some(to_end_of_span(hours.close_minute)),
    }
}

fn to_special_day(day: &SpecialDay) -> pb::SpecialDay {
    let span = |&(open, close): &(i16, i16)| pb::OpenSpan {
        open_time: Some(to_time_of_day(open)),
        close_time: Some(to_end_of_span(close)),
    };
    pb::SpecialDay {
        date: Some(to_date(day.date)),
        hours: day.hours.iter().map(span).collect(),
        note: day.note.clone(),
    }
}

fn to_licence(licence: &Licence, today: Date) -> pb::Licence {
    use pb::licence::State as Pb;
    let state = match licence.state(today) {
        LicenceState::Valid => Pb::Valid,
        LicenceState::Lapsing => Pb::Lapsing,
        LicenceState::Lapsed => Pb::Lapsed,
    };
    pb::Licence {
        kind: to_licence_kind(licence.kind).into(),
        number: licence.number.clone(),
        expire_date: Some(to_date(licence.expire_date)),
        state: state.into(),
    }
}

/// What a licence allows, for the wire.
pub fn to_licence_kind(kind: LicenceKind) -> pb::licence::Kind {
    use pb::licence::Kind as Pb;
    match kind {
        LicenceKind::Business => Pb::Business,
        LicenceKind::Hygiene => Pb::Hygiene,
        LicenceKind::Fire => Pb::Fire,
        LicenceKind::Other => Pb::Other,
    }
}
