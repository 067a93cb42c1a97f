"""What the benchmarks share: a PostgreSQL of their own, a daemon on a project in a temporary
folder, paired turns, and how figures and verdicts are printed.

Every figure is a ratio of two measurements of the same run, which take turns (floor, ours, floor,
ours …), so that whatever else the machine does meets both. The median of the turns' ratios decides.
"""

import argparse
import json
import os
import resource
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
TICKS = os.sysconf("SC_CLK_TCK")


def output(command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


# ---- processes -----------------------------------------------------------------------------------

def cpu_seconds(pid, with_ended=False):
    """Processor time of a process; `with_ended`: and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15 if with_ended else 13])) / TICKS


def own_children_cpu_seconds():
    """Processor time of the programs that the benchmark has run to their end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory_kib(pid):
    """Proportional set size: what the process adds to what the machine holds."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise AssertionError("no Pss")


class Database:
    """A PostgreSQL 15 from the sandbox's script; with fsync, unless `words` say otherwise."""

    def __init__(self, folder, *words):
        self.sandbox = [str(ROOT / "sandbox" / "sandbox")]
        self.dir = ["--dir", str(folder)]
        output(self.sandbox + ["start"] + self.dir + list(words))
        self.uri = output(self.sandbox + ["uri"] + self.dir).strip()
        self.postmaster = self.find_postmaster()

    def sql(self, text):
        return output(["psql", "-X", "-q", "-A", "-t", "-d", self.uri, "-c", text])

    def find_postmaster(self):
        """The parent of a backend."""
        with subprocess.Popen(["psql", "-X", "-q", "-A", "-t", self.uri], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as psql:
            psql.stdin.write("select pg_backend_pid();\n")
            psql.stdin.flush()
            backend = int(psql.stdout.readline())
            status = Path(f"/proc/{backend}/stat").read_text()
            psql.stdin.close()
        return int(status.rsplit(")", 1)[1].split()[1])

    def cpu_seconds(self):
        """Processor time of the server with all its processes, ended ones too."""
        used = cpu_seconds(self.postmaster, with_ended=True)
        children = Path(f"/proc/{self.postmaster}/task/{self.postmaster}/children").read_text()
        for pid in children.split():
            try:
                used += cpu_seconds(pid)
            except (FileNotFoundError, ProcessLookupError):
                pass  # it ended; the next look counts it
        return used

    def pgbench(self, script, clients, seconds):
        """Transactions per second. A machine so busy that none ends in the time gets more of it."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            while True:
                text = output([PGBENCH, "-n", "-f", file.name, "-c", str(clients), "-j", "1",
                               "-T", str(seconds), self.uri])
                for line in text.splitlines():
                    if line.startswith("tps"):
                        return float(line.split("=")[1].split()[0])
                seconds *= 2

    def close(self):
        output(self.sandbox + ["destroy"] + self.dir)


class Daemon:
    """`dag up` on a project of DAG files {name: text}."""

    def __init__(self, dag, folder, dags, settings=""):
        self.dag, self.folder = dag, folder
        (folder / "dags").mkdir(parents=True)
        (folder / "dag.yaml").write_text("web: {listen: '127.0.0.1:0'}\n" + settings)
        for name, text in dags.items():
            (folder / "dags" / f"{name}.yaml").write_text(text)
        self.log = open(folder / "daemon.log", "w", encoding="utf-8")
        self.process = subprocess.Popen([dag, "up"], cwd=folder, stdout=self.log, stderr=self.log)
        while subprocess.run([dag, "reload"], cwd=folder, capture_output=True,
                             check=False).returncode:
            if self.process.poll() is not None:
                sys.exit((folder / "daemon.log").read_text())
            time.sleep(0.05)

    @property
    def pid(self):
        return self.process.pid

    def run(self, dag_id):
        """Runs it to its end; [(task, queued, started, ended)] in seconds, by start."""
        text = output([self.dag, "trigger", dag_id, "--json", "--wait"], cwd=self.folder)
        run_id = json.loads(text.splitlines()[0])["run_id"]
        db = sqlite3.connect(f"file:{self.folder}/.dag/dag.db?mode=ro", uri=True)
        rows = db.execute(
            "select t.task_id, t.queued_us / 1e6, t.started_us / 1e6, t.ended_us / 1e6"
            " from task_instance t join run r on r.id = t.run"
            " where r.dag_id = ? and r.run_id = ? and t.state = 'success' order by t.started_us",
            (dag_id, run_id)).fetchall()
        db.close()
        return rows

    def per_second(self, dag_id, count):
        """Tasks per second of one run of `count` tasks, from the first queued to the last ended."""
        rows = self.run(dag_id)
        assert len(rows) == count, f"{len(rows)} of {count} tasks of {dag_id} succeeded"
        return count / (max(row[3] for row in rows) - min(row[1] for row in rows))

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()


def dag_file(tasks, head=""):
    """A DAG without a schedule; `tasks` are lines of its `tasks:`."""
    return "".join(["schedule: null\nmax_active_tasks: 100000\n", head, "tasks:\n",
                    *(f"  {task}\n" for task in tasks)])


@contextmanager
def workplace(database=False):
    """A temporary folder, and a database in it or None.

    ext4 does not take an inode that was deleted in the last minutes, and looks past each one: where
    tests have just deleted thousands, a new file costs a millisecond. Folders below one with the
    attribute T (chattr) are laid where there is room; other file systems know no such attribute.
    """
    above = Path(tempfile.mkdtemp(prefix="dag-bench-"))
    above.chmod(0o755)
    subprocess.run(["chattr", "+T", str(above)], stderr=subprocess.DEVNULL, check=False)
    folder = above / "place"
    folder.mkdir()
    server = None
    try:
        server = Database(folder / "database") if database else None
        yield folder, server
    finally:
        if server:
            server.close()
        shutil.rmtree(above, ignore_errors=True)


# ---- figures -------------------------------------------------------------------------------------

def options(text, **more):
    """The command line: --dag, --rounds, --json, --assert and what the benchmark adds."""
    parser = argparse.ArgumentParser(description=text.split("\n\n")[0])
    parser.add_argument("--dag", default=str(ROOT / "build" / "release" / "dag"))
    parser.add_argument("--rounds", type=int, default=5, help="turns of floor and ours")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--assert", dest="asserts", action="store_true",
                        help="exit status 1 when an aim is missed")
    for name, default in more.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default)
    found = parser.parse_args()
    found.dag = str(Path(found.dag).resolve())
    return found


class Report:
    """Lines of figures; aims decide the exit status."""

    def __init__(self, chosen):
        self.chosen = chosen
        self.rows, self.missed = [], []

    def figure(self, name, value, text):
        self.rows.append({"name": name, "value": value, "text": text})

    def turns(self, name, ours, floor, unit):
        """Both medians, and the median, least and largest of the turns' ratios; gives the first."""
        def text(values):
            return f"{statistics.median(values):,.{unit[0]}f}{unit[1]}"
        ratios = [a / b for a, b in zip(ours, floor)]
        self.figure(name, statistics.median(ours), text(ours))
        self.figure("  floor", statistics.median(floor), text(floor))
        middle = statistics.median(ratios)
        self.figure("  ratio", middle, f"{middle:.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
        return middle

    def aim(self, text, met):
        self.rows[-1]["aim"], self.rows[-1]["met"] = text, bool(met)
        if not met:
            self.missed.append(text)

    def end(self):
        """Prints; exits."""
        if self.chosen.json:
            print(json.dumps({"load": os.getloadavg()[0], "figures": self.rows}))
        else:
            width = max(len(row["name"]) for row in self.rows)
            for row in self.rows:
                verdict = f"  aim: {row['aim']}: {'met' if row['met'] else 'MISSED'}" \
                    if "aim" in row else ""
                print(f"{row['name']:{width}}  {row['text']}{verdict}")
            print(f"{'load average':{width}}  {os.getloadavg()[0]:.1f}")
        sys.exit(1 if self.missed and self.chosen.asserts else 0)


COUNT = (0, "/s")
MILLISECONDS = (2, " ms")
MICROSECONDS = (0, " us")
