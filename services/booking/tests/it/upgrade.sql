-- What an older version had left: a store with all that belongs to it, and a visit in each state. Hours count from the
-- first opening of the tests.
create function pg_temp.id(n integer) returns uuid language sql
    return ('01a3fe00-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid;
create function pg_temp.at(hours numeric) returns timestamptz language sql
    return timestamptz '2027-03-01 10:00+08' + hours * interval '1 hour';

insert into store (id, display_name, address, latitude, longitude, time_zone, currency, version, create_time)
values (pg_temp.id(1), 'Bund', '1 Zhongshan Road', 31.24, 121.49, 'Asia/Shanghai', 'CNY', 7, pg_temp.at(-99));
insert into store_opening_hours (store_id, day, open_minute, close_minute)
select pg_temp.id(1), day, 600, 1320 from generate_series(1, 7) day;
insert into store_policy (store_id, assignment, hold_minutes) values (pg_temp.id(1), 'ROTATION', 20);
insert into cancellation_tier (store_id, notice_minutes, fee_basis_points)
values (pg_temp.id(1), 60, 0), (pg_temp.id(1), 0, 5000);

insert into item (id, display_name, description, category, duration_minutes, preparation_minutes, cleanup_minutes,
                  price_minor, currency, skill, room_kind, create_time)
values (pg_temp.id(2), 'Thai massage', '', 'massage', 60, 5, 10, 20000, 'CNY', 'thai', 'massage', pg_temp.at(-99));
insert into therapist (id, store_id, display_name, sex, grade, skills, weight, rating, create_time)
values (pg_temp.id(3), pg_temp.id(1), 'Lin', 2, 3, '{thai}', 80, 470, pg_temp.at(-99));
insert into room (id, store_id, display_name, kind, create_time)
values (pg_temp.id(4), pg_temp.id(1), 'Room 1', 'massage', pg_temp.at(-99));

insert into shift (id, therapist_id, store_id, start_time, end_time, date, create_time)
select pg_temp.id(10 + day), pg_temp.id(3), pg_temp.id(1), pg_temp.at(day * 24), pg_temp.at(day * 24 + 12),
       date '2027-03-01' + day, pg_temp.at(-99)
from generate_series(-1, 3) day;
insert into shift_exception (therapist_id, date, note, create_time)
select therapist_id, date, '', create_time from shift;
insert into block (id, store_id, resource_id, kind, start_time, end_time, reason, create_time)
values (pg_temp.id(5), pg_temp.id(1), pg_temp.id(3), 'TIME_OFF', pg_temp.at(50), pg_temp.at(51), '', pg_temp.at(-99));
insert into allocation (block_id, resource_id, start_time, end_time)
select id, resource_id, start_time, end_time from block;
insert into time_off_request (id, therapist_id, store_id, start_time, end_time, reason, state, requester, create_time,
                              decider, decide_time, decision, block_id, version)
select pg_temp.id(6), resource_id, store_id, start_time, end_time, 'dentist', 'APPROVED', 'staff/1', create_time,
       'staff/2', create_time, '', id, 2
from block;
insert into rotation (store_id, version, therapist_ids, skipped)
values (pg_temp.id(1), 1, array[pg_temp.id(3)], '{false}');
insert into rotation_log (store_id, version, cause, therapist_id, place_after, skipped, actor, reason, create_time)
values (pg_temp.id(1), 1, 'JOIN', pg_temp.id(3), 1, false, 'staff/1', '', pg_temp.at(-99));
insert into therapist_preference (customer_id, therapist_id, preference, create_time)
values (pg_temp.id(100), pg_temp.id(3), 'FAVOURITE', pg_temp.at(-99));

-- Visit n is that of customer 100 + n.
create temp table way (n integer, start_hour integer, states text[]);
insert into way
values (0, 2, '{HELD}'),
       (1, 4, '{HELD, AWAITING_PAYMENT}'),
       (2, 6, '{HELD, AWAITING_PAYMENT, CONFIRMED}'),
       (3, 8, '{HELD, AWAITING_PAYMENT, CONFIRMED}'),
       (4, 26, '{HELD, AWAITING_PAYMENT, CONFIRMED, CHECKED_IN}'),
       (5, 0, '{HELD, AWAITING_PAYMENT, CONFIRMED, CHECKED_IN, IN_SERVICE}'),
       (6, -22, '{HELD, AWAITING_PAYMENT, CONFIRMED, CHECKED_IN, IN_SERVICE, COMPLETED}'),
       (7, -20, '{HELD, AWAITING_PAYMENT, CONFIRMED, CANCELLED}'),
       (8, -18, '{HELD, AWAITING_PAYMENT, CONFIRMED, NO_SHOW}'),
       (9, -16, '{HELD, AWAITING_PAYMENT, EXPIRED}');
insert into booking (id, store_id, item_id, therapist_id, room_id, customer_id, start_time, end_time, state, channel,
                     currency, list_price_minor, price_minor, deposit_minor, hold_expire_time, create_time, version)
select pg_temp.id(200 + n), pg_temp.id(1), pg_temp.id(2), pg_temp.id(3), pg_temp.id(4), pg_temp.id(100 + n),
       pg_temp.at(start_hour), pg_temp.at(start_hour + 1), states[cardinality(states)], 'WEB',
       'CNY', 20000, 16000, 3200, pg_temp.at(start_hour), pg_temp.at(-30), cardinality(states)
from way;
insert into booking_history (booking_id, version, state, change_time, actor, reason)
select pg_temp.id(200 + n), step.version, step.state, pg_temp.at(-30), 'members/1', step.state
from way, unnest(states) with ordinality step (state, version);
insert into allocation (booking_id, resource_id, start_time, end_time)
select b.id, kept.* from booking b, lateral (values
    (b.therapist_id, b.start_time, b.end_time),
    (b.room_id, b.start_time - interval '5 minutes', b.end_time + interval '10 minutes')) kept
where b.state not in ('CANCELLED', 'NO_SHOW', 'EXPIRED');
