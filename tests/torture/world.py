"""What the faults are done to: a server, a proxy before it, a project whose state is on a small
file system, its daemon, and the log of what was done."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
from datetime import date, timedelta
from pathlib import Path

import project
from disk import Disk
from metadata import Metadata
from proxy import Proxy
from server import DAG, Server
from support import end_processes

UNFINISHED = "('none', 'scheduled', 'queued', 'running', 'up_for_retry', 'up_for_reschedule'," \
             " 'deferred', 'restarting')"


ROOM_MB = 256  # for the state, and a megabyte more for each fault: there are some 24 in a round


class World:
    def __init__(self, seed, faults):
        self.began = time.monotonic()
        self.log = []
        self.daemon = None
        self.rounds = 0
        self.touched = set()  # (dag, day) of which something was cleared, cancelled or marked
        self.marked = set()  # (dag, day, task), which has no effect then
        self.folder = Path(tempfile.mkdtemp(prefix="dag-torture-"))
        for name in ("work", ".dag"):
            (self.folder / name).mkdir()
        self.server = Server()
        self.uri = self.server.create("torture")
        self.sql(project.SCHEMA)
        parts = urllib.parse.urlsplit(self.uri)
        self.proxy = Proxy((self.server.host, self.server.port))
        self.disk = Disk(self.folder / ".dag", ROOM_MB + faults)
        self.reader = Metadata(self.disk.enter(), self.folder / ".dag" / "dag.db")
        for name, text in project.files(seed).items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        place = f"{parts.username}:{parts.password}@127.0.0.1:{self.proxy.port}"
        (self.folder / "dag.yaml").write_text(
            f"connections:\n  db: {{uri: 'postgresql://{place}/torture?sslmode=disable',"
            f" max_connections: 12}}\nmax_processes: 8\nweb: {{listen: '127.0.0.1:0'}}\n")

    # ---- looking

    def note(self, text):
        self.log.append(f"{time.monotonic() - self.began:8.2f}  {text}")
        with open(self.folder / "faults.log", "a", encoding="utf-8") as out:
            out.write(self.log[-1] + "\n")

    def sql(self, text):
        return self.server.sql(text, "torture")

    def rows(self, text):
        return [tuple(line.split("|")) for line in self.sql(text).splitlines()]

    def metadata(self, text, *values):
        """Rows of the metadata, read beside the daemon."""
        return self.reader.ask(text, *values)

    def daemon_log(self):
        path = self.folder / "daemon.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def wait_for(self, condition, what, limit_s=120):
        deadline = time.monotonic() + limit_s
        while True:
            found = condition()
            if found or isinstance(found, set):
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {limit_s} s: {what}")
            time.sleep(0.05)

    # ---- the daemon and its commands

    def command(self, *words):
        """A command of dag's as it sees the project: the words of a process."""
        return [*self.disk.enter(), DAG, *words]

    def environment(self):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("DAG_")}
        return dict(kept, NO_COLOR="1", DAG_PROJECT=str(self.folder))

    def dag(self, *words):
        return subprocess.run(self.command(*words), cwd=self.folder, env=self.environment(),
                              capture_output=True, text=True, check=False, timeout=300,
                              stdin=subprocess.DEVNULL)

    def ask(self, *words):
        """Once more while the daemon cannot answer yet."""
        return self.wait_for(lambda: self.answered(*words), f"an answer to dag {words}")

    def answered(self, *words):
        done = self.dag(*words)
        return None if done.returncode == 4 else done

    def must(self, *words):
        done = self.ask(*words)
        if done.returncode:
            raise AssertionError(f"dag {' '.join(words)}: {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *words):
        return [json.loads(line) for line in self.must(*words, "--json").splitlines()]

    def spawn(self):
        """Starts the daemon and does not wait."""
        with open(self.folder / "daemon.log", "a", encoding="utf-8") as log:
            self.daemon = subprocess.Popen(self.command("up"), cwd=self.folder, stdout=log,
                                           stderr=log, env=self.environment(),
                                           stdin=subprocess.DEVNULL)

    def up(self):
        self.spawn()
        self.wait_for(self.answers, "the daemon answers")

    def answers(self):
        if self.daemon.poll() is not None:
            raise AssertionError(f"the daemon ended by itself with {self.daemon.returncode}")
        return self.dag("reload").returncode == 0

    def daemon_pid(self):
        """Of dag itself: nsenter becomes it, unless it has a namespace to fork for."""
        return self.daemon.pid

    def kill(self, number=signal.SIGKILL):
        os.kill(self.daemon_pid(), number)
        self.daemon.wait(120)

    # ---- the work

    def unfinished(self, dag_id="%"):
        return self.metadata(
            "select count(*) from task_instance t join run on run.id = t.run"
            f" where t.state in {UNFINISHED} and dag_id like ?", dag_id)[0][0]

    def logical_date(self, number):
        return str(date.fromisoformat(project.START) + timedelta(days=number))

    def start_round(self):
        """A run of each DAG, for a date of its own."""
        day = self.logical_date(self.rounds)
        self.rounds += 1
        self.note(f"round {self.rounds}, {day}")
        for name in project.NAMES:
            done = self.ask("trigger", name, "--logical-date", day)
            # A first try without an answer may have been carried out.
            assert done.returncode == 0 or "clear" in done.stderr, f"dag trigger: {done}"

    def processes(self):
        """pid → command line of the project's supervisors and of what they mind."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
                environment = (entry / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue  # it has ended
            of_project = f"DAG_PROJECT={self.folder}" in environment.split("\0")
            if of_project and "DAG_ATTEMPT_ID=" in environment:
                found[int(entry.name)] = words.replace("\0", " ").strip()
        return found

    def close(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()
        self.proxy.close()
        end_processes(self.folder)
        self.server.close()
        self.reader.close()
        self.disk.close()
        shutil.rmtree(self.folder, ignore_errors=True)
