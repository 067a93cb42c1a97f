#!/usr/bin/python3
"""Scoring with a Keras network: one process over a CSV (native), beside the database in one session
with one bucket, and with as many sessions and buckets as there are processors.

    bench/score.py [--rows 25000,100000,400000] [--rounds 3] [--plot FILE.svg]

Native reads the file, predicts in batches of the same size, and writes id, probability and class;
the database reads its table and writes another. All have loaded Keras and the model, and scored
once, before the time counts; what that costs is told beside it. Ways take turns. Each computes on
one thread. The network is the article's, with weights by chance: what it says costs the same.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from harness import ROOT, Database, Report, options, output, workplace

sys.path.insert(0, str(ROOT / "dags" / "credit_card"))
from pictures import line_chart  # noqa: E402

PYTHON = ROOT / "sandbox" / "task_python"
FEATURES = ", ".join(f"v{number}" for number in range(1, 29))
MEGABYTES = 1024
SAVE = """import sys
from network import Network
built = Network(28)
built.begin(1)
built.model.save(sys.argv[1])
"""
# Answers a line with the seconds that scoring the file named in it took.
NATIVE = """import sys
import time
import keras
import numpy
model = keras.models.load_model(sys.argv[1], compile=False)
for line in sys.stdin:
    began = time.perf_counter()
    rows = numpy.loadtxt(line.strip(), delimiter=",")
    x = rows[:, 1:].astype(numpy.float32)
    p = numpy.asarray(model.predict(x, batch_size=4096, verbose=0)).reshape(-1)
    numpy.savetxt(line.strip() + ".out", numpy.column_stack([rows[:, 0], p, p >= 0.5]),
                  fmt=["%d", "%.17g", "%d"], delimiter=",")
    print(time.perf_counter() - began, flush=True)
"""


class Native:
    """A process with the model loaded."""

    def __init__(self, model):
        self.process = subprocess.Popen([PYTHON, "-c", NATIVE, model], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def score(self, path):
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Sessions:
    """Sessions that share a table's rows by bucket, each scoring its own."""

    def __init__(self, database, model, count):
        self.model, self.count = model, count
        self.sessions = [subprocess.Popen(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database.uri],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)]

    def statement(self, table, bucket):
        return (f"insert into scored select (s).id, (s).probability, (s).class from (select"
                f" credit_card.score_keras('{self.model}', stack, 0.5) as s from (select"
                f" credit_card.stack_rows(id, array[{FEATURES}], {MEGABYTES}) as stack"
                f" from {table} where id % {self.count} = {bucket}) as stacks) as scores;")

    def score(self, table):
        began = time.perf_counter()
        for bucket, session in enumerate(self.sessions):
            session.stdin.write(self.statement(table, bucket) + "\n\\echo done\n")
            session.stdin.flush()
        for session in self.sessions:
            if session.stdout.readline() != "done\n":
                sys.exit("a session failed: its error stands above")
        return time.perf_counter() - began

    def close(self):
        for session in self.sessions:
            session.stdin.close()
            session.wait()


def migrate(dag, database, folder):
    """The functions of the migrations, in the database."""
    environment = dict(os.environ, DAG_PROJECT=str(ROOT), GREENPLUM_URI=database.uri,
                       DAG_STATE=str(folder / "state"))
    output([dag, "migrate"], env=environment, cwd=ROOT)


def make_rows(database, folder, sizes):
    """A table and a CSV of each size."""
    noise = ", ".join(f"random() * 4 - 2 as v{number}" for number in range(1, 29))
    for size in sizes:
        database.sql(f"create table rows_{size} as select i::bigint as id, {noise}"
                     f" from generate_series(1, {size}) as i; analyze rows_{size}")
        (folder / f"{size}.csv").write_text(database.sql(
            f"copy (select * from rows_{size}) to stdout (format csv)"), encoding="ascii")
    database.sql("create table scored (id bigint, probability float8, class smallint)")


def measure(chosen, folder, database, sizes):
    """{way: {size: seconds of each round}}, and {way: seconds until it had scored once}."""
    folder.chmod(0o755)
    model = folder / "model.keras"
    output([PYTHON, "-c", SAVE, model], cwd=ROOT / "dags" / "credit_card",
           env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    model.chmod(0o644)
    make_rows(database, folder, sizes)
    count = os.cpu_count()
    makers = {"native": lambda: Native(model),
              "one bucket": lambda: Sessions(database, model, 1),
              f"{count} buckets": lambda: Sessions(database, model, count)}
    ways, first = {}, {}

    def score(name, size):
        if name == "native":
            return ways[name].score(folder / f"{size}.csv")
        took = ways[name].score(f"rows_{size}")
        database.sql("truncate scored")
        return took

    for name, make in makers.items():
        began = time.perf_counter()
        ways[name] = make()
        score(name, sizes[0])
        first[name] = time.perf_counter() - began
    found = {name: {size: [] for size in sizes} for name in ways}
    for size in sizes:
        for _ in range(chosen.rounds):
            for name in ways:
                found[name][size].append(score(name, size))
    for way in ways.values():
        way.close()
    return found, first


def plot(path, found, sizes):
    lines = [(name, [(size, statistics.median(times)) for size, times in by_size.items()])
             for name, by_size in found.items()]
    highest = max(y for _, points in lines for _, y in points)
    Path(path).write_text(line_chart("Scoring with Keras", ("rows", "seconds"), lines,
                                     (0, sizes[-1], 0, highest)), encoding="utf-8")


def main():
    chosen = options(__doc__, rows="25000,100000,400000", plot="")
    sizes = sorted(int(text) for text in chosen.rows.split(","))
    with workplace(database=True) as (folder, database):
        migrate(chosen.dag, database, folder)
        found, first = measure(chosen, folder, database, sizes)
    report = Report(chosen)
    for name, seconds in first.items():
        report.figure(f"{name}: Keras, the model, {sizes[0]:,} rows", seconds, f"{seconds:.1f} s")
    for name in list(found)[1:]:
        for size in sizes:
            report.turns(f"{size:,} rows, {name} (floor: native)", found[name][size],
                         found["native"][size], (2, " s"))
    if chosen.plot:
        plot(chosen.plot, found, sizes)
    report.end()


if __name__ == "__main__":
    main()
