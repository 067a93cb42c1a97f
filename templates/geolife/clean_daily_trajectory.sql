{%- import "macros/dialect.sql" as dialect with context -%}
-- Points on the globe (null is not), with their place and time.
{{ dialect.replace_day_partition("geolife.geolife_trajectory_clean", ds) }}

insert into geolife.geolife_trajectory_clean
    (uid, latitude, longitude, pt, altitude, epoch, tdate, ttime, ttimestamp)
select
    uid,
    latitude,
    longitude,
    st_setsrid(st_makepoint(longitude, latitude), 4326) as pt,
    altitude,
    epoch,
    tdate,
    ttime,
    tdate + ttime as ttimestamp
from geolife.geolife_trajectory
where tdate = date {{ ds | literal }}
    and latitude between -90 and 90
    and longitude between -180 and 180
    and uid is not null
    and ttime is not null;
