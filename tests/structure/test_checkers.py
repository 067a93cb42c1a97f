"""Each checker must be able to fail: made-up violations, and what is allowed beside them."""

import shutil
import subprocess

import errors
import includes
import pytest
import style
import symbols

INCLUDE_ROWS = [
    ("scheduler/x.c", '#include "base/error.h"', True),
    ("scheduler/x.c", '#include "store/store.h"', False),
    ("scheduler/x.c", '#include "definition/model/model.h"', True),
    ("scheduler/x.c", '#include "definition/context/context.h"', False),
    ("base/x.c", '#include "scheduler/plan.h"', False),
    ("language/jinja/x.c", '#include "language/timetable/timetable.h"', False),
    ("store/sqlite/x.c", '#include "scheduler/plan.h"', True),
    ("store/sqlite/x.c", "  #  include <sqlite3.h>", True),
    ("scheduler/x.c", "#include <sqlite3.h>", False),
    ("executor/supervisor/x.c", '#include "base/error.h"', False),
    ("cli/x.c", '#include "store/store.h"', True),
    ("cli/x.c", '#include "error.h"', False),
    ("base/x.c", '#include "no/such.h"', False),
    ("elsewhere/x.c", '#include "base/error.h"', False),
    ("web/x.c", "#include <libpq-fe.h>", False),
    ("base/x.c", "#include <stdio.h>", True),
    ("base/x.c", '#include "error_table.def"', True),
]


@pytest.mark.parametrize("path, line, allowed", INCLUDE_ROWS)
def test_an_include_against_the_table_is_found(path, line, allowed):
    problems = includes.check(path, f"/* x */\n{line}\n")
    assert (problems == []) == allowed
    assert all(problem.line == 2 for problem in problems)


def body(lines):
    return "static int f(void)\n{\n" + "    work();\n" * lines + "}\n"


STYLE_ROWS = [
    (style.check_line_length, "a.c", "x" * 100 + "\n", True),
    (style.check_line_length, "a.c", "x" * 101 + "\n", False),
    (style.check_line_length, "a.c", "é" * 100 + "\n", True),
    (style.check_line_length, "check", "#!/bin/sh\n" + "x" * 101 + "\n", False),
    (style.check_line_length, "a.md", "x" * 101 + "\n", True),
    (style.check_line_length, "a_table.h", "/* Made by x.py */\n" + "x" * 101 + "\n", True),
    (style.check_file_length, "a.c", "x\n" * 800, True),
    (style.check_file_length, "a.c", "x\n" * 801, False),
    (style.check_function_length, "a.c", body(70), True),
    (style.check_function_length, "a.c", body(5) + body(71), False),
    (style.check_function_length, "a.c", "int a[] = {\n" + "    1,\n" * 90 + "};\n", True),
    (style.check_unfinished, "a.c", "/* TO" "DO: later */\n", False),
    (style.check_unfinished, "a.c", "/* FIX" "ME */\n", False),
    (style.check_unfinished, "a.c", "/* TO" "DO (#12): later */\n", True),
    (style.check_unfinished, "a.c", 'mkostemp("a.XXX' 'XXX");\n', True),
    (style.check_ends, "a.c", "x\n", True),
    (style.check_ends, "a.c", "x", False),
    (style.check_ends, "a.c", "x\n\n", False),
    (style.check_ends, "a.c", "x \n", False),
    (style.check_ends, "a.c", "x\r\n", False),
    (style.check_tabs, "a.c", "\tx\n", False),
    (style.check_tabs, "a.yaml", "\tx\n", True),
    (style.check_elsewhere, "a.md", "see " + style.REGISTRIES[0] + "\n", False),
    (style.check_elsewhere, "a.c", '"' + style.MACHINE_PATHS[0] + 'main"\n', False),
    (style.check_elsewhere, "a.md", "see " + style.OUTSIDE + "/x\n", False),
    (style.check_links, "a.md", "[x](CONTRIBUTING.md#style), [y](https://x.org), [z](#a)\n", True),
    (style.check_links, "a.md", "x\n[x](no/such.md)\n", False),
    (style.check_links, "docs/a.md", "[x](../CONTRIBUTING.md)\n", True),
    (style.check_links, "a.md", "```\n[x](no/such.md)\n```\n", True),
    (style.check_elsewhere, "a.c", '"frame' + style.MACHINE_PATHS[0] + 'main"\n', True),
]


@pytest.mark.parametrize("check, path, text, allowed", STYLE_ROWS)
def test_a_breach_of_style_is_found(check, path, text, allowed):
    assert (check(path, text) == []) == allowed


