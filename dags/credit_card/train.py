"""Trains the network that tells frauds from other card transactions, and publishes it.

Rows before a day are read from credit_card.transactions. A part with as many frauds as there are in
all stays untouched; the rest is trained on in stratified folds, oversampled by SMOTE on each
fold's own training part. The fold with the best recall gives the model and the threshold; the
untouched rows say how good it is. Model and test results are published as one folder, and what the
registry needs is the task's XCom.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sandbox"))
import loading  # noqa: E402
from loading import LoadError  # noqa: E402
from pictures import line_chart  # noqa: E402
from publish import publish  # noqa: E402
import quality  # noqa: E402

FEATURES = [f"v{number}" for number in range(1, 29)]
NAMES = ("other", "fraud")


def say(message):
    print(message, flush=True)


# ---- rows

def read_rows(uri, before):
    """The transactions before a day, in the order of their ids: (ids, features, classes)."""
    uri, password = loading.split_password(uri)
    environment = dict(os.environ, PGAPPNAME="credit_card train")
    if password is not None:
        environment["PGPASSWORD"] = password
    query = (f"copy (select id, {', '.join(FEATURES)}, class from credit_card.transactions"
             f" where tdate < date '{before}' order by id) to stdout (format csv)")
    command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", uri, "-c", query]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    width = len(FEATURES) + 2
    with process.stdout as lines:
        first = next(lines, None)
        rows = numpy.empty((0, width)) if first is None else numpy.loadtxt(
            complete(itertools.chain([first], lines)), delimiter=",", ndmin=2)
    if process.wait() != 0:
        raise LoadError("the transactions could not be read", 1)
    return (rows[:, 0].astype(numpy.int64), rows[:, 1:-1].astype(numpy.float32),
            rows[:, -1].astype(numpy.int64))


def complete(lines):
    for line in lines:
        if ",," in line or line.endswith(",\n"):  # COPY writes NULL as nothing
            raise LoadError(f"transaction {line.split(',', 1)[0]} has a feature that is null")
        yield line


# ---- training

def train(x, y, options):
    """Trains on one fold after the other. Gives the network with the best fold's weights, what is
    known of each fold, and the best one's number."""
    from network import Network, oversample, parts  # Keras is loaded only where it is used
    network = Network(x.shape[1])
    say(f"{network.model.count_params()} parameters")
    folds, best = [], None
    pieces = parts(y, options.folds, options.seed)
    for number, own in enumerate(pieces):
        began = time.monotonic()
        rest = numpy.concatenate([piece for piece in pieces if piece is not own])
        balanced = oversample(x[own], y[own], options.seed + number)
        network.begin(options.seed + number)
        losses = network.fit(oversample(x[rest], y[rest], options.seed + number), balanced, options)
        p = network.predict(x[own])
        threshold = quality.best_threshold(y[own], p, options.beta)
        fold = {"loss": losses[0], "val_loss": losses[1], "threshold": threshold,
                "average_precision": quality.average_precision(y[own], p),
                "balanced": quality.at(balanced[1], network.predict(balanced[0]), 0.5),
                **quality.at(y[own], p, threshold)}
        folds.append(fold)
        say(f"fold {number + 1} of {options.folds}: {len(losses[0])} epochs in "
            f"{time.monotonic() - began:.1f} s; balanced recall {fold['balanced']['recall']:.3f}, "
            f"precision {fold['balanced']['precision']:.3f}; as it is recall "
            f"{fold['recall']:.3f}, precision {fold['precision']:.3f} from {threshold:.4f} on")
        rank = (fold["recall"], fold["average_precision"])
        if best is None or rank > best[0]:
            best = (rank, number, network.model.get_weights())
    network.model.set_weights(best[2])
    return network, folds, best[1]


def too_little(y, options):
    """Why nothing is trained, or None. After a third is held out each fold needs two frauds."""
    frauds = int(y.sum())
    needed = 3 * options.folds
    if frauds < needed or len(y) - frauds < needed:
        return (f"not trained: {len(y)} transactions with {frauds} frauds are too few for "
                f"{options.folds} folds")
    return None


def measure(y, p, folds, best):
    """The numbers of the registry: on the untouched rows, and averages on balanced folds."""
    threshold = folds[best]["threshold"]
    found = {"threshold": threshold, **quality.at(y, p, threshold),
             "auc": quality.area_under_roc(y, p),
             "average_precision": quality.average_precision(y, p)}
    called = p >= threshold
    found["accuracy"] = float((called == (y == 1)).mean())
    found["specificity"] = float((~called[y == 0]).mean())
    found["balanced_accuracy"] = (found["recall"] + found["specificity"]) / 2
    for name in ("recall", "precision"):
        found[f"balanced_{name}"] = float(numpy.mean([fold["balanced"][name] for fold in folds]))
    return found


