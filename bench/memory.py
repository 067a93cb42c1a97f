#!/usr/bin/python3
"""Resident memory over many task executions, an idle daemon with 1,000 DAGs, and how soon commands
start.

    bench/memory.py [--dag build/release/dag] [--executions 20000] [--idle 20] [--assert]

DAG_LONG=1 executes a million tasks. The executions are runs of 1,000 `empty`, 20 SQL and 10 process
tasks each, so that what a run, an attempt, a session or a process leaves behind is seen. Memory
counts from the first tenth on, when caches are full; it may grow by GROWTH_BYTES a task at most.
"""

import os
import statistics
import subprocess
import time

from harness import Daemon, Report, cpu_seconds, dag_file, memory_kib, options, workplace

GROWTH_BYTES = 20  # a task: a leak of one small allocation in each would be more
SAMPLES = 20
IDLE_MB_MAX = 20
IDLE_TASKS = 10


def mixed_tasks():
    return ([f"e{i}: {{empty: {{}}}}" for i in range(1000)] +
            [f"s{i}: {{sql: select 1, connection: db}}" for i in range(20)] +
            [f"p{i}: {{exec: [/bin/true]}}" for i in range(10)])


def measure_executions(chosen, folder, database):
    """[(executions, KiB)]"""
    tasks = mixed_tasks()
    daemon = Daemon(chosen.dag, folder / "busy", {"mixed": dag_file(tasks)},
                    f"connections:\n  db: {{uri: '{database.uri}'}}\n")
    samples, done = [], 0
    try:
        while done < chosen.executions:
            daemon.run("mixed")
            done += len(tasks)
            if done * SAMPLES >= chosen.executions * len(samples):
                samples.append((done, memory_kib(daemon.pid)))
    finally:
        daemon.close()
    return samples


def growth_bytes(samples):
    """Bytes a task, by the slope between the halves' medians from the first tenth on."""
    kept = samples[len(samples) // 10:]
    halves = kept[:len(kept) // 2], kept[len(kept) // 2:]
    (x0, y0), (x1, y1) = ([statistics.median(column) for column in zip(*half)] for half in halves)
    return 1024 * (y1 - y0) / (x1 - x0)


def measure_idle(chosen, folder):
    """KiB and seconds of processor time over the idle time."""
    dag = dag_file([f"t{i}: {{sql: select 1" + (f", depends_on: t{i - 1}" if i else "") + "}"
                    for i in range(IDLE_TASKS)],
                   "default_args: {connection: db}\n")
    dag = dag.replace("null", "'@daily'\nstart_date: 2999-01-01")
    daemon = Daemon(chosen.dag, folder / "idle", {f"dag{i:04}": dag for i in range(chosen.dags)},
                    "connections:\n  db: {uri: 'postgresql://127.0.0.1:1/none'}\n")
    try:
        time.sleep(2)
        before = cpu_seconds(daemon.pid)
        time.sleep(chosen.idle)
        return memory_kib(daemon.pid), cpu_seconds(daemon.pid) - before
    finally:
        daemon.close()


def start_ms(command, folder, runs=20):
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def main():
    long = bool(os.environ.get("DAG_LONG"))
    chosen = options(__doc__, executions=1000000 if long else 20000, idle=20, dags=1000)
    report = Report(chosen)
    with workplace(database=True) as (folder, database):
        samples = measure_executions(chosen, folder, database)
        kib, seconds = measure_idle(chosen, folder)
        starts = [(" ".join(words), start_ms([chosen.dag, *words], folder / "busy"))
                  for words in (["version"], ["list"])]
        floor = start_ms(["/bin/true"], folder)
    grown = growth_bytes(samples)
    report.figure("task executions", samples[-1][0], f"{samples[-1][0]:,}")
    for name, at in (("at a tenth", len(samples) // 10), ("at half", len(samples) // 2),
                     ("at the end", -1)):
        report.figure(f"  memory {name}", samples[at][1], f"{samples[at][1] / 1024:.1f} MiB")
    report.figure("  growth", grown, f"{grown:.1f} bytes a task")
    report.aim(f"at most {GROWTH_BYTES} bytes", grown <= GROWTH_BYTES)
    report.figure(f"idle daemon, {chosen.dags:,} DAGs of {IDLE_TASKS} tasks", kib,
                  f"{kib / 1024:.1f} MiB")
    report.aim(f"under {IDLE_MB_MAX} MB", kib * 1024 < IDLE_MB_MAX * 10**6)
    report.figure(f"  processor time in {chosen.idle} s", seconds, f"{seconds:.2f} s")
    for words, value in starts:
        report.figure(f"dag {words}", value, f"{value:.1f} ms")
    report.figure("  floor: /bin/true", floor, f"{floor:.1f} ms")
    report.end()


if __name__ == "__main__":
    main()
