"""area_under_roc and confusion_matrix."""

import plpy

from dag_madlib import names

MODULE = "Prediction Metrics error"
NUMBERS = {"smallint", "integer", "bigint", "real", "double precision", "numeric"}


def area_under_roc(table_in, table_out, prediction_col, observed_col, grouping_cols):
    source, output = _tables(table_in, table_out)
    groups = names.split_list(grouping_cols)
    prediction, observed = _columns(source, [prediction_col, observed_col] + groups)[:2]
    score = (f"({prediction_col})::integer" if prediction == "boolean" else f"({prediction_col})")
    positive = _as_boolean(observed_col, observed)
    keys = "".join(f"{item}, " for item in groups)
    by_group = f"partition by {', '.join(groups)}" if groups else ""
    grouped = f" group by {', '.join(groups)}" if groups else ""
    # The chance that a positive row scores above a negative one, ties counting half: by rank sums.
    plpy.execute(f"""
        create table {output.sql} as
        select {keys}
               ((sum(rank) filter (where positive) - p * (p + 1) / 2.0)
                / nullif(p * n, 0))::numeric as area_under_roc
          from (select {keys} positive,
                       rank() over (score_order) + (count(*) over (ties) - 1) / 2.0 as rank,
                       count(*) filter (where positive) over (whole)::numeric as p,
                       count(*) filter (where not positive) over (whole)::numeric as n
                  from (select {keys} ({score})::double precision as score, {positive} as positive
                          from {source.sql}) s
                 where score is not null and positive is not null
                window whole as ({by_group}),
                       score_order as ({by_group} order by score),
                       ties as ({by_group + ',' if by_group else 'partition by'} score)) r
        {grouped + ', p, n' if grouped else ' group by p, n'}""")
    if not groups:
        plpy.execute(f"insert into {output.sql} select null"
                     f" where not exists (select 1 from {output.sql})")


def confusion_matrix(table_in, table_out, prediction_col, observed_col):
    source, output = _tables(table_in, table_out)
    predicted, observed = _columns(source, [prediction_col, observed_col])
    cast = "" if predicted == observed else "::text"
    plpy.execute(f"""
        create table {output.sql} as
        with pair as (
            select ({observed_col}){cast} as o, ({prediction_col}){cast} as p from {source.sql}
        ), level as (
            select c, row_number() over (order by c) as i
              from (select o as c from pair union select p from pair) u where c is not null
        ), cell as (
            select r.i as row_id, r.c as class, k.i as k, count(pair.o)::numeric as n
              from level r cross join level k
              left join pair on pair.o = r.c and pair.p = k.c
             group by r.i, r.c, k.i
        )
        select row_id, class, array_agg(n order by k) as confusion_arr
          from cell group by row_id, class order by row_id""")


def _tables(table_in, table_out):
    source, output = names.Table(table_in), names.Table(table_out)
    if not source.exists():
        plpy.error(f"{MODULE}: Input table '{source.given}' does not exist.")
    if source.is_empty():
        plpy.error(f"{MODULE}: Input table '{source.given}' is empty!")
    if not output.is_usable_as_output():
        plpy.error(f"{MODULE}: Invalid output table name '{output.given}'.")
    if output.exists():
        plpy.error(f"{MODULE}: Output table '{output.given}' already exists. "
                   "Drop it before calling this function.")
    return source, output


def _columns(source, expressions):
    types = []
    for expression in expressions:
        found = names.expression_types(source, [expression]) if expression else None
        if found is None:
            plpy.error(f"{MODULE}: Column '{expression}' does not exist in table "
                       f"'{source.given}'!")
        types += found
    return types


def _as_boolean(expression, sql_type):
    if sql_type == "boolean":
        return f"({expression})"
    if sql_type in NUMBERS:
        return f"(({expression}) <> 0)"
    return f"(({expression})::text::boolean)"
