-- Twelve walks (about 3 mph) and twelve rides (about 30) of 2030-11-30, and one walk of the
-- training's own day. `length` would give the label away; a column of one value says nothing.
create table given_features (
    value_avg_feature_name_speed__mean double precision,
    value_avg_feature_name_speed__maximum double precision,
    value_avg_feature_name_speed__length double precision,
    value_avg_feature_name_interval_hour__minimum double precision
);
select geolife.add_feature_columns('given_features');
drop table given_features;

create table geolife.tsfresh_model_features_1_prt_p20301130
    partition of geolife.tsfresh_model_features for values in (date '2030-11-30');
create table geolife.tsfresh_model_features_1_prt_p20301201
    partition of geolife.tsfresh_model_features for values in (date '2030-12-01');

insert into geolife.tsfresh_model_features (
    id, label, tdate,
    value_avg_feature_name_speed__mean,
    value_avg_feature_name_speed__maximum,
    value_avg_feature_name_speed__length,
    value_avg_feature_name_interval_hour__minimum
)
select
    case when walk then 'walk_' else 'ride_' end || n, walk, date '2030-11-30',
    case when walk then 3 else 30 end + n % 3 * 0.1,
    case when walk then 5 else 60 end + n % 3 * 0.1,
    case when walk then 100 else 10 end,
    0.001
from generate_series(1, 12) n, (values (true), (false)) as labels (walk)
union all
select 'too_new', true, date '2030-12-01', 3, 5, 100, 0.001;
