-- Labels that start and end on the day, each once, with their times.
drop table if exists geolife.geolife_label_clean_1_prt_p20070430;
create table geolife.geolife_label_clean_1_prt_p20070430
    partition of geolife.geolife_label_clean for values in (date '2007-04-30');

insert into geolife.geolife_label_clean
    (uid, start_date, start_time, end_date, end_time, mode, start_ts, end_ts)
select distinct
    uid,
    start_date,
    start_time,
    end_date,
    end_time,
    mode,
    start_date + start_time as start_ts,
    end_date + end_time as end_ts
from geolife.geolife_label
where start_date = date '2007-04-30'
    and end_date = date '2007-04-30'
    and mode is not null;
