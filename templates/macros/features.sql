{#- Copies the day's rows of the wide features for which `condition` holds into `table`; the
    columns are known only then. -#}
{%- macro copy_day(table, day, condition) -%}
do $task$
declare
    columns text := concat_ws(
        ', ', 'id', 'label', 'tdate', geolife.feature_columns('geolife.ts_features_walk_pvt'));
    copied bigint;
begin
    execute 'insert into {{ table }} (' || columns || ') '
        || 'select ' || columns
        || ' from geolife.ts_features_walk_pvt'
        || ' where {{ condition }} and tdate = date ' || quote_literal({{ day | literal }});
    get diagnostics copied = row_count;
    raise notice '% trajectories', copied;
end
$task$;
{%- endmacro -%}
