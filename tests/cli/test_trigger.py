"""`trigger_dag` through the commands: made exactly once whatever is killed, waited for, cleared."""

import sqlite3
import unittest

from support import ProjectCase

DAY = "2030-01-01"
RUN = "manual__2030-01-01T00:00:00+00:00"

MAIN = """dag_id: main
tasks:
  wake: {trigger_dag: {dag_id: report, conf: {day: "{{ ds }}", n: 3}}}
  publish: {trigger_dag: report2, wait: true, depends_on: wake}
  told: {bash: "echo {{ ti.xcom_pull(task_ids='publish')['run_id'] }}", depends_on: publish}
"""
REPORT = """dag_id: report
params: {n: {type: integer, minimum: 1, default: 1}}
tasks:
  x: {bash: "echo {{ dag_run.conf.day }} {{ params.n }}"}
"""
GATED = """dag_id: report2
tasks:
  x: {bash: "while [ ! -e gate ]; do sleep 0.05; done; test ! -e broken"}
"""

MANY = """dag_id: many
max_active_tasks: 100
tasks:
  t:
    expand: {n: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]}
    trigger_dag:
      dag_id: report
      logical_date: "{{ macros.ds_add(ds, mapped.n) }}"
      conf: {day: "{{ mapped.n }}"}
    wait: true
"""


