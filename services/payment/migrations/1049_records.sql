-- Payments are found again. The code is in src/db/records.rs.

-- Newest first, page by page: of all, of one tender, and the few that were not captured.
create index payment_newest on payment (create_time desc, id desc);
create index payment_by_tender on payment (tender, create_time desc, id desc);
create index payment_not_captured on payment (state, create_time desc, id desc) where state <> 'captured';
