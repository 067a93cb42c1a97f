#!/usr/bin/python3
"""Figures: SQL tasks per second and the time of a hop, beside pgbench in the same run; idle
memory and processor time; the start of the command line.

    bench/run.py [--dag build/release/dag] [--tasks 400] [--chain 60] [--rounds 3] [--json]

Starts a PostgreSQL of its own with the sandbox's script (with fsync) and a daemon on a project in a
temporary folder, and ends both. Only ratios within one run mean something: machines differ.
"""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
# The floor: what an attempt's protocol (docs/exactly-once.md) costs a client that does no more.
FLOOR = """\\set n random(1, 9000000000000000000)
begin;
set local synchronous_commit = on;
select txid_current();
insert into floor_claim values (:n, txid_current()) on conflict do nothing;
select 1;
set constraints all immediate;
select txid_current();
insert into floor_result select :n, 1;
commit;
"""


def output(command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


class Database:
    def __init__(self, folder):
        self.sandbox = [str(ROOT / "sandbox" / "sandbox")]
        self.dir = ["--dir", str(folder)]
        output(self.sandbox + ["start"] + self.dir)
        self.uri = output(self.sandbox + ["uri"] + self.dir).strip()
        self.sql("create table floor_claim (n bigint primary key, txid bigint);"
                 "create table floor_result (n bigint primary key, ok int)")

    def sql(self, text):
        return output(["psql", "-X", "-q", "-A", "-t", "-d", self.uri, "-c", text])

    def pgbench(self, clients, seconds, script=None):
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script or "select 1;\n")
            file.flush()
            text = output([PGBENCH, "-n", "-f", file.name, "-c", str(clients), "-j", "1",
                           "-T", str(seconds), self.uri])
        return next(float(line.split("=")[1].split()[0]) for line in text.splitlines()
                    if line.startswith("tps"))

    def close(self):
        output(self.sandbox + ["destroy"] + self.dir)


def write_project(folder, uri, tasks, chain):
    (folder / "dags").mkdir()
    (folder / "dag.yaml").write_text(
        f"connections:\n  db: {{uri: '{uri}', max_connections: 8}}\n"
        "web: {listen: '127.0.0.1:0'}\n")
    head = "schedule: null\nmax_active_tasks: 1000\ndefault_args: {connection: db}\ntasks:\n"
    wide = "".join(f"  t{i}: {{sql: select 1}}\n" for i in range(tasks))
    (folder / "dags" / "wide.yaml").write_text("dag_id: wide\n" + head + wide)
    links = "".join(f"  c{i}: {{sql: select 1" + (f", depends_on: c{i - 1}" if i else "") + "}\n"
                    for i in range(chain))
    (folder / "dags" / "chain.yaml").write_text("dag_id: chain\n" + head + links)


