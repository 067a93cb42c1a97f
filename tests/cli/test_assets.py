"""Assets and deadlines through the commands: what is queued, who runs, what templates are given,
and what is told when a run takes too long."""

import subprocess
import unittest
from datetime import datetime

from support import DAG, ProjectCase

MAKE = """dag_id: make_{asset}
tasks:
  load: {{bash: "true", outlets: [{asset}]}}
"""

USE = """dag_id: use
schedule: {assets: {all: [a, b]}}
tasks:
  use:
    inlets: [a]
    bash: |
      {% for name, events in triggering_asset_events.items() %}
      echo "got {{ name }}: {{ events | length }} from {{ events[0].source_dag_id }}"
      echo "rows {{ events[-1].extra.get('rows', 'unknown') }}"
      {% endfor %}
      echo "reads {{ inlets[0].name }}"
"""


class Assets(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dags/make_a.yaml", MAKE.format(asset="a"))
        self.write("dags/make_b.yaml", MAKE.format(asset="b"))
        self.write("dags/use.yaml", USE)

    def queued(self):
        text = self.dag("status", "use").stdout
        return [line.strip() for line in text.splitlines() if line.startswith("  ")]

    def test_a_run_without_a_daemon_queues_for_the_daemon_of_later(self):
        self.dag("run", "make_a")
        self.assertIn("a: 1 event queued", self.queued()[0])
        self.assertEqual(self.queued()[1], "b: none queued")
        self.dag("asset", "event", "b", "--extra", '{"rows": 7}')
        self.up()
        self.wait_for(lambda: [run["state"] for run in self.json("status", "use")] == ["success"])
        run = self.json("status", "use")[0]
        self.assertEqual(run["run_type"], "asset_triggered")
        self.assertTrue(run["run_id"].startswith("asset_triggered__"), run)
        self.assertEqual(run["data_interval_start"], run["data_interval_end"])
        log = self.dag("logs", "use", "latest", "use").stdout
        self.assertIn("got a: 1 from make_a", log)
        self.assertIn("got b: 1 from None", log)
        self.assertIn("rows 7", log)
        self.assertIn("reads a", log)
        self.assertEqual(self.queued(), ["a: none queued", "b: none queued"])

    def test_a_run_is_made_when_the_last_of_all_has_come_and_once(self):
        self.up()
        self.dag("trigger", "make_a", "--logical-date", "2026-01-01", "--wait")
        self.dag("trigger", "make_a", "--logical-date", "2026-01-02", "--wait")
        self.assertEqual(self.json("status", "use"), [])
        self.kill()
        self.up()
        self.assertEqual(self.json("status", "use"), [])
        self.dag("trigger", "make_b", "--logical-date", "2026-01-01", "--wait")
        self.wait_for(lambda: [run["state"] for run in self.json("status", "use")] == ["success"])
        self.assertIn("got a: 2", self.dag("logs", "use", "latest", "use").stdout)
        self.kill()
        self.up()
        self.dag("trigger", "make_b", "--logical-date", "2026-01-02", "--wait")
        self.assertEqual(len(self.json("status", "use")), 1)

    def test_the_assets_there_are_and_their_events(self):
        rows = self.json("asset", "list")
        self.assertEqual([row["asset"] for row in rows], ["a", "b"])
        self.assertEqual(rows[0], {"asset": "a", "made_by": ["make_a.load"], "read_by": ["use.use"],
                                   "schedules": ["use"], "last_event": None})
        self.assertIn("make_b.load", self.dag("asset", "list").stdout)
        self.assertIn("no events yet", self.dag("asset", "get", "a").stdout)
        self.dag("run", "make_a", "--logical-date", "2026-01-05")
        events = self.json("asset", "get", "a")
        self.assertEqual(len(events), 1)
        self.assertEqual(events[0]["source_dag_id"], "make_a")
        self.assertEqual(events[0]["source_run_id"], "manual__2026-01-05T00:00:00+00:00")
        self.assertIn("1 event queued", self.dag("asset", "get", "a").stdout)
        self.assertIn("load makes a", self.dag("show", "make_a").stdout)
        self.assertEqual(self.json("show", "use")[0]["assets"], ["a", "b"])
        self.assertEqual(self.json("list")[2]["schedule"], "assets a and b")
        self.assertIn("when data arrives (assets a and b)",
                      self.dag("next", "use", status=None).stderr)

    def test_an_event_by_hand(self):
        done = self.dag("asset", "event", "a", "--dry-run")
        self.assertIn("would add", done.stdout)
        self.assertEqual(self.json("asset", "get", "a"), [])
        answer = self.json("asset", "event", "a")[0]
        self.assertEqual(answer, {"asset": "a", "event": 1, "queued_for": ["use"]})
        self.assertEqual(self.json("asset", "get", "a")[0]["source_dag_id"], None)
        wrong = self.dag("asset", "event", "c", status=3)
        self.assertIn("dag asset list", wrong.stderr)
        self.assertIn("--extra", self.dag("asset", "event", "a", "--extra", "{", status=2).stderr)
        self.assertIn("object", self.dag("asset", "event", "a", "--extra", "[1]", status=2).stderr)
        self.dag("asset", "get", "c", status=3)
        self.dag("asset", "get", status=2)

    def test_lint_warns_of_an_asset_that_nobody_makes(self):
        (self.folder / "dags/make_b.yaml").unlink()
        self.assertIn("`b`, which no task makes", self.dag("lint").stdout)


SLOW = """deadline: 1s
tasks:
  slow: {bash: "until [ -e end ]; do sleep 0.1; done", deadline: {after: 1s}}
  quick: {bash: "true", deadline: 1h, depends_on: slow}
"""


class Deadlines(ProjectCase):
    def missed(self):
        rows = self.json("status", "slow", "latest") + self.json("status", "slow")
        return ["deadline_missed" in row for row in rows]

    def test_a_missed_deadline_is_told_once_also_over_a_restart(self):
        self.write("dags/slow.yaml", SLOW)
        self.up()
        self.dag("trigger", "slow")
        self.wait_for(lambda: self.log().count("missed its deadline") == 2)
        self.assertIn("task `slow` missed its deadline", self.log())
        self.assertIn("the run missed its deadline", self.log())
        self.assertEqual(self.missed(), [False, True, True])
        self.assertIn("missed its deadline", self.dag("status", "slow").stdout)
        self.assertIn("missed its deadline", self.dag("status", "slow", "latest").stdout)
        self.kill()
        self.up()
        self.write("end", "")
        self.wait_for(lambda: self.json("status", "slow")[0]["state"] == "success")
        self.assertEqual(self.missed(), [False, True, True])
        self.assertEqual(self.log().count("missed its deadline"), 2)

    def test_a_deadline_that_passes_without_a_daemon_is_told_at_its_start(self):
        self.write("dags/slow.yaml", SLOW.replace("1s", "3s"))
        self.up()
        self.dag("trigger", "slow")
        self.wait_for(lambda: self.states("slow").get("slow") == "running")
        self.kill()
        self.assertNotIn("missed", self.log())
        self.up()
        self.wait_for(lambda: self.log().count("missed its deadline") == 2)
        self.write("end", "")
        self.wait_for(lambda: self.json("status", "slow")[0]["state"] == "success")

    def test_a_run_in_the_foreground_tells_it_too(self):
        self.write("dags/slow.yaml", SLOW)
        run = subprocess.Popen([DAG, "run", "slow"], cwd=self.folder, env=self.environment(),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.communicate)
        self.addCleanup(run.kill)
        told = [run.stderr.readline(), run.stderr.readline()]
        self.write("end", "")
        self.assertEqual(run.wait(60), 0)
        self.assertIn("warning: the run missed its deadline", "".join(told))
        self.assertIn("warning: task slow missed its deadline", "".join(told))

    def test_what_is_typical_is_learnt_from_the_runs_of_before(self):
        self.write("dags/usual.yaml", "deadline: {typical: 2}\n" + SLOW.split("\n", 1)[1]
                   .replace("{after: 1s}", "{typical: 3}"))
        self.write("end", "")
        for day in "123":
            self.dag("run", "usual", "--logical-date", f"2026-01-0{day}")
        self.assertNotIn("deadline", self.json("status", "usual")[0])
        (self.folder / "end").unlink()
        self.up()
        self.dag("trigger", "usual")
        self.wait_for(lambda: self.states("usual").get("slow") == "running")
        task = self.json("status", "usual", "latest")[1]
        for row in (self.json("status", "usual")[0], task):
            wait = datetime.fromisoformat(row["deadline"]) - datetime.fromisoformat(
                row["start_date"])
            self.assertEqual(wait.total_seconds(), 10)  # what takes a moment has room
        self.write("end", "")
        self.wait_for(lambda: self.json("status", "usual")[0]["state"] == "success")

    def test_a_date_of_long_ago_by_hand_is_not_late(self):
        self.write("dags/quick.yaml",
                   "deadline: {from: logical_date, after: 1d}\ntasks: {a: {bash: 'true'}}\n")
        self.dag("run", "quick", "--logical-date", "2026-01-01")
        self.assertNotIn("deadline", self.json("status", "quick")[0])
        self.dag("run", "quick")
        self.assertIn("deadline", self.json("status", "quick")[0])


if __name__ == "__main__":
    unittest.main()
