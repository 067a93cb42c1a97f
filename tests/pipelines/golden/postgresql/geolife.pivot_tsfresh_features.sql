-- One row a trajectory, one column a feature. The columns follow the data: a feature that no day
-- had before gets its column first, one that is missing today stays null.
drop table if exists geolife.ts_features_walk_pvt_1_prt_p20070430;
create table geolife.ts_features_walk_pvt_1_prt_p20070430
    partition of geolife.ts_features_walk_pvt for values in (date '2007-04-30');

drop table if exists
    geolife.ts_features_walk_pivot_20070430,
    geolife.ts_features_walk_pivot_20070430_dictionary;

do $task$
declare
    features text;
    trajectories bigint;
begin
    if not exists (select 1 from geolife.ts_features_walk_1_prt_p20070430) then
        raise notice 'no features on 2007-04-30: nothing to pivot';
        return;
    end if;

    perform madlib.pivot(
        'geolife.ts_features_walk_1_prt_p20070430',
        'geolife.ts_features_walk_pivot_20070430',
        'id',              -- index
        'feature_name',    -- pivot column
        'value'            -- pivot value
    );

    perform geolife.add_feature_columns('geolife.ts_features_walk_pivot_20070430');

    features := geolife.feature_columns('geolife.ts_features_walk_pivot_20070430');
    execute 'insert into geolife.ts_features_walk_pvt (id, label, tdate, ' || features || ') '
        || 'select wide.id, trajectory.label, trajectory.tdate, ' || features
        || ' from geolife.ts_features_walk_pivot_20070430 wide'
        || ' join ('
        || 'select trajectory_id, tdate, bool_and(label) as label'
        || ' from geolife.geolife_trajectory_speed_walk'
        || ' where tdate = date ' || quote_literal('2007-04-30')
        || ' group by trajectory_id, tdate'
        || ') trajectory on trajectory.trajectory_id = wide.id';
    get diagnostics trajectories = row_count;
    raise notice '% trajectories', trajectories;
end
$task$;

drop table if exists
    geolife.ts_features_walk_pivot_20070430,
    geolife.ts_features_walk_pivot_20070430_dictionary;
