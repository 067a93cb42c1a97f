"""forest_train: grows a random forest and writes its three tables."""

import numpy
import plpy

from dag_madlib import names, trees
from dag_madlib.features import Features, encode_levels, read_matrix

MODULE = "Random forest error"
DEPTH_LIMIT = 16  # MADlib's own: a deeper tree would not fit its format


def fail(message):
    plpy.error(f"{MODULE}: {message}")


def forest_train(training_table_name, output_table_name, id_col_name, dependent_variable,
                 list_of_features, list_of_features_to_exclude, grouping_cols, num_trees,
                 num_random_features, importance, num_permutations, max_tree_depth, min_split,
                 min_bucket, num_splits, null_handling_params, verbose, sample_ratio):
    source, output = names.Table(training_table_name), names.Table(output_table_name)
    _check_tables(source, output)
    _check_columns(source, id_col_name, grouping_cols)
    dependent_type = _dependent_type(source, dependent_variable)
    features = Features(source, list_of_features, list_of_features_to_exclude,
                        [id_col_name, dependent_variable])
    settings = {
        "num_trees": 100 if num_trees is None else num_trees,
        "num_random_features": num_random_features,
        "importance": True if importance is None else importance,
        "num_permutations": 1 if num_permutations is None else num_permutations,
        "max_tree_depth": 10 if max_tree_depth is None else max_tree_depth,
        "min_split": 20 if min_split is None else min_split,
        "min_bucket": 6 if min_bucket is None else min_bucket,
        "num_splits": 100 if num_splits is None else num_splits,
        "verbose": bool(verbose),
        "sample_ratio": 1.0 if sample_ratio is None else sample_ratio,
        "random": numpy.random.default_rng(),
    }
    is_classification = not features.is_fraction(dependent_type)
    _check_numbers(settings, features, is_classification)
    null_proxy = _null_proxy(null_handling_params)
    data = Data(source, features, dependent_variable, dependent_type, is_classification, null_proxy)
    data.check(settings["num_splits"])
    grown = Forest(data, settings)
    _write_trees(output, grown)
    _write_group(output, grown, data, settings["importance"])
    _write_summary(output, source, features, data, settings, {
        "id_col_name": id_col_name, "dependent_varname": dependent_variable,
        "dependent_var_type": dependent_type, "null_proxy": null_proxy})


# What is asked for

def _check_tables(source, output):
    if not source.exists():
        fail(f"Input table '{source.given}' does not exist.")
    if source.is_empty():
        fail(f"Input table '{source.given}' is empty!")
    if not output.is_usable_as_output():
        fail(f"Invalid output table name '{output.given}'.")
    for table in (output, output.with_suffix("_summary"), output.with_suffix("_group")):
        if not table.is_usable_as_output():
            fail(f"Invalid output table name '{table.given}'.")
        if table.exists():
            fail(f"Output table '{table.given}' already exists. "
                 "Drop it before calling this function.")


def _check_columns(source, id_col_name, grouping_cols):
    groups = names.split_list(grouping_cols)
    for column in names.missing_columns(source, [id_col_name or ""] + groups):
        fail(f"Column '{column}' does not exist in table '{source.given}'!")
    if groups:
        fail("grouping_cols is not supported by the sandbox's stand-in for MADlib")


def _dependent_type(source, dependent_variable):
    types = names.expression_types(source, [dependent_variable]) if dependent_variable else None
    if not types:
        fail(f"Invalid dependent variable ({dependent_variable}).")
    return types[0]


def _check_numbers(settings, features, is_classification):
    total = len(features.expressions)
    if settings["num_trees"] <= 0:
        fail("num_trees must be positive.")
    if not 0 <= settings["max_tree_depth"] < DEPTH_LIMIT:
        fail(f"max_tree_depth must be non-negative and less than {DEPTH_LIMIT}.")
    if settings["num_random_features"] is None:
        usual = total ** 0.5 if is_classification else total / 3
        settings["num_random_features"] = max(1, int(usual))
    for name in ("num_random_features", "num_permutations", "min_split", "min_bucket"):
        if settings[name] <= 0:
            fail(f"{name} must be positive.")
    if settings["num_random_features"] > total:
        fail("Number of features to be selected is more than the actual number of features.")
    if settings["num_splits"] <= 1:
        fail("num_splits must be greater than 1.")
    if not 0 < settings["sample_ratio"] <= 1:
        fail("sample_ratio must be greater than 0 and at most 1.")


