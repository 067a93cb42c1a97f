-- The day's rows of the landing tables.
create table geolife.geolife_trajectory (
    uid text,
    latitude double precision,
    longitude double precision,
    setzero integer,
    altitude double precision,
    epoch double precision,
    tdate date,
    ttime time
) partition by list (tdate)
distributed by (uid);

create table geolife.geolife_label (
    uid text,
    start_date date,
    start_time time,
    end_date date,
    end_time time,
    mode text
) partition by list (start_date)
distributed by (uid);

-- Only what can be.
create table geolife.geolife_trajectory_clean (
    uid text,
    latitude double precision,
    longitude double precision,
    pt geometry,
    altitude double precision,
    epoch double precision,
    tdate date,
    ttime time,
    ttimestamp timestamp
) partition by list (tdate)
distributed by (uid);

create table geolife.geolife_label_clean (
    uid text,
    start_date date,
    start_time time,
    end_date date,
    end_time time,
    mode text,
    start_ts timestamp,
    end_ts timestamp
) partition by list (start_date)
distributed by (uid);

-- Every point with its trajectory; mode is null where there is no label.
create table geolife.geolife_trajectory_label_clean (
    uid text,
    latitude double precision,
    longitude double precision,
    pt geometry,
    altitude double precision,
    epoch double precision,
    tdate date,
    ttime time,
    ttimestamp timestamp,
    mode text,
    trajectory_id text
) partition by list (tdate)
distributed by (uid);

create table geolife.geolife_trajectory_label_speed (
    uid text,
    trajectory_id text,
    mode text,
    pt geometry,
    lead_pt geometry,
    tdate date,
    ttime time,
    ttimestamp timestamp,
    lead_ttimestamp timestamp,
    distance_miles double precision,
    interval_hour double precision,
    speed double precision
) partition by list (tdate)
distributed by (trajectory_id);

-- The three signals of a trajectory; label: is it a walk?
create table geolife.geolife_trajectory_speed_walk (
    trajectory_id text,
    tdate date,
    "time" timestamp,
    distance_miles double precision,
    interval_hour double precision,
    speed double precision,
    mode text,
    label boolean
) partition by list (tdate)
distributed by (trajectory_id);

-- One row a trajectory and feature.
create table geolife.ts_features_walk (
    tdate date,
    id text,
    feature_name text,
    value double precision
) partition by list (tdate)
distributed randomly;

-- One row a trajectory. The features' columns are added when a feature is first seen
-- (geolife.add_feature_columns), to all three tables at once.
create table geolife.ts_features_walk_pvt (
    id text,
    label boolean,
    tdate date
) partition by list (tdate)
distributed by (id);

create table geolife.tsfresh_model_features (
    id text,
    label boolean,
    tdate date
) partition by list (tdate)
distributed by (id);

create table geolife.tsfresh_predict_features (
    id text,
    label boolean,
    tdate date
) partition by list (tdate)
distributed by (id);

-- What the model in service said of the unlabelled trajectories.
create table geolife.walk_prediction_results (
    id text,
    estimated_label boolean,
    tdate date
) partition by list (tdate)
distributed by (id);