# ---- results

def write_tested(path, ids, y, p, threshold):
    """What the model says of the untouched rows, as register_model copies it."""
    with open(path, "w", encoding="ascii") as out:
        out.write("id,probability,observed,observed_class,predicted_class\n")
        for number, observed, probability in zip(ids, y, p):
            out.write(f"{number},{float(probability)!r},{observed},{NAMES[observed]},"
                      f"{NAMES[int(probability >= threshold)]}\n")


def draw(folder, folds, y, p):
    """loss.svg, roc.svg and precision_recall.svg."""
    losses = []
    for number, fold in enumerate(folds, 1):
        for name, key in (("training", "loss"), ("validation", "val_loss")):
            losses.append((f"{name}, fold {number}", list(enumerate(fold[key], 1))))
    longest = max(len(fold["loss"]) for fold in folds)
    highest = max(value for _, points in losses for _, value in points)
    charts = {
        "loss": ("Loss", ("epoch", "binary cross-entropy"), losses, (1, longest, 0, highest)),
        "roc": ("ROC, untouched rows", ("false positive rate", "true positive rate"),
                [("", list(zip(*quality.roc(y, p))))], (0, 1, 0, 1)),
        "precision_recall": ("Precision and recall, untouched rows", ("recall", "precision"),
                             [("", list(zip(*quality.precision_recall(y, p))))], (0, 1, 0, 1)),
    }
    for name, chart in charts.items():
        (Path(folder) / f"{name}.svg").write_text(line_chart(*chart), encoding="utf-8")


def losses_of(folds):
    """The points of models.evaluation: series, epoch, value."""
    return [{"series": f"{name}, fold {number}", "x": epoch, "y": value}
            for number, fold in enumerate(folds, 1)
            for name, key in (("training", "loss"), ("validation", "val_loss"))
            for epoch, value in enumerate(fold[key], 1)]


def run(options):
    """Trains and publishes; gives the task's XCom."""
    ids, x, y = read_rows(loading.find_uri(options), options.before)
    say(f"{len(y)} transactions before {options.before}, {int(y.sum())} frauds")
    reason = too_little(y, options)
    result = {"rows_train": 0, "rows_test": 0, "reason": reason, "metrics": {}, "losses": []}
    if reason:
        say(reason)
        final = publish(options.models / "credit_card", options.before,
                        lambda folder: write_tested(folder / "tested.csv", [], [], [], 1))
    else:
        from network import hold_out
        kept, rest = hold_out(y, min(options.holdout, len(y) // 3), options.seed)
        network, folds, best = train(x[rest], y[rest], options)
        p = network.predict(x[kept])
        metrics = measure(y[kept], p, folds, best)
        say("untouched rows: " + ", ".join(f"{name} {metrics[name]:.4f}" for name in
                                           ("recall", "precision", "average_precision")))

        def write(folder):
            network.model.save(folder / "model.keras")
            write_tested(folder / "tested.csv", ids[kept], y[kept], p, metrics["threshold"])

        final = publish(options.models / "credit_card", options.before, write)
        if options.pictures:
            draw(options.pictures, folds, y[kept], p)
        result.update(rows_train=len(rest), rows_test=len(kept), metrics=metrics,
                      losses=losses_of(folds))
    say(f"published {final}")
    return dict(result, place=str(final / "model.keras"), tested=str(final / "tested.csv"),
                features=", ".join(FEATURES))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    loading.add_database_options(parser, "credit_card")
    parser.add_argument("--before", required=True, metavar="D", help="rows before this day")
    parser.add_argument("--models", required=True, type=Path, metavar="DIR",
                        help="where every server process can read the model")
    for name, default, text in (("folds", 10, "stratified folds"), ("epochs", 20, "at most"),
                                ("patience", 4, "epochs without a lower loss before it stops"),
                                ("batch", 32, "rows of a step"), ("seed", 1, "of all chance"),
                                ("holdout", 20000, "untouched rows, at most a third of all")):
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N",
                            help=f"{text} (default: {default})")
    parser.add_argument("--beta", type=float, default=1.5, metavar="X",
                        help="how much recall counts over precision (default: 1.5)")
    xcom = os.environ.get("DAG_XCOM")
    parser.add_argument("--pictures", metavar="DIR", default=xcom and str(Path(xcom).parent),
                        help="where the pictures go (default: beside the task's log)")
    options = parser.parse_args()
    for name in ("epochs", "patience", "batch", "holdout"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} is at least 1")
    if options.folds < 2:
        parser.error("--folds is at least 2")
    return options


def main():
    options = parse_arguments()
    try:
        result = run(options)
    except (LoadError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return getattr(error, "status", 1)
    if os.environ.get("DAG_XCOM"):
        with open(os.environ["DAG_XCOM"], "a", encoding="utf-8") as out:
            out.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
