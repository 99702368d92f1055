-- The roster: who works when, and what keeps people, rooms and machines from being booked.

-- Days on which a country does not work as the weekday says.
create table calendar_day (
    calendar text not null,
    date     date not null,
    kind     text not null check (kind in ('HOLIDAY', 'MAKE_UP_WORKDAY')),
    name     text not null,
    -- The day off that a make-up day makes up for: it is worked as that weekday.
    replaces date,
    primary key (calendar, date),
    constraint calendar_day_replaces check ((kind = 'MAKE_UP_WORKDAY') = (replaces is not null))
);

-- The hours that a therapist works each week, from one date to another, both included.
create table shift_pattern (
    id               uuid        not null primary key,
    therapist_id     uuid        not null references therapist,
    store_id         uuid        not null references store,
    start_date       date        not null,
    end_date         date        check (end_date >= start_date),
    follows_calendar text,
    -- The last date whose shifts have been made from it.
    made_until       date        not null,
    version          bigint      not null,
    create_time      timestamptz not null,
    constraint shift_pattern_overlap exclude using gist
        (therapist_id with =, daterange(start_date, end_date, '[]') with &&)
);
create index shift_pattern_by_store on shift_pattern (store_id, start_date, id);

-- Minutes after the midnight that begins the weekday (1 = Monday), by the clock on the wall; past 1440 it is the day
-- after.
create table shift_pattern_shift (
    pattern_id   uuid       not null references shift_pattern on delete cascade,
    day          smallint   not null check (day between 1 and 7),
    start_minute smallint   not null check (start_minute between 0 and 1439),
    end_minute   smallint   not null check (end_minute > start_minute and end_minute <= start_minute + 960),
    -- Of the breaks within it, counted from the same midnight; the arrays are of the same length.
    break_starts smallint[] not null,
    break_ends   smallint[] not null check (cardinality(break_ends) = cardinality(break_starts)),
    primary key (pattern_id, day, start_minute)
);

-- The date of a shift is that on which it begins at its store.
alter table shift
    add column date       date,
    add column pattern_id uuid references shift_pattern on delete set null,
    add column version    bigint not null default 1;
update shift set date = (start_time at time zone store.time_zone)::date from store where store.id = shift.store_id;
alter table shift alter column date set not null;
create index shift_by_date on shift (therapist_id, date);

-- Dates on which a therapist's shifts are what people entered, whatever the pattern says; none is a day off.
create table shift_exception (
    therapist_id uuid        not null references therapist,
    date         date        not null,
    note         text        not null,
    create_time  timestamptz not null,
    primary key (therapist_id, date)
);
insert into shift_exception (therapist_id, date, note, create_time)
select therapist_id, date, '', min(create_time) from shift group by therapist_id, date;

alter table block
    -- Breaks come and go with their shift.
    add column shift_id uuid references shift on delete cascade,
    add column version  bigint not null default 1;
create index block_by_shift on block (shift_id) where shift_id is not null;

create table time_off_request (
    id           uuid        not null primary key,
    therapist_id uuid        not null references therapist,
    store_id     uuid        not null references store,
    start_time   timestamptz not null,
    end_time     timestamptz not null check (end_time > start_time),
    reason       text        not null,
    state        text        not null check (state in ('REQUESTED', 'APPROVED', 'REJECTED', 'WITHDRAWN')),
    requester    text        not null,
    create_time  timestamptz not null,
    -- Who approved or rejected it, when, and why; null before.
    decider      text,
    decide_time  timestamptz,
    decision     text,
    -- What keeps the time, once it is approved.
    block_id     uuid        references block,
    version      bigint      not null,
    constraint time_off_decided check (num_nulls(decider, decide_time, decision) in (0, 3)),
    constraint time_off_kept check ((state = 'APPROVED') = (block_id is not null))
);
create index time_off_request_by_store on time_off_request (store_id, start_time desc, id desc);
create index time_off_request_by_block on time_off_request (block_id) where block_id is not null;

