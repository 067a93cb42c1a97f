{%- import "macros/dialect.sql" as dialect with context -%}
{%- set in_order = 'order by trajectory_id, "time"' -%}
-- The features of the day's trajectories. The function is called once a row of the innermost
-- select: taken apart in place, it would be called once a column.
{{ dialect.replace_day_partition("geolife.ts_features_walk", ds) }}

insert into geolife.ts_features_walk (tdate, id, feature_name, value)
select tdate, (f).id, (f).feature_name, (f).value
from (
    select
        tdate,
        geolife.tsfresh_features(trajectory_ids, distances, intervals, speeds) as f
    from (
        select
            tdate,
            array_agg(trajectory_id {{ in_order }}) as trajectory_ids,
            array_agg(distance_miles {{ in_order }}) as distances,
            array_agg(interval_hour {{ in_order }}) as intervals,
            array_agg(speed {{ in_order }}) as speeds
        from geolife.geolife_trajectory_speed_walk
        where tdate = date {{ ds | literal }}
        group by tdate{{ dialect.by_segment() }}
    ) points
) features;
