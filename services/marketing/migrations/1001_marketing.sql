-- Prices with their reductions, coupons, and texts to single people.

-- What membership tells of a member.
create table member_profile (
    member_id uuid   not null primary key,
    tier      text   not null check (tier in ('MEMBER', 'SILVER', 'GOLD', 'PLATINUM')),
    version   bigint not null
);

-- What booking tells of a visit: its newest state by version.
create table visit (
    booking_id  uuid   not null primary key,
    customer_id uuid   not null,
    state       text   not null,
    version     bigint not null
);
create index visit_completed on visit (customer_id) where state = 'COMPLETED';

-- A member's right to a reduction. One of a sort for each member.
create table coupon (
    id           uuid        not null primary key,
    customer_id  uuid        not null,
    code         text        not null,
    basis_points integer     not null check (basis_points between 1 and 10000),
    state        text        not null check (state in ('AVAILABLE', 'RESERVED', 'REDEEMED')),
    -- What it is reserved or redeemed for, and since when.
    quote_id     uuid,
    use_time     timestamptz,
    create_time  timestamptz not null,
    expire_time  timestamptz not null,
    version      bigint      not null,
    constraint coupon_one_each unique (code, customer_id),
    constraint coupon_use check ((state = 'AVAILABLE') = (quote_id is null) and (quote_id is null) = (use_time is null))
);
create index coupon_by_customer on coupon (customer_id, create_time, id);
create index coupon_reserved on coupon (use_time) where state = 'RESERVED';

create table quote (
    id               uuid        not null primary key,
    customer_id      uuid        not null,
    item_id          uuid        not null,
    store_id         uuid        not null,
    currency         char(3)     not null,
    list_price_minor bigint      not null check (list_price_minor >= 0),
    price_minor      bigint      not null check (price_minor between 0 and list_price_minor),
    -- The coupon that the price was reckoned with.
    coupon_id        uuid        references coupon,
    -- The booking that was made with it, once heard of.
    booking_id       uuid,
    create_time      timestamptz not null
);
alter table coupon add constraint coupon_quote foreign key (quote_id) references quote;

create table quote_adjustment (
    quote_id     uuid     not null references quote,
    position     integer  not null,
    code         text     not null,
    applied      boolean  not null,
    amount_minor bigint   not null check (amount_minor >= 0),
    explanation  text     not null,
    coupon_id    uuid,
    primary key (quote_id, position),
    constraint quote_adjustment_amount check (applied or amount_minor = 0)
);

-- Bookings whose price was kept although the coupon behind it had gone to another visit in the meantime.
create table coupon_overrun (
    quote_id     uuid        not null primary key references quote,
    coupon_id    uuid        not null references coupon,
    customer_id  uuid        not null,
    booking_id   uuid        not null,
    currency     char(3)     not null,
    amount_minor bigint      not null check (amount_minor >= 0),
    create_time  timestamptz not null,
    -- When the booking was given up after all, or got the coupon after all.
    void_time    timestamptz
);

-- Texts to single people. The body is sealed by the key of `key_owner`: the member, or for others one per phone number.
create table message (
    id          uuid        not null primary key,
    customer_id uuid,
    kind        text        not null,
    booking_id  uuid,
    start_time  timestamptz,
    send_time   timestamptz not null,
    state       text        not null check (state in ('SCHEDULED', 'SENT', 'CANCELLED', 'FAILED')),
    key_owner   uuid        not null,
    body        bytea       not null,
    -- The way it went, once it is sent.
    channel     text,
    -- Why it failed or was called back, a word for programs.
    reason      text,
    create_time timestamptz not null,
    constraint message_once unique (booking_id, kind, start_time),
    constraint message_visit check ((booking_id is null) = (start_time is null)),
    constraint message_channel check ((state = 'SENT') = (channel is not null))
);
create index message_by_customer on message (customer_id, send_time, id);

-- The demo channel: where messages end up instead of on a phone. The phone number is there as a blind index only.
create table mailbox (
    message_id   uuid        not null primary key,
    phone_index  bytea       not null check (octet_length(phone_index) = 32),
    kind         text        not null,
    body         bytea       not null,
    receive_time timestamptz not null
);
create index mailbox_by_phone on mailbox (phone_index, receive_time, message_id);
