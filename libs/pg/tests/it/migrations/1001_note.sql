-- What the tests write besides the platform's tables.
create table note (
    id   bigint generated always as identity primary key,
    text text not null constraint note_text_unique unique
);
