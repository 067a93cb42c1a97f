{#- Macros of user_day.sql. -#}
{%- macro of_day(table, day) -%}
{{ table }}_1_prt_p{{ day | replace("-", "") }}
{%- endmacro -%}

{%- macro timestamp(day, hour) -%}
timestamp {{ (day ~ " " ~ "%02d:00:00" | format(hour)) | literal }}
{%- endmacro -%}

{#- What an aggregate is over the steps of one mode; zero when there are none. -#}
{%- macro of_mode(aggregate, mode) -%}
coalesce({{ aggregate }} filter (where mode = {{ mode.name | literal }}), 0)
{%- endmacro -%}

{%- macro grant(table, readers) -%}
{%- if readers -%}
grant select on {{ table }} to {{ readers | join(", ") }};
{%- endif -%}
{%- endmacro -%}
