-- Two forests trained on twenty trajectories: right_model says that slow ones are walks, wrong_model
-- that fast ones are.
create table given_trajectories as
select
    n as id,
    case when n % 2 = 0 then 3.0 else 30.0 end + n * 0.01 as value_avg_feature_name_speed__mean,
    n % 2 = 0 as label,
    n % 2 = 1 as wrong_label
from generate_series(1, 20) n;

select madlib.forest_train('given_trajectories', 'geolife.right_model', 'id', 'label',
    'value_avg_feature_name_speed__mean', null, null, 5, 1, false, 1, 4, 3, 1, 10);
select madlib.forest_train('given_trajectories', 'geolife.wrong_model', 'id', 'wrong_label',
    'value_avg_feature_name_speed__mean', null, null, 5, 1, false, 1, 4, 3, 1, 10);
