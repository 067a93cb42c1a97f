"""forest_predict and get_var_importance: what is done with a trained forest."""

import numpy
import plpy

from dag_madlib import names, trees
from dag_madlib.features import fill_levels, read_matrix


class Model:
    """A trained forest, read from its three tables."""

    def __init__(self, model_table):
        table = names.Table(model_table)
        tables = [table] + ([table.with_suffix(suffix) for suffix in ("_group", "_summary")]
                            if table.parts else [])
        if not all(part.exists() for part in tables):
            plpy.error("Recursive Partitioning: Model table does not exist.")
        self.table, self.group_table, self.summary_table = tables
        self.summary = plpy.execute(f"select * from {self.summary_table.sql}")[0]
        self.group = plpy.execute(f"select * from {self.group_table.sql} order by gid limit 1")[0]
        self.categorical_names = names.split_list(self.summary["cat_features"])
        self.continuous_names = names.split_list(self.summary["con_features"])
        self.is_classification = self.summary["is_classification"]
        self.levels = _levels(self.summary["dependent_var_levels"])
        self.expressions = names.split_list(self.summary["independent_varnames"])

    def trees(self):
        return [trees.unpack(row["tree"]) for row in plpy.execute(
            f"select tree from {self.table.sql} order by gid, sample_id")]

    def category_levels(self):
        levels, start = {}, 0
        texts = self.group["cat_levels_in_text"] or []
        for number, count in enumerate(self.group["cat_n_levels"] or []):
            levels[number] = texts[start:start + count]
            start += count
        return levels


class _StoredFeatures:
    """A model's features, in the stored order: categories first."""

    def __init__(self, model):
        self.expressions = model.expressions
        self.categorical = list(range(len(model.categorical_names)))
        self.continuous = list(range(len(model.categorical_names), len(model.expressions)))


def _levels(text):
    return [item[1:-1].replace('\\"', '"') for item in names.split_list(text)]


def forest_predict(model, source, output, pred_type):
    pred_type = (pred_type or "response").strip().lower()
    if pred_type not in ("response", "prob"):
        plpy.error("Random forest error: pred_type should be 'response' or 'prob'")
    forest = Model(model)
    rows, result = names.Table(source), names.Table(output)
    _check_tables(rows, result)
    if pred_type == "prob" and not forest.is_classification:
        plpy.error("Random forest error: pred_type cannot be 'prob' for regression model.")
    ids, id_type, votes = _votes(forest, rows)
    if pred_type == "prob":
        _write_probabilities(forest, result, ids, id_type, votes)
    else:
        _write_responses(forest, result, ids, id_type, votes)


def _check_tables(source, output):
    if not source.exists():
        plpy.error(f"Recursive Partitioning: Prediction table ({source.given}) does not exist.")
    if not output.is_usable_as_output():
        plpy.error(f"Recursive Partitioning: Invalid output table name ({output.given}).")
    if output.exists():
        plpy.error("Recursive Partitioning: Output table already exists.")


def _votes(forest, source):
    """The rows' ids as text, their type, and for each id the trees' votes (or the mean).

    Rows with the same id are one row of the result, as in MADlib.
    """
    features = _StoredFeatures(forest)
    id_column = forest.summary["id_col_name"]
    matrix, raw, [ids] = read_matrix(source, features, [f"({id_column})::text"], "true")
    id_type = names.expression_types(source, [id_column])[0]
    fill_levels(features, raw, matrix, forest.category_levels(), forest.summary["null_proxy"])
    unique = list(dict.fromkeys(ids))
    place = {name: number for number, name in enumerate(unique)}
    at = numpy.array([place[name] for name in ids], dtype=int)
    votes = numpy.zeros((len(unique), max(len(forest.levels), 1)))
    counts = numpy.zeros(len(unique))
    for tree in forest.trees():
        values = trees.predict(tree, matrix)
        columns = values.astype(int) if forest.is_classification else numpy.zeros(len(at), int)
        numpy.add.at(votes, (at, columns), 1 if forest.is_classification else values)
        numpy.add.at(counts, at, 1)
    return unique, id_type, votes / numpy.maximum(counts, 1)[:, None]


def _write_responses(forest, output, ids, id_type, votes):
    summary = forest.summary
    if forest.is_classification:
        values = [forest.levels[number] for number in votes.argmax(axis=1)]
    else:
        values = [repr(float(value)) for value in votes[:, 0]]
    varname = summary["dependent_varname"].replace('"', "").strip()
    name = plpy.quote_ident("estimated_" + (names.column_name(summary["dependent_varname"])
                                            or varname))
    plan = plpy.prepare(
        f"create table {output.sql} as select i::{id_type} as {summary['id_col_name']},"
        f" p::{summary['dependent_var_type']} as {name}"
        " from unnest($1, $2) as u(i, p)", ["text[]", "text[]"])
    plpy.execute(plan, [ids, values])


def _write_probabilities(forest, output, ids, id_type, votes):
    listed = "".join(f", p{number} as {plpy.quote_ident('estimated_prob_' + level)}"
                     for number, level in enumerate(forest.levels))
    places = ", ".join(f"${number + 2}" for number in range(len(forest.levels)))
    fields = ", ".join(f"p{number}" for number in range(len(forest.levels)))
    plan = plpy.prepare(
        f"create table {output.sql} as select i::{id_type} as {forest.summary['id_col_name']}"
        f"{listed} from unnest($1, {places}) as u(i, {fields})",
        ["text[]"] + ["float8[]"] * len(forest.levels))
    plpy.execute(plan, [ids] + [votes[:, number].tolist() for number in range(len(forest.levels))])


def get_var_importance(model_table, output_table):
    forest = Model(model_table)
    output = names.Table(output_table)
    if not output.is_usable_as_output():
        plpy.error(f"Recursive Partitioning: Invalid output table name ({output.given}).")
    if output.exists():
        plpy.error("Recursive Partitioning: Output table already exists.")
    if forest.group["impurity_var_importance"] is None:
        plpy.error("Recursive Partitioning: The model was trained without variable importance.")
    plan = plpy.prepare(
        f"create table {output.sql} as select feature, oob_var_importance,"
        " impurity_var_importance from unnest($1, $2, $3)"
        " as u(feature, oob_var_importance, impurity_var_importance) order by 2 desc, 3 desc",
        ["text[]", "float8[]", "float8[]"])
    plpy.execute(plan, [forest.expressions, _percent(forest.group["oob_var_importance"]),
                        _percent(forest.group["impurity_var_importance"])])


def _percent(values):
    total = sum(values)
    return [100 * value / total if total > 0 else 0.0 for value in values]
