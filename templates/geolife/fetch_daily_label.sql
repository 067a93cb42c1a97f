{%- import "macros/dialect.sql" as dialect with context -%}
-- The labels that start on the day, from the landing table.
{{ dialect.replace_day_partition("geolife.geolife_label", ds) }}

insert into geolife.geolife_label (uid, start_date, start_time, end_date, end_time, mode)
select uid, start_date, start_time, end_date, end_time, mode
from geolife.geolife_label_landing
where start_date = date {{ ds | literal }};
