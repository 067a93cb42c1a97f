#!/usr/bin/python3
"""Process tasks per second beside bare posix_spawn of the same program.

    bench/processes.py [--dag build/release/dag] [--rounds 5] [--tasks 300] [--at-once 4] [--assert]

A task has its helper (dag-exec), its folder and files, its log and its commits of the metadata. The
floor spawns /bin/true as often, as many at once, and waits for each.
"""

import os
import time

from harness import COUNT, Daemon, Report, dag_file, options, workplace

PROGRAM = "/bin/true"


def spawn_per_second(count, at_once):
    left, running = count, 0
    began = time.monotonic()
    while left or running:
        while left and running < at_once:
            os.posix_spawn(PROGRAM, [PROGRAM], os.environ)
            left -= 1
            running += 1
        _, status = os.wait()
        assert status == 0, status
        running -= 1
    return count / (time.monotonic() - began)


def main():
    chosen = options(__doc__, tasks=300, at_once=4)
    tasks = [f"t{i}: {{exec: [{PROGRAM}]}}" for i in range(chosen.tasks)]
    ours, floor = [], []
    with workplace() as (folder, _):
        daemon = Daemon(chosen.dag, folder / "project", {"wide": dag_file(tasks)},
                        f"max_processes: {chosen.at_once}\n")
        try:
            for _ in range(chosen.rounds):
                floor.append(spawn_per_second(chosen.tasks, chosen.at_once))
                ours.append(daemon.per_second("wide", chosen.tasks))
        finally:
            daemon.close()
    report = Report(chosen)
    ratio = report.turns(f"process tasks, {chosen.at_once} at once", ours, floor, COUNT)
    report.aim("at least a third", ratio >= 1 / 3)
    report.end()


if __name__ == "__main__":
    main()
