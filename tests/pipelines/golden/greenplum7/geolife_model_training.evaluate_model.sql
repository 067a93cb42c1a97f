-- How well the forest tells walks from other trajectories that it has not seen.
drop table if exists geolife.walk_20070501_auc, geolife.walk_20070501_confusion;

do $task$
begin
    if to_regclass('geolife.walk_20070501_result') is null then
        raise notice 'no model for 2007-05-01: nothing to evaluate';
        return;
    end if;

    perform madlib.area_under_roc(
        'geolife.walk_20070501_result',
        'geolife.walk_20070501_auc',
        'probability',
        'observed'
    );

    perform madlib.confusion_matrix(
        'geolife.walk_20070501_result',
        'geolife.walk_20070501_confusion',
        'predicted_class',
        'observed_class'
    );
end
$task$;
