//! The waitlist: entries and what was offered to them.

use kernel::{
    Timestamp, Uuid,
    ids::{BookingId, ItemId, MemberId, PackageId, StoreId, TherapistId, WaitlistEntryId},
};
use pg::PgConnection;

use super::{
    catalog::{sex, sex_code},
    sql,
};
use crate::domain::{
    booking::Channel,
    chosen::Choice,
    visit::Wish,
    waitlist::{Entry, State},
};

/// Which entries a list shows; every condition that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// At this store.
    pub store: Option<StoreId>,
    /// Of this customer.
    pub customer: Option<MemberId>,
    /// In one of these states; in any if empty.
    pub states: Vec<State>,
}

/// Stores an entry that was just made.
#[tracing::instrument(name = "db.waitlist_entry.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, entry: &Entry) -> pg::Result<()> {
    let (item, add_ons, package) = match &entry.choice {
        Choice::Item(item, add_ons) => (Some(item.uuid()), add_ons.iter().map(|item| item.uuid()).collect(), None),
        Choice::Package(package) => (None, Vec::new(), Some(package.uuid())),
    };
    sqlx::query!(
        "insert into waitlist_entry (id, store_id, customer_id, item_id, add_on_ids, package_id, therapist_id, sex,
                                     min_grade, language, channel, start_time, end_time, state, booking_id,
                                     passed_count, create_time, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        entry.id.uuid(),
        entry.store.uuid(),
        entry.customer.uuid(),
        item,
        &add_ons,
        package,
        entry.wish.therapist.map(TherapistId::uuid),
        entry.wish.sex.map(sex_code),
        entry.wish.min_grade,
        entry.wish.language,
        entry.channel.as_str(),
        sql(entry.start_time) as _,
        sql(entry.end_time) as _,
        entry.state.as_str(),
        entry.booking.map(BookingId::uuid),
        entry.passed_count,
        sql(entry.create_time) as _,
        entry.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores what a transition changed. The row must have been read by [`lock`] in this transaction.
#[tracing::instrument(name = "db.waitlist_entry.save", skip_all)]
pub async fn save(conn: &mut PgConnection, entry: &Entry) -> pg::Result<()> {
    let saved = sqlx::query!(
        "update waitlist_entry set state = $2, booking_id = $3, passed_count = $4, version = $5
         where id = $1 and version = $5::bigint - 1",
        entry.id.uuid(),
        entry.state.as_str(),
        entry.booking.map(BookingId::uuid),
        entry.passed_count,
        entry.version,
    )
    .execute(conn)
    .await?;
    if saved.rows_affected() != 1 {
        return Err(pg::Error::inconsistent("waitlist_entry", entry.id, "changed although it was locked"));
    }
    Ok(())
}

/// Reads an entry.
#[tracing::instrument(name = "db.waitlist_entry.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: WaitlistEntryId) -> pg::Result<Option<Entry>> {
    let row = sqlx::query_as!(Row, "select * from waitlist_entry where id = $1", id.uuid());
    row.fetch_optional(conn).await?.map(Entry::try_from).transpose()
}

/// Reads an entry and keeps others from changing it until the transaction ends. To be called after bookings were locked.
#[tracing::instrument(name = "db.waitlist_entry.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: WaitlistEntryId) -> pg::Result<Option<Entry>> {
    let row = sqlx::query_as!(Row, "select * from waitlist_entry where id = $1 for update", id.uuid());
    row.fetch_optional(conn).await?.map(Entry::try_from).transpose()
}

/// The same for the entry to which a booking was offered.
#[tracing::instrument(name = "db.waitlist_entry.lock_offered", skip_all)]
pub async fn lock_offered(conn: &mut PgConnection, booking: BookingId) -> pg::Result<Option<Entry>> {
    let row = sqlx::query_as!(
        Row,
        "select e.* from waitlist_entry e join waitlist_offer o on o.entry_id = e.id
         where o.booking_id = $1 for update of e",
        booking.uuid(),
    );
    row.fetch_optional(conn).await?.map(Entry::try_from).transpose()
}