def _null_proxy(null_handling_params):
    """The level that stands for NULL in categorical features, or None when NULL stays unknown."""
    chosen = {}
    for item in names.split_list(null_handling_params):
        key, _, value = item.partition("=")
        chosen[key.strip().lower()] = value.strip().lower()
    unknown = set(chosen) - {"max_surrogates", "null_as_category"}
    if unknown:
        fail(f"Invalid null_handling_params ({', '.join(sorted(unknown))}).")
    if not chosen.get("max_surrogates", "0").isdigit():
        fail("max_surrogates must be a non-negative number.")
    return "__NULL__" if chosen.get("null_as_category") in ("true", "t", "1", "yes") else None


# The rows

class Data:
    """The training rows: `matrix` a column a feature, `outcome` a class number or a value each."""

    def __init__(self, source, features, dependent, dependent_type, is_classification, null_proxy):
        self.features = features
        self.is_classification = is_classification
        outcome = f"({dependent})::text" if is_classification else f"({dependent})::float8"
        self.matrix, raw, [labels] = read_matrix(source, features, [outcome],
                                                 f"({dependent}) is not null")
        self.rows = len(labels)
        self.skipped = plpy.execute(f"select count(*) as n from {source.sql}"
                                    f" where ({dependent}) is null")[0]["n"]
        if is_classification:
            self.levels = sorted(set(labels), key=lambda level: _level_order(level, dependent_type))
            number = {level: index for index, level in enumerate(self.levels)}
            self.outcome = numpy.array([number[label] for label in labels], dtype=int)
            if dependent_type == "boolean":  # MADlib writes these levels as Python does
                self.levels = [level.capitalize() for level in self.levels]
        else:
            self.levels = []
            self.outcome = numpy.array(labels, dtype=float)
        self.category_levels = encode_levels(features, raw, self.matrix, self.outcome, null_proxy)

    def check(self, num_splits):
        if self.is_classification and len(self.levels) < 2:
            fail("Invalid response variable for a classificationtree. Should have more than one "
                 "distinct value")
        if self.rows == 0:
            fail("there is no row whose dependent variable is not NULL")
        for expression, column in zip(self.features.expressions, self.matrix.T):
            if numpy.isnan(column).all():
                fail(f"feature {expression} is NULL in every row; leave it out "
                     "(MADlib's own function crashes the server here)")
        if self.features.continuous and num_splits > self.rows:
            plpy.error("Decision tree error: Number of bins is larger than the number of data "
                       "records.")


def _level_order(level, sql_type):
    return (int(level), level) if sql_type in ("smallint", "integer", "bigint") else (0, level)


# The forest

class Forest:
    """The trees, the error on the rows that each tree has not seen, and the importances."""

    def __init__(self, data, settings):
        self.stored, self.votes = [], []
        total = data.matrix.shape[1]
        self.impurity = numpy.zeros(total)
        self.permuted = numpy.zeros(total)
        bins = trees.Bins(data.matrix, data.features.continuous, settings["num_splits"])
        binned = bins.cut(data.matrix)
        random = settings["random"]
        predictions = _Predictions(data)
        for number in range(1, settings["num_trees"] + 1):
            taken, left_out = _bootstrap(random, data.rows, settings["sample_ratio"])
            tree, impurity = trees.grow(binned[taken], data.outcome[taken], bins,
                                        data.is_classification, settings)
            self.stored.append((number, trees.pack(tree)))
            self.impurity += impurity
            predictions.add(left_out, trees.predict(tree, data.matrix[left_out]))
            if settings["importance"]:
                self.permuted += _permutation_importance(tree, data, left_out, settings)
            if settings["verbose"]:
                plpy.notice(f"tree {number} of {settings['num_trees']}: {len(tree['feature'])} "
                            "nodes")
        self.impurity /= settings["num_trees"]
        self.permuted = numpy.maximum(self.permuted / settings["num_trees"], 0)
        self.oob_error = predictions.error()


def _bootstrap(random, rows, sample_ratio):
    """Rows taken (some more than once), as MADlib does by Poisson counts, and rows left out."""
    considered = numpy.flatnonzero(random.random(rows) < sample_ratio)
    counts = random.poisson(1, len(considered))
    if counts.sum() == 0:
        considered, counts = numpy.arange(rows), numpy.ones(rows, dtype=int)
    return numpy.repeat(considered, counts), considered[counts == 0]


