-- The model's row in the registry. It enters service if it is viable (its AUC reaches the
-- threshold) and not worse than the model that is in service on this date.
delete from geolife.models_metadata
where model_type = 'rf_walk'
    and mdate = date '2007-05-01';

do $task$
declare
    new_row geolife.models_metadata%rowtype;
    rival geolife.models_metadata%rowtype;
begin
    new_row.rows_train := 0;
    new_row.rows_test := 0;

    if to_regclass('geolife.walk_20070501_auc') is not null then
        select count(*) into new_row.rows_train from geolife.features_walk_20070501_train;
        select independent_varnames into new_row.features from geolife.rf_walk_20070501_output_summary;
        select area_under_roc into new_row.auc from geolife.walk_20070501_auc;
        select
            string_agg(class || ': ' || array_to_string(confusion_arr, ', '), '; ' order by row_id)
        into new_row.confusion
        from geolife.walk_20070501_confusion;
        select
            count(*),
            avg(case when predicted_class = observed_class then 1 else 0 end),
            avg(case when observed = 1 and predicted_class = 'walk' then 1
                when observed = 1 then 0 end) / 2
            + avg(case when observed = 0 and predicted_class = 'other' then 1
                when observed = 0 then 0 end) / 2
        into new_row.rows_test, new_row.accuracy, new_row.balanced_accuracy
        from geolife.walk_20070501_result;
    end if;

    select * into rival
    from geolife.models_metadata
    where model_type = 'rf_walk'
        and in_service
        and mdate < date '2007-05-01'
    order by mdate desc
    limit 1;

    new_row.in_service := false;
    if to_regclass('geolife.rf_walk_20070501_output') is null then
        new_row.reason := 'not trained: too few rows, labels or features';
    elsif new_row.auc is null then
        new_row.reason := 'the test part has one class only';
    elsif new_row.auc < 0.75 then
        new_row.reason := 'AUC ' || round(new_row.auc::numeric, 4)
            || ' is below ' || 0.75;
    elsif new_row.auc < rival.auc then
        new_row.reason := 'AUC ' || round(new_row.auc::numeric, 4)
            || ' is below ' || round(rival.auc::numeric, 4)
            || ' of the model of ' || rival.mdate;
    else
        new_row.in_service := true;
        new_row.reason := 'AUC ' || round(new_row.auc::numeric, 4);
    end if;

    insert into geolife.models_metadata
        (mdate, nodash, model_type, model_tabname, auc, accuracy, balanced_accuracy, confusion,
        features, rows_train, rows_test, in_service, reason)
    values (
        date '2007-05-01',
        '20070501',
        'rf_walk',
        'geolife.rf_walk_20070501_output',
        new_row.auc,
        new_row.accuracy,
        new_row.balanced_accuracy,
        new_row.confusion,
        new_row.features,
        new_row.rows_train,
        new_row.rows_test,
        new_row.in_service,
        new_row.reason
    );
    raise notice 'in service: %, %', new_row.in_service, new_row.reason;
end
$task$;
