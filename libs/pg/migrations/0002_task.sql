-- Calls to other systems that must happen although the process may die: written in the transaction that decided on
-- them, driven by a worker until they are done. The code is in libs/pg/src/tasks.rs.
create table task (
    id                uuid        not null primary key,
    kind              text        not null,
    aggregate_id      uuid        not null,
    payload           bytea       not null,
    traceparent       text,
    create_time       timestamptz not null,
    due_time          timestamptz not null,
    attempt_count     integer     not null default 0,
    -- While set and in the future, some worker is at it.
    claim_expire_time timestamptz,
    done_time         timestamptz,
    -- Set with done_time if it was refused for good or called off.
    failure           text
);
create index task_due on task (due_time) where done_time is null;
create index task_by_aggregate on task (aggregate_id);
