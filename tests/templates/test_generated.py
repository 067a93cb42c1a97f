"""Random templates render as Jinja2 renders them, and fail on the line where it fails.

DAG_LONG=1 draws ten thousand, other ones in each run; without it they are the same two thousand, so
that a change is judged by its own doing.  The seed is printed; DAG_SEED=<number> repeats a run,
DAG_SEED=random draws anew.
"""

import os
import random
import re

import pytest

from engines import Ours, Real, difference, report
from generator import Generator

LONG = os.environ.get("DAG_LONG") == "1"
COUNT = 10_000 if LONG else 2_000
RENDERED_MIN = 0.60  # share of the cases
SKIPPED_MAX = 0.02   # texts with addresses of objects, integers beyond 64 bits
SHOWN_MAX = 5

# Parts of statements, which are no keywords of their own in Jinja2's tables.
PARTS = {"elif", "else", "endset", "raw"}


@pytest.fixture(scope="module")
def real():
    return Real()


@pytest.fixture(scope="module")
def seed():
    chosen = os.environ.get("DAG_SEED", "random" if LONG else "1")
    return random.SystemRandom().randrange(10**9) if chosen == "random" else int(chosen)


@pytest.fixture(scope="module")
def cases(seed):
    generator = Generator(random.Random(seed))
    return [generator.case() for _ in range(COUNT)]


def test_random_templates_render_as_in_jinja2(real, seed, cases, capfd):
    with capfd.disabled():
        print(f"\nrandom templates: DAG_SEED={seed}, {COUNT} cases", flush=True)
    expected, found = real.render(cases), Ours().render(cases)
    verdicts = [difference(*pair) for pair in zip(expected, found)]
    rendered = sum("out" in answer for answer in expected)
    skipped = verdicts.count("skip")
    different = [i for i, verdict in enumerate(verdicts) if verdict not in (None, "skip")]
    with capfd.disabled():
        print(f"{rendered} of {COUNT} render, {COUNT - rendered} are errors, {skipped} skipped, "
              f"{len(different)} differ from jinja2 {real.version}")
    shown = [report(cases[i], expected[i], found[i], verdicts[i]) for i in different[:SHOWN_MAX]]
    assert not different, f"DAG_SEED={seed}\n" + "\n".join(shown)
    assert rendered >= RENDERED_MIN * COUNT
    assert skipped <= SKIPPED_MAX * COUNT


def test_every_statement_filter_test_and_global_occurs(real, seed, cases):
    text = "\n".join("\n".join(case["files"].values()) for case in cases)
    statements = set(re.findall(r"\{%[-+]?\s*(\w+)", text))
    filters = set(re.findall(r"\|\s*(\w+)", text))
    tests = set(re.findall(r"\sis\s(?:not\s)?([a-z]+|[<>=!]+)", text))
    called = set(re.findall(r"\b(\w+)\(", text))
    hint = f"DAG_SEED={seed}"
    assert set(real.names["statements"]) | PARTS <= statements, hint
    assert set(real.names["filters"]) <= filters, hint
    assert set(real.names["tests"]) <= tests, hint
    assert set(real.names["globals"]) <= called, hint
