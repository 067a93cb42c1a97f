"""What the tests of the pipelines share: the program's rendering, and a scratch database.

DAG_BINARY names the program (default: build/release/dag, else build/dev/dag). SANDBOX_URI names a
running sandbox (`eval "$(sandbox/sandbox env)"`); without it a sandbox of our own is started.
"""

import atexit
import contextlib
import csv
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(os.environ.get("DAG_SOURCE_DIR") or Path(__file__).resolve().parents[2])
DIALECTS = ("postgresql", "greenplum6", "greenplum7")
MIGRATIONS = sorted((ROOT / "migrations" / "greenplum").glob("*.sql"))

DAYS = (
    "fetch_daily_trajectory",
    "clean_daily_trajectory",
    "fetch_daily_label",
    "clean_daily_label",
    "merge_trajectory_label",
    "calculate_trajectory_speed",
    "trajectory_speed_walk",
    "create_tsfresh_features",
    "pivot_tsfresh_features",
    "tsfresh_model_features",
    "tsfresh_predict_features",
    "predict_walk_trajectories",
)
TRAINING = (
    "split_features",
    "train_model",
    "predict_test_part",
    "evaluate_model",
    "register_model",
)


def dag_binary():
    named = os.environ.get("DAG_BINARY")
    if named:
        return named
    for preset in ("release", "dev"):
        built = ROOT / "build" / preset / "dag"
        if built.exists():
            return str(built)
    raise FileNotFoundError("no build/release/dag or build/dev/dag: build it, or set DAG_BINARY")


def _output(command, text=None, env=None):
    done = subprocess.run(command, input=text, env=env, cwd=ROOT, capture_output=True,
                          encoding="utf-8", check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}\n{done.stderr}")
    return done.stdout


def render_task(dag, task, day, dialect="postgresql"):
    """A task's text as it is sent, with one newline at its end."""
    text = _output([dag_binary(), "render", dag, task, "--logical-date", day, "--dialect", dialect])
    return text.rstrip("\n") + "\n"


def render_migration(path, dialect="postgresql"):
    plpython = "plpythonu" if dialect == "greenplum6" else "plpython3u"
    target = {"name": "default", "dialect": dialect, "version": "", "plpython": plpython}
    return render_file(path, {"target": target})


def render_file(path, variables):
    """A template's text with these variables, outside of any DAG."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as context:
        json.dump(variables, context)
        context.flush()
        text = _output([dag_binary(), "render", "--template", str(path), "--context", context.name,
                        "--searchpath", str(ROOT / "templates"), "--strict"])
    return text.rstrip("\n") + "\n"


@contextlib.contextmanager
def copied_project():
    """A copy of this project in a temporary folder, without state."""
    with tempfile.TemporaryDirectory() as name:
        for part in ("dags", "templates", "migrations", "tests/pipelines"):
            shutil.copytree(ROOT / part, Path(name) / part)
        shutil.copy(ROOT / "dag.yaml", name)
        yield Path(name)


def generate_release(folder, *options):
    """Writes a made-up release; returns the truth as (user, start, end, mode)."""
    truth = Path(folder) / "truth.csv"
    _output([str(ROOT / "sandbox" / "geolife_generate"), "--out", str(folder),
             "--truth", str(truth), *options])
    with open(truth, encoding="utf-8") as rows:
        return [tuple(row.values()) for row in csv.DictReader(rows)]


class Sandbox:
    """The server: the one that runs, or one of our own that goes with the tests."""

    _uri = None

    @classmethod
    def uri(cls, database):
        if cls._uri is None:
            cls._uri = os.environ.get("SANDBOX_URI") or cls._start()
        parts = urlsplit(cls._uri)
        return urlunsplit(parts._replace(path="/" + database))

    @staticmethod
    def _start():
        folder = tempfile.mkdtemp(prefix="dag-pipelines-")
        sandbox = [str(ROOT / "sandbox" / "sandbox")]
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        atexit.register(subprocess.run, sandbox + ["destroy", "--dir", folder], check=False)
        _output(sandbox + ["start", "--fast", "--dir", folder])
        return _output(sandbox + ["uri", "--dir", folder]).strip()


class Database:
    """A scratch database with the migrations applied."""

    def __init__(self, name, migrations=tuple(MIGRATIONS)):
        self.name = f"{name}_{os.getpid()}"
        self._maintenance = Sandbox.uri("postgres")
        self._psql(self._maintenance, f"create database {self.name} template geolife_template")
        self._connection = Sandbox.uri(self.name)
        for path in migrations:
            self.migrate(path)

    def migrate(self, path):
        self.execute(render_migration(path))

    def drop(self):
        self._psql(self._maintenance, f"drop database {self.name}")

    @staticmethod
    def _psql(uri, sql, *options):
        env = dict(os.environ, PGOPTIONS="-c client_min_messages=warning")
        return _output(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *options, uri], sql, env)

    def execute(self, sql):
        """One transaction, as a task has."""
        self._psql(self._connection, "set search_path = geolife, public;\n" + sql, "-1")

    def rows(self, query):
        """The rows as lists of texts; null is None."""
        text = self._psql(self._connection,
                          f"select coalesce(json_agg(q), '[]') from ({query}) q", "-At")
        parsed = json.loads(text, object_pairs_hook=lambda pairs: [value for _, value in pairs])
        return list(parsed)

    def value(self, query):
        return self.rows(query)[0][0]

    def run(self, dag, tasks, day):
        for task in tasks:
            self.execute(render_task(dag, task, day))

    def run_day(self, day, until=None):
        self.run("geolife", DAYS[:DAYS.index(until) + 1] if until else DAYS, day)

    def train(self, day):
        self.run("geolife_model_training", TRAINING, day)

    def load_release(self, folder):
        """Brings a release in as the tasks of initial_load do."""
        loader = str(ROOT / "sandbox" / "geolife_load")
        for kind in ("trajectory", "label"):
            env = dict(os.environ, DAG_CONN_GREENPLUM=self._connection)
            _output([loader, str(folder), "--only", kind], env=env)

    def load(self, points=(), labels=()):
        """Adds (uid, latitude, longitude, day, time) and (uid, day, from, to day, to, mode)."""
        copy = ["copy geolife.geolife_trajectory_landing"
                " (uid, latitude, longitude, setzero, altitude, epoch, tdate, ttime) from stdin;"]
        copy += [f"{uid}\t{latitude}\t{longitude}\t0\t160\t39184\t{day}\t{time}"
                 for uid, latitude, longitude, day, time in points]
        copy += ["\\.", "copy geolife.geolife_label_landing from stdin;"]
        copy += ["\t".join(label) for label in labels]
        copy += ["\\.", ""]
        self.execute("\n".join(copy))
