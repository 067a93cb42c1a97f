{%- import "macros/dialect.sql" as dialect with context -%}
-- Is it a walk? Null where nobody said. Nobody walks faster than 15 mph, and nobody travels faster
-- than 150.
{{ dialect.replace_day_partition("geolife.geolife_trajectory_speed_walk", ds) }}

insert into geolife.geolife_trajectory_speed_walk
    (trajectory_id, tdate, "time", distance_miles, interval_hour, speed, mode, label)
select
    trajectory_id,
    tdate,
    ttimestamp as "time",
    distance_miles,
    interval_hour,
    speed,
    mode,
    mode = 'walk' as label
from geolife.geolife_trajectory_label_speed
where tdate = date {{ ds | literal }}
    and speed <= case when mode = 'walk' then 15 else 150 end;
