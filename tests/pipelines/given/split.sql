-- What split_features leaves for 2030-12-01: of the walks and rides every sixth to test.
create table geolife.features_walk_20301201_train as
select * from geolife.tsfresh_model_features
where tdate < date '2030-12-01' and id not like '%_6' and id not like '%_12';

create table geolife.features_walk_20301201_test as
select * from geolife.tsfresh_model_features
where tdate < date '2030-12-01' and (id like '%_6' or id like '%_12');
