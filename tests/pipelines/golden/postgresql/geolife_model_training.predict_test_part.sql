-- What the forest says of the trajectories that it has not seen, beside what they are.
drop table if exists geolife.rf_walk_20070501_results, geolife.walk_20070501_result;

do $task$
declare
    walk text;
begin
    if to_regclass('geolife.rf_walk_20070501_output') is null then
        raise notice 'no model for 2007-05-01: nothing to test';
        return;
    end if;

    perform madlib.forest_predict(
        'geolife.rf_walk_20070501_output',
        'geolife.features_walk_20070501_test',
        'geolife.rf_walk_20070501_results',
        'prob'
    );

    -- A column a class, named after it; MADlib's versions spell true in different ways.
    select quote_ident(attname::text) into strict walk
    from pg_catalog.pg_attribute
    where attrelid = 'geolife.rf_walk_20070501_results'::regclass
        and attnum > 0
        and not attisdropped
        and lower(attname::text) in ('estimated_prob_true', 'estimated_prob_t');

    execute 'create table geolife.walk_20070501_result as '
        || 'select test.id,'
        || ' results.' || walk || '::double precision as probability,'
        || ' case when test.label then 1 else 0 end as observed,'
        || ' case when results.' || walk || ' >= 0.5 then ''walk'' else ''other'' end'
        || ' as predicted_class,'
        || ' case when test.label then ''walk'' else ''other'' end as observed_class'
        || ' from geolife.rf_walk_20070501_results results'
        || ' join geolife.features_walk_20070501_test test on test.id = results.id';
end
$task$;