class _Predictions:
    """What the trees say of rows they have not seen: the majority, or the mean, is compared."""

    def __init__(self, data):
        self.data = data
        self.sums = numpy.zeros((data.rows, max(len(data.levels), 1)))
        self.counts = numpy.zeros(data.rows, dtype=int)

    def add(self, rows, values):
        columns = values.astype(int) if self.data.is_classification else 0
        self.sums[rows, columns] += 1 if self.data.is_classification else values
        self.counts[rows] += 1

    def error(self):
        seen = self.counts > 0
        if not seen.any():
            return None
        outcome = self.data.outcome[seen]
        if self.data.is_classification:
            return float(numpy.mean(self.sums[seen].argmax(axis=1) != outcome))
        return float(numpy.mean((self.sums[seen, 0] / self.counts[seen] - outcome) ** 2))


def _permutation_importance(tree, data, rows, settings):
    """How much worse the tree is on rows it has not seen when one feature is shuffled."""
    importance = numpy.zeros(data.matrix.shape[1])
    used = {feature for feature in tree["feature"] if feature >= 0}
    if len(rows) == 0:
        return importance
    matrix, outcome = data.matrix[rows], data.outcome[rows]

    def loss(changed):
        values = trees.predict(tree, changed)
        return numpy.mean(values != outcome if data.is_classification else (values - outcome) ** 2)

    base = loss(matrix)
    for feature in used:
        for _ in range(settings["num_permutations"]):
            changed = matrix.copy()
            changed[:, feature] = settings["random"].permutation(changed[:, feature])
            importance[feature] += (loss(changed) - base) / settings["num_permutations"]
    return importance


# The tables

def _write_trees(output, forest):
    plpy.execute(f"create table {output.sql} (gid integer, sample_id integer, tree bytea)")
    plan = plpy.prepare(f"insert into {output.sql} values (1, $1, $2)", ["integer", "bytea"])
    for number, packed in forest.stored:
        plpy.execute(plan, [number, packed])


def _write_group(output, forest, data, importance):
    table = output.with_suffix("_group")
    levels = [data.category_levels[number] for number in data.features.categorical]
    plpy.execute(f"create table {table.sql} (gid integer, success boolean, cat_n_levels integer[],"
                 " cat_levels_in_text text[], oob_error numeric, oob_var_importance float8[],"
                 " impurity_var_importance float8[])")
    plan = plpy.prepare(f"insert into {table.sql} values (1, true, $1, $2, $3, $4, $5)",
                        ["integer[]", "text[]", "float8", "float8[]", "float8[]"])
    plpy.execute(plan, [
        [len(found) for found in levels] or None,
        [level for found in levels for level in found] or None,
        forest.oob_error,
        forest.permuted.tolist() if importance else None,
        forest.impurity.tolist() if importance else None])


def _write_summary(output, source, features, data, settings, named):
    expressions = features.expressions
    quoted = ",".join('"' + level.replace('"', '\\"') + '"' for level in data.levels)
    row = [
        ("method", "text", "forest_train"),
        ("is_classification", "boolean", data.is_classification),
        ("source_table", "text", source.given),
        ("model_table", "text", output.given),
        ("id_col_name", "text", named["id_col_name"]),
        ("dependent_varname", "text", named["dependent_varname"]),
        ("independent_varnames", "text", ",".join(expressions)),
        ("cat_features", "text", ",".join(expressions[n] for n in features.categorical)),
        ("con_features", "text", ",".join(expressions[n] for n in features.continuous)),
        ("grouping_cols", "text", None),
        ("num_trees", "integer", settings["num_trees"]),
        ("num_random_features", "integer", settings["num_random_features"]),
        ("max_tree_depth", "integer", settings["max_tree_depth"]),
        ("min_split", "integer", settings["min_split"]),
        ("min_bucket", "integer", settings["min_bucket"]),
        ("num_splits", "integer", settings["num_splits"]),
        ("verbose", "boolean", settings["verbose"]),
        ("importance", "boolean", settings["importance"]),
        ("num_permutations", "integer", settings["num_permutations"]),
        ("num_all_groups", "integer", 1),
        ("num_failed_groups", "integer", 0),
        ("total_rows_processed", "bigint", data.rows),
        ("total_rows_skipped", "bigint", data.skipped),
        ("dependent_var_levels", "text", quoted if data.is_classification else None),
        ("dependent_var_type", "text", named["dependent_var_type"]),
        ("independent_var_types", "text", ", ".join(features.types)),
        ("null_proxy", "text", named["null_proxy"]),
    ]
    types = [sql_type for _, sql_type, _ in row]
    listed = ", ".join(f"${place} as {name}" for place, (name, _, _) in enumerate(row, 1))
    plan = plpy.prepare(f"create table {output.with_suffix('_summary').sql} as select {listed}",
                        types)
    plpy.execute(plan, [value for _, _, value in row])
