-- The labels that start on the day, from the landing table.
alter table geolife.geolife_label drop partition if exists p20070430;
alter table geolife.geolife_label add partition p20070430 values (date '2007-04-30');

insert into geolife.geolife_label (uid, start_date, start_time, end_date, end_time, mode)
select uid, start_date, start_time, end_date, end_time, mode
from geolife.geolife_label_landing
where start_date = date '2007-04-30';
