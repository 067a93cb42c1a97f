"""The whole way from generated files to predictions: learnable, but not trivially, and honest."""

from pathlib import Path

import pytest

from conftest import GENERATE, LOAD, succeed

PIPELINE = (Path(__file__).parent / "quality.sql").read_text()
BALANCED = """
select (avg(estimated::integer) filter (where label)
        + avg((not estimated)::integer) filter (where not label)) / 2 from scored
"""


def balanced_accuracy(database, folder, *options):
    truth = folder / "truth.csv"
    succeed(GENERATE, "--out", folder, "--truth", truth, "--scale", "0.6", *options)
    succeed(LOAD, folder, "--uri", database.uri)
    database.execute('create table truth ("user" text, start timestamp, "end" timestamp,'
                     ' mode text)')
    database.execute(f"\\copy truth from '{truth}' csv header")
    database.execute(PIPELINE)
    return float(database.query(BALANCED)[0][0])


def test_a_forest_tells_walks_from_rides(landing, tmp_path):
    reached = balanced_accuracy(landing, tmp_path)
    assert 0.80 <= reached <= 0.97, reached
    assert landing.query("select count(*) > 100 from scored where label") == [("t",)]
    assert landing.query("select count(*) > 100 from scored where not label") == [("t",)]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_nothing_is_learnt_from_shuffled_labels(landing, tmp_path, seed):
    reached = balanced_accuracy(landing, tmp_path, "--shuffle-labels", "--seed", seed)
    assert reached <= 0.60, reached
