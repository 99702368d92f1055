-- What a customer was promised holds on when his visit is moved.

alter table booking
    -- Who was wished for, besides a therapist by name; null is anybody. The sex as ISO/IEC 5218 has it.
    add column wish_sex        smallint,
    add column wish_min_grade  smallint,
    add column wish_language   text,
    -- What stays with the store at least if the customer gives the visit up: what that would have cost when he last had
    -- it moved. Whoever moves late can't give up for less afterwards.
    add column least_fee_minor bigint not null default 0 check (least_fee_minor >= 0);

alter table store_policy
    -- Minutes before its start from which a visit can be checked in; null is the chain's rule.
    add column check_in_minutes integer check (check_in_minutes >= 0);
