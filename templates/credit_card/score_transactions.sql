{%- import "macros/dialect.sql" as dialect with context -%}
{%- import "macros/models.sql" as models -%}
{%- set before = data_interval_end | ds -%}
-- Is it a fraud? Asks the newest model in service of a date before {{ before }}, the end of the
-- day: so the day gives the same answer when it is run again later. Every bucket of rows
-- {%- if target.dialect != "postgresql" %} of a segment{% endif %} is stacked in memory and scored at once.
{{ dialect.replace_day_partition("credit_card.scores", ds) }}
{% if target.dialect == "postgresql" %}
-- Sorted by bucket, so that there is one stack in memory at a time.
set local enable_hashagg = off;
{% endif %}
do $task$
declare
    model record;
    scored bigint;
    frauds bigint;
begin
    if not exists (
        select 1 from credit_card.transactions where tdate = date {{ ds | literal }}
    ) then
        raise warning {{ ("no transactions on " ~ ds) | literal }};
        return;
    end if;

    select * into model
    from (
        {{ models.in_service("credit_card", before) | indent(8) }}
    ) as newest;

    if model.place is null then
        raise warning {{ ("no scores: no model before " ~ before) | literal }};
        return;
    end if;

    insert into credit_card.scores (id, tdate, probability, class, model_version)
    select (score).id, date {{ ds | literal }}, (score).probability, (score).class, model.version
    from (
        select
            credit_card.score_keras(
                model.place,
                stack,
                (model.metrics ->> 'threshold')::double precision
            ) as score
        from (
            select
                credit_card.stack_rows(
                    id,
                    array[
                        v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14,
                        v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28
                    ],
                    {{ params.stack_megabytes | literal }}
                ) as stack
            from credit_card.transactions
            where tdate = date {{ ds | literal }}
            group by id % {{ params.buckets | literal }}{{ dialect.by_segment() }}
        ) as stacks
    ) as scores;
    get diagnostics scored = row_count;

    select count(*) into frauds
    from credit_card.scores
    where tdate = date {{ ds | literal }}
        and class = 1;
    raise notice '% transactions, % of them frauds, by the model of %',
        scored, frauds, model.version;
end
$task$;
