-- Members, their sign-in, points and tiers, and the accounts of staff.
-- Columns named sealed_* hold personal data or secrets under a key of vault_key; *_index is a keyed blind index.

create table member (
    id                  uuid        not null primary key,
    phone_index         bytea       not null check (octet_length(phone_index) = 32),
    sealed_phone        bytea       not null,
    sealed_display_name bytea       not null,
    store_id            uuid,
    terms_version       text        not null,
    tier                text        not null,
    -- Since when his spend has been too low for the tier.
    tier_low_since      timestamptz,
    -- When the tier is looked at again; null for the first tier, below which there is none.
    tier_review_time    timestamptz,
    create_time         timestamptz not null,
    -- The version of the newest event about him.
    version             bigint      not null,
    constraint member_phone unique (phone_index)
);
create index member_by_time on member (create_time desc, id desc);
create index member_tier_review on member (tier_review_time) where tier_review_time is not null;

-- One-time codes. The code itself is nowhere: it is derived from the salt by the master key.
create table one_time_code (
    id          uuid        not null primary key,
    request_id  uuid        not null,
    phone_index bytea       not null,
    salt        bytea       not null check (octet_length(salt) = 32),
    create_time timestamptz not null,
    expire_time timestamptz not null,
    -- Null until the message service has taken the message; until then the code is void.
    send_time   timestamptz,
    use_time    timestamptz,
    try_count   integer     not null default 0 check (try_count between 0 and 5),
    constraint one_time_code_request unique (request_id)
);
create index one_time_code_by_phone on one_time_code (phone_index, create_time desc);
create index one_time_code_by_time on one_time_code (create_time);

create table staff (
    id                  uuid        not null primary key,
    user_name           text        not null,
    sealed_display_name bytea       not null,
    -- A PHC string of Argon2id.
    password_hash       text        not null,
    roles               text[]      not null check (cardinality(roles) > 0),
    store_id            uuid,
    create_time         timestamptz not null,
    constraint staff_user_name unique (user_name)
);

-- Failed sign-ins of the last minutes, by a blind index: people type passwords into the wrong field.
create table sign_in_failure (
    id              uuid        not null primary key,
    user_name_index bytea       not null,
    create_time     timestamptz not null
);
create index sign_in_failure_by_name on sign_in_failure (user_name_index, create_time);
create index sign_in_failure_by_time on sign_in_failure (create_time);

-- A signed-in session: a family of refresh tokens, of which one is good at a time.
create table session (
    id          uuid        not null primary key,
    owner_kind  text        not null check (owner_kind in ('MEMBER', 'STAFF')),
    owner_id    uuid        not null,
    create_time timestamptz not null,
    expire_time timestamptz not null,
    end_time    timestamptz,
    end_reason  text,
    constraint session_end check ((end_time is null) = (end_reason is null))
);
create index session_by_expiry on session (expire_time);

create table refresh_token (
    -- SHA-256 of the 256 random bits of the token.
    hash        bytea       not null primary key check (octet_length(hash) = 32),
    session_id  uuid        not null references session on delete cascade,
    create_time timestamptz not null,
    expire_time timestamptz not null,
    use_time    timestamptz
);
create index refresh_token_by_session on refresh_token (session_id);

-- Answers that hold secrets or personal data, kept for repeated requests under the owner's key. The fingerprint is
-- keyed: a plain digest of a request with a phone number or a password in it could be guessed.
create table sealed_reply (
    caller       text        not null,
    request_id   uuid        not null,
    fingerprint  bytea       not null check (octet_length(fingerprint) = 32),
    owner_id     uuid        not null,
    session_id   uuid        references session on delete cascade,
    sealed_reply bytea       not null,
    create_time  timestamptz not null,
    primary key (caller, request_id)
);
create index sealed_reply_by_session on sealed_reply (session_id);

-- Keys that sign access tokens. The newest active one signs; each is published until its last token is out.
create table signing_key (
    kid                text        not null primary key,
    -- The owner of its key in vault_key.
    id                 uuid        not null unique,
    public_key         bytea       not null check (octet_length(public_key) = 32),
    -- Null once it signs no more.
    sealed_private_key bytea,
    create_time        timestamptz not null,
    activate_time      timestamptz not null,
    -- From when on tokens of it are refused; null while no other is to take over.
    retire_time        timestamptz
);

-- What a member's orders count for. Net is what was paid and not given back, at most the total.
create table purchase (
    order_id       uuid        not null primary key,
    member_id      uuid        not null references member,
    store_id       uuid        not null,
    currency       char(3)     not null,
    total_minor    bigint      not null check (total_minor >= 0),
    net_minor      bigint      not null check (net_minor between 0 and total_minor),
    -- The version of the order that net_minor is of.
    order_version  bigint      not null,
    -- Points per 100 major units when it was paid.
    points_rate    integer     not null check (points_rate >= 0),
    points_earned  bigint      not null default 0 check (points_earned >= 0),
    points_revoked bigint      not null default 0 check (points_revoked between 0 and points_earned),
    -- Null if a refund became known before the payment.
    pay_time       timestamptz
);
create index purchase_by_member on purchase (member_id, pay_time);

create table points_lot (
    id          uuid        not null primary key,
    member_id   uuid        not null references member,
    order_id    uuid        not null references purchase,
    earned      bigint      not null check (earned > 0),
    remaining   bigint      not null check (remaining between 0 and earned),
    expired     bigint      not null default 0 check (expired between 0 and earned - remaining),
    create_time timestamptz not null,
    expire_time timestamptz not null,
    constraint points_lot_order unique (order_id)
);
create index points_lot_open on points_lot (member_id, expire_time) where remaining > 0;
create index points_lot_expiry on points_lot (expire_time) where remaining > 0;

create table points_entry (
    id          uuid        not null primary key,
    member_id   uuid        not null references member,
    lot_id      uuid        not null references points_lot,
    order_id    uuid        not null,
    kind        text        not null check (kind in ('EARNED', 'REVOKED', 'EXPIRED')),
    points      bigint      not null,
    create_time timestamptz not null,
    expire_time timestamptz,
    constraint points_entry_sign check ((points > 0) = (kind = 'EARNED') and points <> 0)
);
create index points_entry_by_member on points_entry (member_id, create_time desc, id desc);

create trigger points_entry_append_only before update or delete or truncate on points_entry
    for each statement execute function refuse_change();