GOOD_ROW = 'ERROR_ROW(A, 1, 500, false, "it is so", "do this")'
ERROR_ROWS = [
    (GOOD_ROW, True),
    ('/* why */\nERROR_ROW(A, 1, 500, true, "it "\n    "is so", "say \\"x\\" now")', True),
    (GOOD_ROW + "\n" + GOOD_ROW, False),
    ('ERROR_ROW(A, 0, 500, false, "it is so", "do this")', False),
    ('ERROR_ROW(A, 1, 200, false, "it is so", "do this")', False),
    ('ERROR_ROW(A, 1, 500, false, "", "do this")', False),
    ('ERROR_ROW(A, 1, 500, false, "it is so", "")', False),
    ('ERROR_ROW(A, 1, 500, false, "it is so.", "do this")', False),
    ('ERROR_ROW(A, 1, 500, maybe, "it is so", "do this")', False),
    ('ERROR_ROW(A, 1, 500, false, "it is so")', False),
]


@pytest.mark.parametrize("text, allowed", ERROR_ROWS)
def test_an_incomplete_error_row_is_found(text, allowed):
    rows, problems = errors.parse("x/errors.def", text + "\n")
    assert (problems + errors.check_rows(rows) == []) == allowed


def test_an_error_that_no_code_gives_is_found():
    rows, _ = errors.parse("x/errors.def", GOOD_ROW)
    assert errors.check_used(rows, ["return error_set(err, ERR_A, x);"]) == []
    assert len(errors.check_used(rows, ["ERR_AB ERR_B"])) == 1


def test_the_page_of_errors_shows_every_cell():
    rows, _ = errors.parse("x/errors.def", GOOD_ROW)
    page = errors.render([("x/errors.def", rows)])
    assert "## x\n" in page and "| `A` | 1 | 500 | no | it is so | do this |" in page


def compiled(folder, text):
    (folder / "x.c").write_text(text)
    subprocess.run(["cc", "-c", "x.c", "-o", "x.o"], cwd=folder, check=True)
    return folder / "x.o"


needs_compiler = pytest.mark.skipif(not shutil.which("cc"), reason="there is no compiler")


@needs_compiler
def test_a_banned_call_is_found_in_an_object(tmp_path):
    text = "#include <time.h>\nlong f(void) { return time(0); }\nvoid (*g)(int) = (void *)f;\n"
    called = symbols.undefined(compiled(tmp_path, text))
    assert len(symbols.check_banned("web/x.c", called)) == 1
    assert symbols.check_banned("base/clock.c", called) == []
    assert len(symbols.check_banned("web/x.c", {"__sprintf_chk"})) == 1
    assert symbols.check_banned("cli/x.c", {"exit"}) == []
    assert len(symbols.check_banned("daemon/x.c", {"exit"})) == 1


@needs_compiler
def test_an_impure_call_of_the_scheduler_is_found(tmp_path):
    text = ("#include <fcntl.h>\n#include <string.h>\nlong ours(void);\n"
            "long f(const char *s) { return open(s, 0) + (long)strlen(s) + ours(); }\n")
    called = symbols.undefined(compiled(tmp_path, text))
    assert len(symbols.check_pure("scheduler/x.c", called, {"ours"})) == 1
    assert len(symbols.check_pure("scheduler/x.c", called, set())) == 2
    assert symbols.check_pure("scheduler/x.c", called, {"ours", "open"}) == []


BAN_ROWS = [
    ("char *f(char *a); char *f(char *a) { return strcpy(a, a + 1); }", "strcpy"),
    ("void *f(void); void *f(void) { return (void *)clock_gettime; }", "clock_gettime"),
    ("int f(void); int f(void) { return rand(); }", "rand"),
    ("struct s { int time; }; int f(struct s *s); int f(struct s *s) { return s->time; }", None),
]


@needs_compiler
@pytest.mark.parametrize("text, named", BAN_ROWS)
def test_a_banned_call_does_not_compile(tmp_path, text, named):
    (tmp_path / "x.c").write_text("#include <string.h>\n#include <time.h>\n" + text + "\n")
    command = ["cc", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Werror", "-include",
               str(includes.ROOT / "base/ban.h"), "-c", "x.c", "-o", "x.o"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (answer.returncode == 0) == (named is None)
    assert named is None or f"‘{named}’ is deprecated" in answer.stderr.replace("'", "’") \
        or named in answer.stderr


def test_every_call_that_the_header_bans_is_in_the_table():
    text = (includes.ROOT / "base/ban.h").read_text()
    import re
    names = re.findall(r"^\w[\w *]*?\b(\w+)\(.*(?:\n    )?.*BANNED\(", text, re.MULTILINE)
    assert len(names) > 30
    assert [name for name in names if name not in symbols.BANNED] == []
