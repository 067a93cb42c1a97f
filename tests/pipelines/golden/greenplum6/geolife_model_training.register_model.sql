-- The model's row in the registry, with what a page draws of it. It enters service if it is viable
-- (enough rows, its AUC reaches the threshold) and not worse than the model in service on this date.
delete from models.evaluation
where name = 'rf_walk'
    and version = '2007-05-01';
delete from models.registry
where name = 'rf_walk'
    and version = '2007-05-01';

do $task$
declare
    walk_auc double precision;
    accuracy double precision;
    recall double precision;
    precision_of_walk double precision;
    specificity double precision;
    counts text;
    features text;
    rows_train bigint := 0;
    rows_test bigint := 0;
    against text;
begin
    if to_regclass('geolife.walk_20070501_auc') is not null then
        select count(*) into rows_train from geolife.features_walk_20070501_train;
        select independent_varnames into features from geolife.rf_walk_20070501_output_summary;
        select area_under_roc into walk_auc from geolife.walk_20070501_auc;
        select
            string_agg(class || ': ' || array_to_string(confusion_arr, ', '), '; ' order by row_id)
        into counts
        from geolife.walk_20070501_confusion;
        select
            count(*),
            avg(case when predicted_class = observed_class then 1 else 0 end),
            avg(case when observed = 1 then
                case when predicted_class = 'walk' then 1 else 0 end end),
            avg(case when predicted_class = 'walk' then observed end),
            avg(case when observed = 0 then
                case when predicted_class = 'other' then 1 else 0 end end)
        into rows_test, accuracy, recall, precision_of_walk, specificity
        from geolife.walk_20070501_result;
    end if;

    if to_regclass('geolife.rf_walk_20070501_output') is null then
        against := 'not trained: too few rows, labels or features';
    elsif walk_auc is null then
        against := 'the test part has one class only';
    end if;

    insert into models.registry
        (name, version, mdate, kind, place, metrics, features, dag_id, run_id, rows_train,
        rows_test, reason)
    values (
        'rf_walk',
        '2007-05-01',
        date '2007-05-01',
        'madlib_forest',
        'geolife.rf_walk_20070501_output',
        json_build_object(
            'auc', walk_auc,
            'accuracy', accuracy,
            'balanced_accuracy', (recall + specificity) / 2,
            'recall', recall,
            'precision', precision_of_walk,
            'threshold', 0.5,
            'confusion', counts
        )::text::jsonb,
        features,
        'geolife_model_training',
        'scheduled__2007-05-01T00:00:00+00:00',
        rows_train,
        rows_test,
        against
    );
end
$task$;

do $evaluation$
begin
    if to_regclass('geolife.walk_20070501_result') is null then
        return;
    end if;

    insert into models.evaluation (name, version, part, n, x, y)
    values ('rf_walk', '2007-05-01', 'roc', 0, 0, 0);

    insert into models.evaluation (name, version, part, n, label, x, y)
    select 'rf_walk', '2007-05-01', curves.part, points.n,
        round(points.probability::numeric, 4)::text,
        case curves.part when 'roc' then points.false_positives / nullif(points.negatives, 0)
            else points.true_positives / nullif(points.positives, 0) end,
        case curves.part when 'roc' then points.true_positives / nullif(points.positives, 0)
            else points.true_positives / (points.true_positives + points.false_positives) end
    from (
        select
            probability,
            row_number() over (order by probability desc) as n,
            count(*) over () as thresholds,
            sum(hits) over (order by probability desc)::double precision as true_positives,
            sum(others) over (order by probability desc)::double precision as false_positives,
            sum(hits) over ()::double precision as positives,
            sum(others) over ()::double precision as negatives
        from (
            select probability, sum(observed) as hits, sum(1 - observed) as others
            from geolife.walk_20070501_result
            group by probability
        ) as thresholds
    ) as points
    cross join (values ('roc'::text), ('precision_recall')) as curves (part)
    where points.n = 1
        or points.n = points.thresholds
        or points.n % (points.thresholds / 200 + 1) = 0;

    insert into models.evaluation (name, version, part, n, series, label, y)
    select 'rf_walk', '2007-05-01', 'confusion',
        row_number() over (order by cells.observed, cells.predicted),
        cells.observed, cells.predicted, cells.cases
    from (
        select observed.class as observed, predicted.class as predicted, count(cases.class) as cases
        from (select observed_class as class from geolife.walk_20070501_result union select predicted_class from geolife.walk_20070501_result) as observed
        cross join (select observed_class as class from geolife.walk_20070501_result union select predicted_class from geolife.walk_20070501_result) as predicted
        left join (
            select observed_class as class, predicted_class as said
            from geolife.walk_20070501_result
        ) as cases on cases.class = observed.class and cases.said = predicted.class
        group by observed.class, predicted.class
    ) as cells;
end
$evaluation$;

do $decide$
declare
    candidate models.registry%rowtype;
    rival models.registry%rowtype;
    known bigint;
    value numeric;
    verdict text;
    viable boolean := false;
begin
    select * into strict candidate
    from models.registry
    where name = 'rf_walk'
        and version = '2007-05-01';
    select * into rival
    from models.registry
    where name = candidate.name
        and in_service
        and mdate < candidate.mdate
    order by mdate desc, version desc
    limit 1;

    verdict := candidate.reason;
    known := coalesce(candidate.rows_train, 0) + coalesce(candidate.rows_test, 0);
    if verdict is null and known < 50 then
        verdict := 'trained and tested on ' || known || ' rows, fewer than '
            || 50;
    end if;
    if verdict is null then
        value := candidate.metrics ->> 'auc';
        if value is null then
            verdict := 'AUC is not known';
        elsif value < 0.75 then
            verdict := 'AUC ' || round(value, 4)
                || ' is below ' || 0.75;
        end if;
    end if;
    if verdict is null then
        value := candidate.metrics ->> 'auc';
        if value is null then
            verdict := 'AUC is not known';
        elsif value
            < (rival.metrics ->> 'auc')::numeric then
            verdict := 'AUC ' || round(value, 4) || ' is below '
                || round((rival.metrics ->> 'auc')::numeric, 4)
                || ' of the model of ' || rival.version;
        else
            viable := true;
            verdict := 'AUC ' || round(value, 4);
        end if;
    end if;

    update models.registry
    set in_service = viable, reason = verdict, decided_by = 'rule', decided_at = now()
    where name = candidate.name
        and version = candidate.version;
    raise notice 'in service: %, %', viable, verdict;
end
$decide$;
