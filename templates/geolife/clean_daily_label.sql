{%- import "macros/dialect.sql" as dialect with context -%}
-- Labels that start and end on the day, each once, with their times.
{{ dialect.replace_day_partition("geolife.geolife_label_clean", ds) }}

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
where start_date = date {{ ds | literal }}
    and end_date = date {{ ds | literal }}
    and mode is not null;
