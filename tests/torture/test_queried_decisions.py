"""Branches and short circuits that ask a real server, and kill -9 of the daemon while they ask."""

import time
import unittest

from server import DatabaseCase

WAYS = """dag_id: ways
schedule: null
default_args: {connection: db, retries: 1, retry_delay: 1s}
tasks:
  choose: {branch: {sql: "select name, pg_sleep(0.5) from way order by name"}}
  a: {sql: insert into gone values ('a'), depends_on: choose}
  b: {sql: insert into gone values ('b'), depends_on: choose}
  c: {sql: insert into gone values ('c'), depends_on: choose}
  check:
    short_circuit: {sql: "select name from gone where name <> %(not)s"}
    parameters: {not: b}
    depends_on: [a, b, c]
    trigger_rule: none_failed_min_one_success
  last: {sql: insert into gone values ('last'), depends_on: check}
"""


class Decisions(DatabaseCase):
    def setUp(self):
        super().setUp()
        self.sql("create table way (name text); create table gone (name text)")
        self.write("dags/ways.yaml", WAYS)

    def gone(self):
        return self.sql("select string_agg(name, ' ' order by name) from gone")

    def test_the_rows_choose(self):
        self.sql("insert into way values ('b'), ('c')")
        self.dag("run", "ways", "--logical-date", "2030-01-01")
        self.assertEqual(self.gone(), "b c last")
        self.assertEqual(self.states("ways")["a"], "skipped")
        self.assertIn("`choose` chose `b`, `c`", self.dag("status", "ways", "latest").stdout)
        self.assertEqual(self.sql("select count(*) from dag.claim"
                                  " where task_id in ('choose', 'check')"), "0")

    def test_no_row_stops_what_follows(self):
        self.sql("insert into way values ('b')")
        self.dag("run", "ways", "--logical-date", "2030-01-01")
        self.assertEqual(self.gone(), "b")
        self.assertEqual(self.states("ways")["last"], "skipped")

    def test_a_query_that_writes_fails(self):
        self.write("dags/ways.yaml", WAYS.replace(
            "select name, pg_sleep(0.5) from way order by name",
            "insert into way values ('a') returning name"))
        self.dag("run", "ways", "--logical-date", "2030-01-01", status=1)
        self.assertIn("25006", self.dag("logs", "ways", "latest", "choose").stdout)
        self.assertEqual(self.sql("select count(*) from way"), "0")

    def test_a_daemon_killed_while_it_asks_asks_again(self):
        self.sql("insert into way values ('a')")
        self.up()
        self.dag("trigger", "ways", "--logical-date", "2030-01-01")
        for _ in range(3):
            time.sleep(0.3)
            self.kill()
            self.up()
        self.wait_for(lambda: self.json("status", "ways")[0]["state"] == "success")
        self.assertEqual(self.gone(), "a last")
        self.assertEqual(self.sql("select count(*) from pg_stat_activity"
                                  " where query like '%pg_sleep(0.5)%'"
                                  " and pid <> pg_backend_pid()"), "0")


if __name__ == "__main__":
    unittest.main()
