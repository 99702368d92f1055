-- Rights to read a calendar feed without signing in. The address is signed and carries the id and the version, so that
-- nothing here could be used to read a feed.
create table calendar_link (
    id           uuid        not null primary key,
    store_id     uuid        not null references store,
    -- Null for the feed of the whole store.
    therapist_id uuid        references therapist,
    display_name text        not null,
    creator      text        not null,
    create_time  timestamptz not null,
    revoke_time  timestamptz,
    -- Revoking makes it 2; an address is good for the version that it carries.
    version      integer     not null check (version = case when revoke_time is null then 1 else 2 end)
);
create index calendar_link_by_store on calendar_link (store_id, create_time desc, id desc);
