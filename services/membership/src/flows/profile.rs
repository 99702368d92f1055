//! Putting together what a reader sees of members.

use std::collections::HashMap;

use kernel::{Money, Result, Timestamp, Uuid};
use pg::{
    PgConnection,
    vault::{Column, OwnerKey},
};

use crate::{
    App,
    db::{self, member::Sealed},
    domain::{
        member::{Member, Person, Profile},
        phone::Phone,
        tier::SPEND_WINDOW,
    },
};

const PHONE: Column = Column { table: "member", column: "sealed_phone" };
const DISPLAY_NAME: Column = Column { table: "member", column: "sealed_display_name" };

/// Seals who a member is.
pub(super) fn seal(key: &OwnerKey, member: &Member, person: &Person) -> pg::Result<Sealed> {
    let row = member.id.uuid();
    Ok(Sealed {
        phone: key.seal(PHONE, row, person.phone.as_str())?,
        display_name: key.seal(DISPLAY_NAME, row, &person.display_name)?,
    })
}

/// Reads who a member is.
pub(super) fn unseal(key: &OwnerKey, member: &Member, sealed: &Sealed) -> Result<Person> {
    let row = member.id.uuid();
    let phone = key.unseal(PHONE, row, &sealed.phone)?;
    Ok(Person {
        phone: Phone::parse("phone", &phone)
            .map_err(|_| pg::Error::inconsistent("member", row, "its phone is none"))?,
        display_name: key.unseal(DISPLAY_NAME, row, &sealed.display_name)?,
    })
}

/// Members with points, spend, and who they are.
pub(super) async fn profiles(
    app: &App,
    conn: &mut PgConnection,
    members: Vec<(Member, Sealed)>,
    now: Timestamp,
) -> Result<Vec<Profile>> {
    let ids: Vec<Uuid> = members.iter().map(|(member, _)| member.id.uuid()).collect();
    let currency = app.policy.currency()?;
    let keys = app.vault.open_many(conn, &ids).await?;
    let points: HashMap<_, _> = db::points::balances(conn, &ids, now).await?.into_iter().collect();
    let spend = db::purchase::spend(conn, &ids, currency, now - SPEND_WINDOW).await?;
    let spend: HashMap<_, _> = spend.into_iter().collect();
    members
        .into_iter()
        .map(|(member, sealed)| {
            let key = keys.get(&member.id.uuid());
            Ok(Profile {
                person: key.map(|key| unseal(key, &member, &sealed)).transpose()?,
                points: points.get(&member.id).copied().unwrap_or(0),
                rolling_spend: Money::new(spend.get(&member.id).copied().unwrap_or(0), currency),
                member,
            })
        })
        .collect()
}

/// The same for one.
pub(super) async fn profile(
    app: &App,
    conn: &mut PgConnection,
    member: (Member, Sealed),
    now: Timestamp,
) -> Result<Option<Profile>> {
    Ok(profiles(app, conn, vec![member], now).await?.pop())
}