-- The holidays of mainland China as the State Council announced them, 2015 to 2026; 2020 with the days that were added
-- in January of that year.
insert into calendar_day (calendar, date, kind, name)
select 'CN', day::date, 'HOLIDAY', name
from (values
    ('New Year''s Day', date '2015-01-01', date '2015-01-03'),
    ('Spring Festival', date '2015-02-18', date '2015-02-24'),
    ('Tomb-sweeping Day', date '2015-04-05', date '2015-04-06'),
    ('Labour Day', date '2015-05-01', date '2015-05-01'),
    ('Dragon Boat Festival', date '2015-06-20', date '2015-06-20'),
    ('Dragon Boat Festival', date '2015-06-22', date '2015-06-22'),
    ('Anti-Fascist 70th Day', date '2015-09-03', date '2015-09-04'),
    ('Mid-autumn Festival', date '2015-09-27', date '2015-09-27'),
    ('National Day', date '2015-10-01', date '2015-10-07'),
    ('New Year''s Day', date '2016-01-01', date '2016-01-01'),
    ('Spring Festival', date '2016-02-07', date '2016-02-13'),
    ('Tomb-sweeping Day', date '2016-04-04', date '2016-04-04'),
    ('Labour Day', date '2016-05-01', date '2016-05-02'),
    ('Dragon Boat Festival', date '2016-06-09', date '2016-06-11'),
    ('Mid-autumn Festival', date '2016-09-15', date '2016-09-17'),
    ('National Day', date '2016-10-01', date '2016-10-07'),
    ('New Year''s Day', date '2017-01-01', date '2017-01-02'),
    ('Spring Festival', date '2017-01-27', date '2017-02-02'),
    ('Tomb-sweeping Day', date '2017-04-02', date '2017-04-04'),
    ('Labour Day', date '2017-05-01', date '2017-05-01'),
    ('Dragon Boat Festival', date '2017-05-28', date '2017-05-30'),
    ('National Day', date '2017-10-01', date '2017-10-03'),
    ('Mid-autumn Festival', date '2017-10-04', date '2017-10-04'),
    ('National Day', date '2017-10-05', date '2017-10-08'),
    ('New Year''s Day', date '2018-01-01', date '2018-01-01'),
    ('Spring Festival', date '2018-02-15', date '2018-02-21'),
    ('Tomb-sweeping Day', date '2018-04-05', date '2018-04-07'),
    ('Labour Day', date '2018-04-29', date '2018-05-01'),
    ('Dragon Boat Festival', date '2018-06-18', date '2018-06-18'),
    ('Mid-autumn Festival', date '2018-09-24', date '2018-09-24'),
    ('National Day', date '2018-10-01', date '2018-10-07'),
    ('New Year''s Day', date '2018-12-30', date '2019-01-01'),
    ('Spring Festival', date '2019-02-04', date '2019-02-10'),
    ('Tomb-sweeping Day', date '2019-04-05', date '2019-04-07'),
    ('Labour Day', date '2019-05-01', date '2019-05-04'),
    ('Dragon Boat Festival', date '2019-06-07', date '2019-06-09'),
    ('Mid-autumn Festival', date '2019-09-13', date '2019-09-15'),
    ('National Day', date '2019-10-01', date '2019-10-07'),
    ('New Year''s Day', date '2020-01-01', date '2020-01-01'),
    ('Spring Festival', date '2020-01-24', date '2020-02-02'),
    ('Tomb-sweeping Day', date '2020-04-04', date '2020-04-06'),
    ('Labour Day', date '2020-05-01', date '2020-05-05'),
    ('Dragon Boat Festival', date '2020-06-25', date '2020-06-27'),
    ('National Day', date '2020-10-01', date '2020-10-08'),
    ('New Year''s Day', date '2021-01-01', date '2021-01-03'),
    ('Spring Festival', date '2021-02-11', date '2021-02-17'),
    ('Tomb-sweeping Day', date '2021-04-03', date '2021-04-05'),
    ('Labour Day', date '2021-05-01', date '2021-05-05'),
    ('Dragon Boat Festival', date '2021-06-12', date '2021-06-14'),
    ('Mid-autumn Festival', date '2021-09-19', date '2021-09-21'),
    ('National Day', date '2021-10-01', date '2021-10-07'),
    ('New Year''s Day', date '2022-01-01', date '2022-01-03'),
    ('Spring Festival', date '2022-01-31', date '2022-02-06'),
    ('Tomb-sweeping Day', date '2022-04-03', date '2022-04-05'),
    ('Labour Day', date '2022-04-30', date '2022-05-04'),
    ('Dragon Boat Festival', date '2022-06-03', date '2022-06-05'),
    ('Mid-autumn Festival', date '2022-09-10', date '2022-09-12'),
    ('National Day', date '2022-10-01', date '2022-10-07'),
    ('New Year''s Day', date '2022-12-31', date '2023-01-02'),
    ('Spring Festival', date '2023-01-21', date '2023-01-27'),
    ('Tomb-sweeping Day', date '2023-04-05', date '2023-04-05'),
    ('Labour Day', date '2023-04-29', date '2023-05-03'),
    ('Dragon Boat Festival', date '2023-06-22', date '2023-06-24'),
    ('Mid-autumn Festival', date '2023-09-29', date '2023-09-29'),
    ('National Day', date '2023-09-30', date '2023-10-06'),
    ('New Year''s Day', date '2023-12-30', date '2024-01-01'),
    ('Spring Festival', date '2024-02-10', date '2024-02-17'),
    ('Tomb-sweeping Day', date '2024-04-04', date '2024-04-06'),
    ('Labour Day', date '2024-05-01', date '2024-05-05'),
    ('Dragon Boat Festival', date '2024-06-10', date '2024-06-10'),
    ('Mid-autumn Festival', date '2024-09-15', date '2024-09-17'),
    ('National Day', date '2024-10-01', date '2024-10-07'),
    ('New Year''s Day', date '2025-01-01', date '2025-01-01'),
    ('Spring Festival', date '2025-01-28', date '2025-02-04'),
    ('Tomb-sweeping Day', date '2025-04-04', date '2025-04-06'),
    ('Labour Day', date '2025-05-01', date '2025-05-05'),
    ('Dragon Boat Festival', date '2025-05-31', date '2025-06-02'),
    ('National Day', date '2025-10-01', date '2025-10-05'),
    ('Mid-autumn Festival', date '2025-10-06', date '2025-10-06'),
    ('National Day', date '2025-10-07', date '2025-10-08'),
    ('New Year''s Day', date '2026-01-01', date '2026-01-03'),
    ('Spring Festival', date '2026-02-15', date '2026-02-23'),
    ('Tomb-sweeping Day', date '2026-04-04', date '2026-04-06'),
    ('Labour Day', date '2026-05-01', date '2026-05-05'),
    ('Dragon Boat Festival', date '2026-06-19', date '2026-06-21'),
    ('Mid-autumn Festival', date '2026-09-25', date '2026-09-27'),
    ('National Day', date '2026-10-01', date '2026-10-07')
) as holiday (name, first, last), generate_series(first, last, interval '1 day') as day;