class Trigger(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dags/main.yaml", MAIN)
        self.write("dags/report.yaml", REPORT)
        self.write("dags/report2.yaml", GATED)

    def rows(self, sql, *values):
        with sqlite3.connect(self.folder / ".dag" / "dag.db") as db:
            return db.execute(sql, values).fetchall()

    def run_state(self, dag_id):
        rows = self.json("status", dag_id)
        return rows[0]["state"] if rows else None

    def task(self, dag_id, task_id):
        return [row for row in self.json("status", dag_id, DAY) if row["task_id"] == task_id][0]

    def test_kill_9_at_any_moment_makes_each_run_once_and_with_its_tasks_success(self):
        self.write("dags/many.yaml", MANY)
        self.up()
        self.dag("trigger", "many", "--logical-date", DAY)
        for least in (1, 6, 12, 18):
            self.wait_for(lambda n=least: self.rows(
                "select count(*) from run where dag_id = 'report'")[0][0] >= n)
            self.kill()
            made = self.rows("select r.id, t.state from run r left join task_instance t on"
                             " t.run = r.maker_run and t.task_id = r.maker_task and"
                             " t.map_index = r.maker_index and t.triggered = r.id"
                             " where r.dag_id = 'report'")
            self.assertTrue(all(state in ("success", "deferred") for _, state in made), made)
            orphans = self.rows("select * from task_instance t where t.task_id = 't' and"
                                " t.state in ('success', 'deferred') and not exists"
                                " (select 1 from run r where r.id = t.triggered)")
            self.assertEqual(orphans, [])
            self.up()
        self.wait_for(lambda: self.run_state("many") == "success")
        runs = self.json("status", "report")
        self.assertEqual(len(runs), 20)
        self.assertEqual({run["state"] for run in runs}, {"success"})
        self.assertEqual(len({run["logical_date"] for run in runs}), 20)

    def test_a_wait_holds_through_kill_9_and_ends_as_its_run_does(self):
        self.up()
        self.dag("trigger", "main", "--logical-date", DAY)
        self.wait_for(lambda: self.states("main").get("publish") == "deferred")
        self.assertIn(f"waiting for run {RUN} of `report2`", self.dag("queue").stdout)
        self.kill()
        self.up()
        self.assertEqual(self.states("main")["publish"], "deferred")
        self.write("gate", "")
        self.wait_for(lambda: self.run_state("main") == "success")
        self.assertEqual(self.task("main", "publish")["attempts"], 1)
        self.assertIn(RUN, self.dag("logs", "main", DAY, "told").stdout)
        self.assertIn("2030-01-01 3", self.dag("logs", "report", DAY, "x").stdout)

    def test_a_run_that_fails_fails_the_task_and_clear_runs_both_again(self):
        self.write("gate", "")
        self.write("broken", "")
        self.up()
        self.dag("trigger", "main", "--logical-date", DAY, "--wait", status=1)
        task = self.task("main", "publish")
        self.assertEqual(task["state"], "failed")
        self.assertEqual(task["reason"], f"run {RUN} of `report2` failed: `x` failed")
        (self.folder / "broken").unlink()
        self.dag("clear", "main", DAY, "publish+")
        self.wait_for(lambda: self.run_state("main") == "success")
        self.assertEqual(self.run_state("report2"), "success")
        self.assertEqual(self.task("report2", "x")["attempts"], 2)
        self.assertEqual(self.task("report", "x")["attempts"], 1)

    def test_a_date_with_a_run_of_somebody_else_fails_it_and_names_the_command(self):
        self.up()
        self.dag("trigger", "report", "--logical-date", DAY, "--conf", '{"day": 1}', "--wait")
        self.dag("trigger", "main", "--logical-date", DAY, "--wait", status=1)
        task = self.task("main", "wake")
        self.assertEqual(task["reason_code"], "date_taken")
        self.assertIn(f"dag clear report {RUN}", task["message"])
        self.assertEqual(self.rows("select triggered_by from run where dag_id = 'report'"
                                   " and maker_run <> 0"), [])

    def test_a_conf_that_params_do_not_allow_is_refused_by_both_ways_to_trigger(self):
        self.write("dags/main.yaml", MAIN.replace("n: 3", "n: x"))
        self.up()
        told = self.dag("trigger", "report", "--conf", '{"n": 0}', status=None)
        self.assertNotEqual(told.returncode, 0)
        self.assertIn("`n`", told.stderr)
        self.assertEqual(self.json("status", "report"), [])
        self.dag("trigger", "main", "--logical-date", DAY, "--wait", status=1)
        self.assertIn("`n`", self.task("main", "wake")["message"])
        self.assertEqual(self.json("status", "report"), [])

    def test_without_a_daemon_what_is_waited_for_runs_here_and_the_rest_with_the_daemon(self):
        self.write("gate", "")
        told = self.dag("run", "main", "--logical-date", DAY).stdout
        self.assertIn(f"run {RUN} of `report`, which nothing here waits for: it starts with the "
                      "daemon", told)
        self.assertIn("report2: x", told)
        self.assertEqual(self.run_state("report"), "queued")
        self.assertEqual(self.run_state("report2"), "success")
        self.up()
        self.wait_for(lambda: self.run_state("report") == "success")

    def test_a_run_without_a_daemon_that_was_killed_goes_on_with_what_it_waits_for(self):
        process = self.start("run", "main", "--logical-date", DAY)
        while "deferred" not in process.stdout.readline():
            pass
        process.kill()
        process.wait()
        self.write("gate", "")
        told = self.dag("run", "main", "--logical-date", DAY)
        self.assertIn("continuing", told.stderr)
        self.assertEqual(self.run_state("main"), "success")
        self.assertEqual(self.run_state("report2"), "success")
        self.assertEqual(self.task("main", "publish")["attempts"], 1)

    def test_what_there_is_to_see_of_it_without_running(self):
        self.assertIn("trigger_dag report2, wait", self.dag("show", "main").stdout)
        self.assertIn("trigger_dag report2, wait", self.dag("graph", "main").stdout)
        shown = self.json("show", "main")
        tasks = {task["task_id"]: task for task in shown[0]["tasks"]}
        self.assertEqual(tasks["publish"]["triggers"], "report2")
        states = self.json("simulate", "main")[0]["tasks"]
        self.assertEqual(set(states.values()), {"success"})
        told = self.dag("render", "main", "wake", "--logical-date", DAY).stdout
        self.assertEqual(told.split(), ["report", "2030-01-01"])
        self.dag("lint")
        self.write("dags/main.yaml", MAIN.replace("report2", "reprot"))
        told = self.dag("lint", status=1).stdout
        self.assertIn("`publish` triggers DAG `reprot`, which there is not", told)


if __name__ == "__main__":
    unittest.main()