class Daemon:
    def __init__(self, dag, folder):
        self.dag, self.folder = dag, folder
        self.log = open(folder / "daemon.log", "w", encoding="utf-8")
        self.process = subprocess.Popen([dag, "up"], cwd=folder, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 30
        while subprocess.run([dag, "reload"], cwd=folder, capture_output=True).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit((folder / "daemon.log").read_text())
            time.sleep(0.05)

    def run(self, dag_id):
        text = output([self.dag, "trigger", dag_id, "--json", "--wait"], cwd=self.folder)
        return json.loads(text.splitlines()[0])["run_id"]

    def tasks(self, dag_id, run_id):
        """(task, queued, started, ended) in seconds, by start."""
        db = sqlite3.connect(f"file:{self.folder}/.dag/dag.db?mode=ro", uri=True)
        rows = db.execute(
            "select t.task_id, t.queued_us, t.started_us, t.ended_us from task_instance t"
            " join run r on r.id = t.run"
            " where r.dag_id = ? and r.run_id = ? and t.state = 'success'"
            " order by t.started_us", (dag_id, run_id)).fetchall()
        db.close()
        return [(name, queued / 1e6, started / 1e6, ended / 1e6)
                for name, queued, started, ended in rows]

    def memory_kib(self):
        """Proportional set size of the daemon."""
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
        raise AssertionError("no Pss")

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.log.close()


def measure_wide(daemon, count):
    done = daemon.tasks("wide", daemon.run("wide"))
    assert len(done) == count, (len(done), count)
    return count / (max(row[3] for row in done) - min(row[1] for row in done))


def measure_chain(daemon, count):
    done = daemon.tasks("chain", daemon.run("chain"))
    assert len(done) == count, (len(done), count)
    hops = [later[2] - earlier[3] for earlier, later in zip(done, done[1:])]
    whole = (done[-1][3] - done[0][2]) / count
    return statistics.median(hops), whole


def start_time(dag, folder, words, runs=20):
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([dag, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def measure(options, folder, database):
    write_project(folder, database.uri, options.tasks, options.chain)
    daemon = Daemon(options.dag, folder)
    figures = {"wide": [], "floor8": [], "hop": [], "chain_task": [], "floor1": [], "select8": []}
    try:
        time.sleep(2)
        figures["idle_pss_kib"] = daemon.memory_kib()
        before = daemon.cpu_seconds()
        time.sleep(options.idle)
        figures["idle_cpu_s"] = daemon.cpu_seconds() - before
        for _ in range(options.rounds):
            figures["wide"].append(measure_wide(daemon, options.tasks))
            figures["floor8"].append(database.pgbench(8, 3, FLOOR))
            figures["select8"].append(database.pgbench(8, 3))
            hop, whole = measure_chain(daemon, options.chain)
            figures["hop"].append(hop)
            figures["chain_task"].append(whole)
            figures["floor1"].append(1 / database.pgbench(1, 3, FLOOR))
        figures["busy_pss_kib"] = daemon.memory_kib()
    finally:
        daemon.close()
    figures["start_version_s"] = start_time(options.dag, folder, ["version"])
    figures["start_list_s"] = start_time(options.dag, folder, ["list"])
    figures["start_true_s"] = start_time("/bin/true", folder, [])
    return figures


def report(figures, options):
    middle = {key: statistics.median(value) if isinstance(value, list) else value
              for key, value in figures.items()}
    rows = [
        ("independent SQL tasks, 8 connections", f"{middle['wide']:.0f}/s"),
        ("  floor: the same statements by pgbench, 8 clients", f"{middle['floor8']:.0f}/s"),
        ("  ratio", f"{middle['wide'] / middle['floor8']:.3f}"),
        ("  pgbench, bare `select 1`, 8 clients", f"{middle['select8']:.0f}/s"),
        ("chain of SQL tasks: one's end to the next's start", f"{middle['hop'] * 1e3:.2f} ms"),
        ("chain of SQL tasks: a whole task", f"{middle['chain_task'] * 1e3:.2f} ms"),
        ("  floor: one such transaction by pgbench, 1 client", f"{middle['floor1'] * 1e3:.2f} ms"),
        ("  ratio", f"{middle['chain_task'] / middle['floor1']:.2f}"),
        ("idle daemon, proportional memory", f"{middle['idle_pss_kib'] / 1024:.1f} MiB"),
        (f"idle daemon, processor time in {options.idle} s", f"{middle['idle_cpu_s']:.2f} s"),
        ("daemon after the runs, proportional memory", f"{middle['busy_pss_kib'] / 1024:.1f} MiB"),
        ("dag version", f"{middle['start_version_s'] * 1e3:.1f} ms"),
        ("dag list", f"{middle['start_list_s'] * 1e3:.1f} ms"),
        ("  floor: /bin/true", f"{middle['start_true_s'] * 1e3:.1f} ms"),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--dag", default=str(ROOT / "build" / "release" / "dag"))
    parser.add_argument("--tasks", type=int, default=400)
    parser.add_argument("--chain", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=int, default=20, help="seconds to watch the idle daemon")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.dag = str(Path(options.dag).resolve())
    folder = Path(tempfile.mkdtemp(prefix="dag-bench-"))
    database = Database(folder / "database")
    try:
        (folder / "project").mkdir()
        figures = measure(options, folder / "project", database)
    finally:
        database.close()
        shutil.rmtree(folder)
    if options.json:
        print(json.dumps(figures))
    else:
        report(figures, options)


if __name__ == "__main__":
    main()
