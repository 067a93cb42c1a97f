-- Greenplum fetches the points itself, in place of the loader's COPY.
drop external table if exists geolife.geolife_trajectory_external;

create readable external web table geolife.geolife_trajectory_external
    (like geolife.geolife_trajectory_landing)
location ('http://files.example/geolife/trajectory.csv')
format 'csv';

delete from geolife.geolife_trajectory_landing;

insert into geolife.geolife_trajectory_landing
    (uid, latitude, longitude, setzero, altitude, epoch, tdate, ttime)
select uid, latitude, longitude, setzero, altitude, epoch, tdate, ttime
from geolife.geolife_trajectory_external;

drop external table geolife.geolife_trajectory_external;
