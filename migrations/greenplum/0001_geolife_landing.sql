{#- Migrations are self-contained: a macro shared with the tasks could change after it ran. -#}
{%- set greenplum = target.dialect in ["greenplum6", "greenplum7"] -%}
{%- macro distributed(clause) -%}
{%- if greenplum %} distributed {{ clause }}{% endif -%}
{%- endmacro -%}
-- What the pipelines need of the server. An extension that somebody made in another way stays.
do $migration$
begin
    if not exists (select 1 from pg_type where typname = 'geometry') then
        create extension postgis;
    end if;
    if not exists (select 1 from pg_language where lanname = {{ target.plpython | literal }}) then
        create extension {{ target.plpython }};
    end if;
end
$migration$;

create schema if not exists geolife;

-- The release as it is: points.
create table geolife.geolife_trajectory_landing (
    uid text,
    latitude double precision,
    longitude double precision,
    setzero integer,
    altitude double precision,
    epoch double precision,
    tdate date,
    ttime time
){{ distributed("randomly") }};
{% if not greenplum %}
-- The release comes by user, the pipeline asks by day. Greenplum scans in parallel instead.
create index geolife_trajectory_landing_tdate on geolife.geolife_trajectory_landing (tdate);
{% endif %}
-- The release as it is: what a user said to be doing from when to when.
create table geolife.geolife_label_landing (
    uid text,
    start_date date,
    start_time time,
    end_date date,
    end_time time,
    mode text
){{ distributed("randomly") }};
