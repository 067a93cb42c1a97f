"""The two renderers that are compared: ours, and Jinja2 of the version in requirements.txt."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
DEBIAN_PYTHON = "/usr/bin/python3"  # that python3-jinja2 belongs to


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "dag" / "jinja2"


def pinned_python():
    """The interpreter of a virtual environment with just the pinned packages, made once for each
    content of requirements.txt; None when it cannot be made (no network)."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = cache_folder() / f"{digest}-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    finished = folder / "finished"
    if finished.exists():
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True,
                       capture_output=True, timeout=300)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r",
                        REQUIREMENTS], check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"jinja2 of {REQUIREMENTS.name} cannot be installed ({error})", file=sys.stderr)
        return None
    finished.touch()
    return python


class Real:
    """Jinja2: the pinned version, else Debian's, which is said aloud; or Debian's at once."""

    def __init__(self, pinned=True):
        self.pinned = pinned_python() if pinned else None
        self.python = self.pinned or DEBIAN_PYTHON
        self.names = json.loads(subprocess.run(
            [self.python, HERE / "real_jinja.py", "--names"], check=True, capture_output=True,
            text=True).stdout)
        self.version = self.names["version"]
        if pinned and not self.pinned:
            print(f"comparing with Debian's jinja2 {self.version} instead", file=sys.stderr)

    def render(self, cases):
        return answers([self.python, HERE / "real_jinja.py"], cases)


class Ours:
    def __init__(self):
        build = os.environ.get("DAG_BUILD_DIR") or HERE.parents[1] / "build" / "dev"
        self.program = Path(build) / "render_many"

    def render(self, cases):
        return answers([self.program], cases)


def answers(command, cases):
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run(command, input=lines, capture_output=True, text=True,
                          timeout=1200)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0 or len(found) != len(cases):
        last = json.dumps(cases[min(len(found), len(cases) - 1)]["files"])
        raise AssertionError(f"{command[0]} ended with status {done.returncode} after "
                             f"{len(found)} cases, at {last}:\n{done.stderr[-4000:]}")
    return found


# What Jinja2 says of texts that are not its own affair: addresses of objects, limits of Python's
# compiler, integers beyond 64 bits, which are an error here, and programs that it writes wrongly.
FOREIGN_OUTPUT = re.compile(r"\bat\s+0x", re.IGNORECASE)
FOREIGN_ERRORS = ("too many statically nested blocks", "too many nested parentheses",
                  "Exceeds the limit", "maximum recursion depth", "MemoryError", "OverflowError",
                  "Tried to resolve a name to a reference", "name 'inf' is not defined",
                  "name 'nan' is not defined")


def difference(real, ours):
    """None when both agree, "skip" when the case cannot be compared, else what differs."""
    if FOREIGN_OUTPUT.search(real.get("out", "")):
        return "skip"
    if any(word in real.get("error", "") for word in FOREIGN_ERRORS):
        return "skip" if "out" in ours else None
    if "64 bits" in ours.get("error", ""):
        return "skip"
    if "out" in real:
        return None if real["out"] == ours.get("out") else "output"
    if "error" not in ours:
        return "error expected"
    if real["line"] is None:
        return None
    return None if (real["file"], real["line"]) == (ours["file"], ours["line"]) else "place"


def report(case, real, ours, what):
    options = {k: v for k, v in case.items() if k not in ("files", "context")}
    files = "".join(f"--- {name}\n{text}\n" for name, text in case["files"].items())
    return (f"{what} differs {options}\n{files}--- context\n{json.dumps(case['context'])}\n"
            f"--- jinja2\n{real}\n--- dag\n{ours}\n")
