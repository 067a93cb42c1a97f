"""bench/templates.py: a short run with all it measures."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import engines
import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
BUILD = os.environ.get("DAG_BUILD_DIR") or ROOT / "build" / "dev"


needs_jinja = pytest.mark.skipif(not engines.pinned_python(),
                                 reason="the pinned Jinja2 cannot be installed")


@needs_jinja
def test_both_sides_render_the_same_texts_and_are_measured():
    done = subprocess.run(
        [sys.executable, BENCH / "templates.py", "--build", BUILD, "--rounds", "1", "--seconds",
         "0.01", "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    pinned = (Path(engines.HERE) / "requirements.txt").read_text()
    assert f"=={found['jinja2']}" in pinned
    assert list(found["figures"]) == ["pivot", "speed", "60 lines"]
    for modes in found["figures"].values():
        assert list(modes) == ["cached", "parsed"]
        for figure in modes.values():
            assert len(figure["ratio"]) == 1
            assert all(value > 0 for values in figure.values() for value in values)


@needs_jinja
def test_a_text_that_differs_ends_the_run(tmp_path):
    """The program that stands for ours answers everything with the same wrong text."""
    wrong = tmp_path / "bench_templates"
    wrong.write_text("#!/bin/sh\nwhile read -r line; do echo '{\"out\": \"wrong\"}'; done\n")
    wrong.chmod(0o755)
    done = subprocess.run([sys.executable, BENCH / "templates.py", "--build", tmp_path],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "pivot: the texts differ" in done.stderr, done.stderr


def test_the_long_template_is_what_it_is_said_to_be():
    text = (BENCH / "templates" / "user_day.sql").read_text()
    assert len(text.splitlines()) == 60
    assert len(re.findall(r"\{\{", text)) >= 20
    assert re.search(r"\{%-? for ", text) and re.search(r"\{%-? import ", text)
