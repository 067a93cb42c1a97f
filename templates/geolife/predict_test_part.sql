{%- import "macros/dialect.sql" as dialect with context -%}
{%- set test = "geolife.features_walk_" ~ ds_nodash ~ "_test" -%}
{%- set model = "geolife.rf_walk_" ~ ds_nodash ~ "_output" -%}
{%- set results = "geolife.rf_walk_" ~ ds_nodash ~ "_results" -%}
{%- set result = "geolife.walk_" ~ ds_nodash ~ "_result" -%}
-- What the forest says of the trajectories that it has not seen, beside what they are.
drop table if exists {{ results }}, {{ result }};

do $task$
declare
    walk text;
begin
    if to_regclass({{ model | literal }}) is null then
        raise notice {{ ("no model for " ~ ds ~ ": nothing to test") | literal }};
        return;
    end if;

    perform madlib.forest_predict(
        {{ model | literal }},
        {{ test | literal }},
        {{ results | literal }},
        'prob'
    );

    -- A column a class, named after it; MADlib's versions spell true in different ways.
    select quote_ident(attname::text) into strict walk
    from pg_catalog.pg_attribute
    where attrelid = {{ results | literal }}::regclass
        and attnum > 0
        and not attisdropped
        and lower(attname::text) in ('estimated_prob_true', 'estimated_prob_t');

    execute 'create table {{ result }} as '
        || 'select test.id,'
        || ' results.' || walk || '::double precision as probability,'
        || ' case when test.label then 1 else 0 end as observed,'
        || ' case when results.' || walk || ' >= 0.5 then ''walk'' else ''other'' end'
        || ' as predicted_class,'
        || ' case when test.label then ''walk'' else ''other'' end as observed_class'
        || ' from {{ results }} results'
        || ' join {{ test }} test on test.id = results.id'
        {%- if dialect.distributed_by("id") %}
        || '{{ dialect.distributed_by("id") | replace("\n", " ") }}'
        {%- endif %};
end
$task$;
