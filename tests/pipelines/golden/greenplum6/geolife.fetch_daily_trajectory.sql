-- The day's points, from the landing table.
alter table geolife.geolife_trajectory drop partition if exists p20070430;
alter table geolife.geolife_trajectory add partition p20070430 values (date '2007-04-30');

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
