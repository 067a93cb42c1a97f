-- Two features, as a day before would have brought them.
create table given_features (
    value_avg_feature_name_speed__mean double precision,
    value_avg_feature_name_speed__length double precision
);
select geolife.add_feature_columns('given_features');
drop table given_features;
