//! What membership tells of members.

use kernel::ids::MemberId;
use pg::PgConnection;

use crate::domain::tier::Tier;

/// A member's tier; the lowest if nothing was heard of him yet.
#[tracing::instrument(name = "db.member_profile.tier", skip_all)]
pub async fn tier(conn: &mut PgConnection, member: MemberId) -> pg::Result<Tier> {
    let word = sqlx::query_scalar!("select tier from member_profile where member_id = $1", member.uuid())
        .fetch_optional(conn)
        .await?;
    let Some(word) = word else { return Ok(Tier::default()) };
    Tier::parse(&word).ok_or_else(|| pg::Error::inconsistent("member_profile", member, "unknown tier"))
}

/// Notes a member's tier as of `version`, unless a later version is known.
#[tracing::instrument(name = "db.member_profile.note", skip_all)]
pub async fn note(conn: &mut PgConnection, member: MemberId, tier: Tier, version: i64) -> pg::Result<()> {
    sqlx::query!(
        "insert into member_profile (member_id, tier, version) values ($1, $2, $3)
         on conflict (member_id) do update set tier = excluded.tier, version = excluded.version
         where member_profile.version < excluded.version",
        member.uuid(),
        tier.as_str(),
        version,
    )
    .execute(conn)
    .await?;
    Ok(())
}
