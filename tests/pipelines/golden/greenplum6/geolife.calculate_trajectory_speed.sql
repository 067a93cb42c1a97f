-- From every point to the next one of its trajectory: miles (on the spheroid), hours, miles per
-- hour. Points of the same time have no speed. The whole order is given, so that a run repeats.
alter table geolife.geolife_trajectory_label_speed drop partition if exists p20070430;
alter table geolife.geolife_trajectory_label_speed add partition p20070430 values (date '2007-04-30');

insert into geolife.geolife_trajectory_label_speed
    (uid, trajectory_id, mode, pt, lead_pt, tdate, ttime, ttimestamp, lead_ttimestamp,
    distance_miles, interval_hour, speed)
with lead_trajectory as (
    select
        uid, trajectory_id, mode, pt, tdate, ttime, ttimestamp,
        lead(pt) over next_point as lead_pt,
        lead(ttimestamp) over next_point as lead_ttimestamp
    from geolife.geolife_trajectory_label_clean
    where tdate = date '2007-04-30'
    window next_point as (
        partition by trajectory_id
        order by ttimestamp, latitude, longitude, altitude, epoch
    )
),
measured as (
    select
        lead_trajectory.*,
        st_distancespheroid(pt, lead_pt, 'SPHEROID["WGS 84",6378137,298.257223563]')
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
