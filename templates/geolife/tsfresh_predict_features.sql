{%- import "macros/dialect.sql" as dialect with context -%}
{%- import "macros/features.sql" as features with context -%}
-- The day's unlabelled trajectories, to predict.
{{ dialect.replace_day_partition("geolife.tsfresh_predict_features", ds) }}

{{ features.copy_day("geolife.tsfresh_predict_features", ds, "label is null") }}
