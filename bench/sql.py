#!/usr/bin/python3
"""SQL tasks: independent ones per second, and a chain of them, beside what the same statements
cost a client that does no more.

    bench/sql.py [--dag build/release/dag] [--rounds 5] [--tasks 400] [--chain 100] [--assert]

The floor of independent tasks is pgbench with the statements of an attempt (docs/exactly-once.md)
as dag sends them, into the same ledger, on as many connections. The processor time of one, server
included, is told beside it: other work on the machine disturbs it less. The floor of a chained task
is one commit in the target, one of SQLite with synchronous=FULL and five round trips, each measured
in the same turn.
"""

import sqlite3
import statistics
import time

from harness import (COUNT, MICROSECONDS, MILLISECONDS, Daemon, Report, cpu_seconds, dag_file,
                     options, own_children_cpu_seconds, workplace)

CONNECTIONS = 8
SECONDS = 3

QUIET = ("SET LOCAL search_path = pg_catalog \\; SET LOCAL statement_timeout = 0 \\;"
         " SET LOCAL lock_timeout = 0 \\; SET LOCAL synchronous_commit = on \\;"
         " SET LOCAL idle_in_transaction_session_timeout = 0 \\; ")
KEY = "metadata_id, dag_id, logical_date, task_id, map_index, generation"
VALUES = ("'d3cf51c3-25b1-4dbc-867f-295188da4f51', 'floor', '2026-01-01 00:00:00+00'::timestamptz,"
          " 't', -1, :n")
CLAIM = ("c.metadata_id = 'd3cf51c3-25b1-4dbc-867f-295188da4f51' AND c.dag_id = 'floor'"
         " AND c.logical_date = '2026-01-01 00:00:00+00'::timestamptz AND c.task_id = 't'"
         " AND c.map_index = -1 AND c.generation = :n AND c.attempt = 'a' AND c.txid = :txid"
         " AND NOT c.void")
# A result's body of the usual size; a colon would be a variable of pgbench's.
BODY = "x" * 360
FLOOR = f"""\\set n random(1, 9000000000000000000)
BEGIN READ WRITE \\; SET LOCAL application_name = 'a' \\; \
SET LOCAL standard_conforming_strings = on \\; {QUIET} \
SELECT pg_catalog.txid_current() AS txid, EXISTS (SELECT 1 FROM pg_catalog.pg_language \
WHERE lanname NOT IN ('internal', 'c', 'sql', 'plpgsql')) AS stays \\gset
INSERT INTO dag.claim ({KEY}, attempt, txid, void, claimed_at) \
VALUES ({VALUES}, 'a', :txid, false, clock_timestamp()) \\; SET LOCAL search_path TO DEFAULT \\; \
SET LOCAL statement_timeout TO DEFAULT \\; SET LOCAL lock_timeout TO DEFAULT;
select 1;
SET CONSTRAINTS ALL IMMEDIATE \\; RESET ROLE \\; RESET SESSION AUTHORIZATION \\; \
{QUIET} SELECT pg_catalog.txid_current() AS txid \\gset
INSERT INTO dag.result ({KEY}, attempt, txid, body, committed_at) VALUES ({VALUES}, 'a', \
(SELECT c.txid FROM dag.claim c WHERE {CLAIM}), '{BODY}', clock_timestamp()) \\; COMMIT;
DISCARD ALL;
"""
ROUND_TRIPS = 5


def metadata_commit(folder, seconds):
    """One commit of SQLite as the metadata's, in seconds."""
    db = sqlite3.connect(folder / "floor.db", isolation_level=None)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    db.execute("create table if not exists t (a integer primary key, b text)")
    took = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        db.execute("begin immediate")
        db.execute("insert into t (b) values (?)", ("x" * 500,))
        db.execute("commit")
        took.append(time.perf_counter() - began)
    db.close()
    return statistics.median(took)


def chain_floor(folder, database):
    """A target commit, a metadata commit and five round trips, in seconds."""
    commit = 1 / database.pgbench("insert into floor values (1);\n", 1, 1)
    trip = 1 / database.pgbench("select 1;\n", 1, 1)
    return commit + metadata_commit(folder, 1) + ROUND_TRIPS * trip


def chain_times(daemon, count):
    """Per task of the chain: from its predecessor's end to its own, in seconds."""
    rows = daemon.run("chain")
    assert len(rows) == count, f"{len(rows)} of {count} tasks of the chain succeeded"
    return [later[3] - earlier[3] for earlier, later in zip(rows, rows[1:])]


def percentile95(times):
    return statistics.quantiles(times, n=20)[-1]


def pgbench_turn(database):
    """Transactions per second, and microseconds of processor time for one."""
    before = database.cpu_seconds() + own_children_cpu_seconds()
    rate = database.pgbench(FLOOR, CONNECTIONS, SECONDS)
    used = database.cpu_seconds() + own_children_cpu_seconds() - before
    return rate, 1e6 * used / (rate * SECONDS)


def wide_turn(daemon, database, count):
    """Tasks per second, and microseconds of processor time for one."""
    before = database.cpu_seconds() + cpu_seconds(daemon.pid)
    rate = daemon.per_second("wide", count)
    return rate, 1e6 * (database.cpu_seconds() + cpu_seconds(daemon.pid) - before) / count


def measure(chosen, folder, database):
    head = "default_args: {connection: db}\n"
    daemon = Daemon(chosen.dag, folder / "project", {
        "wide": dag_file([f"t{i}: {{sql: select 1}}" for i in range(chosen.tasks)], head),
        "chain": dag_file([f"c{i}: {{sql: select 1" + (f", depends_on: c{i - 1}" if i else "") + "}"
                           for i in range(chosen.chain)], head),
    }, f"connections:\n  db: {{uri: '{database.uri}', max_connections: {CONNECTIONS}}}\n")
    wide, floor, slow, typical, chain = [], [], [], [], []
    try:
        daemon.run("chain")  # makes the ledger and the first sessions
        database.sql("create table floor (n int)")
        for _ in range(chosen.rounds):
            floor.append(pgbench_turn(database))
            wide.append(wide_turn(daemon, database, chosen.tasks))
            chain.append(chain_floor(folder, database))
            times = chain_times(daemon, chosen.chain)
            typical.append(statistics.median(times))
            slow.append(percentile95(times))
    finally:
        daemon.close()
    return wide, floor, typical, slow, chain


def main():
    chosen = options(__doc__, tasks=400, chain=100)
    with workplace(database=True) as (folder, database):
        wide, floor, typical, slow, chain = measure(chosen, folder, database)
    report = Report(chosen)
    (rates, costs), (floor_rates, floor_costs) = zip(*wide), zip(*floor)
    ratio = report.turns(f"independent SQL tasks, {CONNECTIONS} connections", rates, floor_rates,
                         COUNT)
    report.aim("at least 0.5", ratio >= 0.5)
    report.turns("  processor time of one, server included", costs, floor_costs, MICROSECONDS)
    in_ms = [[1000 * value for value in values] for values in (typical, slow, chain)]
    report.turns(f"a task of a chain of {chosen.chain}, median", in_ms[0], in_ms[2], MILLISECONDS)
    ratio = report.turns("a task of a chain, 95th percentile", in_ms[1], in_ms[2], MILLISECONDS)
    report.aim("at most 2", ratio <= 2)
    report.end()


if __name__ == "__main__":
    main()
