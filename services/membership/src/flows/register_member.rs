//! Makes somebody a member.

use kernel::{
    Error, ErrorKind, Money, Result, Timestamp,
    ids::{MemberId, StoreId},
};
use pg::Tx;
use proto::membership::v1 as pb;

use super::{
    check_code::check_code,
    once::{self, Once},
    profile,
    publish::publish,
    signing_keys,
    tokens::{self, Holder},
};
use crate::{
    App, db,
    domain::{
        member::{Member, Person, Profile},
        session::Owner,
        tier::Tier,
    },
    rpc::convert::{Sight, to_member, to_tier},
    secrets,
};

/// Somebody who is to become a member.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// Who.
    pub person: Person,
    /// The store through which he came.
    pub store: Option<StoreId>,
    /// The version of the terms that he accepts.
    pub terms_version: String,
}

/// Makes a member of whoever holds the phone, and signs him in.
pub async fn register_member(app: &App, once: &Once, new: NewMember, code: &str) -> Result<pb::SignInResponse> {
    check_terms(app, &new.terms_version)?;
    let signer = signing_keys::signer(app).await?;
    let index = secrets::phone_index(&app.vault, &new.person.phone);
    let mut tx = app.pg.begin().await?;
    db::lock::digest(&mut tx, &index).await?;
    // Only now: whoever waited in line comes after what he waited for.
    let now = app.clock.now();
    if let Some(reply) = once::answered(app, &mut tx, once).await? {
        return Ok(reply);
    }
    let (mut tx, code) = check_code(app, tx, &index, code, now).await?;
    let profile = enrol(app, &mut tx, new, &index, now).await?;
    db::code::used(&mut tx, code, now).await?;
    let owner = Owner::Member(profile.member.id);
    let member = Some(to_member(&profile, Sight::Clear));
    let holder = Holder { owner, roles: Vec::new(), store: None, member };
    let (session, reply) = tokens::open(app, &mut tx, &signer, holder, now).await?;
    once::keep(app, &mut tx, once, owner.uuid(), Some(session), &reply, now).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn enrol(app: &App, tx: &mut Tx, new: NewMember, index: &[u8; 32], now: Timestamp) -> Result<Profile> {
    let mut member = Member {
        id: MemberId::new(now),
        store: new.store,
        tier: Tier::Member,
        tier_low_since: None,
        tier_review_time: None,
        create_time: now,
        version: 0,
    };
    let registered = pb::MemberRegistered {
        member: member.id.name(),
        store: new.store.map(StoreId::name).unwrap_or_default(),
        tier: to_tier(member.tier).into(),
    };
    publish(tx, &mut member, &registered, now).await?;
    let key = app.vault.create_key(tx, now, member.id.uuid()).await?;
    let sealed = profile::seal(&key, &member, &new.person)?;
    if !db::member::insert(tx, &member, &sealed, index, &new.terms_version).await? {
        return Err(Error::new(
            ErrorKind::AlreadyExists,
            "PHONE_REGISTERED",
            "this phone belongs to a member: sign in with the same code",
        ));
    }
    let rolling_spend = Money::zero(app.policy.currency()?);
    Ok(Profile { member, person: Some(new.person), points: 0, rolling_spend })
}

fn check_terms(app: &App, accepted: &str) -> Result<()> {
    let current = &app.policy.terms_version;
    if accepted == current {
        return Ok(());
    }
    Err(Error::invalid("terms_version", format!("must be {current}, the version in force, which the person accepts")))
}
