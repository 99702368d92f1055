-- What the test's consumer does: it counts how often each event was applied.
create table applied (
    position     bigint   generated always as identity primary key,
    event_id     uuid     not null,
    aggregate_id uuid     not null,
    version      bigint   not null,
    partition    smallint not null
);
