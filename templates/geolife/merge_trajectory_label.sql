{%- import "macros/dialect.sql" as dialect with context -%}
{#- Trajectories without a label: this many consecutive points of a user, or at least so many. -#}
{%- set group_size = 20 -%}
{%- set group_least = 10 -%}
-- Every point of the day with its trajectory. A point within a label belongs to that label's
-- trajectory (within several: to the first's); the others are taken in groups of {{ group_size }}.
-- The ids: <date>_<n> with a label (n counts all labels of the day), else nl_<user>_<date>_<n>.
{{ dialect.replace_day_partition("geolife.geolife_trajectory_label_clean", ds) }}

insert into geolife.geolife_trajectory_label_clean
    (uid, latitude, longitude, pt, altitude, epoch, tdate, ttime, ttimestamp, mode, trajectory_id)
with point as (
    select
        uid, latitude, longitude, pt, altitude, epoch, tdate, ttime, ttimestamp,
        row_number() over (
            order by uid, ttimestamp, latitude, longitude, altitude, epoch
        ) as point_number
    from geolife.geolife_trajectory_clean
    where tdate = date {{ ds | literal }}
),
label as (
    select
        uid, start_ts, end_ts, mode,
        row_number() over (order by uid, start_ts, end_ts, mode) as label_number
    from geolife.geolife_label_clean
    where start_date = date {{ ds | literal }}
),
candidate as (
    select
        point.*,
        label.mode,
        label.label_number,
        row_number() over (
            partition by point.point_number order by label.label_number
        ) as choice
    from point
    left join label
        on label.uid = point.uid
        and point.ttimestamp between label.start_ts and label.end_ts
),
numbered as (
    select
        candidate.*,
        (row_number() over (
            partition by uid, label_number is null order by point_number
        ) - 1) / {{ group_size }} + 1 as group_number
    from candidate
    where choice = 1
),
counted as (
    select
        numbered.*,
        count(*) over (partition by uid, label_number is null, group_number) as group_points
    from numbered
)
select
    uid, latitude, longitude, pt, altitude, epoch, tdate, ttime, ttimestamp, mode,
    case
        when label_number is not null then {{ (ds ~ "_") | literal }} || label_number
        else 'nl_' || uid || {{ ("_" ~ ds ~ "_") | literal }} || group_number
    end as trajectory_id
from counted
where label_number is not null
    or group_points >= {{ group_least }};
