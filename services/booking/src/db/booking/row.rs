//! Rows of bookings, and what becomes of them.

use std::collections::HashMap;

use kernel::{
    Uuid,
    ids::{BookingId, GroupId, ItemId, MemberId, PackageId, QuoteId, RoomId, StoreId, TherapistId},
};
use pg::PgConnection;

use crate::{
    db::{catalog::sex, money},
    domain::{
        booking::{Booking, Channel, Part, State},
        visit::Wish,
    },
};

/// A row as it is.
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) store_id: Uuid,
    pub(super) item_id: Uuid,
    pub(super) therapist_id: Uuid,
    pub(super) room_id: Uuid,
    pub(super) equipment_id: Option<Uuid>,
    pub(super) customer_id: Uuid,
    pub(super) start_time: jiff_sqlx::Timestamp,
    pub(super) end_time: jiff_sqlx::Timestamp,
    pub(super) state: String,
    pub(super) channel: String,
    pub(super) currency: String,
    pub(super) list_price_minor: i64,
    pub(super) price_minor: i64,
    pub(super) deposit_minor: i64,
    pub(super) quote_id: Option<Uuid>,
    pub(super) hold_expire_time: jiff_sqlx::Timestamp,
    pub(super) create_time: jiff_sqlx::Timestamp,
    pub(super) version: i64,
    #[expect(dead_code, reason = "read by given_up alone")]
    pub(super) given_up: bool,
    pub(super) package_id: Option<Uuid>,
    pub(super) group_id: Option<Uuid>,
    pub(super) add_on_ids: Vec<Uuid>,
    pub(super) extension_minutes: i32,
    pub(super) requested: bool,
    pub(super) assignment: String,
    pub(super) device: Option<String>,
    pub(super) partner: Option<String>,
    pub(super) hold_limit_time: Option<jiff_sqlx::Timestamp>,
    pub(super) overbook_reason: Option<String>,
    pub(super) wish_sex: Option<i16>,
    pub(super) wish_min_grade: Option<i16>,
    pub(super) wish_language: Option<String>,
    pub(super) least_fee_minor: i64,
}

impl TryFrom<Row> for Booking {
    type Error = pg::Error;

    fn try_from(row: Row) -> pg::Result<Self> {
        let price = |minor| money("booking", row.id, minor, &row.currency);
        let wrong = |what| pg::Error::inconsistent("booking", row.id, what);
        Ok(Self {
            id: BookingId::from_uuid(row.id),
            store: StoreId::from_uuid(row.store_id),
            item: ItemId::from_uuid(row.item_id),
            therapist: TherapistId::from_uuid(row.therapist_id),
            room: RoomId::from_uuid(row.room_id),
            equipment: row.equipment_id.map(RoomId::from_uuid),
            customer: MemberId::from_uuid(row.customer_id),
            start_time: row.start_time.to_jiff(),
            end_time: row.end_time.to_jiff(),
            state: state(row.id, &row.state)?,
            channel: Channel::parse(&row.channel).ok_or_else(|| wrong("unknown channel"))?,
            list_price: price(row.list_price_minor)?,
            price: price(row.price_minor)?,
            deposit: price(row.deposit_minor)?,
            quote: row.quote_id.map(QuoteId::from_uuid),
            hold_expire_time: row.hold_expire_time.to_jiff(),
            create_time: row.create_time.to_jiff(),
            version: row.version,
            package: row.package_id.map(PackageId::from_uuid),
            parts: Vec::new(),
            add_ons: row.add_on_ids.into_iter().map(ItemId::from_uuid).collect(),
            group: row.group_id.map(GroupId::from_uuid),
            extension_minutes: row.extension_minutes,
            requested: row.requested,
            assignment: row.assignment,
            device: row.device,
            partner: row.partner,
            // Holds made before there was a limit can't be prolonged.
            hold_limit_time: row.hold_limit_time.unwrap_or(row.hold_expire_time).to_jiff(),
            overbook_reason: row.overbook_reason,
            wish: Wish {
                therapist: None,
                sex: row.wish_sex.map(|code| sex(code).ok_or_else(|| wrong("unknown sex"))).transpose()?,
                min_grade: row.wish_min_grade,
                language: row.wish_language,
            },
            least_fee: price(row.least_fee_minor)?,
        })
    }
}

/// A state by its name.
pub(super) fn state(booking: Uuid, name: &str) -> pg::Result<State> {
    State::parse(name).ok_or_else(|| pg::Error::inconsistent("booking", booking, "unknown state"))
}

/// Reads the further parts of those bookings that have some.
async fn with_parts(conn: &mut PgConnection, mut bookings: Vec<Booking>) -> pg::Result<Vec<Booking>> {
    let ids: Vec<Uuid> = bookings.iter().filter(|b| b.package.is_some()).map(|b| b.id.uuid()).collect();
    if ids.is_empty() {
        return Ok(bookings);
    }
    let rows = sqlx::query!(
        "select booking_id, item_id, therapist_id, room_id, equipment_id, start_time, end_time from booking_part
         where booking_id = any($1) order by booking_id, ordinal",
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let mut parts: HashMap<Uuid, Vec<Part>> = HashMap::new();
    for row in rows {
        parts.entry(row.booking_id).or_default().push(Part {
            item: ItemId::from_uuid(row.item_id),
            therapist: TherapistId::from_uuid(row.therapist_id),
            room: RoomId::from_uuid(row.room_id),
            equipment: row.equipment_id.map(RoomId::from_uuid),
            start_time: row.start_time.to_jiff(),
            end_time: row.end_time.to_jiff(),
        });
    }
    for booking in &mut bookings {
        booking.parts = parts.remove(&booking.id.uuid()).unwrap_or_default();
    }
    Ok(bookings)
}

/// A booking with all its parts.
pub(super) async fn whole(conn: &mut PgConnection, row: Option<Row>) -> pg::Result<Option<Booking>> {
    let booking = row.map(Booking::try_from).transpose()?;
    Ok(with_parts(conn, booking.into_iter().collect()).await?.pop())
}

/// Bookings with all their parts.
pub(super) async fn whole_all(conn: &mut PgConnection, rows: Vec<Row>) -> pg::Result<Vec<Booking>> {
    let bookings = rows.into_iter().map(Booking::try_from).collect::<pg::Result<_>>()?;
    with_parts(conn, bookings).await
}
