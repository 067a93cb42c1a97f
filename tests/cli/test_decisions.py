"""branch, short_circuit and latest_only, as a user meets them."""

import json
import signal
import unittest

from support import ProjectCase

FAN = """
schedule: "@daily"
start_date: 2026-01-01
catchup: none
tasks:
  choose: {branch: "{{ 'b' if ds == '2026-01-05' else 'a, work' }}"}
  a: {bash: echo a, depends_on: choose}
  b: {bash: "test ! -e fail", depends_on: choose}
  join: {empty: {}, depends_on: [a, b, work], trigger_rule: none_failed_min_one_success}
groups:
  work:
    tasks:
      one: {bash: echo one, depends_on: choose}
      two: {empty: {}, depends_on: one}
"""
CIRCUIT = """
tasks:
  check: {short_circuit: "{{ dag_run.conf.go }}", %s}
  a: {bash: echo a, depends_on: check}
  last: {empty: {}, depends_on: a, trigger_rule: all_done}
"""


class Decisions(ProjectCase):
    def reasons(self, dag, run="latest"):
        return {row["task_id"]: row["reason"] for row in self.json("status", dag, run)}

    def run_fan(self, date, status=0):
        return self.dag("run", "fan", "--logical-date", date, status=status)

    def test_a_branch_skips_what_it_did_not_choose_and_says_so(self):
        self.write("dags/fan.yaml", FAN)
        self.run_fan("2026-01-05")
        self.assertEqual(self.states("fan"), {
            "choose": "success", "a": "skipped", "b": "success", "work.one": "skipped",
            "work.two": "skipped", "join": "success"})
        self.assertEqual(self.reasons("fan")["a"], "skipped: `choose` chose `b`")
        self.assertIn("skipped: `choose` chose `b`", self.dag("status", "fan", "latest").stdout)
        self.assertIn('goes on with ["b"]', self.dag("logs", "fan", "latest", "choose").stdout)

    def test_groups_and_several_can_be_chosen(self):
        self.write("dags/fan.yaml", FAN)
        self.run_fan("2026-01-06")
        self.assertEqual(self.states("fan"), {
            "choose": "success", "a": "success", "b": "skipped", "work.one": "success",
            "work.two": "success", "join": "success"})
        self.assertEqual(self.reasons("fan")["b"], "skipped: `choose` chose `a`, `work.one`")

    def test_clearing_a_skipped_task_skips_it_again_and_clearing_the_branch_does_not(self):
        self.write("dags/fan.yaml", FAN)
        self.run_fan("2026-01-05")
        self.dag("clear", "fan", "2026-01-05", "a")
        self.assertEqual(self.json("status", "fan")[0]["state"], "success")
        self.assertEqual(self.reasons("fan")["a"], "skipped: `choose` chose `b`")
        self.write("dags/fan.yaml", FAN.replace("'b' if", "'a' if"))
        self.dag("clear", "fan", "2026-01-05", "choose", "--downstream")
        self.run_fan("2026-01-05")
        states = self.states("fan")
        self.assertEqual((states["a"], states["b"], states["join"]),
                         ("success", "skipped", "success"))

    def test_a_branch_marked_by_hand_skips_nothing(self):
        self.write("dags/fan.yaml", FAN.replace("'b' if", "'nowhere' if"))
        self.run_fan("2026-01-05", status=1)
        self.dag("mark", "fan", "2026-01-05", "choose", "success")
        self.run_fan("2026-01-05")
        self.assertEqual(set(self.states("fan").values()), {"success"})

    def test_an_id_that_does_not_follow_fails_at_once_and_is_found_before(self):
        text = FAN.replace("'b' if ds == '2026-01-05' else 'a, work'", "'joint'")
        self.write("dags/fan.yaml", text.replace("  choose: {", "  choose: {retries: 3, "))
        finding = json.loads(self.dag("lint", "--format", "json", status=1).stdout.splitlines()[0])
        self.assertEqual((finding["code"], finding["line"]), ("unknown-branch", 6))
        self.run_fan("2026-01-05", status=1)
        row = [row for row in self.json("status", "fan", "latest")
               if row["task_id"] == "choose"][0]
        self.assertEqual((row["state"], row["try_number"]), ("failed", 1))
        self.assertIn("`joint` is no task or group that directly follows `choose`: `a`, `b`, "
                      "`work.one`", row["reason"])
        self.assertEqual(self.states("fan")["a"], "upstream_failed")

    def test_a_branch_with_nothing_to_choose_from_is_a_mistake(self):
        self.write("dags/x.yaml", "tasks: {a: {branch: b}, b: {empty: {}}}\n")
        self.assertIn("nothing to choose from", self.dag("lint", status=1).stdout)

    def test_a_short_circuit_skips_all_that_follows_or_only_the_next(self):
        self.write("dags/all.yaml", CIRCUIT % "retries: 0")
        self.write("dags/next.yaml", CIRCUIT % "ignore_downstream_trigger_rules: false")
        for dag, conf, a, last in (("all", "no", "skipped", "skipped"),
                                   ("next", "no", "skipped", "success")):
            self.dag("run", dag, "--conf", json.dumps({"go": conf}))
            self.assertEqual(self.states(dag), {"check": "success", "a": a, "last": last})
            self.assertEqual(self.reasons(dag)["a"],
                             "skipped: the condition of `check` was not met")
        self.dag("run", "all", "--logical-date", "2026-01-02", "--conf", '{"go": "yes"}')
        self.assertEqual(set(self.states("all", "2026-01-02").values()), {"success"})

    def test_latest_only_skips_in_older_dates_of_a_backfill(self):
        self.write("dags/daily.yaml", """
schedule: "@daily"
start_date: 2026-01-01
end_date: 2026-01-03
catchup: none
tasks:
  newest: {latest_only: }
  publish: {bash: echo now, depends_on: newest}
""")
        self.up()
        self.dag("backfill", "daily", "--from", "2026-01-01", "--to", "2026-01-03", "--wait")
        self.assertEqual([self.states("daily", f"2026-01-0{day}")["publish"] for day in (1, 2, 3)],
                         ["skipped", "skipped", "success"])
        self.assertEqual(self.reasons("daily", "2026-01-01")["publish"],
                         "skipped: this was not the newest interval at `newest`")

    def test_a_decision_outlives_a_killed_daemon(self):
        self.write("dags/fan.yaml", FAN.replace("test ! -e fail", "sleep 3"))
        self.up()
        self.dag("trigger", "fan", "--logical-date", "2026-01-05")
        self.wait_for(lambda: self.states("fan").get("b") == "running")
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait(30)
        self.up()
        self.wait_for(lambda: self.json("status", "fan")[0]["state"] == "success")
        self.assertEqual(self.reasons("fan")["a"], "skipped: `choose` chose `b`")
        self.dag("clear", "fan", "2026-01-05", "a")
        self.wait_for(lambda: self.json("status", "fan")[0]["state"] == "success")
        self.assertEqual(self.states("fan")["a"], "skipped")

    def test_what_decides_is_rendered(self):
        self.write("dag.yaml", "connections: {db: {uri: 'postgresql:///nowhere'}}\n")
        self.write("dags/x.yaml", """
tasks:
  choose: {branch: "{{ 'a' if ds > '2026' else 'b' }}"}
  check: {short_circuit: {sql: "select '{{ ds }}' > '2026'"}, depends_on: choose}
  a: {empty: {}, depends_on: [choose, check]}
  b: {empty: {}, depends_on: choose}
""")
        self.dag("lint")
        date = ("--logical-date", "2026-05-01")
        self.assertEqual(self.dag("render", "x", "choose", *date).stdout, "a\n")
        self.assertEqual(self.dag("render", "x", "check", *date).stdout,
                         "select '2026-05-01' > '2026'\n")


