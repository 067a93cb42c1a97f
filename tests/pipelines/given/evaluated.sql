-- What the tasks before register_model leave for 2030-12-01: a forest that says of five trajectories
-- four times what they are.
create table geolife.features_walk_20301201_train as
select n as id from generate_series(1, 19) n;

create table geolife.rf_walk_20301201_output as
select 1 as gid;

create table geolife.rf_walk_20301201_output_summary as
select 'value_avg_feature_name_speed__mean'::text as independent_varnames;

create table geolife.walk_20301201_result (
    id text, probability double precision, observed integer, predicted_class text,
    observed_class text
);
insert into geolife.walk_20301201_result values
    ('a', 0.9, 1, 'walk', 'walk'),
    ('b', 0.4, 1, 'other', 'walk'),
    ('c', 0.3, 0, 'other', 'other'),
    ('d', 0.2, 0, 'other', 'other'),
    ('e', 0.1, 0, 'other', 'other');

create table geolife.walk_20301201_auc as
select 0.8::numeric as area_under_roc;

create table geolife.walk_20301201_confusion as
select * from (values
    (1, 'other'::text, array[3, 0]::numeric[]),
    (2, 'walk', array[1, 1]::numeric[])
) as classes (row_id, class, confusion_arr);
