-- Is it a walk? Asks the newest model in service of a date before 2007-05-01, the end of the
-- day: so the day gives the same answer when it is run again later.
alter table geolife.walk_prediction_results drop partition if exists p20070430;
alter table geolife.walk_prediction_results add partition p20070430 values (date '2007-04-30');

drop table if exists geolife.walk_prediction_results_20070430;

do $task$
declare
    model text;
    model_version text;
    trajectories bigint;
begin
    if not exists (select 1 from geolife.tsfresh_predict_features_1_prt_p20070430) then
        raise notice 'no trajectories to predict on 2007-04-30';
        return;
    end if;

    select newest.place, newest.version into model, model_version
    from (
        select registry.version, registry.mdate, registry.kind, registry.place, registry.metrics
        from models.registry
        where registry.name = 'rf_walk'
            and registry.in_service
            and registry.mdate < date '2007-05-01'
        order by registry.mdate desc, registry.version desc
        limit 1
    ) as newest;

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

    insert into geolife.walk_prediction_results (id, estimated_label, tdate, model_version)
    select id, estimated_label, date '2007-04-30', model_version
    from geolife.walk_prediction_results_20070430;
    get diagnostics trajectories = row_count;
    raise notice '% trajectories, by % of %', trajectories, model, model_version;
end
$task$;

drop table if exists geolife.walk_prediction_results_20070430;
