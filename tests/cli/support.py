"""What the tests of commands share: running `dag` in a project of its own."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(os.environ.get("DAG_SOURCE_DIR") or Path(__file__).resolve().parents[2])
DAG = os.environ.get("DAG_BINARY") or str(ROOT / "build" / "dev" / "dag")


def end_processes(folder):
    """Ends what a killed daemon's tasks left running in a folder: their supervisors go on."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
            place = os.readlink(entry / "cwd")
        except OSError:
            continue  # it has ended
        if f"{folder}/" in words or place.startswith(str(folder)):
            try:
                os.kill(int(entry.name), signal.SIGKILL)
            except ProcessLookupError:
                pass


class ProjectCase(unittest.TestCase):
    """A test case with an empty project in a temporary folder."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dag-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(end_processes, self.folder)
        (self.folder / "dags").mkdir()
        (self.folder / "templates").mkdir()
        self.write("dag.yaml", "web: {listen: '127.0.0.1:0'}\n")
        self.daemon = None

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def environment(self):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("DAG_")}
        return dict(kept, NO_COLOR="1")

    def dag(self, *words, status=0, cwd=None):
        """Runs a command, which must end with `status` (None: any)."""
        done = subprocess.run([DAG, *words], cwd=cwd or self.folder, env=self.environment(),
                              capture_output=True, text=True, check=False, timeout=120,
                              stdin=subprocess.DEVNULL)
        if status is not None:
            self.assertEqual(done.returncode, status,
                             f"dag {' '.join(words)}\n{done.stdout}{done.stderr}{self.log()}")
        return done

    def start(self, *words):
        """A command that runs beside the test; its output is text in pipes."""
        process = subprocess.Popen([DAG, *words], cwd=self.folder, env=self.environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   stdin=subprocess.DEVNULL)
        self.addCleanup(self.finish, process)
        return process

    @staticmethod
    def finish(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()

    def json(self, *words, status=0):
        """The objects that a command prints with --json."""
        text = self.dag(*words, "--json", status=status).stdout
        return [json.loads(line) for line in text.splitlines()]

    # ---- the daemon

    def log(self):
        path = self.folder / "daemon.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def up(self):
        with open(self.folder / "daemon.log", "a", encoding="utf-8") as log:
            self.daemon = subprocess.Popen([DAG, "up"], cwd=self.folder, env=self.environment(),
                                           stdout=log, stderr=log)
        self.addCleanup(self.kill)
        self.wait_for(lambda: self.dag("reload", status=None).returncode == 0)

    def kill(self):
        if self.daemon.poll() is None:
            self.daemon.kill()
        self.daemon.wait()

    def wait_for(self, condition, limit_s=60):
        """Polls until the condition holds; fails after the limit."""
        deadline = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > deadline:
                self.fail(f"not within {limit_s} s\n{self.log()}")
            time.sleep(0.05)

    def states(self, dag_id, run="latest"):
        """task_id → state of a run."""
        return {row["task_id"]: row["state"] for row in self.json("status", dag_id, run)}
