{%- set train = "geolife.features_walk_" ~ ds_nodash ~ "_train" -%}
{%- set model = "geolife.rf_walk_" ~ ds_nodash ~ "_output" -%}
{%- set importance = "geolife.rf_walk_" ~ ds_nodash ~ "_importance" -%}
{%- import "macros/models.sql" as models -%}
-- Trains the forest. The tables of a model trained before for the same date are replaced, so it
-- leaves the registry in the same transaction.
{{ models.forget("rf_walk", ds) }}

drop table if exists
    {{ model }},
    {{ model }}_summary,
    {{ model }}_group,
    {{ importance }};

do $task$
declare
    candidate text;
    distinct_values bigint;
    features text[] := array[]::text[];
begin
    if to_regclass({{ train | literal }}) is null then
        raise notice {{ ("no training part for " ~ ds ~ ": nothing to train") | literal }};
        return;
    end if;

    if (select count(distinct label) from {{ train }}) < 2 then
        raise warning 'the training part for {{ ds }} has one label only: nothing is trained';
        return;
    end if;

    -- A column with one value says nothing; one that is null in every row can crash MADlib.
    for candidate in
        select attname::text
        from pg_catalog.pg_attribute
        where attrelid = {{ train | literal }}::regclass
            and attnum > 0
            and not attisdropped
            and left(attname::text, 23) = 'value_avg_feature_name_'
            {%- for feature in params.excluded_features %}
            and split_part(attname::text, '__', 2) <> {{ feature | literal }}
            {%- endfor %}
        order by 1
    loop
        execute 'select count(distinct ' || quote_ident(candidate) || ')'
            || ' from {{ train }}'
            into distinct_values;
        if distinct_values > 1 then
            features := features || quote_ident(candidate);
        end if;
    end loop;

    if coalesce(array_length(features, 1), 0) = 0 then
        raise warning 'no feature tells trajectories apart before {{ ds }}: nothing is trained';
        return;
    end if;

    perform madlib.forest_train(
        {{ train | literal }},
        {{ model | literal }},
        'id',
        'label',
        array_to_string(features, ','),
        null,     -- features to exclude
        null,     -- grouping columns
        {{ params.trees | literal }}::integer,
        least({{ params.random_features | literal }}, array_length(features, 1))::integer,
        true,     -- variable importance
        {{ params.permutations | literal }}::integer,
        {{ params.max_depth | literal }}::integer,
        {{ params.min_split | literal }}::integer,
        {{ params.min_bucket | literal }}::integer,
        {{ params.splits | literal }}::integer
    );

    perform madlib.get_var_importance(
        {{ model | literal }},
        {{ importance | literal }}
    );
end
$task$;
