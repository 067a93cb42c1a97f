-- Is it a walk? Null where nobody said. Nobody walks faster than 15 mph, and nobody travels faster
-- than 150.
alter table geolife.geolife_trajectory_speed_walk drop partition if exists p20070430;
alter table geolife.geolife_trajectory_speed_walk add partition p20070430 values (date '2007-04-30');

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
where tdate = date '2007-04-30'
    and speed <= case when mode = 'walk' then 15 else 150 end;
