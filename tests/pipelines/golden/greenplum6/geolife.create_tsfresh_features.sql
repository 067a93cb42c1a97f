-- The features of the day's trajectories. The function is called once a row of the innermost
-- select: taken apart in place, it would be called once a column.
alter table geolife.ts_features_walk drop partition if exists p20070430;
alter table geolife.ts_features_walk add partition p20070430 values (date '2007-04-30');

insert into geolife.ts_features_walk (tdate, id, feature_name, value)
select tdate, (f).id, (f).feature_name, (f).value
from (
    select
        tdate,
        geolife.tsfresh_features(trajectory_ids, distances, intervals, speeds) as f
    from (
        select
            tdate,
            array_agg(trajectory_id order by trajectory_id, "time") as trajectory_ids,
            array_agg(distance_miles order by trajectory_id, "time") as distances,
            array_agg(interval_hour order by trajectory_id, "time") as intervals,
            array_agg(speed order by trajectory_id, "time") as speeds
        from geolife.geolife_trajectory_speed_walk
        where tdate = date '2007-04-30'
        group by tdate, gp_segment_id
    ) points
) features;
