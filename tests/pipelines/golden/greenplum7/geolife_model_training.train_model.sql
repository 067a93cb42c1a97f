-- Trains the forest. The tables of a model trained before for the same date are replaced, so it
-- leaves the registry in the same transaction.
delete from models.evaluation
where name = 'rf_walk'
    and version = '2007-05-01';
delete from models.registry
where name = 'rf_walk'
    and version = '2007-05-01';

drop table if exists
    geolife.rf_walk_20070501_output,
    geolife.rf_walk_20070501_output_summary,
    geolife.rf_walk_20070501_output_group,
    geolife.rf_walk_20070501_importance;

do $task$
declare
    candidate text;
    distinct_values bigint;
    features text[] := array[]::text[];
begin
    if to_regclass('geolife.features_walk_20070501_train') is null then
        raise notice 'no training part for 2007-05-01: nothing to train';
        return;
    end if;

    if (select count(distinct label) from geolife.features_walk_20070501_train) < 2 then
        raise warning 'the training part for 2007-05-01 has one label only: nothing is trained';
        return;
    end if;

    -- A column with one value says nothing; one that is null in every row can crash MADlib.
    for candidate in
        select attname::text
        from pg_catalog.pg_attribute
        where attrelid = 'geolife.features_walk_20070501_train'::regclass
            and attnum > 0
            and not attisdropped
            and left(attname::text, 23) = 'value_avg_feature_name_'
            and split_part(attname::text, '__', 2) <> 'length'
            and split_part(attname::text, '__', 2) <> 'sum_values'
        order by 1
    loop
        execute 'select count(distinct ' || quote_ident(candidate) || ')'
            || ' from geolife.features_walk_20070501_train'
            into distinct_values;
        if distinct_values > 1 then
            features := features || quote_ident(candidate);
        end if;
    end loop;

    if coalesce(array_length(features, 1), 0) = 0 then
        raise warning 'no feature tells trajectories apart before 2007-05-01: nothing is trained';
        return;
    end if;

    perform madlib.forest_train(
        'geolife.features_walk_20070501_train',
        'geolife.rf_walk_20070501_output',
        'id',
        'label',
        array_to_string(features, ','),
        null,     -- features to exclude
        null,     -- grouping columns
        20::integer,
        least(2, array_length(features, 1))::integer,
        true,     -- variable importance
        1::integer,
        8::integer,
        3::integer,
        1::integer,
        10::integer
    );

    perform madlib.get_var_importance(
        'geolife.rf_walk_20070501_output',
        'geolife.rf_walk_20070501_importance'
    );
end
$task$;
