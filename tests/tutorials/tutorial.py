#!/usr/bin/python3
"""Runs the commands of a tutorial and compares what they print with what the tutorial shows.

    tests/tutorials/tutorial.py docs/tutorial-geolife.md [--write]

Commands are the lines that begin with `$ ` in ```console blocks (and their continuations, which
begin with `> `); what follows a command is its output. All commands of a page are typed into one
shell, in a copy of the project. Numbers, times and identifiers differ from run to run, so that only
their form is compared; an output line `…` stands for any lines. --write puts what came out into the
page.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(os.environ.get("DAG_SOURCE_DIR", Path(__file__).resolve().parents[2]))
DAG = Path(os.environ.get("DAG_BINARY", ROOT / "build/release/dag"))
PROJECT = ["dag.yaml", "dags", "docs", "migrations", "sandbox", "templates", "tests/pipelines"]
END = "--- end of output ---"
SHOWN_LINES = 30  # of an output that --write puts in
COMMAND_S = 300  # a command that takes longer waits for what will not come


class Step:
    """A command, and the lines that the page shows under it."""

    def __init__(self, command):
        self.command = command
        self.shown = []
        self.printed = []


def read_blocks(text):
    """The page as a list of lines and, for each console block, lists of steps."""
    parts, block = [], None
    for line in text.splitlines():
        if block is None:
            parts.append(line)
            if line == "```console":
                block = []
                parts.append(block)
        elif line == "```":
            parts.append(line)
            block = None
        elif line.startswith("$ "):
            block.append(Step(line[2:]))
        elif line.startswith("> ") and block and not block[-1].shown:
            block[-1].command += "\n" + line[2:]
        else:
            block[-1].shown.append(line)
    return parts


def steps_of(parts):
    return [step for part in parts if isinstance(part, list) for step in part]


class Shell:
    """One bash for all commands of a page."""

    def __init__(self, folder):
        home = {**os.environ, "PATH": f"{DAG.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
                "COLUMNS": "110", "DAG_WEB_LISTEN": "127.0.0.1:0"}
        for name in [name for name in home if name.startswith(("PG", "GREENPLUM_", "DAG_ENV"))]:
            del home[name]
        self.process = subprocess.Popen(["bash", "--norc"], cwd=folder, env=home, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)

    def end(self):
        """All that it started, but what made itself a session of its own."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def run(self, command):
        watchdog = threading.Timer(COMMAND_S, self.end)
        watchdog.start()
        try:
            return self.type(command)
        finally:
            watchdog.cancel()

    def type(self, command):
        # The shell reads its commands from what a command would read.
        self.process.stdin.write(f"{{ {command}\n}} < /dev/null\necho '{END}'\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.endswith(END + "\n"):
                before = line[:-len(END) - 1]
                return lines + [before] if before else lines
            lines.append(line.rstrip("\n"))
        raise SystemExit(f"the shell ended at: {command}")

    def close(self):
        self.end()
        self.process.communicate()


def form(line):
    """What of a line is the same in each run."""
    line = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{12,64}\b", "ID", line)
    line = re.sub(r"\b(true|false)\b", "BOOLEAN", line)
    line = re.sub(r"\d[\d.,:]*(e-?\d+)?", "0", line)
    line = re.sub(r"0(h|m|s|ms|d)+(0(m|s|ms))*\b", "0s", line)
    return re.sub(r"[ ─-]+", " ", line).strip()


def same(shown, printed):
    """Whether the lines are of the same form; `…` stands for any number of lines."""
    if not shown:
        return not printed
    if shown[0].strip() == "…":
        return any(same(shown[1:], printed[n:]) for n in range(len(printed) + 1))
    return bool(printed) and form(shown[0]) == form(printed[0]) and same(shown[1:], printed[1:])


def copy_project(folder):
    for name in PROJECT:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def run_page(page):
    """The page's parts, each step with what it printed."""
    parts = read_blocks(page.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="dag-tutorial-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        copy_project(folder)
        shell = Shell(folder)
        try:
            for step in steps_of(parts):
                print(f"$ {step.command}", file=sys.stderr, flush=True)
                step.printed = [line.replace(str(folder), "…/project") for line in
                                shell.run(step.command)]
        finally:
            shell.close()
            subprocess.run([DAG, "down"], cwd=folder, capture_output=True, check=False)
            subprocess.run([folder / "sandbox/sandbox", "destroy"], cwd=folder,
                           capture_output=True, check=False)
    return parts


def write_page(page, parts):
    lines = []
    for part in parts:
        if isinstance(part, str):
            lines.append(part)
            continue
        for step in part:
            first, *more = step.command.split("\n")
            lines += [f"$ {first}", *(f"> {line}" for line in more)]
            if "…" in step.shown and same(step.shown, step.printed):
                lines += step.shown
            else:
                cut = len(step.printed) > SHOWN_LINES
                lines += [line.rstrip() for line in step.printed[:SHOWN_LINES]]
                lines += ["…"] if cut else []
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


def differences(parts):
    for step in steps_of(parts):
        if not same(step.shown, step.printed):
            yield "\n".join([f"$ {step.command}", "the page shows:", *step.shown,
                             "it printed:", *step.printed, ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of all `finally`
    parts = run_page(chosen.page)
    if chosen.write:
        write_page(chosen.page, parts)
        return 0
    found = list(differences(parts))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
