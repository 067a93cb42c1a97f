"""The network, and how it is trained: oversampled by SMOTE, on one fold after the other.

Shapes: x is (rows, features) of float32, y (rows,) of 0 and 1, probabilities are (rows,).
"""

import numpy
import keras

WIDTHS = (256, 128, 64, 32)
DROPOUT = 0.5
NEIGHBOURS = 5  # of SMOTE
PREDICT_ROWS = 4096


class Network:
    """A network that is compiled once, and begun anew for each fold."""

    def __init__(self, features):
        layers = [keras.layers.Dense(width, activation="sigmoid") for width in WIDTHS]
        layers.append(keras.layers.Dropout(DROPOUT, seed=0))
        layers.append(keras.layers.Dense(1, activation="sigmoid"))
        self.model = keras.Sequential([keras.Input((features,))] + layers)
        self.model.compile(loss="binary_crossentropy", optimizer="rmsprop")
        self.model.optimizer.build(self.model.trainable_variables)
        self._optimizer = [keras.ops.convert_to_numpy(each)
                           for each in self.model.optimizer.variables]

    def begin(self, seed):
        """Weights drawn anew (Glorot's uniform ones, zero biases), and an optimizer as new."""
        keras.utils.set_random_seed(seed)
        rng = numpy.random.default_rng(seed)
        weights = []
        for each in self.model.get_weights():
            limit = numpy.sqrt(6 / sum(each.shape)) if each.ndim == 2 else 0.0
            weights.append(rng.uniform(-limit, limit, each.shape))
        self.model.set_weights(weights)
        for variable, value in zip(self.model.optimizer.variables, self._optimizer):
            variable.assign(value)

    def fit(self, train, validation, options):
        """Trains until the loss on `validation` has not fallen for so many epochs; keeps the best
        weights. Both are (x, y). Gives the losses, a list an epoch each."""
        stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=options.patience,
                                             restore_best_weights=True)
        history = self.model.fit(*train, validation_data=validation, batch_size=options.batch,
                                 validation_batch_size=PREDICT_ROWS, epochs=options.epochs,
                                 shuffle=True, verbose=0, callbacks=[stop]).history
        return history["loss"], history["val_loss"]

    def predict(self, x):
        found = self.model.predict(x, batch_size=PREDICT_ROWS, verbose=0)
        return numpy.asarray(found, dtype=numpy.float64).reshape(-1)


def oversample(x, y, seed):
    """SMOTE: adds points between frauds and their nearest frauds until there are as many as others.

    Chawla, Bowyer, Hall, Kegelmeyer: "SMOTE: Synthetic Minority Over-sampling Technique" (2002).
    """
    frauds = x[y == 1]
    missing = len(y) - 2 * len(frauds)
    if missing <= 0 or len(frauds) < 2:
        return x, y
    near = nearest(frauds, min(NEIGHBOURS, len(frauds) - 1))
    rng = numpy.random.default_rng(seed)
    start = rng.integers(len(frauds), size=missing)
    end = near[start, rng.integers(near.shape[1], size=missing)]
    way = rng.random((missing, 1), dtype=numpy.float32)
    made = frauds[start] + way * (frauds[end] - frauds[start])
    return numpy.concatenate([x, made]), numpy.concatenate([y, numpy.ones(missing, y.dtype)])


def nearest(points, count):
    """For each point the numbers of its `count` nearest others: (points, count)."""
    squares = (points ** 2).sum(axis=1)
    found = numpy.empty((len(points), count), dtype=int)
    for first in range(0, len(points), 1000):  # 8 MB of distances at a time, for a thousand points
        part = slice(first, first + 1000)
        distances = squares[part, None] + squares - 2 * points[part] @ points.T
        own = numpy.arange(len(distances))
        distances[own, first + own] = numpy.inf
        found[part] = numpy.argpartition(distances, count - 1, axis=1)[:, :count]
    return found


def parts(y, count, seed):
    """Numbers of rows in so many parts, each with its share of the frauds."""
    rng = numpy.random.default_rng(seed)
    found = [[] for _ in range(count)]
    for kind in (0, 1):
        rows = rng.permutation(numpy.flatnonzero(y == kind))
        for number, part in enumerate(numpy.array_split(rows, count)):
            found[number].append(part)
    return [numpy.sort(numpy.concatenate(each)) for each in found]


def hold_out(y, rows, seed):
    """Numbers of `rows` rows to keep untouched, with their share of the frauds, and of the rest."""
    rng = numpy.random.default_rng(seed)
    kept = []
    frauds = round(rows * float((y == 1).mean()))
    for kind, count in ((1, frauds), (0, rows - frauds)):
        kept.append(rng.permutation(numpy.flatnonzero(y == kind))[:count])
    kept = numpy.sort(numpy.concatenate(kept))
    return kept, numpy.setdiff1d(numpy.arange(len(y)), kept)
