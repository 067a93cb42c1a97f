{#- What differs between PostgreSQL, Greenplum 6 and Greenplum 7 in the tasks' SQL. Import it
    `with context`: the macros look at `target`. A macro that makes statements ends each of them
    with a semicolon; the others make a part of one. -#}

{#- The table that holds one day of a table with a partition a day: Greenplum's own name for it,
    on every dialect. -#}
{%- macro day_partition(table, day) -%}
{{ table }}_1_prt_p{{ day | replace("-", "") }}
{%- endmacro -%}

{#- Statements after which the table's partition of that day exists and is empty. -#}
{%- macro replace_day_partition(table, day) -%}
{%- set partition = "p" ~ day | replace("-", "") -%}
{%- if target.dialect == "greenplum6" -%}
alter table {{ table }} drop partition if exists {{ partition }};
alter table {{ table }} add partition {{ partition }} values (date {{ day | literal }});
{%- else -%}
drop table if exists {{ day_partition(table, day) }};
create table {{ day_partition(table, day) }}
    partition of {{ table }} for values in (date {{ day | literal }});
{%- endif -%}
{%- endmacro -%}

{#- The end of a `create table … as`: where Greenplum keeps the rows. -#}
{%- macro distributed_by(columns) -%}
{%- if target.dialect in ["greenplum6", "greenplum7"] %}
distributed by ({{ columns }})
{%- endif -%}
{%- endmacro -%}

{#- More `group by` columns, so that every segment works on its own rows. -#}
{%- macro by_segment() -%}
{%- if target.dialect in ["greenplum6", "greenplum7"] %}, gp_segment_id{% endif -%}
{%- endmacro -%}

{#- PL/pgSQL after which random() repeats itself. On Greenplum rows get theirs on the segments. -#}
{%- macro seed_random(seed) -%}
perform setseed({{ seed | literal }});
{%- if target.dialect in ["greenplum6", "greenplum7"] %}
    perform setseed({{ seed | literal }}) from gp_dist_random('gp_id');
{%- endif -%}
{%- endmacro -%}

{#- A statement that puts a warning into the task's log when the day's partition is empty. -#}
{%- macro warn_when_empty(table, day, what) -%}
do $warn$
begin
    if not exists (select 1 from {{ day_partition(table, day) }}) then
        raise warning {{ ("no " ~ what ~ " on " ~ day) | literal }};
    end if;
end
$warn$;
{%- endmacro -%}
