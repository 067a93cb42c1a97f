"""Mapped SQL tasks on a real server: queries that are mapped over, and kill -9 of the daemon while
the indexes commit: each of them does so once."""

import os
import random
import time
import unittest

from server import DatabaseCase

SEED = int(os.environ.get("DAG_SEED") or time.time())
KILLS = 10 if os.environ.get("DAG_LONG") == "1" else 3
INDEXES = 24

FAN = """dag_id: fan
schedule: null
default_args: {connection: db, retries: 5, retry_delay: 1s}
tasks:
  load:
    max_active_tis_per_dagrun: 4
    expand:
      part: {sql: "select n, 'p' || n as name from part order by n"}
      kind: [a, b]
    sql: |
      insert into loaded select {{ mapped.part.n }}, {{ mapped.part.name | literal }},
        {{ mapped.kind | literal }}, {{ ti.map_index }};
      select pg_sleep(0.2)
  total:
    depends_on: load
    sql: insert into total select count(*) from loaded
"""


class Mapping(DatabaseCase):
    def setUp(self):
        super().setUp()
        self.sql("create table part (n int);"
                 "create table loaded (n int, name text, kind text, map_index int);"
                 "create table total (n int)")
        self.write("dags/fan.yaml", FAN)

    def parts(self, count):
        self.sql(f"truncate part; insert into part select generate_series(1, {count})")

    def ended(self):
        return self.json("status", "fan")[0]["state"] == "success"

    def test_each_index_commits_once_through_kills(self):
        chance = random.Random(SEED)
        self.parts(INDEXES // 2)
        self.up()
        self.dag("trigger", "fan", "--logical-date", "2030-01-01")
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.05, 1.0))
            self.kill()
            self.up()
        self.wait_for(self.ended, 180)
        self.assertEqual(self.sql("select count(*), count(distinct map_index) from loaded"),
                         f"{INDEXES}|{INDEXES}", f"seed {SEED}")
        self.assertEqual(self.sql("select n, name, kind, map_index from loaded"
                                  " where map_index in (0, 3) order by 4"), "1|p1|a|0\n2|p2|b|3")
        self.assertEqual(self.sql("select n from total"), str(INDEXES), f"seed {SEED}")
        self.assertEqual(self.sql("select count(*), min(map_index), max(map_index) from dag.result"
                                  " where task_id = 'load'"), f"{INDEXES}|0|{INDEXES - 1}")

    def test_a_clear_expands_anew_and_voids_what_it_lacks(self):
        self.parts(2)
        self.up()
        self.dag("trigger", "fan", "--logical-date", "2030-01-01", "--wait")
        self.parts(1)
        self.dag("clear", "fan", "latest", "load+", "--yes")
        self.wait_for(self.ended)
        self.assertEqual(self.sql("select map_index, count(*) from loaded group by 1 order by 1"),
                         "0|2\n1|2\n2|1\n3|1")
        states = {row["map_index"]: row["state"] for row in self.json("status", "fan", "latest")
                  if row["task_id"] == "load"}
        self.assertEqual(states, {0: "success", 1: "success", 2: "removed", 3: "removed"})


if __name__ == "__main__":
    unittest.main()
