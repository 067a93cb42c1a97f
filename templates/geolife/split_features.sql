{%- import "macros/dialect.sql" as dialect with context -%}
{%- set split = "geolife.features_walk_" ~ ds_nodash -%}
-- Splits the labelled trajectories before the day in two. They are copied in a given order first,
-- so that the same seed splits them in the same way.
drop table if exists
    {{ split }}_all,
    {{ split }}_train,
    {{ split }}_test;

create table {{ split }}_all as
select *
from geolife.tsfresh_model_features
where tdate < date {{ ds | literal }}
order by tdate, id
{{- dialect.distributed_by("id") }};

do $task$
declare
    trajectories bigint;
    labels bigint;
begin
    select count(*), count(distinct label) into trajectories, labels
    from {{ split }}_all;

    if trajectories < {{ params.min_rows | literal }} or labels < 2 then
        raise warning 'too little to train on before {{ ds }}: % trajectories, % labels',
            trajectories, labels;
        return;
    end if;

    {{ dialect.seed_random(params.seed) }}
    perform madlib.train_test_split(
        '{{ split }}_all',
        {{ split | literal }},
        {{ params.train_proportion | literal }},
        {{ params.test_proportion | literal }},
        null,     -- grouping columns
        null,     -- target columns
        false,    -- with replacement
        true      -- separate output tables
    );
end
$task$;

drop table {{ split }}_all;
