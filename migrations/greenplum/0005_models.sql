{%- set greenplum = target.dialect in ["greenplum6", "greenplum7"] -%}
{%- macro distributed(columns) -%}
{%- if greenplum %}
distributed by ({{ columns }}){% endif -%}
{%- endmacro -%}
-- The models of every pipeline, and what is known of how good they are.
create schema if not exists models;

-- One row a model and version.
create table models.registry (
    name text not null,                -- rf_walk, credit_card
    version text not null,             -- the logical date of its training, as 2007-05-01
    mdate date not null,               -- trained on rows before this day
    kind text not null,                -- madlib_forest, keras
    place text not null,               -- MADlib's model table, or the path of a file
    metrics jsonb not null default '{}', -- numbers by name: auc, recall, precision, threshold …
    features text,                     -- the columns it was trained on
    dag_id text,                       -- the run that trained it
    run_id text,
    rows_train bigint,
    rows_test bigint,
    in_service boolean not null default false, -- entered service; the newest of these scores
    reason text,                       -- why it did, or did not
    decided_by text,                   -- rule, or who promoted or retired it
    decided_at timestamp with time zone,
    trained_at timestamp with time zone not null default now(),
    primary key (name, version)
){{ distributed("name, version") }};

-- What a page draws of a version: the points of its curves, and the cells of its confusion matrix.
create table models.evaluation (
    name text not null,
    version text not null,
    part text not null,                -- roc, precision_recall, confusion, loss …
    n integer not null,                -- the order within the part
    series text not null default '',   -- which line; of a confusion matrix the class observed
    label text,                        -- a point's text; of a confusion matrix the class predicted
    x double precision,                -- roc: false positive rate; precision_recall: recall; loss: epoch
    y double precision,                -- roc: true positive rate; precision_recall: precision;
                                       -- loss: its value; confusion: how many
    primary key (name, version, part, n)
){{ distributed("name, version") }};

insert into models.registry
    (name, version, mdate, kind, place, metrics, features, dag_id, rows_train, rows_test,
    in_service, reason, decided_by, decided_at, trained_at)
select
    model_type,
    to_char(mdate, 'YYYY-MM-DD'),
    mdate,
    'madlib_forest',
    model_tabname,
    json_build_object(
        'auc', auc,
        'accuracy', accuracy,
        'balanced_accuracy', balanced_accuracy,
        'confusion', confusion
    )::text::jsonb,
    features,
    'geolife_model_training',
    rows_train,
    rows_test,
    in_service,
    reason,
    'rule',
    trained_at,
    trained_at
from geolife.models_metadata;

-- The name that the forests had; its rows are the registry's.
drop table geolife.models_metadata;

create view geolife.models_metadata as
select
    mdate,
    to_char(mdate, 'YYYYMMDD') as nodash,
    name as model_type,
    place as model_tabname,
    (metrics ->> 'auc')::double precision as auc,
    (metrics ->> 'accuracy')::double precision as accuracy,
    (metrics ->> 'balanced_accuracy')::double precision as balanced_accuracy,
    metrics ->> 'confusion' as confusion,
    features,
    rows_train,
    rows_test,
    in_service,
    reason,
    trained_at
from models.registry
where kind = 'madlib_forest';

-- The version of rf_walk that said so; null: not recorded, in rows that are older than this column.
alter table geolife.walk_prediction_results add column model_version text;
