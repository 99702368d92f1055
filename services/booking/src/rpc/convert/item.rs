//! Items.

use kernel::{
    Error, Result, Timestamp,
    ids::{ItemId, StoreId},
};
use proto::{booking::v1 as pb, google::r#type::DayOfWeek};
use rpc::convert::{money, to_money, to_timestamp};

use super::{
    optional,
    store::{tiers, to_tiers},
    text,
    time::{span_of_day, to_end_of_span, to_time_of_day},
};
use crate::domain::{
    catalog::{Item, ItemCancellation},
    etag,
    policy::order_tiers,
    pricing::{Daypart, PriceRule, check_prices},
    visit::{Phase, ResourceKind, check_phases},
};

/// A new item.
pub fn item(item: pb::Item, now: Timestamp) -> Result<(Item, Vec<ItemCancellation>)> {
    let price = money("item.price", item.price.as_ref())?;
    if price.is_negative() {
        return Err(Error::invalid("item.price", "must not be below 0"));
    }
    if item.equipment_kind == item.room_kind {
        return Err(Error::invalid("item.equipment_kind", "must be another kind than item.room_kind"));
    }
    for (field, minutes) in
        [("item.preparation_minutes", item.preparation_minutes), ("item.cleanup_minutes", item.cleanup_minutes)]
    {
        if !item.phases.is_empty() && minutes != 0 {
            return Err(Error::invalid(field, "must be 0, since item.phases say when the room is needed"));
        }
    }
    let prices = item.prices.iter().enumerate();
    let add_ons = item.add_on_to.iter().enumerate();
    let cancellations = item.cancellations.iter().enumerate();
    let mut cancellations = cancellations.map(|(index, of)| cancellation(index, of)).collect::<Result<Vec<_>>>()?;
    if let Some(index) = (1..cancellations.len())
        .find(|&index| cancellations[..index].iter().any(|other| other.store == cancellations[index].store))
    {
        let field = format!("item.cancellations[{index}].store");
        return Err(Error::invalid(field, "is named twice; join the tiers of a store"));
    }
    cancellations.sort_unstable_by_key(|of| of.store);
    let new = Item {
        id: ItemId::new(now),
        phases: item.phases.iter().map(phase).collect(),
        price,
        prices: prices
            .map(|(index, rule)| price_rule(&format!("item.prices[{index}]"), rule))
            .collect::<Result<_>>()?,
        add_on_to: add_ons
            .map(|(index, name)| ItemId::parse_name(&format!("item.add_on_to[{index}]"), name))
            .collect::<Result<_>>()?,
        display_name: item.display_name,
        description: item.description,
        category: item.category,
        photos: item.photos,
        duration_minutes: item.duration_minutes,
        preparation_minutes: item.preparation_minutes,
        cleanup_minutes: item.cleanup_minutes,
        skill: item.skill,
        certificate: text(&item.certificate),
        room_kind: item.room_kind,
        equipment_kind: text(&item.equipment_kind),
        version: 1,
        create_time: now,
        retire_time: None,
    };
    check_phases(&new)?;
    check_prices(&new)?;
    Ok((new, cancellations))
}

fn phase(phase: &pb::Phase) -> Phase {
    use pb::phase::Resource as Pb;
    Phase {
        resource: match phase.resource() {
            Pb::Unspecified | Pb::Therapist => ResourceKind::Therapist,
            Pb::Room => ResourceKind::Room,
            Pb::Equipment => ResourceKind::Equipment,
        },
        start: i64::from(phase.start_minutes),
        minutes: i64::from(phase.duration_minutes),
    }
}

fn price_rule(field: &str, rule: &pb::ItemPrice) -> Result<PriceRule> {
    Ok(PriceRule {
        store: optional(&rule.store, |name| StoreId::parse_name(&format!("{field}.store"), name))?,
        grade: i16::try_from(rule.grade).ok().filter(|grade| *grade > 0),
        daypart: rule.daypart.as_ref().map(|part| daypart(&format!("{field}.daypart"), part)).transpose()?,
        price: money(&format!("{field}.price"), rule.price.as_ref())?,
    })
}

/// A part of some days.
pub fn daypart(field: &str, daypart: &pb::Daypart) -> Result<Daypart> {
    let (start_minute, end_minute) = span_of_day(
        (format!("{field}.start_time"), daypart.start_time.as_ref()),
        (format!("{field}.end_time"), daypart.end_time.as_ref()),
    )?;
    let mut days: Vec<i16> = daypart.days.iter().filter_map(|day| i16::try_from(*day).ok()).collect();
    days.sort_unstable();
    days.dedup();
    Ok(Daypart { days, start_minute, end_minute })
}

fn cancellation(index: usize, of: &pb::ItemCancellation) -> Result<ItemCancellation> {
    let field = format!("item.cancellations[{index}]");
    Ok(ItemCancellation {
        store: StoreId::parse_name(&format!("{field}.store"), &of.store)?,
        tiers: order_tiers(&format!("{field}.tiers"), tiers(&of.tiers))?,
    })
}

/// An item for the wire.
pub fn to_item(item: &Item, cancellations: &[ItemCancellation]) -> pb::Item {
    pb::Item {
        name: item.id.name(),
        display_name: item.display_name.clone(),
        description: item.description.clone(),
        category: item.category.clone(),
        duration_minutes: item.duration_minutes,
        preparation_minutes: item.preparation_minutes,
        cleanup_minutes: item.cleanup_minutes,
        price: Some(to_money(item.price)),
        skill: item.skill.clone(),
        room_kind: item.room_kind.clone(),
        equipment_kind: item.equipment_kind.clone().unwrap_or_default(),
        etag: etag::etag(item.version),
        retire_time: item.retire_time.map(to_timestamp),
        photos: item.photos.clone(),
        phases: item.phases.iter().map(to_phase).collect(),
        prices: item.prices.iter().map(to_price).collect(),
        add_on_to: item.add_on_to.iter().map(|id| id.name()).collect(),
        certificate: item.certificate.clone().unwrap_or_default(),
        cancellations: cancellations
            .iter()
            .map(|of| pb::ItemCancellation { store: of.store.name(), tiers: to_tiers(&of.tiers) })
            .collect(),
    }
}

fn to_phase(phase: &Phase) -> pb::Phase {
    use pb::phase::Resource as Pb;
    let resource = match phase.resource {
        ResourceKind::Therapist => Pb::Therapist,
        ResourceKind::Room => Pb::Room,
        ResourceKind::Equipment => Pb::Equipment,
    };
    pb::Phase {
        resource: resource.into(),
        start_minutes: i32::try_from(phase.start).unwrap_or_default(),
        duration_minutes: i32::try_from(phase.minutes).unwrap_or_default(),
    }
}

fn to_price(rule: &PriceRule) -> pb::ItemPrice {
    let to_day = |day: &i16| DayOfWeek::try_from(i32::from(*day)).unwrap_or_default().into();
    pb::ItemPrice {
        store: rule.store.map(StoreId::name).unwrap_or_default(),
        grade: rule.grade.map(i32::from).unwrap_or_default(),
        daypart: rule.daypart.as_ref().map(|daypart| pb::Daypart {
            start_time: Some(to_time_of_day(daypart.start_minute)),
            end_time: Some(to_end_of_span(daypart.end_minute)),
            days: daypart.days.iter().map(to_day).collect(),
        }),
        price: Some(to_money(rule.price)),
    }
}
