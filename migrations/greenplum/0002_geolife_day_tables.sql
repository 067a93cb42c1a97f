{#- A table with a partition a day. Greenplum 6 wants one partition from the beginning, and has
    DISTRIBUTED before PARTITION BY; Greenplum 7's declarative form has it after. -#}
{%- macro by_day(distributed, day="tdate") -%}
{%- if target.dialect == "greenplum6" -%}
distributed {{ distributed }}
partition by list ({{ day }}) (partition p20000101 values (date '2000-01-01'))
{%- elif target.dialect == "greenplum7" -%}
partition by list ({{ day }})
distributed {{ distributed }}
{%- else -%}
partition by list ({{ day }})
{%- endif -%}
{%- endmacro -%}
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
) {{ by_day("by (uid)") }};

create table geolife.geolife_label (
    uid text,
    start_date date,
    start_time time,
    end_date date,
    end_time time,
    mode text
) {{ by_day("by (uid)", day="start_date") }};

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
) {{ by_day("by (uid)") }};

create table geolife.geolife_label_clean (
    uid text,
    start_date date,
    start_time time,
    end_date date,
    end_time time,
    mode text,
    start_ts timestamp,
    end_ts timestamp
) {{ by_day("by (uid)", day="start_date") }};

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
) {{ by_day("by (uid)") }};

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
) {{ by_day("by (trajectory_id)") }};

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
) {{ by_day("by (trajectory_id)") }};

-- One row a trajectory and feature.
create table geolife.ts_features_walk (
    tdate date,
    id text,
    feature_name text,
    value double precision
) {{ by_day("randomly") }};

-- One row a trajectory. The features' columns are added when a feature is first seen
-- (geolife.add_feature_columns), to all three tables at once.
{% for table in ["ts_features_walk_pvt", "tsfresh_model_features", "tsfresh_predict_features"] -%}
create table geolife.{{ table }} (
    id text,
    label boolean,
    tdate date
) {{ by_day("by (id)") }};

{% endfor -%}
-- What the model in service said of the unlabelled trajectories.
create table geolife.walk_prediction_results (
    id text,
    estimated_label boolean,
    tdate date
) {{ by_day("by (id)") }};
