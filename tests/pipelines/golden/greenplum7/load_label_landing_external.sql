-- Greenplum fetches the labels itself, in place of the loader's COPY.
drop external table if exists geolife.geolife_label_external;

create readable external web table geolife.geolife_label_external
    (like geolife.geolife_label_landing)
location ('http://files.example/geolife/label.csv')
format 'csv';

delete from geolife.geolife_label_landing;

insert into geolife.geolife_label_landing
    (uid, start_date, start_time, end_date, end_time, mode)
select uid, start_date, start_time, end_date, end_time, mode
from geolife.geolife_label_external;

drop external table geolife.geolife_label_external;
