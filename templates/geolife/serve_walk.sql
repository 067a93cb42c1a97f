-- What was predicted of a trajectory, and the date of the model that said so. A prediction of before
-- versions were recorded was made by the newest in service of a date before the end of its day.
select
    results.id as trajectory_id,
    results.tdate,
    results.estimated_label as walk,
    coalesce(
        (
            select models.mdate
            from models.registry models
            where models.name = 'rf_walk'
                and models.version = results.model_version
        ),
        (
            select max(models.mdate)
            from models.registry models
            where models.name = 'rf_walk'
                and models.in_service
                and models.mdate <= results.tdate
        )
    ) as model_date
from geolife.walk_prediction_results results
where results.id = any(%(trajectory_ids)s::text[])
order by results.id
