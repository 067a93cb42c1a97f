{%- import "macros/dialect.sql" as dialect with context -%}
{%- set long = dialect.day_partition("geolife.ts_features_walk", ds) -%}
{%- set wide = "geolife.ts_features_walk_pivot_" ~ ds_nodash -%}
-- One row a trajectory, one column a feature. The columns follow the data: a feature that no day
-- had before gets its column first, one that is missing today stays null.
{{ dialect.replace_day_partition("geolife.ts_features_walk_pvt", ds) }}

drop table if exists
    {{ wide }},
    {{ wide }}_dictionary;

do $task$
declare
    features text;
    trajectories bigint;
begin
    if not exists (select 1 from {{ long }}) then
        raise notice {{ ("no features on " ~ ds ~ ": nothing to pivot") | literal }};
        return;
    end if;

    perform madlib.pivot(
        {{ long | literal }},
        {{ wide | literal }},
        'id',              -- index
        'feature_name',    -- pivot column
        'value'            -- pivot value
    );

    perform geolife.add_feature_columns({{ wide | literal }});

    features := geolife.feature_columns({{ wide | literal }});
    execute 'insert into geolife.ts_features_walk_pvt (id, label, tdate, ' || features || ') '
        || 'select wide.id, trajectory.label, trajectory.tdate, ' || features
        || ' from {{ wide }} wide'
        || ' join ('
        || 'select trajectory_id, tdate, bool_and(label) as label'
        || ' from geolife.geolife_trajectory_speed_walk'
        || ' where tdate = date ' || quote_literal({{ ds | literal }})
        || ' group by trajectory_id, tdate'
        || ') trajectory on trajectory.trajectory_id = wide.id';
    get diagnostics trajectories = row_count;
    raise notice '% trajectories', trajectories;
end
$task$;

drop table if exists
    {{ wide }},
    {{ wide }}_dictionary;
