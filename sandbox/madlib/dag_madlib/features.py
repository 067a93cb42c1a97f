"""The features of a forest: which expressions, of which kinds, and their values as a matrix."""

import numpy
import plpy

from dag_madlib import names

CONTINUOUS = {"real", "double precision", "numeric"}
CATEGORICAL = {"boolean", "smallint", "integer", "bigint", "text", "character varying",
               "character", "name", '"char"'}
LARGE = float(numpy.finfo(numpy.float32).max)  # scikit-learn computes in float32 and refuses inf


class Features:
    """`expressions` and `types`, categories first; `categorical`, `continuous`: their numbers.

    As in MADlib, boolean, integer and text features are categories, the others are quantities,
    and everything that is stored of a model is in this order.
    """

    def __init__(self, source, listed, excluded, also_excluded):
        given = self._chosen(source, listed, excluded, also_excluded)
        types = names.expression_types(source, given) if given else None
        if not types:
            plpy.error(f"Random forest error: Invalid feature list ({listed})")
        for expression, sql_type in zip(given, types):
            if sql_type not in CATEGORICAL | CONTINUOUS:
                plpy.error(f"Random forest error: Feature {expression} has the type {sql_type}, "
                           "which is neither a number nor a category; exclude it")
        pairs = sorted(zip(given, types), key=lambda pair: pair[1] in CONTINUOUS)
        self.expressions = [expression for expression, _ in pairs]
        self.types = [sql_type for _, sql_type in pairs]
        categories = sum(sql_type in CATEGORICAL for sql_type in self.types)
        self.categorical = list(range(categories))
        self.continuous = list(range(categories, len(pairs)))

    @staticmethod
    def is_fraction(sql_type):
        """Whether a dependent variable of this type makes a regression."""
        return sql_type in CONTINUOUS

    @staticmethod
    def _chosen(source, listed, excluded, also_excluded):
        if (listed or "").strip() != "*":
            return names.split_list(listed)
        without = {names.column_name(item) for item in names.split_list(excluded) + also_excluded}
        return [plpy.quote_ident(name) for name, _ in source.columns() if name not in without]


def read_matrix(source, features, more, condition):
    """The features' values of a table's rows, and other expressions' values.

    Returns the matrix (NaN where NULL; a category's column is filled in by encode_levels), for each
    category the list of its texts, and a list for each of the expressions `more`.
    """
    kinds = ["text" if number in features.categorical else "float8"
             for number in range(len(features.expressions))]
    listed = [f"({expression})::{kind} as f{number}"
              for number, (expression, kind) in enumerate(zip(features.expressions, kinds))]
    listed += [f"{expression} as m{number}" for number, expression in enumerate(more)]
    rows = plpy.execute(f"select {', '.join(listed)} from {source.sql} where {condition}")
    matrix = numpy.full((len(rows), len(features.expressions)), numpy.nan)
    for number in features.continuous:
        column = numpy.array([row[f"f{number}"] for row in rows], dtype=float)
        matrix[:, number] = numpy.clip(column, -LARGE, LARGE)
    raw = {number: [row[f"f{number}"] for row in rows] for number in features.categorical}
    return matrix, raw, [[row[f"m{number}"] for row in rows] for number in range(len(more))]


def encode_levels(features, raw, matrix, outcome, null_proxy):
    """Numbers the levels of each category by the mean outcome, so that trees can split them."""
    found = {}
    for number in features.categorical:
        sums = {}
        for text, value in zip(raw[number], outcome):
            text = null_proxy if text is None else text
            if text is not None:
                total, count = sums.get(text, (0.0, 0))
                sums[text] = (total + float(value), count + 1)
        found[number] = sorted(sums, key=lambda level, s=sums: (s[level][0] / s[level][1], level))
    fill_levels(features, raw, matrix, found, null_proxy)
    return found


def fill_levels(features, raw, matrix, levels, null_proxy):
    """Writes the levels' numbers into the matrix; a level that is not known stays NaN."""
    for number in features.categorical:
        place = {level: index for index, level in enumerate(levels[number])}
        for row, text in enumerate(raw[number]):
            text = null_proxy if text is None else text
            if text in place:
                matrix[row, number] = place[text]
