-- The ledger, hardened: the sheet of a day waits for exactly those who could have missed its cut, nobody posts by an older
-- moment, and the checks of a posting don't slow down as tables grow.

-- Made once the cut is committed: a transaction with an id above this one sees the cut. Those with an id below may have
-- looked before, and are waited for until the sheet is made. (The id of the cut itself does not do: who came after it may
-- have looked before it was committed. Its column ledger_cutoff.xid is read by the version before, and goes with the next.)
create table ledger_fence (
    store_id uuid not null,
    date     date not null,
    xid      xid8 not null default pg_current_xact_id(),
    primary key (store_id, date)
);
create trigger ledger_fence_append_only before update or delete or truncate on ledger_fence
    for each statement execute function refuse_change();

-- Whoever goes on seeing an older moment could miss that a day was cut off.
create function ledger_read_committed() returns trigger language plpgsql as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'the ledger is posted to by transactions that are read committed'
            using errcode = 'invalid_transaction_state', constraint = 'ledger_read_committed';
    end if;
    return null;
end
$$;
create trigger ledger_read_committed before insert on ledger_entry
    for each statement execute function ledger_read_committed();

-- Each table is looked up by key, whatever the planner believed of its size when a connection was opened.
alter function ledger_transaction_whole() set enable_seqscan = off;
alter function ledger_entry_sound() set enable_seqscan = off;

do $$
begin
    execute format('revoke update, delete, truncate on ledger_fence from public, %I', current_user);
end
$$;
