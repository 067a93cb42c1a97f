-- What was predicted of a trajectory, and the date of the model that said so: the newest in service
-- of a date before the end of the trajectory's day, as in predict_walk_trajectories.
select
    results.id as trajectory_id,
    results.tdate,
    results.estimated_label as walk,
    (
        select max(models.mdate)
        from geolife.models_metadata models
        where models.model_type = 'rf_walk'
            and models.in_service
            and models.mdate <= results.tdate
    ) as model_date
from geolife.walk_prediction_results results
where results.id = any(%(trajectory_ids)s::text[])
order by results.id
