{%- set result = "geolife.walk_" ~ ds_nodash ~ "_result" -%}
{%- set auc = "geolife.walk_" ~ ds_nodash ~ "_auc" -%}
{%- set confusion = "geolife.walk_" ~ ds_nodash ~ "_confusion" -%}
-- How well the forest tells walks from other trajectories that it has not seen.
drop table if exists {{ auc }}, {{ confusion }};

do $task$
begin
    if to_regclass({{ result | literal }}) is null then
        raise notice {{ ("no model for " ~ ds ~ ": nothing to evaluate") | literal }};
        return;
    end if;

    perform madlib.area_under_roc(
        {{ result | literal }},
        {{ auc | literal }},
        'probability',
        'observed'
    );

    perform madlib.confusion_matrix(
        {{ result | literal }},
        {{ confusion | literal }},
        'predicted_class',
        'observed_class'
    );
end
$task$;
