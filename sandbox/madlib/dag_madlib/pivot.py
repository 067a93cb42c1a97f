"""pivot: from long format to wide, one output column for each pivoted value."""

import itertools

import plpy

from dag_madlib import names
from dag_madlib.names import IDENTIFIER_BYTES_MAX

COLUMNS_MAX = 1600  # PostgreSQL's limit for a table


def pivot(source_table, out_table, index, pivot_cols, pivot_values, aggregate_func, fill_value,
          keep_null, output_col_dictionary, output_type):
    source, output = names.Table(source_table), names.Table(out_table)
    dictionary = output.with_suffix("_dictionary") if output.parts else output
    index_list, pivot_list, value_list = (
        names.split_list(text) for text in (index, pivot_cols, pivot_values))
    _check_tables(source, output, dictionary, output_col_dictionary)
    _check_columns(source, index_list, pivot_list, value_list)
    _check_output_type(output_type)
    columns = _columns(source, pivot_list, value_list,
                       _aggregates(aggregate_func, value_list), keep_null)
    too_long = any(len(column["name"].encode()) > IDENTIFIER_BYTES_MAX for column in columns)
    if too_long and not output_col_dictionary:
        plpy.warning("Pivot: names of output columns would be longer than "
                     f"{IDENTIFIER_BYTES_MAX} bytes; they are numbered, and explained in "
                     f"{dictionary.given}")
        if dictionary.exists():
            plpy.error("Pivot: Output table already exists!")
    numbered = output_col_dictionary or too_long
    _create(source, output, index_list, columns, numbered, fill_value)
    if numbered:
        _create_dictionary(dictionary, columns, pivot_list)


def _check_tables(source, output, dictionary, wants_dictionary):
    if not source.exists():
        plpy.error(f"Pivot: Data table ({source.given}) is missing!")
    if source.is_empty():
        plpy.error(f"Pivot: Data table ({source.given}) is empty!")
    if not output.is_usable_as_output():
        plpy.error(f"Pivot: Invalid output table name ({output.given})!")
    if output.exists() or (wants_dictionary and dictionary.exists()):
        plpy.error("Pivot: Output table already exists!")


def _check_columns(source, *lists):
    for wanted in lists:
        if not wanted or names.missing_columns(source, wanted):
            plpy.error(f"Pivot: Not all columns from {wanted} present in source table "
                       f"({source.given})")


def _check_output_type(output_type):
    known = (output_type or "column").strip().lower()
    if known not in ("c", "column"):
        plpy.error("Pivot: the sandbox's pivot makes columns only "
                   f"(output_type '{output_type}' is not supported here)")


def _aggregates(aggregate_func, value_list):
    """For each value column the list of its aggregates: `avg, sum`, or `a=avg, b=[avg,sum]`."""
    items = names.split_list(aggregate_func) or ["avg"]
    if not any("=" in item for item in items):
        return {value: items for value in value_list}
    aggregates = {}
    for item in items:
        value, _, functions = item.partition("=")
        aggregates[value.strip()] = names.split_list(functions.strip().strip("[]"))
    if set(aggregates) != set(value_list):
        plpy.error(f"Pivot: aggregate_func must name all of {value_list} or none")
    return aggregates


def _columns(source, pivot_list, value_list, aggregates, keep_null):
    """What the output's columns are, in their order."""
    levels = [_levels(source, item, keep_null) for item in pivot_list]
    columns = []
    for value in value_list:
        for aggregate in aggregates[value]:
            for combination in itertools.product(*levels):
                parts = [f"{names.column_name(item)}_{'null' if level is None else level}"
                         for item, level in zip(pivot_list, combination)]
                columns.append({
                    "value": value, "aggregate": aggregate, "levels": combination,
                    "name": "_".join([names.column_name(value), aggregate] + parts),
                    "condition": " and ".join(_condition(item, level) for item, level
                                              in zip(pivot_list, combination))})
    if len(columns) > COLUMNS_MAX:
        plpy.error(f"Pivot: there would be {len(columns)} columns; a table has at most "
                   f"{COLUMNS_MAX}")
    return columns


def _levels(source, item, keep_null):
    rows = plpy.execute(f"select ({item})::text as level from {source.sql}"
                        f" group by {item} order by {item} nulls last")
    levels = [row["level"] for row in rows]
    return levels if keep_null else [level for level in levels if level is not None]


def _condition(item, level):
    if level is None:
        return f"{item} is null"
    return f"{item} = {plpy.quote_literal(level)}"


def _create(source, output, index_list, columns, numbered, fill_value):
    listed = list(index_list)
    for number, column in enumerate(columns, 1):
        column["column"] = f"__p_{number}__" if numbered else column["name"]
        sql = f"{column['aggregate']}(case when {column['condition']} then {column['value']} end)"
        if fill_value is not None:
            sql = f"coalesce({sql}, {plpy.quote_literal(fill_value)})"
        listed.append(f"{sql} as {plpy.quote_ident(column['column'])}")
    plpy.execute(f"create table {output.sql} as select {', '.join(listed)} from {source.sql}"
                 f" group by {', '.join(index_list)} order by {', '.join(index_list)}")


def _create_dictionary(dictionary, columns, pivot_list):
    keys = [plpy.quote_ident(names.column_name(item)) for item in pivot_list]
    plpy.execute(f"create table {dictionary.sql} (__pivot_cid__ text, pval text, agg text, "
                 + "".join(f"{key} text, " for key in keys) + "col_name text)")
    places = ", ".join(f"${number}" for number in range(1, 5 + len(keys)))
    plan = plpy.prepare(f"insert into {dictionary.sql} values ({places})",
                        ["text"] * (4 + len(keys)))
    for column in columns:
        levels = ["null" if level is None else level for level in column["levels"]]
        plpy.execute(plan, [column["column"], column["value"], column["aggregate"]] + levels
                     + [f'"{column["name"]}"'])
