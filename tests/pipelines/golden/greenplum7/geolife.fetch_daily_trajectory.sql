-- The day's points, from the landing table.
drop table if exists geolife.geolife_trajectory_1_prt_p20070430;
create table geolife.geolife_trajectory_1_prt_p20070430
    partition of geolife.geolife_trajectory for values in (date '2007-04-30');

insert into geolife.geolife_trajectory
    (uid, latitude, longitude, setzero, altitude, epoch, tdate, ttime)
select uid, latitude, longitude, setzero, altitude, epoch, tdate, ttime
from geolife.geolife_trajectory_landing
where tdate = date '2007-04-30';

do $warn$
begin
    if not exists (select 1 from geolife.geolife_trajectory_1_prt_p20070430) then
        raise warning 'no points on 2007-04-30';
    end if;
end
$warn$;
