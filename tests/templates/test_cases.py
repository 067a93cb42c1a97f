"""Templates render as Jinja2 renders them, and fail on the line of the file where it fails: those
of cases/, the recorded cases of the unit tests and the template vectors.

Two versions of Jinja2 render them, Debian's and the pinned one, which decides where they differ.
"""

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

import cases
from engines import Ours, Real, difference, report

OWN_MIN = 350       # templates of cases/, expressions not counted
SHOWN_MAX = 8       # differences that are shown in full
SKIPPED_MAX = 0.02  # share of renderings of which Jinja2's result is not determined
DAG = os.environ.get("DAG_BINARY") or str(cases.TESTS.parent / "build" / "dev" / "dag")
COMMAND_GROUPS = {"errors", "inheritance", "sql"}
COMMANDS_MIN = 400
OPTION_WORDS = {"strict": "--strict", "keep": "--keep-trailing-newline"}


@pytest.fixture(scope="module")
def groups():
    """Name of a group → its templates, each a list of its renderings."""
    return {**cases.own(), "recorded cases": cases.recorded(), "vectors": cases.vectors()}


@pytest.fixture(scope="module")
def renderings(groups):
    return [case for group in groups.values() for template in group for case in template]


@pytest.fixture(scope="module")
def pinned():
    return Real()


@pytest.fixture(scope="module")
def expected(pinned, renderings):
    return pinned.render(renderings)


@pytest.fixture
def say(capfd):
    def say_it(text):
        with capfd.disabled():
            print(f"\n{text}", end="")
    return say_it


def shown(different):
    """Reports of (case, answer of Jinja2, ours, what differs)."""
    return "\n".join(f"{case['name']}: {report(case, *rest)}"
                     for case, *rest in different[:SHOWN_MAX])


def test_templates_render_as_in_jinja2(groups, renderings, pinned, expected, say):
    found = Ours().render(renderings)
    verdicts = [difference(*pair) for pair in zip(expected, found)]
    different = [row for row in zip(renderings, expected, found, verdicts)
                 if row[3] not in (None, "skip")]
    skipped = [case["name"] for case, verdict in zip(renderings, verdicts) if verdict == "skip"]
    errors = sum("error" in answer for answer in expected)
    say(f"{sum(map(len, groups.values()))} templates, {len(renderings)} renderings, {errors} of "
        f"them errors: {len(different)} differ from jinja2 {pinned.version}")
    say(f"{len(skipped)} not determined by it: {', '.join(skipped)}\n")
    assert not different, shown(different)
    assert len(skipped) <= SKIPPED_MAX * len(renderings)


def test_where_versions_of_jinja2_differ(renderings, pinned, expected, say):
    """Ours is compared with the pinned version; this says what that decides."""
    debian = Real(pinned=False)
    answers = debian.render(renderings)
    different = [case["name"] for case, *pair in zip(renderings, expected, answers)
                 if difference(*pair) not in (None, "skip")]
    say(f"jinja2 {debian.version} and {pinned.version} differ in {len(different)}: "
        f"{', '.join(different)}\n")
    assert len(different) < len(renderings) / 20


def test_there_are_several_hundred_templates(groups, say):
    own = {name: len(group) for name, group in groups.items()}
    recorded, vectors = own.pop("recorded cases"), own.pop("vectors")
    say(", ".join(f"{name} {count}" for name, count in own.items()) + "\n")
    templates = sum(not template[0]["expression"] for name in own for template in groups[name])
    assert templates >= OWN_MIN
    assert recorded >= 413 and vectors == 82


def test_what_was_recorded_is_what_jinja2_says(renderings, expected):
    wrong = [(case["name"], case["recorded"], answer)
             for case, answer in zip(renderings, expected)
             if "recorded" in case and not agrees(case["recorded"], answer)]
    assert not wrong


def agrees(recorded, answer):
    if "output" in recorded:
        return answer.get("out") == recorded["output"]
    return (recorded["file"], recorded["line"]) == (answer["file"], answer["line"])


def test_a_difference_is_found():
    out, error = {"out": "a"}, {"error": "TypeError: x", "file": "main", "line": 2}
    assert difference(out, {"out": "a"}) is None
    assert difference(out, {"out": "a\n"}) == "output"
    assert difference(out, error) == "output"
    assert difference(error, out) == "error expected"
    assert difference(error, dict(error, error="other words")) is None
    assert difference(error, dict(error, line=1)) == "place"
    assert difference(error, dict(error, file="part")) == "place"


def command_case(case):
    """Whether `dag render` is asked the same: it has no options for white space and HTML."""
    options = {option for option in cases.OPTIONS if case.get(option)}
    return case["group"] in COMMAND_GROUPS and options <= set(OPTION_WORDS)


def run_command(case, folder, apart):
    """As a user types it: next to the file, or with its parts in a folder of their own."""
    parts = folder / "parts" if apart else folder
    parts.mkdir(parents=True)
    for name, text in case["files"].items():
        path = folder / name if name == "main" else parts / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    (folder / "context.json").write_text(json.dumps(case["context"]))
    words = [DAG, "render", "--template", "main", "--context", "context.json",
             *(["--searchpath", "parts"] if apart else []),
             *(OPTION_WORDS[option] for option in OPTION_WORDS if case.get(option))]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120,
                          check=False, stdin=subprocess.DEVNULL,
                          env=dict(os.environ, NO_COLOR="1"))
    if done.returncode == 0:
        return {"out": done.stdout}
    place = re.match(r"(?:parts/)?(.*?):(\d+):\d+: error: (.*)", done.stderr)
    assert done.returncode == 1 and place, done
    return {"file": place[1], "line": int(place[2]), "error": place[3]}


def test_the_command_renders_the_same(renderings, expected, tmp_path, say):
    chosen = [(case, answer) for case, answer in zip(renderings, expected) if command_case(case)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda i: run_command(chosen[i][0], tmp_path / str(i), i % 2),
                              range(len(chosen))))
    rows = [(case, answer, ours, difference(answer, ours))
            for (case, answer), ours in zip(chosen, found)]
    wrong = [row for row in rows if row[3] not in (None, "skip")]
    say(f"{len(chosen)} renderings by the command, {len(wrong)} differ\n")
    assert len(chosen) >= COMMANDS_MIN
    assert not wrong, shown(wrong)
