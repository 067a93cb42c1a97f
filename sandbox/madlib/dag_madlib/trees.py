"""Decision trees as they are stored: one row a tree, readable by any version of the libraries.

A tree is compressed JSON of parallel lists, a node each: `feature` (its number; -1 at a leaf),
`threshold` (go left when the value is not above it), `missing_left`, `left`, `right`, `value`
(the class's number, or the mean). Continuous features are first cut into bins, as MADlib does, so
that a threshold is always one of a few.
"""

import json
import sys
import zlib

import numpy

ABOVE_ALL = sys.float_info.max


class Bins:
    """The possible splits of each continuous feature: at most `count` - 1, at quantiles."""

    def __init__(self, matrix, continuous, count):
        self.edges = []
        for number in range(matrix.shape[1]):
            column = matrix[:, number]
            known = column[~numpy.isnan(column)]
            if number not in continuous or len(known) == 0:
                self.edges.append(None)
                continue
            places = numpy.linspace(0, 1, count + 1)[1:-1]
            # The highest value can not be an edge: nothing would be above it.
            quantiles = numpy.unique(numpy.quantile(known, places, method="lower"))
            self.edges.append(quantiles[quantiles < known.max()])

    def cut(self, matrix):
        """The matrix with each continuous value replaced by the number of edges below it."""
        cut = matrix.copy()
        for number, edges in enumerate(self.edges):
            if edges is not None:
                known = ~numpy.isnan(matrix[:, number])
                cut[known, number] = numpy.searchsorted(edges, matrix[known, number], side="left")
        return cut

    def threshold(self, feature, cut_threshold):
        """A threshold on cut values as one on the values themselves."""
        if numpy.isinf(cut_threshold):  # a split between what is known and what is not
            return ABOVE_ALL
        edges = self.edges[feature]
        return float(cut_threshold) if edges is None else float(edges[int(cut_threshold)])


def grow(binned, outcome, bins, is_classification, settings):
    """One tree on rows that are already cut into bins: (stored form, impurity importances)."""
    # Imported here because it takes a second, which sessions that only predict should not pay.
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if is_classification else DecisionTreeRegressor
    model = kind(max_depth=settings["max_tree_depth"] or None,
                 min_samples_split=max(settings["min_split"], 2),
                 min_samples_leaf=max(settings["min_bucket"], 1),
                 max_features=settings["num_random_features"],
                 random_state=settings["random"].integers(2**31 - 1))
    if settings["max_tree_depth"] == 0:
        outcome_only = numpy.zeros_like(binned)
        model.fit(outcome_only, outcome)
    else:
        model.fit(binned, outcome)
    inner = model.tree_
    leaf = inner.children_left < 0
    values = inner.value[:, 0, :]
    if is_classification:
        best = [int(model.classes_[number]) for number in values.argmax(axis=1)]
    else:
        best = [float(value) for value in values[:, 0]]
    missing = getattr(inner, "missing_go_to_left", numpy.zeros(inner.node_count))
    tree = {
        "feature": [-1 if leaf[n] else int(inner.feature[n]) for n in range(inner.node_count)],
        "threshold": [0.0 if leaf[n] else bins.threshold(inner.feature[n], inner.threshold[n])
                      for n in range(inner.node_count)],
        "missing_left": [int(bool(flag)) for flag in missing],
        "left": inner.children_left.tolist(),
        "right": inner.children_right.tolist(),
        "value": best,
    }
    return tree, inner.compute_feature_importances(normalize=False)


def predict(tree, matrix):
    """The value of each row's leaf."""
    feature, threshold, missing_left, left, right, value = (
        numpy.asarray(tree[name]) for name in ("feature", "threshold", "missing_left", "left",
                                               "right", "value"))
    node = numpy.zeros(len(matrix), dtype=int)
    rows = numpy.arange(len(matrix))
    while True:
        active = rows[feature[node[rows]] >= 0]
        if len(active) == 0:
            return value[node]
        at = node[active]
        seen = matrix[active, feature[at]]
        unknown = numpy.isnan(seen)
        goes_left = numpy.where(unknown, missing_left[at] == 1, seen <= threshold[at])
        node[active] = numpy.where(goes_left, left[at], right[at])
        rows = active


def pack(tree):
    return zlib.compress(json.dumps(tree, separators=(",", ":")).encode())


def unpack(stored):
    return json.loads(zlib.decompress(bytes(stored)))
