{%- import "macros/dialect.sql" as dialect with context -%}
{#- Named here, so that a segment need not look it up in spatial_ref_sys. -#}
{%- set spheroid = 'SPHEROID["WGS 84",6378137,298.257223563]' -%}
-- From every point to the next one of its trajectory: miles (on the spheroid), hours, miles per
-- hour. Points of the same time have no speed. The whole order is given, so that a run repeats.
{{ dialect.replace_day_partition("geolife.geolife_trajectory_label_speed", ds) }}

insert into geolife.geolife_trajectory_label_speed
    (uid, trajectory_id, mode, pt, lead_pt, tdate, ttime, ttimestamp, lead_ttimestamp,
    distance_miles, interval_hour, speed)
with lead_trajectory as (
    select
        uid, trajectory_id, mode, pt, tdate, ttime, ttimestamp,
        lead(pt) over next_point as lead_pt,
        lead(ttimestamp) over next_point as lead_ttimestamp
    from geolife.geolife_trajectory_label_clean
    where tdate = date {{ ds | literal }}
    window next_point as (
        partition by trajectory_id
        order by ttimestamp, latitude, longitude, altitude, epoch
    )
),
measured as (
    select
        lead_trajectory.*,
        st_distancespheroid(pt, lead_pt, {{ spheroid | literal }})
            / 1609.344 as distance_miles,
        extract(epoch from (lead_ttimestamp - ttimestamp)) / 3600.0 as interval_hour
    from lead_trajectory
    where lead_ttimestamp <> ttimestamp
)
select
    uid, trajectory_id, mode, pt, lead_pt, tdate, ttime, ttimestamp, lead_ttimestamp,
    distance_miles,
    interval_hour,
    distance_miles / interval_hour as speed
from measured;
