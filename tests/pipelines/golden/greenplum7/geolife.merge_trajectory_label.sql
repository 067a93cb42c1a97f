-- Every point of the day with its trajectory. A point within a label belongs to that label's
-- trajectory (within several: to the first's); the others are taken in groups of 20.
-- The ids: <date>_<n> with a label (n counts all labels of the day), else nl_<user>_<date>_<n>.
drop table if exists geolife.geolife_trajectory_label_clean_1_prt_p20070430;
create table geolife.geolife_trajectory_label_clean_1_prt_p20070430
    partition of geolife.geolife_trajectory_label_clean for values in (date '2007-04-30');

insert into geolife.geolife_trajectory_label_clean
    (uid, latitude, longitude, pt, altitude, epoch, tdate, ttime, ttimestamp, mode, trajectory_id)
with point as (
    select
        uid, latitude, longitude, pt, altitude, epoch, tdate, ttime, ttimestamp,
        row_number() over (
            order by uid, ttimestamp, latitude, longitude, altitude, epoch
        ) as point_number
    from geolife.geolife_trajectory_clean
    where tdate = date '2007-04-30'
),
label as (
    select
        uid, start_ts, end_ts, mode,
        row_number() over (order by uid, start_ts, end_ts, mode) as label_number
    from geolife.geolife_label_clean
    where start_date = date '2007-04-30'
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
        ) - 1) / 20 + 1 as group_number
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
        when label_number is not null then '2007-04-30_' || label_number
        else 'nl_' || uid || '_2007-04-30_' || group_number
    end as trajectory_id
from counted
where label_number is not null
    or group_points >= 10;
