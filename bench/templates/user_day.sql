{#- What one day of every user looks like: columns per mode of travel, and totals. -#}
{%- import "report.sql" as report with context -%}
{%- set source = report.of_day(params.source, ds) -%}
{%- set table = params.schema ~ ".user_day_" ~ ds_nodash -%}
-- {{ dag.dag_id }}, {{ run_id }}: {{ params.modes | length }} modes, made from {{ source }}.
-- Asked for by {{ params.owner | default("nobody") }}.
drop table if exists {{ table }};

create table {{ table }} as
with point as (
    select
        uid, mode, pt, ttimestamp,
        lead(pt) over next_point as lead_pt,
        lead(ttimestamp) over next_point as lead_ttimestamp
    from {{ source }}
    where tdate = date {{ ds | literal }}
        and ttimestamp >= {{ report.timestamp(ds, params.hours.first) }}
        and ttimestamp < {{ report.timestamp(ds, params.hours.last) }}
        and uid not in ({{ params.excluded | join(", ") }})
    window next_point as (partition by uid order by ttimestamp)
),
step as (
    select
        uid, mode,
        st_distancesphere(pt, lead_pt) / {{ params.metres_per_unit }} as distance,
        extract(epoch from lead_ttimestamp - ttimestamp) / {{ 60 * 60 }} as hours
    from point
    where lead_ttimestamp <= ttimestamp + interval {{ params.longest_gap | literal }}
)
select
    uid,
    {%- for mode in params.modes %}
    -- {{ mode.name }}, {{ loop.index }} of {{ loop.length }}
    {{ report.of_mode("sum(distance)", mode) }} as {{ mode.column }}_distance,
    {{ report.of_mode("sum(hours)", mode) }} as {{ mode.column }}_hours,
    {%- if mode.limit %}
    count(*) filter (where mode = {{ mode.name | literal }}
        and distance / hours > {{ mode.limit * params.tolerance }}) as {{ mode.column }}_too_fast,
    {%- endif %}
    {%- endfor %}
    sum(distance) as distance,
    sum(hours) as hours,
    date {{ ds | literal }} as tdate
from step
where hours > 0
group by uid
having count(*) >= {{ params.points_min | default(2) }}
order by distance desc
{%- if params.rows_max %}
limit {{ params.rows_max }}
{%- endif %};

{% if params.comment -%}
comment on table {{ table }} is {{ params.comment | trim | literal }};
{% endif -%}
{% if target.dialect != "greenplum6" -%}
create index on {{ table }} (uid);
{% endif -%}
{{ report.grant(table, params.readers) }}
analyze {{ table }};
