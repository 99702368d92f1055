-- How therapists are found for those who name none: turn lists, credited work, and what customers prefer.

alter table therapist
    -- The share of work that he is to have beside the others of his store, where work goes by weight.
    add column if not exists weight integer not null default 100 check (weight > 0),
    -- What customers think of him, in hundredths of a star; null if nobody has said.
    add column if not exists rating smallint check (rating between 100 and 500);

-- What counts as a turn, and what a refusal costs; without a row a requested visit does not count and a refusal costs
-- the place.
create table rotation_rule (
    store_id         uuid     not null primary key references store,
    requested_counts boolean  not null,
    refusal          text     not null check (refusal in ('STAY', 'TO_END', 'TURNS')),
    refusal_turns    smallint not null check (refusal_turns between 0 and 100),
    constraint rotation_rule_turns check ((refusal = 'TURNS') = (refusal_turns > 0))
);

-- The turn list of a store (排钟), in its order: what its log comes to, kept in one row since every plan reads it.
create table rotation (
    store_id      uuid      not null primary key references store,
    -- The number of its last change.
    version       bigint    not null,
    therapist_ids uuid[]    not null,
    -- Beside each: he is passed over.
    skipped       boolean[] not null,
    constraint rotation_length check (cardinality(therapist_ids) = cardinality(skipped))
);

-- Every change of a turn list. It is only ever added to; the list can be made again from it.
create table rotation_log (
    store_id     uuid        not null references store,
    version      bigint      not null,
    cause        text        not null,
    therapist_id uuid        not null references therapist,
    -- From 1; null is off the list.
    place_before integer     check (place_before > 0),
    place_after  integer     check (place_after > 0),
    skipped      boolean     not null,
    booking_id   uuid        references booking,
    -- When the shift started by which he is on the list, or was taken off it: each shift puts him on the list once.
    shift_start  timestamptz,
    actor        text        not null,
    reason       text        not null,
    create_time  timestamptz not null,
    primary key (store_id, version)
);
create index rotation_log_by_shift on rotation_log (store_id, therapist_id, version desc)
    where cause in ('JOIN', 'LEAVE', 'SHIFT_START');

-- Nobody rewrites what was.
create function rotation_log_is_only_added_to() returns trigger language plpgsql as $$
begin
    raise exception 'rotation_log is only added to';
end $$;
create trigger rotation_log_only_added_to before update or delete on rotation_log
    for each row execute function rotation_log_is_only_added_to();

-- The work of a store that goes by weight: how far its clock has come, in millionths of a minute per unit of weight.
create table fairness_clock (
    store_id     uuid     not null primary key references store,
    version      bigint   not null,
    virtual_time bigint   not null,
    -- Where the therapists of the last visits stood, the oldest first.
    starts       bigint[] not null
);

-- How far each therapist has come: the minutes credited to him by his weight.
create table fairness (
    store_id     uuid   not null references store,
    therapist_id uuid   not null references therapist,
    virtual_time bigint not null,
    primary key (store_id, therapist_id)
);

-- What a visit counted for its therapist, so that it can be given back if the visit is given up before it begins.
create table assignment_credit (
    booking_id   uuid        not null references booking,
    therapist_id uuid        not null references therapist,
    store_id     uuid        not null references store,
    policy       text        not null check (policy in ('ROTATION', 'WEIGHTED_FAIRNESS')),
    requested    boolean     not null,
    minutes      integer     not null check (minutes >= 0),
    -- The version of the turn list that it made.
    turn         bigint,
    -- What it added to his virtual time.
    virtual_time bigint,
    given_back   boolean     not null default false,
    create_time  timestamptz not null,
    primary key (booking_id, therapist_id),
    constraint assignment_credit_of_policy
        check (num_nonnulls(turn, virtual_time) = 1 and (turn is not null) = (policy = 'ROTATION'))
);
create index assignment_credit_by_turn on assignment_credit (store_id, therapist_id, turn desc)
    where turn is not null and not given_back;

-- What a customer said of a therapist.
create table therapist_preference (
    customer_id  uuid        not null,
    therapist_id uuid        not null references therapist,
    preference   text        not null check (preference in ('FAVOURITE', 'AVOIDED')),
    create_time  timestamptz not null,
    primary key (customer_id, therapist_id)
);
