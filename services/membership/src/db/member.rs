//! Members.

use kernel::{
    Timestamp, Uuid,
    ids::{MemberId, StoreId},
};
use pg::PgConnection;

use super::{jiff, sql};
use crate::domain::{member::Member, tier::Tier};

/// A member's personal data as they are stored.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The phone.
    pub phone: Vec<u8>,
    /// The form of address.
    pub display_name: Vec<u8>,
}

/// Stores a member who has just registered. False if the phone is another's.
#[tracing::instrument(name = "db.member.insert", skip_all)]
pub async fn insert(
    conn: &mut PgConnection,
    member: &Member,
    sealed: &Sealed,
    phone_index: &[u8; 32],
    terms_version: &str,
) -> pg::Result<bool> {
    let done = sqlx::query!(
        "insert into member (id, phone_index, sealed_phone, sealed_display_name, store_id, terms_version, tier,
                             create_time, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (phone_index) do nothing",
        member.id.uuid(),
        phone_index.as_slice(),
        sealed.phone,
        sealed.display_name,
        member.store.map(StoreId::uuid),
        terms_version,
        member.tier.as_str(),
        sql(member.create_time) as _,
        member.version,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whose phone it is.
#[tracing::instrument(name = "db.member.by_phone", skip_all)]
pub async fn by_phone(conn: &mut PgConnection, phone_index: &[u8; 32]) -> pg::Result<Option<MemberId>> {
    let id = sqlx::query_scalar!("select id from member where phone_index = $1", phone_index.as_slice())
        .fetch_optional(conn)
        .await?;
    Ok(id.map(MemberId::from_uuid))
}

/// Reads a member.
#[tracing::instrument(name = "db.member.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: MemberId) -> pg::Result<Option<(Member, Sealed)>> {
    let row = sqlx::query_as!(
        Row,
        "select id, sealed_phone, sealed_display_name, store_id, tier, tier_low_since, tier_review_time, create_time,
                version
         from member where id = $1",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::read).transpose()
}

/// Reads a member and keeps others from changing him or his points until the transaction ends.
#[tracing::instrument(name = "db.member.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: MemberId) -> pg::Result<Option<Member>> {
    let row = sqlx::query_as!(
        Row,
        "select id, sealed_phone, sealed_display_name, store_id, tier, tier_low_since, tier_review_time, create_time,
                version
         from member where id = $1 for update",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Row::read).transpose()?.map(|(member, _)| member))
}

/// Stores what may change of a member whom [`lock`] has read.
#[tracing::instrument(name = "db.member.save", skip_all)]
pub async fn save(conn: &mut PgConnection, member: &Member) -> pg::Result<()> {
    sqlx::query!(
        "update member set tier = $2, tier_low_since = $3, tier_review_time = $4, version = $5 where id = $1",
        member.id.uuid(),
        member.tier.as_str(),
        member.tier_low_since.map(sql) as _,
        member.tier_review_time.map(sql) as _,
        member.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists members by time of registration, the newest first.
#[tracing::instrument(name = "db.member.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    phone_index: Option<&[u8; 32]>,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<(Member, Sealed)>> {
    let (time, last) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, sealed_phone, sealed_display_name, store_id, tier, tier_low_since, tier_review_time, create_time,
                version
         from member
         where ($1::bytea is null or phone_index = $1)
           and ($2::timestamptz is null or (create_time, id) < ($2, $3::uuid))
         order by create_time desc, id desc limit $4",
        phone_index.map(|index| index.as_slice()),
        time.map(sql) as _,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Members whose tier is to be looked at by `now`, the longest due first.
#[tracing::instrument(name = "db.member.due_for_review", skip_all)]
pub async fn due_for_review(conn: &mut PgConnection, now: Timestamp, limit: i64) -> pg::Result<Vec<MemberId>> {
    let ids = sqlx::query_scalar!(
        "select id from member where tier_review_time <= $1 order by tier_review_time limit $2",
        sql(now) as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(MemberId::from_uuid).collect())
}

struct Row {
    id: Uuid,
    sealed_phone: Vec<u8>,
    sealed_display_name: Vec<u8>,
    store_id: Option<Uuid>,
    tier: String,
    tier_low_since: Option<jiff_sqlx::Timestamp>,
    tier_review_time: Option<jiff_sqlx::Timestamp>,
    create_time: jiff_sqlx::Timestamp,
    version: i64,
}

impl Row {
    fn read(self) -> pg::Result<(Member, Sealed)> {
        let member = Member {
            id: MemberId::from_uuid(self.id),
            store: self.store_id.map(StoreId::from_uuid),
            tier: Tier::parse(&self.tier).ok_or_else(|| pg::Error::inconsistent("member", self.id, "unknown tier"))?,
            tier_low_since: jiff(self.tier_low_since),
            tier_review_time: jiff(self.tier_review_time),
            create_time: self.create_time.to_jiff(),
            version: self.version,
        };
        Ok((member, Sealed { phone: self.sealed_phone, display_name: self.sealed_display_name }))
    }
}
