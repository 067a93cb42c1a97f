-- The day's unlabelled trajectories, to predict.
drop table if exists geolife.tsfresh_predict_features_1_prt_p20070430;
create table geolife.tsfresh_predict_features_1_prt_p20070430
    partition of geolife.tsfresh_predict_features for values in (date '2007-04-30');

do $task$
declare
    columns text := concat_ws(
        ', ', 'id', 'label', 'tdate', geolife.feature_columns('geolife.ts_features_walk_pvt'));
    copied bigint;
begin
    execute 'insert into geolife.tsfresh_predict_features (' || columns || ') '
        || 'select ' || columns
        || ' from geolife.ts_features_walk_pvt'
        || ' where label is null and tdate = date ' || quote_literal('2007-04-30');
    get diagnostics copied = row_count;
    raise notice '% trajectories', copied;
end
$task$;
