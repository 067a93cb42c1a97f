-- Points on the globe (null is not), with their place and time.
drop table if exists geolife.geolife_trajectory_clean_1_prt_p20070430;
create table geolife.geolife_trajectory_clean_1_prt_p20070430
    partition of geolife.geolife_trajectory_clean for values in (date '2007-04-30');

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
where tdate = date '2007-04-30'
    and latitude between -90 and 90
    and longitude between -180 and 180
    and uid is not null
    and ttime is not null;