/// Lists entries by the time of joining, the earliest first.
#[tracing::instrument(name = "db.waitlist_entry.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<Entry>> {
    let states: Vec<String> = filter.states.iter().map(|state| state.as_str().to_owned()).collect();
    let (joined, last) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select * from waitlist_entry
         where ($1::uuid is null or store_id = $1)
           and ($2::uuid is null or customer_id = $2)
           and (cardinality($3::text[]) = 0 or state = any($3))
           and ($4::timestamptz is null or (create_time, id) > ($4, $5::uuid))
         order by create_time, id limit $6",
        filter.store.map(StoreId::uuid),
        filter.customer.map(MemberId::uuid),
        &states,
        joined.map(sql) as _,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// Whoever waits at a store for a start in `from..to`, in the order in which offers are made.
#[tracing::instrument(name = "db.waitlist_entry.line", skip_all)]
pub async fn line(conn: &mut PgConnection, store: StoreId, from: Timestamp, to: Timestamp) -> pg::Result<Vec<Entry>> {
    let rows = sqlx::query_as!(
        Row,
        "select * from waitlist_entry
         where store_id = $1 and state = 'WAITING' and start_time < $3 and end_time > $2
         order by passed_count, create_time, id",
        store.uuid(),
        sql(from) as _,
        sql(to) as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// How many are before each of these in line, for starts that overlap with theirs.
#[tracing::instrument(name = "db.waitlist_entry.ahead", skip_all)]
pub async fn ahead(conn: &mut PgConnection, entries: &[Uuid]) -> pg::Result<Vec<(Uuid, i64)>> {
    let rows = sqlx::query!(
        r#"select e.id, (select count(*) from waitlist_entry o
                         where o.store_id = e.store_id and o.state = 'WAITING'
                           and o.start_time < e.end_time and o.end_time > e.start_time
                           and (o.passed_count, o.create_time, o.id) < (e.passed_count, e.create_time, e.id))
                        as "ahead!"
           from waitlist_entry e where e.id = any($1) and e.state = 'WAITING'"#,
        entries,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.ahead)).collect())
}

/// The entries of a customer that still count: he waits or is offered something.
#[tracing::instrument(name = "db.waitlist_entry.open", skip_all)]
pub async fn open(conn: &mut PgConnection, customer: MemberId) -> pg::Result<Vec<Entry>> {
    let rows = sqlx::query_as!(
        Row,
        "select * from waitlist_entry where customer_id = $1 and state in ('WAITING', 'OFFERED')",
        customer.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// Entries that wait for times that are past by `now`, with when they ended, the earliest first, those after `after`.
#[tracing::instrument(name = "db.waitlist_entry.over", skip_all)]
pub async fn over(
    conn: &mut PgConnection,
    now: Timestamp,
    after: Option<(Timestamp, WaitlistEntryId)>,
    limit: i64,
) -> pg::Result<Vec<(Timestamp, WaitlistEntryId)>> {
    let (since, last) = after.unzip();
    let rows = sqlx::query!(
        "select id, end_time from waitlist_entry where state = 'WAITING' and end_time <= $1
           and ($2::timestamptz is null or (end_time, id) > ($2, $3::uuid))
         order by end_time, id limit $4",
        sql(now) as _,
        since.map(sql) as _,
        last.map(WaitlistEntryId::uuid),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.end_time.to_jiff(), WaitlistEntryId::from_uuid(row.id))).collect())
}

/// When an entry can't be offered anything between `from` and `to`: its customer has a visit, or it let an offer pass.
#[tracing::instrument(name = "db.waitlist_entry.closed", skip_all)]
pub async fn closed(
    conn: &mut PgConnection,
    entry: &Entry,
    from: Timestamp,
    to: Timestamp,
) -> pg::Result<Vec<(Timestamp, Timestamp)>> {
    let rows = sqlx::query!(
        r#"select start_time as "start_time!", end_time as "end_time!" from booking
           where customer_id = $1 and start_time < $4 and end_time > $3
             and state in ('HELD', 'AWAITING_PAYMENT', 'CONFIRMED', 'CHECKED_IN', 'IN_SERVICE')
           union all
           select start_time, end_time from waitlist_offer
           where entry_id = $2 and start_time < $4 and end_time > $3"#,
        entry.customer.uuid(),
        entry.id.uuid(),
        sql(from) as _,
        sql(to) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.start_time.to_jiff(), row.end_time.to_jiff())).collect())
}

