#!/usr/bin/python3
"""`dag test` on this repository's own pipelines, beside what the server needs for it.

    bench/test.py [--dag build/release/dag] [--rounds 3] [--jobs 2] [--assert]

The project's folders are copied and a sandbox is started for the copy, without fsync, as `dag test`
starts its own. The server writes down how long each statement takes; their sum over the workers is
the floor of the same turn: no client is done before its statements are. Dropping databases is left
out of it, because nobody waits for that. The processor time of server and client is told as well.
"""

import os
import re
import shutil
import statistics
import time

from harness import (ROOT, Database, Report, options, output, own_children_cpu_seconds, workplace)

COPIED = ("dags", "templates", "migrations", "sandbox", "tests/pipelines")
DURATION = re.compile(r"LOG:  duration: ([\d.]+) ms  (?!\w+: DROP DATABASE)")
SECONDS = (1, " s")


class Project:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        shutil.copy(ROOT / "dag.yaml", folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, folder / name)
        self.server = Database(folder / ".dag" / "sandbox", "--fast")
        status = output(self.server.sandbox + ["status"] + self.server.dir)
        self.log = re.search(r"^log: +(.+)$", status, re.M)[1]
        for statement in ("alter system set log_min_duration_statement = 0",
                          "select pg_reload_conf()"):
            self.server.sql(statement)

    def turn(self, dag, jobs):
        """Seconds: the whole command, the server's statements, its processor, the client's."""
        size = os.stat(self.log).st_size
        server, client = self.server.cpu_seconds(), own_children_cpu_seconds()
        began = time.perf_counter()
        output([dag, "test", "--jobs", str(jobs)], cwd=self.folder)
        whole = time.perf_counter() - began
        client = own_children_cpu_seconds() - client
        server = self.server.cpu_seconds() - server
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(size)
            statements = sum(float(found[1]) for found in DURATION.finditer(log.read())) / 1e3
        return whole, statements, server, client


def main():
    chosen = options(__doc__, jobs=os.cpu_count())
    with workplace() as (folder, _):
        project = Project(folder / "project")
        try:
            turns = [project.turn(chosen.dag, chosen.jobs) for _ in range(chosen.rounds)]
        finally:
            project.server.close()
    report = Report(chosen)
    whole, statements, server, client = zip(*turns)
    floor = [seconds / chosen.jobs for seconds in statements]
    ratio = report.turns("`dag test` on the project", whole, floor, SECONDS)
    report.aim("at most 2: most of it the database's", ratio <= 2)
    for name, values in (("processor time of the server", server),
                         ("processor time of `dag test`", client)):
        report.figure(name, statistics.median(values), f"{statistics.median(values):.1f} s")
    report.end()


if __name__ == "__main__":
    main()
