"""The repository itself: its includes, style, error tables, symbols and formatting."""

import os
import shutil
import stat
import subprocess

import errors
import includes
import pytest
import source
import style
import symbols

BUILD = os.environ.get("DAG_BUILD_DIR")


def told(problems):
    return "\n" + "\n".join(map(str, problems))


def test_there_is_something_to_check():
    assert len(source.paths_ending(".c", ".h")) > 30
    assert "base/error.h" in source.paths()


def test_no_include_goes_against_the_table():
    problems = [problem for path in source.paths_ending(".c", ".h")
                for problem in includes.check(path, source.read(path))]
    assert not problems, told(problems)


@pytest.mark.parametrize("check", style.CHECKS)
def test_style(check):
    problems = [problem for path in source.paths() if (text := source.read(path)) is not None
                for problem in check(path, text)]
    assert not problems, told(problems)


@pytest.mark.skipif(not shutil.which("clang-format"), reason="clang-format is not installed")
def test_the_code_is_formatted():
    files = source.paths_ending(".c", ".h")
    command = ["clang-format", "--dry-run", "-Werror", "--ferror-limit=1", *files]
    answer = subprocess.run(command, cwd=source.ROOT, capture_output=True, text=True, check=False)
    lines = [line for line in answer.stderr.splitlines() if ": error:" in line]
    assert answer.returncode == 0, told(lines) + "\nrun clang-format -i on these files"


def test_every_error_row_is_complete():
    tables = errors.tables()
    assert tables and all(rows for _, rows, _ in tables)
    problems = [problem for _, _, found in tables for problem in found]
    problems += errors.check_rows([row for _, rows, _ in tables for row in rows])
    assert not problems, told(problems)


def test_every_error_is_given_somewhere():
    rows = [row for _, found, _ in errors.tables() for row in found]
    sources = [source.read(path) for path in source.paths_ending(".c", ".h")
               if not path.startswith("tests/")]
    problems = errors.check_used(rows, sources)
    assert not problems, told(problems)


def test_the_page_of_errors_equals_the_tables():
    page = source.ROOT / errors.PAGE
    assert page.is_file(), f"{errors.PAGE} is missing: tests/structure/errors.py --write"
    assert page.read_text() == errors.page(), "run tests/structure/errors.py --write"


def test_scripts_can_be_run():
    for path in source.paths():
        text = source.read(path)
        if text is not None and text.startswith("#!"):
            assert (source.ROOT / path).stat().st_mode & stat.S_IXUSR, f"{path} is not executable"


needs_build = pytest.mark.skipif(not BUILD, reason="DAG_BUILD_DIR names no build")


@needs_build
def test_no_object_calls_what_is_banned():
    found = symbols.objects(BUILD)
    assert "base/error.c" in found
    problems = [problem for name, path in found.items() if (source.ROOT / name).is_file()
                for problem in symbols.check_banned(name, symbols.undefined(path))]
    assert not problems, told(problems)


@needs_build
def test_the_scheduler_is_pure():
    found = symbols.objects(BUILD)
    ours = set()
    for name, path in found.items():
        if name.startswith(("base/", "language/timetable/", "definition/model/", "scheduler/")) \
                and not symbols.IMPURE_OBJECTS.search(f"/{name}.o"):
            ours |= symbols.defined(path)
    scheduler = {name: path for name, path in found.items() if name.startswith("scheduler/")}
    assert scheduler, "the build has no objects of scheduler/"
    problems = [problem for name, path in scheduler.items()
                for problem in symbols.check_pure(name, symbols.undefined(path), ours)]
    assert not problems, told(problems)
