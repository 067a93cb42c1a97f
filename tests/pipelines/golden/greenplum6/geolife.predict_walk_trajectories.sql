-- Is it a walk? Asks the newest model in service of a date before 2007-05-01, the end of the
-- day: so the day gives the same answer when it is run again later.
alter table geolife.walk_prediction_results drop partition if exists p20070430;
alter table geolife.walk_prediction_results add partition p20070430 values (date '2007-04-30');

drop table if exists geolife.walk_prediction_results_20070430;

do $task$
declare
    model text;
    trajectories bigint;
begin
    if not exists (select 1 from geolife.tsfresh_predict_features_1_prt_p20070430) then
        raise notice 'no trajectories to predict on 2007-04-30';
        return;
    end if;

    select model_tabname into model
    from geolife.models_metadata
    where model_type = 'rf_walk'
        and in_service
        and mdate < date '2007-05-01'
    order by mdate desc
    limit 1;

    if model is null then
        raise warning 'no predictions: no model before 2007-05-01';
        return;
    end if;

    perform madlib.forest_predict(
        model,
        'geolife.tsfresh_predict_features_1_prt_p20070430',
        'geolife.walk_prediction_results_20070430',
        'response'
    );

    insert into geolife.walk_prediction_results (id, estimated_label, tdate)
    select id, estimated_label, date '2007-04-30'
    from geolife.walk_prediction_results_20070430;
    get diagnostics trajectories = row_count;
    raise notice '% trajectories, by %', trajectories, model;
end
$task$;

drop table if exists geolife.walk_prediction_results_20070430;
