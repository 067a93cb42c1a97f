-- The labels that start on the day, from the landing table.
drop table if exists geolife.geolife_label_1_prt_p20070430;
create table geolife.geolife_label_1_prt_p20070430
    partition of geolife.geolife_label for values in (date '2007-04-30');

insert into geolife.geolife_label (uid, start_date, start_time, end_date, end_time, mode)
select uid, start_date, start_time, end_date, end_time, mode
from geolife.geolife_label_landing
where start_date = date '2007-04-30';
