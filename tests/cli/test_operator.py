"""What an operator meets: a store that cannot be written, wrong ranges, the coming run."""

import datetime
import json
import sqlite3
import subprocess
import unittest

from support import DAG, ProjectCase

ONE = """dag_id: one
schedule: "@daily"
start_date: 2026-01-01
catchup: none
tasks:
  first: {bash: 'echo {{ ds }}'}
  second: {bash: 'true', depends_on: first}
"""


class Store(ProjectCase):
    def test_an_act_that_cannot_be_recorded_is_answered_and_the_daemon_recovers(self):
        self.write("dags/one.yaml", ONE)
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-01", "--wait")
        other = sqlite3.connect(self.folder / ".dag" / "dag.db", isolation_level=None)
        other.execute("begin immediate")  # as little can be written as on a full disk
        refused = self.dag("trigger", "one", "--logical-date", "2026-01-02", status=4)
        self.assertIn("could not be recorded", refused.stderr)
        other.execute("rollback")
        other.close()
        self.wait_for(lambda: self.dag("trigger", "one", "--logical-date", "2026-01-03", "--wait",
                                       status=None).returncode == 0)
        self.assertEqual([run["logical_date"][:10] for run in self.json("status", "one")],
                         ["2026-01-03", "2026-01-01"])
        self.dag("down")
        self.assertEqual(self.daemon.wait(30), 0, self.log())

    def test_nothing_is_done_when_the_metadata_has_been_removed(self):
        self.write("dags/one.yaml", ONE)
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-01", "--wait")
        state, aside = self.folder / ".dag" / "dag.db", self.folder / "aside.db"
        state.rename(aside)
        refused = self.dag("trigger", "one", "--logical-date", "2026-01-02", status=4)
        self.assertIn("was removed or replaced", refused.stderr)
        aside.rename(state)
        self.wait_for(lambda: self.dag("trigger", "one", "--logical-date", "2026-01-03", "--wait",
                                       status=None).returncode == 0)
        state.rename(aside)
        self.dag("trigger", "one", "--logical-date", "2026-01-04", status=4)
        self.assertEqual(self.daemon.wait(60), 4, self.log())
        self.assertIn("the metadata is gone", self.log())
        self.assertFalse(state.exists())

    def test_metadata_of_a_newer_version_is_left_alone(self):
        self.write("dags/one.yaml", ONE)
        self.dag("run", "one", "--logical-date", "2026-01-01")
        database = sqlite3.connect(self.folder / ".dag" / "dag.db", isolation_level=None)
        version = database.execute("pragma user_version").fetchone()[0]
        database.execute(f"pragma user_version = {version + 1}")
        for words in (("status", "one"), ("run", "one", "--logical-date", "2026-01-02"),
                      ("clear", "one"), ("up",)):
            self.assertIn("use the version of dag that wrote it",
                          self.dag(*words, status=4).stderr)
        self.assertEqual(database.execute("select count(*) from run").fetchone(), (1,))
        database.close()


class Acts(ProjectCase):
    def test_a_refused_act_without_a_daemon_ends_in_order(self):
        self.write("dags/one.yaml", ONE)
        self.assertIn("no run `latest`", self.dag("clear", "one", status=3).stderr)

    def test_a_range_that_is_turned_round_is_wrong(self):
        self.write("dags/one.yaml", ONE)
        self.dag("run", "one", "--logical-date", "2026-01-05")
        for act in ("clear", "cancel"):
            done = self.dag(act, "one", "--from", "2026-01-09", "--to", "2026-01-01", "--yes",
                            status=2)
            self.assertIn("2026-01-09 is after to 2026-01-01", done.stderr)

    def test_a_conf_that_is_too_long_and_a_negative_cap_are_refused(self):
        self.write("dags/one.yaml", ONE)
        self.write("long.json", json.dumps({"text": "x" * ((1 << 20) - 20)}))
        self.up()
        done = self.dag("trigger", "one", "--conf", "@long.json", status=None)
        self.assertNotIn(done.returncode, (0, 4))
        self.assertIn("1048576", done.stderr)
        self.dag("backfill", "one", "--from", "2026-01-01", "--to", "2026-01-02",
                 "--max-active-runs", "-5", status=2)
        self.assertEqual(self.json("status", "one"), [])

    def test_a_task_of_a_date_without_a_run_is_not_marked(self):
        self.write("dags/one.yaml", ONE)
        done = self.dag("mark", "one", "2026-01-05", "first", "failed", status=1)
        self.assertIn("no run yet", done.stderr)
        self.assertEqual(self.json("status", "one"), [])
        self.dag("mark", "one", "2026-01-05", "success")
        self.assertEqual(self.states("one"), {"first": "success", "second": "success"})


class Output(ProjectCase):
    def test_output_that_cannot_be_written_is_no_success(self):
        self.write("dags/one.yaml", ONE)
        self.dag("run", "one", "--logical-date", "2026-01-05")
        for words in (("list",), ("status", "one", "--json"), ("logs", "one", "latest", "first")):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([DAG, *words], cwd=self.folder, env=self.environment(),
                                      stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
            self.assertEqual(done.returncode, 4, words)
            self.assertIn(b"could not be written", done.stderr)


class Coming(ProjectCase):
    def test_the_next_run_is_the_interval_under_way(self):
        self.write("dags/one.yaml", ONE)
        before = datetime.datetime.now(datetime.timezone.utc).date()
        runs = self.json("next", "one", "--count", "2")
        listed = self.dag("list").stdout
        after = datetime.datetime.now(datetime.timezone.utc).date()
        if before != after:
            self.skipTest("midnight came between")
        day = datetime.timedelta(days=1)
        self.assertEqual([run["data_interval_start"][:10] for run in runs],
                         [str(before), str(before + day)])
        self.assertEqual(runs[0]["run_after"][:10], str(before + day))
        self.assertIn(str(before + day), listed)

    def test_a_schedule_that_has_not_begun_starts_at_its_start_date(self):
        self.write("dags/one.yaml", ONE.replace("2026-01-01", "2999-01-01"))
        run = self.json("next", "one", "--count", "1")[0]
        self.assertEqual(run["logical_date"][:10], "2999-01-01")


if __name__ == "__main__":
    unittest.main()
