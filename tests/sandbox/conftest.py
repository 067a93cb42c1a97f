"""A sandbox of its own for these tests, in a temporary folder; each test finds it empty."""

import csv
import io
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SANDBOX = ROOT / "sandbox" / "sandbox"
GENERATE = ROOT / "sandbox" / "geolife_generate"
LOAD = ROOT / "sandbox" / "geolife_load"

LIMIT_SECONDS = 30  # for what takes far less

LANDING = """
create schema geolife;
create table geolife.geolife_trajectory_landing (
    uid text, latitude float8, longitude float8, setzero integer, altitude float8, epoch float8,
    tdate date, ttime time);
create table geolife.geolife_label_landing (
    uid text, start_date date, start_time time, end_date date, end_time time, mode text);
"""


def run(*command, **options):
    """Runs a program to its end; its outputs are text."""
    options.setdefault("timeout", 300)
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, **options)


def succeed(*command, **options):
    done = run(*command, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait_until(condition):
    """Looks at a condition until it holds."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


class Database:
    """A database of the sandbox, through psql."""

    def __init__(self, uri):
        self.uri = uri

    def _psql(self, sql, *arguments):
        return run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose",
                   *arguments, "-d", self.uri, input=sql)

    def query(self, sql):
        """The rows of the last statement that returns any, as tuples of text; NULL is None."""
        done = self._psql(sql, "--csv", "-t", "-P", "null=<NULL>")
        assert done.returncode == 0, done.stderr
        return [tuple(None if value == "<NULL>" else value for value in row)
                for row in csv.reader(io.StringIO(done.stdout))]

    def execute(self, sql):
        done = self._psql(sql)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def error(self, sql):
        """The (SQLSTATE, message) of the error that the text must end with."""
        done = self._psql(sql)
        assert done.returncode == 3, f"no error from: {sql}"
        return re.search(r"ERROR:  (\w{5}): (.*)", done.stderr).groups()

    def columns(self, table):
        """Names and types of a table's columns."""
        return self.query(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute"
            f" where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped"
            " order by attnum")


@pytest.fixture(scope="session")
def sandbox_dir(tmp_path_factory):
    """The folder of a running sandbox."""
    folder = tmp_path_factory.mktemp("sandbox") / "run"
    succeed(SANDBOX, "start", "--fast", "--dir", folder)
    yield folder
    succeed(SANDBOX, "destroy", "--dir", folder)


@pytest.fixture
def database(sandbox_dir):
    """The sandbox's database `geolife` as it was made, with a schema for the test's tables."""
    address = succeed(SANDBOX, "uri", "--dir", sandbox_dir).strip()
    Database(address).execute(
        "do $$ declare name text; begin"
        " for name in select nspname from pg_namespace"
        "     where nspname !~ '^pg_' and nspname not in ('information_schema', 'public', 'madlib')"
        " loop execute format('set client_min_messages = warning; drop schema %I cascade', name);"
        " end loop; end $$; create schema test")
    return Database(address + "?options=-csearch_path%3Dtest,public")


@pytest.fixture
def landing(database):
    """A database with the landing tables."""
    database.execute(LANDING)
    return database


@pytest.fixture(scope="session")
def small_release(tmp_path_factory):
    """A made-up release of three users and two days: (folder, file of the truth)."""
    folder = tmp_path_factory.mktemp("release")
    succeed(GENERATE, "--out", folder, "--truth", folder / "truth.csv", "--users", "3",
            "--to", "2007-04-13", "--scale", "0.5")
    return folder, folder / "truth.csv"


def environment(**changes):
    """This process's environment with changes; None removes a variable."""
    merged = dict(os.environ, **changes)
    return {name: value for name, value in merged.items() if value is not None}
