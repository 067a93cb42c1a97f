"""The generator and the loader of card transactions."""

import csv
import json
import math
import statistics
import zipfile

import pytest

from conftest import ROOT, environment, run, succeed

GENERATE = ROOT / "sandbox" / "credit_card_generate"
LOAD = ROOT / "sandbox" / "credit_card_load"
NAMES = ["Time"] + [f"V{number}" for number in range(1, 29)] + ["Amount", "Class"]
TABLE = ("create schema credit_card; create table credit_card.transactions"
         " (id bigint, tdate date, {}, class smallint)").format(
             ", ".join(f'"{name.lower()}" float8' for name in NAMES[:-1]))
CONTENT = ("select md5(string_agg(t::text, '|' order by id)), count(*)"
           " from credit_card.transactions t")


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    path = tmp_path_factory.mktemp("cards") / "creditcard.csv"
    succeed(GENERATE, "--out", path, "--rows", "4000", "--days", "3", "--frauds", "0.02")
    return path


@pytest.fixture
def empty(database):
    database.execute(TABLE)
    return database


def load(database, *arguments):
    done = run(LOAD, "--uri", database.uri, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stderr


# ---- the generator

def test_the_form_is_that_of_the_real_file(generated):
    lines = generated.read_text().splitlines()
    assert lines[0] == ",".join(f'"{name}"' for name in NAMES)
    assert lines[1].startswith("0,")
    assert all(line.endswith(',"0"') or line.endswith(',"1"') for line in lines[1:])
    rows = list(csv.reader(lines))
    times = [int(row[0]) for row in rows[1:]]
    assert times == sorted(times) and 2 * 86400 < times[-1] < 3 * 86400
    assert all(len(row) == 31 and all(math.isfinite(float(value)) for value in row)
               for row in rows[1:])


def test_as_many_frauds_as_asked_for_and_they_lie_apart(generated):
    rows = list(csv.DictReader(generated.open()))
    frauds = [row for row in rows if row["Class"] == "1"]
    assert (len(rows), len(frauds)) == (4000, 80)
    others = [float(row["V14"]) for row in rows if row["Class"] == "0"]
    apart = statistics.mean(float(row["V14"]) for row in frauds) - statistics.mean(others)
    assert apart < -3 * statistics.stdev(others)
    # Components: each of less variance than the one before, and not correlated.
    assert (statistics.stdev(float(row["V1"]) for row in rows)
            > 3 * statistics.stdev(float(row["V28"]) for row in rows))


def test_the_same_arguments_give_the_same_bytes(generated, tmp_path):
    again, other = tmp_path / "again.csv", tmp_path / "other.csv"
    common = ("--rows", "4000", "--days", "3", "--frauds", "0.02")
    succeed(GENERATE, "--out", again, *common)
    succeed(GENERATE, "--out", other, "--seed", "2", *common)
    assert again.read_bytes() == generated.read_bytes() != other.read_bytes()


@pytest.mark.parametrize("option, value", [("--rows", "0"), ("--days", "0"), ("--frauds", "2")])
def test_the_generator_refuses(tmp_path, option, value):
    done = run(GENERATE, "--out", tmp_path / "x.csv", option, value)
    assert done.returncode == 2 and f"{option} is from" in done.stderr
    assert not list(tmp_path.iterdir())


# ---- the loader

def test_a_file_a_folder_and_a_zip_give_the_same_rows(empty, generated, tmp_path):
    assert "4000 transactions, 80 frauds, 2013-09-01 to 2013-09-03" in load(empty, generated)
    expected = empty.query(CONTENT)
    with zipfile.ZipFile(tmp_path / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(generated, "creditcard.csv")
    for source in (generated.parent, tmp_path / "archive.zip"):
        empty.execute("truncate credit_card.transactions")
        load(empty, source)
        assert empty.query(CONTENT) == expected
    assert empty.query("select count(*), sum(class), min(id), max(id), min(tdate), max(tdate)"
                       " from credit_card.transactions") == [
        ("4000", "80", "1", "4000", "2013-09-01", "2013-09-03")]


def test_a_row_is_that_of_the_file(empty, tmp_path):
    """The real file has times like 1e+05."""
    path = tmp_path / "creditcard.csv"
    values = [f"{-number / 7}" for number in range(1, 29)]
    path.write_text(",".join(f'"{name}"' for name in NAMES) + "\n"
                    + ",".join(["1e+05"] + values + ["149.62", '"1"']) + "\n")
    load(empty, path, "--first-day", "2030-12-11")
    assert empty.query('select id, tdate, "time", v1 = -1 / 7.0::float8, v28, amount, class'
                       " from credit_card.transactions") == [
        ("1", "2030-12-12", "100000", "t", "-4", "149.62", "1")]


@pytest.mark.parametrize("number, change, said", [
    (1, lambda line: line.replace("V3", "W3"), "the columns are not Time, V1"),
    (3, lambda line: line.replace(",", ",x", 1), "the V1 is not a number: 'x"),
    (3, lambda line: line.rsplit(",", 1)[0], "expected 31 fields, found 30"),
    (3, lambda line: line.rsplit(",", 1)[0] + ',"2"', "the Class is neither 0 nor 1: '2'"),
    (3, lambda line: "-1," + line.split(",", 1)[1], "Time is not within ten years"),
    (3, lambda line: "nan," + line.split(",", 1)[1], "the Time is not a number: 'nan'"),
])
def test_a_bad_line_is_named_and_nothing_changes(empty, generated, tmp_path, number, change, said):
    load(empty, generated)
    before = empty.query(CONTENT)
    lines = generated.read_text().splitlines()
    lines[number - 1] = change(lines[number - 1])
    path = tmp_path / "creditcard.csv"
    path.write_text("\n".join(lines) + "\n")
    done = run(LOAD, path, "--uri", empty.uri)
    assert done.returncode == 1
    assert f"creditcard.csv:{number}: {said}" in done.stderr
    assert empty.query(CONTENT) == before


@pytest.mark.parametrize("text, said", [("", "creditcard.csv:1: the file is empty"),
                                        (",".join(NAMES) + "\n", "there are no transactions")])
def test_a_file_without_transactions(empty, tmp_path, text, said):
    (tmp_path / "creditcard.csv").write_text(text)
    done = run(LOAD, tmp_path, "--uri", empty.uri)
    assert done.returncode == 1 and said in done.stderr


def test_no_file(empty, tmp_path):
    done = run(LOAD, tmp_path, "--uri", empty.uri)
    assert done.returncode == 3 and "there is no file" in done.stderr


def test_what_it_tells_the_task(empty, generated, tmp_path):
    xcom = tmp_path / "xcom"
    succeed(LOAD, generated, env=environment(SANDBOX_URI=None, DAG_CONN_GREENPLUM=empty.uri,
                                             DAG_XCOM=str(xcom)))
    assert json.loads(xcom.read_text()) == {"rows": 4000, "frauds": 80, "first_day": "2013-09-01",
                                            "last_day": "2013-09-03"}
