"""The loader: folder and zip, repeatable, one transaction, mistakes with file and line."""

import json
import shutil
import subprocess
import zipfile

import pytest

from conftest import LOAD, environment, run, succeed, wait_until

COUNTS = """
select (select count(*) from geolife.geolife_trajectory_landing),
       (select count(*) from geolife.geolife_label_landing)
"""
CONTENT = """
select (select md5(string_agg(t::text, '|' order by t::text)) from
            geolife.geolife_trajectory_landing t),
       (select md5(string_agg(l::text, '|' order by l::text)) from geolife.geolife_label_landing l)
"""
NO_CONNECTION = {"SANDBOX_URI": None, "DAG_CONN_GREENPLUM": None, "DAG_XCOM": None}


def load(database, *arguments):
    done = run(LOAD, "--uri", database.uri, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stderr


def lines_of(release):
    points = sum(len(path.read_text().splitlines()) - 6 for path in release.rglob("*.plt"))
    labels = sum(len(path.read_text().splitlines()) - 1 for path in release.rglob("labels.txt"))
    return str(points), str(labels)


@pytest.fixture
def copy(small_release, tmp_path):
    """A copy of the small release to damage."""
    shutil.copytree(small_release[0] / "Data", tmp_path / "Data")
    return tmp_path


def one_file(folder):
    return sorted(folder.rglob("*.plt"))[0]


def replace_line(path, number, text):
    lines = path.read_text().splitlines()
    lines[number - 1] = text
    path.write_text("\n".join(lines) + "\n")


def test_a_folder(landing, small_release):
    said = load(landing, small_release[0])
    assert landing.query(COUNTS) == [lines_of(small_release[0])]
    assert "trajectory rows of 3 users" in said
    path = one_file(small_release[0])
    fields = path.read_text().splitlines()[6].split(",")
    assert landing.query(
        "select latitude, longitude, setzero, altitude, round(epoch::numeric, 6), tdate, ttime"
        f" from geolife.geolife_trajectory_landing where uid = '{path.parts[-3]}'"
        f" and (tdate, ttime) = ('{fields[5]}', '{fields[6]}')") == [
        (fields[0].rstrip("0"), fields[1].rstrip("0"), "0", fields[3],
         f"{float(fields[4]):.6f}", fields[5], fields[6])]


def test_labels(landing, copy):
    user = sorted(path.parent for path in copy.rglob("labels.txt"))[0]
    (user / "labels.txt").write_text("Start Time\tEnd Time\tTransportation Mode\n"
                                     "2007/06/26 23:32:29\t2007/06/27 00:40:29\tbus\n")
    load(landing, copy)
    assert landing.query("select * from geolife.geolife_label_landing"
                         f" where uid = '{user.name}'") == [
        (user.name, "2007-06-26", "23:32:29", "2007-06-27", "00:40:29", "bus")]


def test_twice_gives_the_same_rows(landing, small_release):
    load(landing, small_release[0])
    first = landing.query(CONTENT)
    load(landing, small_release[0])
    assert landing.query(CONTENT) == first


def test_a_zip_gives_the_same_rows(landing, small_release, tmp_path):
    load(landing, small_release[0])
    expected = landing.query(CONTENT)
    with zipfile.ZipFile(tmp_path / "release.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (small_release[0] / "Data").rglob("*"):
            name = path.relative_to(small_release[0])
            archive.write(path, f"Geolife Trajectories 1.3/{name}")
        archive.writestr("Geolife Trajectories 1.3/User Guide.txt", "not data")
        archive.writestr("__MACOSX/Data/010/Trajectory/._20070412000000.plt", b"\0\1")
    landing.execute("truncate geolife.geolife_trajectory_landing, geolife.geolife_label_landing")
    load(landing, tmp_path / "release.zip")
    assert landing.query(CONTENT) == expected


def test_the_data_folder_itself(landing, small_release):
    load(landing, small_release[0] / "Data")
    assert landing.query(COUNTS) == [lines_of(small_release[0])]


def test_one_table_only(landing, small_release):
    points, labels = lines_of(small_release[0])
    load(landing, small_release[0], "--only", "label")
    assert landing.query(COUNTS) == [("0", labels)]
    load(landing, small_release[0], "--only", "trajectory")
    assert landing.query(COUNTS) == [(points, labels)]


def test_some_days_only(landing, small_release):
    load(landing, small_release[0])
    by_day = ("select tdate, count(*) from geolife.geolife_trajectory_landing"
              " group by 1 order by 1")
    before = landing.query(by_day)
    landing.execute("update geolife.geolife_trajectory_landing set altitude = 12345")
    load(landing, small_release[0], "--from", "2007-04-13", "--to", "2007-04-13")
    assert landing.query(by_day) == before
    assert landing.query("select distinct tdate from geolife.geolife_trajectory_landing"
                         " where altitude = 12345") == [("2007-04-12",)]
    landing.execute("truncate geolife.geolife_trajectory_landing")
    load(landing, small_release[0], "--to", "2007-04-12")
    assert landing.query(by_day) == before[:1]


def test_bad_but_readable_rows_are_loaded(landing, copy):
    replace_line(sorted(copy.rglob("labels.txt"))[0], 2,
                 "2007/04/12 03:00:00\t2007/04/12 02:00:00\twalk")
    replace_line(one_file(copy), 7, "140.5,116.3,0,-777,39184.1,2007-04-12,00:00:01")
    load(landing, copy)
    assert landing.query("select count(*) from geolife.geolife_trajectory_landing"
                         " where latitude = 140.5") == [("1",)]
    assert landing.query("select count(*) from geolife.geolife_label_landing"
                         " where end_time < start_time and start_date = end_date") == [("1",)]


@pytest.mark.parametrize("line, said", [
    ("39.9,116.3,0,150,39184.1,2007-04-12", "expected 7 fields, found 6"),
    ("x,116.3,0,150,39184.1,2007-04-12,00:00:01", "the latitude is not a number: 'x'"),
    ("39.9,nan,0,150,39184.1,2007-04-12,00:00:01", "the longitude is not a number: 'nan'"),
    ("39.9,116.3,0.5,150,39184.1,2007-04-12,00:00:01", "third field is not a whole number: '0.5'"),
    ("39.9,116.3,0,150,39184.1,2007-02-30,00:00:01", "not a date (yyyy-mm-dd): '2007-02-30'"),
    ("39.9,116.3,0,150,39184.1,2007-04-12,25:00:01", "not a time (hh:mm:ss): '25:00:01'"),
])
def test_a_bad_line_is_named_and_nothing_changes(landing, copy, small_release, line, said):
    load(landing, small_release[0])
    before = landing.query(CONTENT)
    path = one_file(copy)
    replace_line(path, 9, line)
    done = run(LOAD, copy, "--uri", landing.uri)
    assert done.returncode == 1
    assert f"{path.relative_to(copy)}:9: " in done.stderr
    assert said in done.stderr
    assert landing.query(CONTENT) == before


@pytest.mark.parametrize("line, said", [
    ("2007/04/12 01:00:00\t2007/04/12 02:00:00", "expected 3 fields separated by tabs, found 2"),
    ("2007-04-12 01:00:00\t2007/04/12 02:00:00\twalk", "not a time (yyyy/mm/dd hh:mm:ss)"),
    ("2007/04/12 01:00:00\t2007/04/12 02:00:00\t ", "the mode is missing"),
])
def test_a_bad_label_is_named(landing, copy, line, said):
    path = sorted(copy.rglob("labels.txt"))[0]
    replace_line(path, 2, line)
    done = run(LOAD, copy, "--uri", landing.uri)
    assert done.returncode == 1
    assert f"{path.relative_to(copy)}:2: " in done.stderr
    assert said in done.stderr
    assert landing.query(COUNTS) == [("0", "0")]


def test_all_bad_lines_are_named_up_to_a_limit(landing, copy):
    path = one_file(copy)
    for number in (8, 10):
        replace_line(path, number, "?")
    done = run(LOAD, copy, "--uri", landing.uri)
    assert "2 lines cannot be read" in done.stderr
    assert ".plt:8: " in done.stderr and ".plt:10: " in done.stderr
    for other in sorted(copy.rglob("*.plt"))[:30]:
        replace_line(other, 7, "?")
    done = run(LOAD, copy, "--uri", landing.uri)
    assert "more than 19 lines cannot be read" in done.stderr


def test_where_the_database_comes_from(landing, small_release):
    folder = small_release[0]
    xcom = folder / "xcom"
    done = run(LOAD, folder, env=environment(**NO_CONNECTION))
    assert done.returncode == 2 and "--uri" in done.stderr
    passed = dict(NO_CONNECTION, DAG_CONN_GREENPLUM=landing.uri, DAG_XCOM=str(xcom))
    succeed(LOAD, folder, env=environment(**passed))
    points, labels = lines_of(folder)
    assert json.loads(xcom.read_text()) == {"trajectory_rows": int(points),
                                            "label_rows": int(labels)}
    done = run(LOAD, folder, env=environment(**passed, DAG_CONN_OTHER="x"))
    assert done.returncode == 2 and "--connection" in done.stderr
    succeed(LOAD, folder, "--connection", "greenplum",
            env=environment(**passed, DAG_CONN_OTHER="x"))
    succeed(LOAD, folder, env=environment(**dict(NO_CONNECTION, SANDBOX_URI=landing.uri)))


def test_the_password_is_not_on_the_command_line(landing, small_release, tmp_path):
    """A psql of our own writes down how it was called."""
    fake = tmp_path / "psql"
    fake.write_text('#!/bin/sh\ncat >/dev/null\necho "$@" >"$(dirname "$0")/seen"\n'
                    'echo "$PGPASSWORD" >"$(dirname "$0")/password"\n')
    fake.chmod(0o755)
    succeed(LOAD, small_release[0], "--uri", "postgresql://me:s%40crt@host:1/db?sslmode=disable",
            env=environment(PATH=f"{tmp_path}:/usr/bin:/bin"))
    assert "postgresql://me@host:1/db?sslmode=disable" in (tmp_path / "seen").read_text()
    assert "crt" not in (tmp_path / "seen").read_text()
    assert (tmp_path / "password").read_text() == "s@crt\n"


def test_missing_table_source_and_database(landing, small_release, tmp_path):
    landing.execute("drop table geolife.geolife_label_landing")
    done = run(LOAD, small_release[0], "--uri", landing.uri)
    assert done.returncode == 1
    assert "geolife_label_landing" in done.stderr and "nothing was loaded" in done.stderr
    assert landing.query("select count(*) from geolife.geolife_trajectory_landing") == [("0",)]
    assert run(LOAD, tmp_path, "--uri", landing.uri).returncode == 3
    assert run(LOAD, tmp_path / "none", "--uri", landing.uri).returncode == 3
    nowhere = "postgresql://127.0.0.1:1/none"
    assert run(LOAD, small_release[0], "--uri", nowhere).returncode == 4
    assert run(LOAD, small_release[0], "--uri", landing.uri,
               env=environment(PATH="/nonexistent")).returncode == 4


def test_a_killed_load_changes_nothing(landing, small_release):
    """The loader waits for a lock in the middle of its transaction, and is killed there."""
    load(landing, small_release[0])
    before = landing.query(CONTENT)
    holder = subprocess.Popen(["psql", "-X", "-q", "-d", landing.uri], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    holder.stdin.write("begin; lock geolife.geolife_label_landing; select 'held';\n")
    holder.stdin.flush()
    while "held" not in holder.stdout.readline():
        pass
    loader = subprocess.Popen([LOAD, small_release[0], "--uri", landing.uri],
                              stderr=subprocess.DEVNULL)
    sessions = ("select count(*) from pg_stat_activity where application_name = 'geolife_load'")
    wait_until(lambda: landing.query(sessions + " and wait_event_type = 'Lock'") == [("1",)])
    loader.kill()
    loader.wait()
    holder.communicate("rollback;\n")
    wait_until(lambda: landing.query(sessions) == [("0",)])
    assert landing.query(CONTENT) == before
