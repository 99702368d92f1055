//! Therapists with their certificates.

use kernel::{
    Uuid,
    ids::{StoreId, TherapistId},
};
use pg::PgConnection;
use serde::Deserialize;
use sqlx::types::Json;

use super::{AfterName, date};
use crate::{
    db::{sql, sql_date},
    domain::catalog::{Certificate, Sex, Therapist},
};

/// Which therapists are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct TherapistFilter {
    /// Only those who work here.
    pub store: Option<StoreId>,
    /// Also those who work here no longer.
    pub retired: bool,
}

/// Stores a new therapist. Violates `therapist_store_id_fkey` if there is no such store.
#[tracing::instrument(name = "db.therapist.insert", skip_all)]
pub async fn insert_therapist(conn: &mut PgConnection, therapist: &Therapist) -> pg::Result<()> {
    sqlx::query!(
        "insert into therapist (id, store_id, display_name, sex, grade, skills, languages, photo, rating,
                                weight, hire_date, version, create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        therapist.id.uuid(),
        therapist.store.uuid(),
        therapist.display_name,
        sex_code(therapist.sex),
        therapist.grade,
        &therapist.skills,
        &therapist.languages,
        therapist.photo,
        therapist.rating,
        therapist.weight,
        therapist.hire_date.map(sql_date) as _,
        therapist.version,
        sql(therapist.create_time) as _,
    )
    .execute(&mut *conn)
    .await?;
    insert_certificates(conn, therapist).await
}

/// Stores the new content of a therapist.
#[tracing::instrument(name = "db.therapist.update", skip_all)]
pub async fn update_therapist(conn: &mut PgConnection, therapist: &Therapist) -> pg::Result<()> {
    sqlx::query!(
        "update therapist set display_name = $2, sex = $3, grade = $4, skills = $5, languages = $6, photo = $7,
                              rating = $8, weight = $9, hire_date = $10, version = $11, retire_time = $12
         where id = $1",
        therapist.id.uuid(),
        therapist.display_name,
        sex_code(therapist.sex),
        therapist.grade,
        &therapist.skills,
        &therapist.languages,
        therapist.photo,
        therapist.rating,
        therapist.weight,
        therapist.hire_date.map(sql_date) as _,
        therapist.version,
        therapist.retire_time.map(sql) as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("delete from therapist_certificate where therapist_id = $1", therapist.id.uuid())
        .execute(&mut *conn)
        .await?;
    insert_certificates(conn, therapist).await
}

async fn insert_certificates(conn: &mut PgConnection, therapist: &Therapist) -> pg::Result<()> {
    for certificate in &therapist.certificates {
        sqlx::query!(
            "insert into therapist_certificate (therapist_id, kind, number, expire_date) values ($1, $2, $3, $4)",
            therapist.id.uuid(),
            certificate.kind,
            certificate.number,
            certificate.expire_date.map(sql_date) as _,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Reads a therapist.
#[tracing::instrument(name = "db.therapist.get", skip_all)]
pub async fn get_therapist(conn: &mut PgConnection, id: TherapistId) -> pg::Result<Option<Therapist>> {
    let all = TherapistFilter { store: None, retired: true };
    Ok(therapists(conn, Some(&[id]), all, None, 1).await?.pop())
}

/// Reads those of the therapists that exist, by name.
#[tracing::instrument(name = "db.therapist.get_all", skip_all)]
pub async fn get_therapists(conn: &mut PgConnection, ids: &[TherapistId]) -> pg::Result<Vec<Therapist>> {
    let all = TherapistFilter { store: None, retired: true };
    therapists(conn, Some(ids), all, None, i64::MAX).await
}

/// Lists therapists by name.
#[tracing::instrument(name = "db.therapist.list", skip_all)]
pub async fn list_therapists(
    conn: &mut PgConnection,
    filter: TherapistFilter,
    after: AfterName,
    limit: i64,
) -> pg::Result<Vec<Therapist>> {
    therapists(conn, None, filter, after, limit).await
}

#[derive(Debug, Deserialize)]
struct CertificateRow {
    kind: String,
    number: String,
    expire_date: Option<String>,
}

async fn therapists(
    conn: &mut PgConnection,
    ids: Option<&[TherapistId]>,
    filter: TherapistFilter,
    after: AfterName,
    limit: i64,
) -> pg::Result<Vec<Therapist>> {
    let ids: Option<Vec<Uuid>> = ids.map(|ids| ids.iter().map(|id| id.uuid()).collect());
    let (name, last) = after.unzip();
    let rows = sqlx::query!(
        r#"select t.id, store_id, display_name, sex, grade, skills, languages, photo, rating, weight,
                  hire_date as "hire_date: jiff_sqlx::Date", version, create_time, retire_time,
                  coalesce((select json_agg(c order by c.kind collate "C") from therapist_certificate c where c.therapist_id = t.id),
                           '[]') as "certificates!: Json<Vec<CertificateRow>>"
           from therapist t
           where ($1::uuid[] is null or t.id = any($1)) and ($2::uuid is null or store_id = $2)
             and ($3 or retire_time is null) and ($4::text is null or (display_name, t.id) > ($4, $5::uuid))
           order by display_name, t.id limit $6"#,
        ids.as_deref(),
        filter.store.map(StoreId::uuid),
        filter.retired,
        name,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let certificate = |certificate: CertificateRow| {
                let expire_date = certificate.expire_date.as_deref();
                Ok(Certificate {
                    kind: certificate.kind,
                    number: certificate.number,
                    expire_date: expire_date.map(|text| date("therapist_certificate", row.id, text)).transpose()?,
                })
            };
            Ok(Therapist {
                id: TherapistId::from_uuid(row.id),
                store: StoreId::from_uuid(row.store_id),
                display_name: row.display_name,
                sex: sex(row.sex).ok_or_else(|| pg::Error::inconsistent("therapist", row.id, "unknown sex"))?,
                grade: row.grade,
                skills: row.skills,
                languages: row.languages,
                photo: row.photo,
                rating: row.rating,
                weight: row.weight,
                certificates: row.certificates.0.into_iter().map(certificate).collect::<pg::Result<_>>()?,
                hire_date: row.hire_date.map(jiff_sqlx::Date::to_jiff),
                version: row.version,
                create_time: row.create_time.to_jiff(),
                retire_time: row.retire_time.map(jiff_sqlx::Timestamp::to_jiff),
            })
        })
        .collect()
}

/// A sex as it is stored: ISO/IEC 5218.
pub fn sex_code(sex: Sex) -> i16 {
    match sex {
        Sex::Unspecified => 0,
        Sex::Male => 1,
        Sex::Female => 2,
    }
}

/// Reads a sex as it is stored.
pub fn sex(code: i16) -> Option<Sex> {
    [Sex::Unspecified, Sex::Male, Sex::Female].into_iter().find(|sex| sex_code(*sex) == code)
}