class Simulate(ProjectCase):
    def test_outcomes_say_what_is_chosen(self):
        path = self.write("dags/fan.yaml", FAN)

        def play(outcomes):
            self.write("out.json", json.dumps(outcomes))
            return self.json("simulate", str(path), "--outcomes", "out.json")[0]["tasks"]

        self.assertEqual(set(play({}).values()), {"success"})
        tasks = play({"choose": {"success": ["work"]}})
        self.assertEqual(tasks, {"choose": "success", "a": "skipped", "b": "skipped",
                                 "work.one": "success", "work.two": "success", "join": "success"})
        self.assertEqual(play({"choose": {"success": []}})["join"], "skipped")
        self.assertEqual(play({"choose": {"success": "b"}, "b": "failed"})["join"],
                         "upstream_failed")
        for wrong, said in (({"choose": {"success": ["c"]}}, "directly follows `choose`"),
                            ({"choose": {"failed": ["a"]}}, "is not a state"),
                            ({"choose": {"success": [1]}}, "is not a state"),
                            ({"a": {"success": ["b"]}}, "`a` decides nothing")):
            self.write("out.json", json.dumps(wrong))
            done = self.dag("simulate", str(path), "--outcomes", "out.json", status=None)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(said, done.stderr)

    def test_a_short_circuit_goes_on_unless_it_is_told_not_to(self):
        path = self.write("dags/all.yaml", CIRCUIT % "retries: 0")
        self.write("out.json", '{"check": {"success": false}}')
        row = self.json("simulate", str(path), "--outcomes", "out.json")[0]
        self.assertEqual(row["tasks"], {"check": "success", "a": "skipped", "last": "skipped"})
        self.assertEqual(row["run_state"], "success")


if __name__ == "__main__":
    unittest.main()
