#!/usr/bin/env python3
"""The error tables (errors.def of each module), and the reference page made from them.

    tests/structure/errors.py --write    writes docs/reference/errors.md
"""

import re
import sys
from dataclasses import dataclass

from source import ROOT, Problem, paths, read

PAGE = "docs/reference/errors.md"
ROW = re.compile(
    r'ERROR_ROW\(\s*(?P<name>[A-Z][A-Z0-9_]*)\s*,\s*(?P<exit>\d+)\s*,\s*(?P<http>\d+)\s*,'
    r'\s*(?P<retryable>true|false)\s*,\s*(?P<meaning>"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*)'
    r'\s*,\s*(?P<remedy>"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*)\s*\)')
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)

HEAD = """# Errors

Every error of `dag` has a code. The command line prints the message, where it comes from, and a
hint; the exit status tells scripts what kind it was: 1 it failed, 2 wrong use, 3 no such thing, 4
something needed cannot be reached. "Again" says whether the same act may succeed when it is
repeated. This page is made from the modules' `errors.def` by `tests/structure/errors.py --write`.

"""


@dataclass(frozen=True)
class Row:
    path: str
    line: int
    name: str
    exit_status: int
    http_status: int
    retryable: bool
    meaning: str
    remedy: str


def _text(literals):
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"', literals)
    return re.sub(r"\\(.)", r"\1", "".join(parts))


def parse(path, text):
    """The rows of one table, and what in it is no row."""
    blanked = COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    rows, rest = [], blanked
    for match in ROW.finditer(blanked):
        line = blanked.count("\n", 0, match.start()) + 1
        rows.append(Row(path, line, match["name"], int(match["exit"]), int(match["http"]),
                        match["retryable"] == "true", _text(match["meaning"]),
                        _text(match["remedy"])))
        rest = rest.replace(match[0], re.sub(r"[^\n]", " ", match[0]), 1)
    problems = [Problem(path, number, f"not a row of the table: {line.strip()}")
                for number, line in enumerate(rest.split("\n"), 1) if line.strip()]
    return rows, problems


def check_rows(rows):
    problems, seen = [], {}
    for row in rows:
        def add(text, row=row):
            problems.append(Problem(row.path, row.line, f"{row.name}: {text}"))
        if row.name in seen:
            add(f"is a row of {seen[row.name]} too")
        seen[row.name] = row.path
        if not 1 <= row.exit_status <= 4:
            add("the exit status is one of 1 to 4")
        if not 400 <= row.http_status <= 599:
            add("the HTTP status is one of 400 to 599")
        for what, text in (("meaning", row.meaning), ("remedy", row.remedy)):
            if len(text.split()) < 2:
                add(f"says no {what}")
            if text.endswith("."):
                add(f"the {what} ends with a full stop")
    return problems


def check_used(rows, sources):
    """Each error must be met somewhere: `sources` are texts of C files."""
    used = set(re.findall(r"\bERR_([A-Z0-9_]+)\b", "\n".join(sources)))
    return [Problem(row.path, row.line, f"{row.name}: no code gives this error")
            for row in rows if row.name not in used]


def render(tables):
    """The page of [(path, rows)]."""
    out = [HEAD]
    for path, rows in tables:
        out.append(f"## {path.rsplit('/', 1)[0]}\n\n")
        out.append("| code | exit | HTTP | again | meaning | what to do |\n")
        out.append("|---|---|---|---|---|---|\n")
        for row in rows:
            again = "yes" if row.retryable else "no"
            cells = [f"`{row.name}`", str(row.exit_status), str(row.http_status), again,
                     row.meaning.replace("|", "\\|"), row.remedy.replace("|", "\\|")]
            out.append(f"| {' | '.join(cells)} |\n")
        out.append("\n")
    return "".join(out).rstrip("\n") + "\n"


def tables():
    """[(path, rows, problems)] of the repository: base first, as the build assembles them."""
    found = [path for path in paths() if path.rsplit("/", 1)[-1] == "errors.def"
             and not path.startswith("tests/")]
    found.sort(key=lambda path: (not path.startswith("base/"), path))
    return [(path, *parse(path, read(path))) for path in found]


def page():
    return render([(path, rows) for path, rows, _ in tables()])


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    (ROOT / PAGE).parent.mkdir(parents=True, exist_ok=True)
    (ROOT / PAGE).write_text(page())
