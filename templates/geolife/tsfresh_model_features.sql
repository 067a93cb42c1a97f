{%- import "macros/dialect.sql" as dialect with context -%}
{%- import "macros/features.sql" as features with context -%}
-- The day's labelled trajectories, to train on.
{{ dialect.replace_day_partition("geolife.tsfresh_model_features", ds) }}

{{ features.copy_day("geolife.tsfresh_model_features", ds, "label is not null") }}