/// Notes that a booking is offered to an entry.
#[tracing::instrument(name = "db.waitlist_offer.insert", skip_all)]
pub async fn insert_offer(
    conn: &mut PgConnection,
    entry: WaitlistEntryId,
    booking: BookingId,
    (start, end): (Timestamp, Timestamp),
    now: Timestamp,
) -> pg::Result<()> {
    sqlx::query!(
        "insert into waitlist_offer (booking_id, entry_id, start_time, end_time, create_time)
         values ($1, $2, $3, $4, $5)",
        booking.uuid(),
        entry.uuid(),
        sql(start) as _,
        sql(end) as _,
        sql(now) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes how an offer ended: it was taken, or let pass.
#[tracing::instrument(name = "db.waitlist_offer.end", skip_all)]
pub async fn end_offer(conn: &mut PgConnection, booking: BookingId, taken: bool) -> pg::Result<()> {
    let outcome = if taken { "TAKEN" } else { "PASSED" };
    sqlx::query!("update waitlist_offer set outcome = $2 where booking_id = $1", booking.uuid(), outcome)
        .execute(conn)
        .await?;
    Ok(())
}

/// Stores at which somebody waits and whose roster was edited since [`seen`], with its present version.
#[tracing::instrument(name = "db.waitlist_roster.edited", skip_all)]
pub async fn edited(conn: &mut PgConnection) -> pg::Result<Vec<(StoreId, i64)>> {
    let rows = sqlx::query!(
        "select s.id, s.roster_version from store s left join waitlist_roster r on r.store_id = s.id
         where r.version is distinct from s.roster_version
           and exists (select from waitlist_entry e where e.store_id = s.id and e.state = 'WAITING')",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (StoreId::from_uuid(row.id), row.roster_version)).collect())
}

/// Notes that the line of a store was looked at after its roster had come to this version.
#[tracing::instrument(name = "db.waitlist_roster.seen", skip_all)]
pub async fn seen(conn: &mut PgConnection, store: StoreId, version: i64) -> pg::Result<()> {
    sqlx::query!(
        "insert into waitlist_roster (store_id, version) values ($1, $2)
         on conflict (store_id) do update set version = greatest(waitlist_roster.version, excluded.version)",
        store.uuid(),
        version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Row {
    id: Uuid,
    store_id: Uuid,
    customer_id: Uuid,
    item_id: Option<Uuid>,
    add_on_ids: Vec<Uuid>,
    package_id: Option<Uuid>,
    therapist_id: Option<Uuid>,
    sex: Option<i16>,
    min_grade: Option<i16>,
    language: Option<String>,
    channel: String,
    start_time: jiff_sqlx::Timestamp,
    end_time: jiff_sqlx::Timestamp,
    state: String,
    booking_id: Option<Uuid>,
    passed_count: i32,
    create_time: jiff_sqlx::Timestamp,
    version: i64,
}

impl TryFrom<Row> for Entry {
    type Error = pg::Error;

    fn try_from(row: Row) -> pg::Result<Self> {
        let wrong = |what: &'static str| pg::Error::inconsistent("waitlist_entry", row.id, what);
        let choice = match (row.item_id, row.package_id) {
            (Some(item), None) => {
                Choice::Item(ItemId::from_uuid(item), row.add_on_ids.iter().copied().map(ItemId::from_uuid).collect())
            }
            (None, Some(package)) => Choice::Package(PackageId::from_uuid(package)),
            _ => return Err(wrong("neither an item nor a package")),
        };
        let wish = Wish {
            therapist: row.therapist_id.map(TherapistId::from_uuid),
            sex: row.sex.map(|code| sex(code).ok_or_else(|| wrong("unknown sex"))).transpose()?,
            min_grade: row.min_grade,
            language: row.language,
        };
        Ok(Self {
            id: WaitlistEntryId::from_uuid(row.id),
            store: StoreId::from_uuid(row.store_id),
            customer: MemberId::from_uuid(row.customer_id),
            choice,
            wish,
            channel: Channel::parse(&row.channel)
                .ok_or_else(|| pg::Error::inconsistent("waitlist_entry", row.id, "unknown channel"))?,
            start_time: row.start_time.to_jiff(),
            end_time: row.end_time.to_jiff(),
            state: State::parse(&row.state)
                .ok_or_else(|| pg::Error::inconsistent("waitlist_entry", row.id, "unknown state"))?,
            booking: row.booking_id.map(BookingId::from_uuid),
            passed_count: row.passed_count,
            create_time: row.create_time.to_jiff(),
            version: row.version,
        })
    }
}
