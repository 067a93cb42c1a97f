"""Sensors through the commands: what they wait for, what is told meanwhile, and that waiting costs
nothing."""

import sqlite3
import subprocess
import unittest

from support import DAG, ProjectCase

LOAD = """dag_id: load
schedule: "@daily"
start_date: 2026-01-01
catchup: none
tasks:
  upload: {wait_for: {file: "in/{{ ds }}/*.csv"}, poke_interval: 1s}
  moment: {wait_for: {time: 1s}}
  load: {bash: "echo loaded", depends_on: [upload, moment]}
"""

HOURLY = """dag_id: hourly
tasks:
  one: {bash: "test ! -e broken"}
  two: {bash: "true"}
"""


class Sensors(ProjectCase):
    def put(self, name):
        return self.write(name, "1")

    def test_a_run_without_a_daemon_waits_for_a_file(self):
        self.write("dags/load.yaml", LOAD)
        run = subprocess.Popen([DAG, "run", "load", "--logical-date", "2026-01-01"],
                               cwd=self.folder, env=self.environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        self.addCleanup(run.communicate)
        self.addCleanup(run.kill)
        told = run.stdout.readline()
        while "up_for_reschedule" not in told:
            told = run.stdout.readline()
        self.assertIn("waiting since", told)
        self.assertIn("in/2026-01-01/*.csv is not there", told)
        self.put("in/2026-01-01/a.csv")
        self.assertEqual(run.wait(60), 0)
        self.assertEqual(set(self.states("load").values()), {"success"})
        log = self.dag("logs", "load", "latest", "upload").stdout
        self.assertEqual(log.count("attempt 1"), 1)
        self.assertIn("not yet: ", log)

    def test_by_the_daemon_it_is_queued_told_and_goes_on_after_a_restart(self):
        self.write("dags/load.yaml", LOAD)
        self.up()
        self.dag("trigger", "load", "--logical-date", "2026-01-01")
        self.wait_for(lambda: self.states("load").get("upload") == "up_for_reschedule")
        self.wait_for(lambda: "next look at" in self.dag("queue").stdout)
        self.assertIn("waiting since", self.dag("status", "load", "latest").stdout)
        self.kill()
        self.up()
        self.assertNotEqual(self.states("load")["upload"], "failed")
        self.put("in/2026-01-01/a.csv")
        self.wait_for(lambda: self.json("status", "load")[0]["state"] == "success")
        task = [row for row in self.json("status", "load", "latest")
                if row["task_id"] == "upload"][0]
        self.assertEqual(task["try_number"], 1)

    def test_hundreds_that_wait_leave_the_only_slot_to_others(self):
        self.write("dag.yaml", "web: {listen: '127.0.0.1:0'}\npools: {default_pool: 1}\n")
        tasks = "".join(f"  s{n}: {{wait_for: {{file: gate}}, poke_interval: 2s}}\n"
                        for n in range(300))
        self.write("dags/many.yaml", "dag_id: many\nmax_active_tasks: 1000\ntasks:\n" + tasks)
        self.write("dags/other.yaml", "dag_id: other\ntasks: {a: {bash: 'true'}}\n")
        self.up()
        self.dag("trigger", "many", "--logical-date", "2026-01-01")
        self.wait_for(lambda: "next look at" in self.dag("queue").stdout)
        self.dag("trigger", "other", "--logical-date", "2026-01-01", "--wait")
        self.assertEqual(self.json("status", "many")[0]["state"], "running")
        self.put("gate")
        self.wait_for(lambda: self.json("status", "many")[0]["state"] == "success")
        with sqlite3.connect(self.folder / ".dag" / "dag.db") as db:
            rows = db.execute("select count(*) from attempt join run on run.id = attempt.run"
                              " where dag_id = 'many'").fetchone()
        self.assertEqual(rows, (300,))

    def after(self, more, words="{dag: hourly}"):
        self.write("dags/hourly.yaml", HOURLY.replace(
            "tasks:", "schedule: '0 */12 * * *'\nstart_date: 2026-01-01\ncatchup: none\ntasks:"))
        self.write("dags/daily.yaml", "dag_id: daily\nschedule: '@daily'\nstart_date: 2026-01-01\n"
                   "catchup: none\ntasks:\n"
                   f"  s: {{wait_for: {{task: {words}}}, poke_interval: 1s, {more}}}\n")

    def run_hourly(self, hour, status=0):
        self.dag("run", "hourly", "--logical-date", f"2026-01-01T{hour}:00:00", status=status)

    def daily(self, status):
        self.dag("run", "daily", "--logical-date", "2026-01-01", status=status)
        return self.json("status", "daily", "latest")[0]

    def test_runs_of_another_dag_must_cover_the_interval(self):
        self.after("timeout: 1s")
        self.run_hourly("00")
        task = self.daily(1)
        self.assertEqual(task["state"], "failed")
        self.assertEqual(task["reason_code"], "waited_too_long")
        self.assertIn("`hourly` has no run of 2026-01-01T12:00:00", task["reason"])
        self.run_hourly("12")
        self.dag("clear", "daily", "latest", "--yes")
        self.assertEqual(self.daily(0)["state"], "success")

    def test_a_failed_run_fails_it_or_is_waited_for(self):
        self.after("timeout: 1h")
        self.put("broken")
        self.run_hourly("00", status=1)
        task = self.daily(1)
        self.assertEqual(task["state"], "failed")
        self.assertIn("is failed", task["reason"])

    def test_with_failed_wait_a_failed_run_is_waited_for(self):
        self.after("timeout: 1s, soft_fail: true", "{dag: hourly, failed: wait}")
        self.put("broken")
        self.run_hourly("00", status=1)
        task = self.daily(0)
        self.assertEqual(task["state"], "skipped")
        self.assertEqual(task["reason_code"], "waited_too_long")

    def test_one_task_of_the_other_dag_is_enough(self):
        self.after("timeout: 1s", "{dag: hourly, task: two}")
        self.put("broken")
        self.run_hourly("00", status=1)
        self.run_hourly("12", status=1)
        self.assertEqual(self.daily(0)["state"], "success")

    def test_an_asset_that_was_updated_since(self):
        self.write("dags/use.yaml", "dag_id: use\ntasks:\n"
                   "  s: {wait_for: {asset: a.b}, poke_interval: 1s, timeout: 1s}\n")
        self.dag("run", "use", "--logical-date", "2026-01-01", status=1)
        reason = self.json("status", "use", "latest")[0]["reason"]
        self.assertIn("`a.b` was not updated since", reason)
        self.dag("asset", "event", "a.b")
        self.dag("clear", "use", "latest", "--yes")
        self.dag("run", "use", "--logical-date", "2026-01-01")

    def test_mistakes_are_told_where_they_are(self):
        self.write("dags/bad.yaml", "dag_id: bad\ntasks:\n"
                   "  a: {wait_for: {}}\n"
                   "  b: {wait_for: {file: x, time: 1h}}\n"
                   "  c: {wait_for: {time: soon}}\n"
                   "  d: {wait_for: {task: {task: x}}}\n"
                   "  e: {wait_for: {http: {url: x}}}\n"
                   "  f: {wait_for: {http: {}}}\n")
        text = self.dag("lint", status=1).stdout
        for line, words in ((3, "does not say what it waits for"), (4, "waits for one thing"),
                            (5, "`soon` is no point of time"), (6, "needs the key `dag`"),
                            (7, "`url` must begin with http://"),
                            (8, "does not say where it goes")):
            self.assertRegex(text, rf"bad.yaml:{line}:\d+.*{words}")


if __name__ == "__main__":
    unittest.main()
