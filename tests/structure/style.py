"""What can be checked of the style without understanding the code."""

import os
import re

from source import ROOT, Problem

LINE_MAX = 100        # columns
FUNCTION_MAX = 70     # lines between the braces
FILE_MAX = 800        # lines; "seldom over 600"

CODE = (".c", ".h", ".py", ".cmake", "CMakeLists.txt", ".sh", ".js", ".css")
TEXT_NOT_OURS = ("tests/vectors/",)  # observed on other systems, copied unchanged
DATA = re.compile(r"(^tests/(vectors|fuzz)/|/corpus/|/golden/|\.(png|svg|ico|csv|plt|woff2)$)")
# Tables that a script made; they name it in their first lines.
MADE = re.compile(r"\A.{0,400}\b[Mm]ade by\b", re.DOTALL)

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\s*\(#\d+\))")

# Spelled in pieces, so that this file does not offend itself.
REGISTRIES = ("pypi" + ".org", "pythonhosted" + ".org", "deb.debian" + ".org",
              "registry.npmjs" + ".org", "static.crates" + ".io", "proxy.golang" + ".org",
              "registry-1.docker" + ".io")
MACHINE_PATHS = tuple("/" + name for name in ("work/", "root/", "tmp/brief", "home/"))
OUTSIDE = ".." + "/shared"  # what lies beside a clone is not part of it
ELSEWHERE = re.compile("|".join(re.escape(name) for name in (*REGISTRIES, OUTSIDE))
                       + "|(?<![\\w.$}/-])(" + "|".join(map(re.escape, MACHINE_PATHS)) + ")")


def is_code(path, text):
    return path.endswith(CODE) or text.startswith("#!")


def _per_line(path, text, said):
    """A problem for each line of which `said(line)` has something to say."""
    return [Problem(path, number, words) for number, line in enumerate(text.split("\n"), 1)
            if (words := said(line))]


def check_line_length(path, text):
    if not is_code(path, text) or DATA.search(path) or MADE.match(text):
        return []
    return _per_line(path, text, lambda line: len(line) > LINE_MAX
                     and f"{len(line)} columns; the most is {LINE_MAX}")


def check_file_length(path, text):
    lines = text.count("\n")
    if not path.endswith((".c", ".h", ".py", ".js")) or lines <= FILE_MAX or MADE.match(text):
        return []
    return [Problem(path, lines, f"{lines} lines; the most is {FILE_MAX}: split it by meaning")]


def functions(text):
    """(line of the opening brace, lines of the body) of each function of a formatted C file."""
    opened = None
    for number, line in enumerate(text.split("\n"), 1):
        if line == "{":
            opened = number
        elif line.startswith("}") and opened is not None:
            yield opened, number - opened - 1
            opened = None


def check_function_length(path, text):
    if not path.endswith((".c", ".h")):
        return []
    return [Problem(path, line, f"a function of {lines} lines; the most is {FUNCTION_MAX}")
            for line, lines in functions(text) if lines > FUNCTION_MAX]


def check_unfinished(path, text):
    if not is_code(path, text) and not path.endswith((".md", ".sql", ".yaml", ".def", ".html")):
        return []
    if path.startswith(TEXT_NOT_OURS) or path.startswith("tests/structure/"):
        return []
    return _per_line(path, text, lambda line: (found := UNFINISHED.search(line))
                     and f"{found[1]} without an issue: write {found[1]} (#7)")


def check_ends(path, text):
    if DATA.search(path) or not text:
        return []
    problems = _per_line(path, text, lambda line: "\r" in line and "a carriage return")
    problems += _per_line(path, text, lambda line: line != line.rstrip(" \t")
                          and not line.endswith("\r") and "white space at the end of the line")
    if not text.endswith("\n") or text.endswith("\n\n"):
        problems.append(Problem(path, text.count("\n") + 1, "the file must end with one newline"))
    return problems


def check_tabs(path, text):
    if not path.endswith((".c", ".h", ".py")) or DATA.search(path):
        return []
    return _per_line(path, text, lambda line: "\t" in line and "a tab: write \\t or spaces")


def check_elsewhere(path, text):
    if path.startswith((*TEXT_NOT_OURS, "tests/structure/")):
        return []
    return _per_line(path, text, lambda line: (found := ELSEWHERE.search(line))
                     and f"'{found[0]}' names a registry or a path of one machine")


LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def check_links(path, text):
    """The links of a page to other files of the repository lead somewhere."""
    if not path.endswith(".md") or path.startswith(TEXT_NOT_OURS):
        return []
    shown = FENCED.sub(lambda found: "\n" * found[0].count("\n"), text)
    problems = []
    for match in LINK.finditer(shown):
        if not (ROOT / os.path.normpath(os.path.join(os.path.dirname(path), match[1]))).exists():
            line = shown.count("\n", 0, match.start()) + 1
            problems.append(Problem(path, line, f"the link to {match[1]} leads nowhere"))
    return problems


CHECKS = (check_line_length, check_file_length, check_function_length, check_unfinished,
          check_ends, check_tabs, check_elsewhere, check_links)
