-- What a search reads of what is taken, it reads from one index: when, and whether by a visit.
drop index allocation_by_start;
create index allocation_by_start on allocation (resource_id, start_time) include (end_time, booking_id);
