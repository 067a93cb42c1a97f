{%- import "macros/dialect.sql" as dialect with context -%}
-- The day's points, from the landing table.
{{ dialect.replace_day_partition("geolife.geolife_trajectory", ds) }}

insert into geolife.geolife_trajectory
    (uid, latitude, longitude, setzero, altitude, epoch, tdate, ttime)
select uid, latitude, longitude, setzero, altitude, epoch, tdate, ttime
from geolife.geolife_trajectory_landing
where tdate = date {{ ds | literal }};

{{ dialect.warn_when_empty("geolife.geolife_trajectory", ds, "points") }}