-- Make-up working days. The announcements do not say which day off each makes up for: here the first makes up for the
-- first of its holiday, the second for the second.
insert into calendar_day (calendar, date, kind, name, replaces)
values
    ('CN', '2015-01-04', 'MAKE_UP_WORKDAY', 'New Year''s Day', '2015-01-02'),
    ('CN', '2015-02-15', 'MAKE_UP_WORKDAY', 'Spring Festival', '2015-02-23'),
    ('CN', '2015-02-28', 'MAKE_UP_WORKDAY', 'Spring Festival', '2015-02-24'),
    ('CN', '2015-09-06', 'MAKE_UP_WORKDAY', 'Anti-Fascist 70th Day', '2015-09-04'),
    ('CN', '2015-10-10', 'MAKE_UP_WORKDAY', 'National Day', '2015-10-07'),
    ('CN', '2016-02-06', 'MAKE_UP_WORKDAY', 'Spring Festival', '2016-02-11'),
    ('CN', '2016-02-14', 'MAKE_UP_WORKDAY', 'Spring Festival', '2016-02-12'),
    ('CN', '2016-06-12', 'MAKE_UP_WORKDAY', 'Dragon Boat Festival', '2016-06-10'),
    ('CN', '2016-09-18', 'MAKE_UP_WORKDAY', 'Mid-autumn Festival', '2016-09-16'),
    ('CN', '2016-10-08', 'MAKE_UP_WORKDAY', 'National Day', '2016-10-06'),
    ('CN', '2016-10-09', 'MAKE_UP_WORKDAY', 'National Day', '2016-10-07'),
    ('CN', '2017-01-22', 'MAKE_UP_WORKDAY', 'Spring Festival', '2017-02-01'),
    ('CN', '2017-02-04', 'MAKE_UP_WORKDAY', 'Spring Festival', '2017-02-02'),
    ('CN', '2017-04-01', 'MAKE_UP_WORKDAY', 'Tomb-sweeping Day', '2017-04-03'),
    ('CN', '2017-05-27', 'MAKE_UP_WORKDAY', 'Dragon Boat Festival', '2017-05-29'),
    ('CN', '2017-09-30', 'MAKE_UP_WORKDAY', 'National Day', '2017-10-06'),
    ('CN', '2018-02-11', 'MAKE_UP_WORKDAY', 'Spring Festival', '2018-02-19'),
    ('CN', '2018-02-24', 'MAKE_UP_WORKDAY', 'Spring Festival', '2018-02-20'),
    ('CN', '2018-04-08', 'MAKE_UP_WORKDAY', 'Tomb-sweeping Day', '2018-04-06'),
    ('CN', '2018-04-28', 'MAKE_UP_WORKDAY', 'Labour Day', '2018-04-30'),
    ('CN', '2018-09-29', 'MAKE_UP_WORKDAY', 'National Day', '2018-10-04'),
    ('CN', '2018-09-30', 'MAKE_UP_WORKDAY', 'National Day', '2018-10-05'),
    ('CN', '2018-12-29', 'MAKE_UP_WORKDAY', 'New Year''s Day', '2018-12-31'),
    ('CN', '2019-02-02', 'MAKE_UP_WORKDAY', 'Spring Festival', '2019-02-04'),
    ('CN', '2019-02-03', 'MAKE_UP_WORKDAY', 'Spring Festival', '2019-02-08'),
    ('CN', '2019-04-28', 'MAKE_UP_WORKDAY', 'Labour Day', '2019-05-02'),
    ('CN', '2019-05-05', 'MAKE_UP_WORKDAY', 'Labour Day', '2019-05-03'),
    ('CN', '2019-09-29', 'MAKE_UP_WORKDAY', 'National Day', '2019-10-04'),
    ('CN', '2019-10-12', 'MAKE_UP_WORKDAY', 'National Day', '2019-10-07'),
    ('CN', '2020-01-19', 'MAKE_UP_WORKDAY', 'Spring Festival', '2020-01-29'),
    ('CN', '2020-04-26', 'MAKE_UP_WORKDAY', 'Labour Day', '2020-05-04'),
    ('CN', '2020-05-09', 'MAKE_UP_WORKDAY', 'Labour Day', '2020-05-05'),
    ('CN', '2020-06-28', 'MAKE_UP_WORKDAY', 'Dragon Boat Festival', '2020-06-26'),
    ('CN', '2020-09-27', 'MAKE_UP_WORKDAY', 'National Day', '2020-10-07'),
    ('CN', '2020-10-10', 'MAKE_UP_WORKDAY', 'National Day', '2020-10-08'),
    ('CN', '2021-02-07', 'MAKE_UP_WORKDAY', 'Spring Festival', '2021-02-16'),
    ('CN', '2021-02-20', 'MAKE_UP_WORKDAY', 'Spring Festival', '2021-02-17'),
    ('CN', '2021-04-25', 'MAKE_UP_WORKDAY', 'Labour Day', '2021-05-04'),
    ('CN', '2021-05-08', 'MAKE_UP_WORKDAY', 'Labour Day', '2021-05-05'),
    ('CN', '2021-09-18', 'MAKE_UP_WORKDAY', 'Mid-autumn Festival', '2021-09-20'),
    ('CN', '2021-09-26', 'MAKE_UP_WORKDAY', 'National Day', '2021-10-06'),
    ('CN', '2021-10-09', 'MAKE_UP_WORKDAY', 'National Day', '2021-10-07'),
    ('CN', '2022-01-29', 'MAKE_UP_WORKDAY', 'Spring Festival', '2022-02-03'),
    ('CN', '2022-01-30', 'MAKE_UP_WORKDAY', 'Spring Festival', '2022-02-04'),
    ('CN', '2022-04-02', 'MAKE_UP_WORKDAY', 'Tomb-sweeping Day', '2022-04-04'),
    ('CN', '2022-04-24', 'MAKE_UP_WORKDAY', 'Labour Day', '2022-05-03'),
    ('CN', '2022-05-07', 'MAKE_UP_WORKDAY', 'Labour Day', '2022-05-04'),
    ('CN', '2022-10-08', 'MAKE_UP_WORKDAY', 'National Day', '2022-10-06'),
    ('CN', '2022-10-09', 'MAKE_UP_WORKDAY', 'National Day', '2022-10-07'),
    ('CN', '2023-01-28', 'MAKE_UP_WORKDAY', 'Spring Festival', '2023-01-26'),
    ('CN', '2023-01-29', 'MAKE_UP_WORKDAY', 'Spring Festival', '2023-01-27'),
    ('CN', '2023-04-23', 'MAKE_UP_WORKDAY', 'Labour Day', '2023-05-02'),
    ('CN', '2023-05-06', 'MAKE_UP_WORKDAY', 'Labour Day', '2023-05-03'),
    ('CN', '2023-06-25', 'MAKE_UP_WORKDAY', 'Dragon Boat Festival', '2023-06-23'),
    ('CN', '2023-10-07', 'MAKE_UP_WORKDAY', 'National Day', '2023-10-05'),
    ('CN', '2023-10-08', 'MAKE_UP_WORKDAY', 'National Day', '2023-10-06'),
    ('CN', '2024-02-04', 'MAKE_UP_WORKDAY', 'Spring Festival', '2024-02-15'),
    ('CN', '2024-02-18', 'MAKE_UP_WORKDAY', 'Spring Festival', '2024-02-16'),
    ('CN', '2024-04-07', 'MAKE_UP_WORKDAY', 'Tomb-sweeping Day', '2024-04-05'),
    ('CN', '2024-04-28', 'MAKE_UP_WORKDAY', 'Labour Day', '2024-05-02'),
    ('CN', '2024-05-11', 'MAKE_UP_WORKDAY', 'Labour Day', '2024-05-03'),
    ('CN', '2024-09-14', 'MAKE_UP_WORKDAY', 'Mid-autumn Festival', '2024-09-16'),
    ('CN', '2024-09-29', 'MAKE_UP_WORKDAY', 'National Day', '2024-10-04'),
    ('CN', '2024-10-12', 'MAKE_UP_WORKDAY', 'National Day', '2024-10-07'),
    ('CN', '2025-01-26', 'MAKE_UP_WORKDAY', 'Spring Festival', '2025-02-03'),
    ('CN', '2025-02-08', 'MAKE_UP_WORKDAY', 'Spring Festival', '2025-02-04'),
    ('CN', '2025-04-27', 'MAKE_UP_WORKDAY', 'Labour Day', '2025-05-05'),
    ('CN', '2025-09-28', 'MAKE_UP_WORKDAY', 'National Day', '2025-10-07'),
    ('CN', '2025-10-11', 'MAKE_UP_WORKDAY', 'National Day', '2025-10-08'),
    ('CN', '2026-01-04', 'MAKE_UP_WORKDAY', 'New Year''s Day', '2026-01-02'),
    ('CN', '2026-02-14', 'MAKE_UP_WORKDAY', 'Spring Festival', '2026-02-20'),
    ('CN', '2026-02-28', 'MAKE_UP_WORKDAY', 'Spring Festival', '2026-02-23'),
    ('CN', '2026-05-09', 'MAKE_UP_WORKDAY', 'Labour Day', '2026-05-05'),
    ('CN', '2026-09-20', 'MAKE_UP_WORKDAY', 'National Day', '2026-10-06'),
    ('CN', '2026-10-10', 'MAKE_UP_WORKDAY', 'National Day', '2026-10-07');
