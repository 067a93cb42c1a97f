"""train_test_split: divides a table's rows at random.

The random numbers are SQL's random(), given to the rows in an order that depends on their content
alone: after the same `setseed` the same rows are divided the same way.
"""

import plpy

from dag_madlib import names

ROUNDING = 1e-9  # 0.7 + 0.3 is not quite 1


def train_test_split(source_table, output_table, train_proportion, test_proportion, grouping_cols,
                     target_cols, with_replacement, separate_output_tables):
    source = _source(source_table)
    output = names.Table(output_table)
    outputs = ([output.with_suffix("_train"), output.with_suffix("_test")]
               if separate_output_tables and output.parts else [output])
    if not all(table.is_usable_as_output() for table in outputs):
        plpy.error(f"Sample: Invalid output table name ({output_table})!")
    if any(table.exists() for table in outputs):
        plpy.error("Sample: Output table already exists!")
    train, test = _proportions(train_proportion, test_proportion)
    groups = names.split_list(grouping_cols)
    columns = _columns(source, groups, target_cols)
    chosen = _choose(source, groups, train, test, with_replacement)
    listed = ", ".join(columns)
    if separate_output_tables:
        for table, flag in zip(outputs, (1, 0)):
            plpy.execute(f"create table {table.sql} as select {listed} from {chosen} r"
                         f" where __split = {flag}")
    else:
        plpy.execute(f"create table {output.sql} as select {listed}, __split as split"
                     f" from {chosen} r")
    plpy.execute(f"drop table {chosen}")


def _source(source_table):
    source = names.Table(source_table)
    if not source.exists():
        plpy.error(f"Sample: Source table ({source.given}) is missing!")
    if source.is_empty():
        plpy.error(f"Sample: Source table ({source.given}) is empty!")
    return source


def _proportions(train, test):
    for proportion in (train, test):
        if proportion is not None and not 0 < proportion < 1:
            plpy.error("Sample: Proportions aren't in the range (0,1)!")
    if train is None:
        plpy.error("Sample: Proportions aren't in the range (0,1)!")
    if test is None:
        test = 1 - train
    if train + test > 1 + ROUNDING:
        plpy.error("Sample: Proportions add up to greater than 1!")
    return train, test


def _columns(source, groups, target_cols):
    targets = [] if (target_cols or "").strip() in ("", "*") else names.split_list(target_cols)
    for wanted in (groups, targets):
        if names.missing_columns(source, wanted):
            plpy.error(f"Sample: Not all columns from {wanted} present in source table "
                       f"({source.given})")
    if not targets:
        return [plpy.quote_ident(name) for name, _ in source.columns()]
    listed = []
    for item in groups + targets:
        name = plpy.quote_ident(names.column_name(item))
        if name not in listed:
            listed.append(name)
    return listed


def _choose(source, groups, train, test, with_replacement):
    """A temporary table of the chosen rows with `__split` (1 train, 0 test)."""
    partition = f"partition by {', '.join(groups)}" if groups else ""
    plpy.execute(
        "create temporary table __dag_split_numbered on commit drop as"
        f" select r.*, row_number() over (w order by __random) as __number,"
        f"        count(*) over w as __count"
        "   from (select s.*, random() as __random"
        f"          from (select * from {source.sql} __source order by __source::text) s) r"
        f" window w as ({partition})")
    counts = (f"(__count * {train!r})::numeric", f"(__count * {train + test!r})::numeric")
    if not with_replacement:
        chosen = ("select *, case when __number <= round({0}) then 1 else 0 end as __split"
                  "  from __dag_split_numbered where __number <= round({1})").format(*counts)
    else:
        chosen = _draws(groups, counts)
    plpy.execute(f"create temporary table __dag_split_chosen on commit drop as {chosen}")
    plpy.execute("drop table __dag_split_numbered")
    return "__dag_split_chosen"


def _draws(groups, counts):
    """With replacement each chosen row is a draw of its own from all rows of its group."""
    same_group = "".join(f" and n.{item} is not distinct from d.{item}" for item in groups)
    return ("select n.*, d.__split from __dag_split_numbered n join ("
            "  select o.*, case when o.__number <= round({0}) then 1 else 0 end as __split,"
            "         1 + floor(random() * o.__count)::bigint as __drawn"
            "    from (select * from __dag_split_numbered order by __random) o"
            "   where o.__number <= round({1})) d"
            f" on n.__number = d.__drawn{same_group}").format(*counts)
