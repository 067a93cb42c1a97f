"""How good probabilities are: curves, the areas under them, and a threshold.

y is (rows,) of 0 and 1, p (rows,) of probabilities. Equal probabilities are one point of a curve.
"""

import numpy


def counts(y, p):
    """At each threshold, from the highest down: (threshold, true positives, false positives)."""
    order = numpy.argsort(-p, kind="stable")
    p, y = p[order], y[order]
    last = numpy.append(numpy.flatnonzero(p[1:] != p[:-1]), len(p) - 1)
    hits = numpy.cumsum(y, dtype=float)[last]
    return p[last], hits, last + 1 - hits


def roc(y, p):
    """(false positive rate, true positive rate), from (0, 0) to (1, 1)."""
    _, hits, others = counts(y, p)
    return (numpy.append(0, others / max(1, (y == 0).sum())),
            numpy.append(0, hits / max(1, (y == 1).sum())))


def area_under_roc(y, p):
    """None when there is one class only."""
    if not 0 < y.sum() < len(y):
        return None
    x, height = roc(y, p)
    return float(numpy.trapezoid(height, x))


def precision_recall(y, p):
    """(recall, precision) from the highest threshold down."""
    _, hits, others = counts(y, p)
    return hits / max(1, (y == 1).sum()), hits / (hits + others)


def average_precision(y, p):
    """The area under the steps of the precision-recall curve; None without a fraud."""
    if not y.sum():
        return None
    recall, precision = precision_recall(y, p)
    return float((numpy.diff(recall, prepend=0) * precision).sum())


def best_threshold(y, p, beta):
    """Where F-beta is highest; half way to the next probability below, where nothing changes."""
    threshold, hits, others = counts(y, p)
    weight = beta ** 2
    score = (1 + weight) * hits / (weight * y.sum() + hits + others)
    best = int(numpy.argmax(score))
    below = threshold[best + 1] if best + 1 < len(threshold) else threshold[best]
    return float((threshold[best] + below) / 2)


def at(y, p, threshold):
    """Recall and precision when a probability of at least `threshold` is called a fraud."""
    called = p >= threshold
    hits = int((called & (y == 1)).sum())
    return {"recall": hits / max(1, int(y.sum())), "precision": hits / max(1, int(called.sum()))}
