-- What each version has scored.
select
    'rf_walk' as name,
    model_version as version,
    count(*) as scored,
    to_char(max(tdate), 'YYYY-MM-DD') as newest
from geolife.walk_prediction_results
where model_version is not null
group by model_version
union all
select
    'credit_card',
    model_version,
    count(*),
    to_char(max(tdate), 'YYYY-MM-DD')
from credit_card.scores
where model_version is not null
group by model_version
