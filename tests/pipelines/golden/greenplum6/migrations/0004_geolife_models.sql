-- The registry of models: one row a model and date it was trained for.
create table geolife.models_metadata (
    mdate date not null,               -- the logical date: trained on rows before this day
    nodash text not null,              -- the same without dashes, as in the tables' names
    model_type text not null,
    model_tabname text not null,       -- MADlib's model table, with _summary and _group beside it
    auc double precision,              -- of the probability, on the test part; null: not known
    accuracy double precision,
    balanced_accuracy double precision,
    confusion text,                    -- class (observed): counts by class (predicted)
    features text,                     -- the columns it was trained on
    rows_train bigint not null,
    rows_test bigint not null,
    in_service boolean not null,       -- entered service; the newest of these predicts
    reason text not null,              -- why it did, or did not
    trained_at timestamp with time zone not null default now(),
    primary key (model_type, mdate)
)
distributed by (model_type, mdate);
