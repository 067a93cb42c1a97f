"""The generator of made-up Geolife data: format, determinism, and what must be in it."""

import csv
import hashlib
import re
from collections import defaultdict
from datetime import date, datetime, timedelta

import pytest

from conftest import GENERATE, run, succeed

MODES = {"walk", "bike", "bus", "car", "taxi", "subway", "train", "run", "motorcycle", "boat",
         "airplane"}
POINT = re.compile(r"-?\d+\.\d{6},-?\d+\.\d{6},0,-?\d+,\d{5}\.\d{10},"
                   r"\d{4}-\d\d-\d\d,\d\d:\d\d:\d\d")
LABEL = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\t\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\t\w+")


def contents(folder):
    """The hash of every file of a folder, by name."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def points(path):
    for line in path.read_text().splitlines()[6:]:
        latitude, longitude, _, _, days, day, time = line.split(",")
        yield (float(latitude), float(longitude), float(days),
               datetime.fromisoformat(f"{day} {time}"))


def labels(user):
    path = user / "labels.txt"
    for line in path.read_text().splitlines()[1:] if path.exists() else []:
        start, end, mode = line.split("\t")
        yield (datetime.strptime(start, "%Y/%m/%d %H:%M:%S"),
               datetime.strptime(end, "%Y/%m/%d %H:%M:%S"), mode)


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """All days, few users: (Data folder, rows of the truth)."""
    folder = tmp_path_factory.mktemp("generated")
    succeed(GENERATE, "--out", folder, "--truth", folder / "truth.csv", "--users", "4",
            "--scale", "0.4")
    with open(folder / "truth.csv", newline="", encoding="utf-8") as truth:
        return folder / "Data", list(csv.DictReader(truth))


def test_the_format_is_the_releases(release):
    data, _ = release
    files = list(data.glob("*/Trajectory/*.plt"))
    assert len(files) == len(list(data.rglob("*.plt"))) > 400
    assert all(re.fullmatch(r"\d{3}", user.name) for user in data.iterdir())
    for path in files:
        raw = path.read_bytes().decode("ascii")
        lines = raw.split("\r\n")
        assert lines[0] == "Geolife trajectory" and lines[-1] == ""
        assert all(POINT.fullmatch(line) for line in lines[6:-1])
        moments = [moment for _, _, _, moment in points(path)]
        assert path.stem == f"{moments[0]:%Y%m%d%H%M%S}"
        assert moments == sorted(moments)
    for path in data.glob("*/labels.txt"):
        lines = path.read_bytes().decode("ascii").split("\r\n")
        assert lines[0] == "Start Time\tEnd Time\tTransportation Mode"
        assert all(LABEL.fullmatch(line) for line in lines[1:-1])


def test_days_are_counted_from_1899(release):
    data, _ = release
    path = next(data.rglob("*.plt"))
    for _, _, days, moment in points(path):
        assert abs(datetime(1899, 12, 30) + timedelta(days=days) - moment) < timedelta(
            milliseconds=1)


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        succeed(GENERATE, "--out", tmp_path / name, "--truth", tmp_path / name / "truth.csv",
                "--users", "3", "--to", "2007-04-13", "--seed", "x")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    succeed(GENERATE, "--out", tmp_path / "b", "--users", "3", "--to", "2007-04-13", "--seed", "y")
    assert contents(tmp_path / "a") != contents(tmp_path / "b")


def test_a_day_does_not_depend_on_the_range(tmp_path):
    succeed(GENERATE, "--out", tmp_path / "a", "--users", "3", "--to", "2007-04-14")
    succeed(GENERATE, "--out", tmp_path / "b", "--users", "3", "--from", "2007-04-13",
            "--to", "2007-04-13")
    small = {name: found for name, found in contents(tmp_path / "b").items() if ".plt" in name}
    assert small.items() <= contents(tmp_path / "a").items()


def test_every_day_has_both_classes_labelled_and_not(release):
    data, truth = release
    found = defaultdict(set)
    for user in data.iterdir():
        for start, end, mode in labels(user):
            assert mode in MODES
            if start.date() == end.date():
                found[start.date()].add(("labelled", mode == "walk"))
    for row in truth:
        found[date.fromisoformat(row["start"][:10])].add(("unlabelled", row["mode"] == "walk"))
    days = [date(2007, 4, 12) + timedelta(days=number) for number in range(26)]
    assert sorted(found) == days
    assert all(len(found[day]) == 4 for day in days)


def test_the_truth_is_of_the_unlabelled_trips(release):
    data, truth = release
    labelled, over_midnight, unlabelled = set(), set(), set()
    for user in data.iterdir():
        spans = {(start, end) for start, end, _ in labels(user)}
        labelled |= {(user.name, *span) for span in spans}
        over_midnight |= {(user.name, *span) for span in spans
                          if span[0].date() != span[1].date()}
        for path in user.glob("Trajectory/*.plt"):
            moments = [moment for _, _, _, moment in points(path)]
            unlabelled.add((user.name, moments[0], moments[-1]))
    known = {(row["user"], datetime.fromisoformat(row["start"]),
              datetime.fromisoformat(row["end"])) for row in truth}
    assert over_midnight, "there should be labels over midnight"
    assert known == (unlabelled - labelled) | over_midnight


def test_there_are_bad_points_and_users_without_labels(release):
    data, _ = release
    everywhere = [list(points(path)) for path in data.rglob("*.plt")]
    flat = [point for trip in everywhere for point in trip]
    assert any(abs(latitude) > 90 for latitude, _, _, _ in flat)
    assert any(abs(longitude) > 180 for _, longitude, _, _ in flat)
    assert any(first[3] == second[3] for trip in everywhere
               for first, second in zip(trip, trip[1:]))
    with_labels = {user.name for user in data.iterdir() if (user / "labels.txt").exists()}
    assert 0 < len(with_labels) < len(list(data.iterdir()))


def test_unlabelled_trips_come_in_groups_of_one_mode(release):
    data, truth = release
    sizes = []
    for row in truth:
        start = datetime.fromisoformat(row["start"])
        path = data / row["user"] / "Trajectory" / f"{start:%Y%m%d%H%M%S}.plt"
        sizes.append(sum(abs(latitude) <= 90 and abs(longitude) <= 180
                         for latitude, longitude, _, _ in points(path)))
    assert all(size % 20 == 0 for size in sizes)


def test_shuffled_labels_are_the_same_modes_elsewhere(tmp_path):
    options = ["--users", "5", "--to", "2007-04-15"]
    succeed(GENERATE, "--out", tmp_path / "a", *options)
    succeed(GENERATE, "--out", tmp_path / "b", *options, "--shuffle-labels")
    before, after = ([(user.name, *label) for user in sorted((tmp_path / name / "Data").iterdir())
                      for label in labels(user)] for name in ("a", "b"))
    assert [label[:3] for label in before] == [label[:3] for label in after]
    assert sorted(label[3] for label in before) == sorted(label[3] for label in after)
    changed = sum(one[3] != other[3] for one, other in zip(before, after))
    assert changed > len(before) / 3
    same = {name for name, found in contents(tmp_path / "a").items()
            if contents(tmp_path / "b")[name] == found}
    assert all(".plt" in name for name in same) and len(same) > 100


def test_what_others_wrote_is_not_replaced(tmp_path):
    (tmp_path / "Data").mkdir()
    done = run(GENERATE, "--out", tmp_path)
    assert done.returncode == 1
    assert "was not generated" in done.stderr
    assert list((tmp_path / "Data").iterdir()) == []


@pytest.mark.parametrize("options", [("--users", "1"), ("--users", "183"), ("--scale", "0"),
                                     ("--from", "2007-05-01", "--to", "2007-04-01")])
def test_wrong_use(tmp_path, options):
    assert run(GENERATE, "--out", tmp_path, *options).returncode == 2
