{%- import "macros/dialect.sql" as dialect with context -%}
{%- import "macros/models.sql" as models -%}
{#- Rendered outside of a run there is no result: these show what the text looks like. The null place
    would fail it. -#}
{%- set nothing = {"place": none, "features": none, "rows_train": 0, "rows_test": 1,
    "reason": none, "metrics": {}, "losses": []} -%}
{%- set trained = ti.xcom_pull(task_ids="train_model") or nothing -%}
{%- set result = "credit_card.tested_" ~ ds_nodash -%}
-- The model's row in the registry, with what a page draws of it. It enters service if it is viable
-- (enough rows; recall and precision on untouched rows reach their thresholds) and its average
-- precision is not below that of the model in service on this date by more than the slack.
drop table if exists {{ result }};

create table {{ result }} (
    id bigint,
    probability double precision,
    observed integer,
    observed_class text,
    predicted_class text
) {{- dialect.distributed_by("id") }};

copy {{ result }} from stdin csv header;

{{ models.forget("credit_card", ds) }}

insert into models.registry
    (name, version, mdate, kind, place, metrics, features, dag_id, run_id, rows_train, rows_test,
    reason)
values (
    'credit_card',
    {{ ds | literal }},
    date {{ ds | literal }},
    'keras',
    {{ trained.place | literal }},
    {{ trained.metrics | tojson | literal }}::jsonb,
    {{ trained.features | literal }},
    {{ dag.dag_id | literal }},
    {{ run_id | literal }},
    {{ trained.rows_train | literal }},
    {{ trained.rows_test | literal }},
    {{ trained.reason | literal }}
);

{% if trained.rows_test -%}
{{ models.keep_evaluation("credit_card", ds, result) }}
{%- endif %}

insert into models.evaluation (name, version, part, n, series, x, y)
select
    'credit_card',
    {{ ds | literal }},
    'loss',
    row_number() over (order by series, x),
    series,
    x,
    y
from json_to_recordset({{ trained.losses | tojson | literal }}::json)
    as losses (series text, x double precision, y double precision);

{{ models.decide("credit_card", ds,
    least={"recall": params.min_recall, "precision": params.min_precision},
    compare="average_precision", min_rows=params.min_rows, slack=params.slack) }}
