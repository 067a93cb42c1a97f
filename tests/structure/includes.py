"""Who may include whom: the table of ARCHITECTURE.md, "Folders".

How to add a folder: add its row here, and to ARCHITECTURE.md. The most particular row counts, so
that definition/model may be stricter than definition.
"""

import re

from source import ROOT, Problem

LANGUAGE = ("language/",)
BELOW_DAEMON = ("base/", "language/", "definition/", "scheduler/", "store/", "executor/")

# folder: what it may include besides itself (a folder, or one header)
MAY_INCLUDE = {
    "base/": (),
    "language/jinja/": ("base/",),
    "language/timetable/": ("base/",),
    "language/sql/": ("base/",),
    "definition/": ("base/", *LANGUAGE),
    "definition/model/": ("base/", "language/timetable/"),
    "scheduler/": ("base/", "language/timetable/", "definition/model/"),
    "store/": ("base/", "definition/model/", "scheduler/plan.h"),
    "executor/": ("base/", *LANGUAGE, "definition/", "store/", "scheduler/plan.h"),
    "executor/supervisor/": (),
    "daemon/": BELOW_DAEMON,
    "testing/": BELOW_DAEMON,
    "web/": (*BELOW_DAEMON, "daemon/", "testing/"),
    "cli/": (*BELOW_DAEMON, "daemon/", "testing/", "web/"),
    "tests/": ("",),
    "bench/": ("",),
}

# A library's header: the only places that may include it.
LIBRARIES = {
    "sodium.h": ("base/", "cli/version.c"),
    "yaml.h": ("definition/", "cli/version.c"),
    "sqlite3.h": ("store/sqlite/", "cli/version.c", "bench/", "tests/"),
    "libpq-fe.h": ("executor/", "testing/", "cli/version.c", "tests/"),
    "uv.h": ("executor/", "daemon/", "testing/", "web/", "cli/", "tests/"),
    "microhttpd.h": ("web/", "cli/version.c"),
    "curl/curl.h": ("executor/", "daemon/", "tests/"),
}

# Made by the build.
GENERATED = {"error_table.def"}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def folder_of(path):
    """The most particular row of the table for a file; None when there is none."""
    fitting = [folder for folder in MAY_INCLUDE if path.startswith(folder)]
    return max(fitting, key=len, default=None)


def _own_problem(path, header):
    folder = folder_of(path)
    if header in GENERATED:
        return None
    if not (ROOT / header).is_file():
        return f'"{header}" is not a path from the root of the repository'
    if folder is None:
        return "its folder is not in the table of includes.py"
    if header.startswith((folder, *MAY_INCLUDE[folder])):
        return None
    return f'{folder} may not include "{header}" (the table of ARCHITECTURE.md)'


def _library_problem(path, header):
    allowed = LIBRARIES.get(header)
    if allowed is None or path.startswith(allowed):
        return None
    return f"<{header}> is for {', '.join(allowed)} only"


def check(path, text):
    problems = []
    for match in INCLUDE.finditer(text):
        own, library = match.groups()
        said = _own_problem(path, own) if own else _library_problem(path, library)
        if said:
            line = text.count("\n", 0, match.start(1 if own else 2)) + 1
            problems.append(Problem(path, line, said))
    return problems
