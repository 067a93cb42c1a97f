"""The benchmarks: a short run of each with all that it measures. Figures of a sanitized build mean
nothing; that they are there, and that an aim that is missed is told, is what counts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DAG_BUILD_DIR") or ROOT / "build" / "dev")
DAG = ["--dag", os.environ.get("DAG_BINARY") or str(BUILD / "dag")]

SHORT = {
    "sql": DAG + ["--rounds", "1", "--tasks", "20", "--chain", "20"],
    "processes": DAG + ["--rounds", "1", "--tasks", "8"],
    "commit": ["--rounds", "1", "--program", str(BUILD / "bench_commit")],
    "memory": DAG + ["--executions", "8000", "--idle", "1", "--dags", "10"],
}
AIMS = {"sql": 2, "processes": 1, "commit": 1, "memory": 2}


def run(name, *more):
    done = subprocess.run([sys.executable, ROOT / "bench" / f"{name}.py", *SHORT[name], *more],
                          capture_output=True, text=True, check=False)
    assert done.stderr == "", done.stderr
    return done


@pytest.mark.parametrize("name", SHORT)
def test_every_figure_is_measured(name):
    done = run(name, "--json")
    assert done.returncode == 0, done.stdout
    rows = json.loads(done.stdout)["figures"]
    assert sum("aim" in row for row in rows) == AIMS[name]
    for row in rows:
        assert row["value"] > 0 or "growth" in row["name"] or "processor" in row["name"], row


def test_an_aim_that_is_missed_is_told():
    """A commit of the metadata with its three rows is dearer than one bare row: never ten times as
    cheap."""
    done = run("commit", "--aim", "10", "--assert")
    assert done.returncode == 1
    assert "aim: at least 10" in done.stdout and "MISSED" in done.stdout
