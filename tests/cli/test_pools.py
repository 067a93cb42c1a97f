"""dag pool: slots that change while the daemon runs."""

import json
import unittest

from support import ProjectCase

WAIT = """tasks:
  a: {bash: "until [ -e go ]; do sleep 0.05; done", pool: heavy}
  b: {bash: "until [ -e go ]; do sleep 0.05; done", pool: heavy}
"""
ONE = """tasks:
  a: {{bash: "true", pool: {pool}}}
"""


class Pools(ProjectCase):
    def pools(self):
        return {row["name"]: row for row in self.json("pool", "list")}

    def test_a_pool_is_stored_changed_and_deleted(self):
        self.dag("pool", "set", "heavy", "2", "for big tables")
        row = self.pools()["heavy"]
        self.assertEqual((row["slots"], row["origin"], row["description"]),
                         (2, "stored", "for big tables"))
        self.dag("pool", "set", "heavy", "3")
        self.assertEqual(self.json("pool", "get", "heavy")[0]["slots"], 3)
        self.dag("pool", "delete", "heavy")
        self.dag("pool", "get", "heavy", status=3)

    def test_the_default_pool_changes_and_stays(self):
        self.assertEqual(self.pools()["default_pool"]["slots"], 128)
        self.dag("pool", "set", "default_pool", "4")
        self.assertEqual(self.pools()["default_pool"]["slots"], 4)
        told = self.dag("pool", "delete", "default_pool", status=1).stderr
        self.assertIn("cannot be deleted", told)
        self.assertEqual(self.pools()["default_pool"]["slots"], 4)

    def test_slots_of_the_file_and_wrong_ones_are_refused(self):
        self.write("dag.yaml", "pools: {fixed: 2}\n")
        self.assertIn("dag.yaml:1", self.dag("pool", "set", "fixed", "3", status=1).stderr)
        for slots in ("many", "0", "-1", "1.5"):
            self.assertIn("heavy", self.dag("pool", "set", "--", "heavy", slots, status=2).stderr)
        self.assertNotIn("heavy", self.pools())

    def test_files_of_airflow_are_brought_along_and_taken_away(self):
        self.write("pools.json", json.dumps({
            "default_pool": {"slots": 128, "description": "Default pool",
                             "include_deferred": False},
            "heavy": {"slots": 2, "description": "big", "include_deferred": False}}))
        self.dag("pool", "import", "pools.json")
        exported = json.loads(self.dag("pool", "export").stdout)
        self.assertEqual(exported["heavy"],
                         {"slots": 2, "description": "big", "include_deferred": False})
        self.assertEqual(exported["default_pool"]["slots"], 128)
        self.write("bad.json", '{"x": {"description": "no slots"}}')
        self.assertIn("`slots`", self.dag("pool", "import", "bad.json", status=2).stderr)

    def test_more_slots_start_what_waits(self):
        self.dag("pool", "set", "heavy", "1")
        self.write("dags/wait.yaml", WAIT)
        self.up()
        self.dag("trigger", "wait", "--logical-date", "2026-01-01")

        def running():
            return list(self.states("wait", "2026-01-01").values()).count("running")

        self.wait_for(lambda: running() == 1)
        self.wait_for(lambda: "waiting_pool" in self.dag("queue", "--json").stdout)
        self.dag("pool", "set", "heavy", "2")
        self.wait_for(lambda: running() == 2)
        (self.folder / "go").touch()
        self.wait_for(lambda: set(self.states("wait", "2026-01-01").values()) == {"success"})

    def test_a_dag_that_waits_for_its_pool_is_mended_by_it(self):
        self.write("dags/one.yaml", ONE.format(pool="later"))
        self.up()
        self.assertIn("later", self.log())
        self.dag("pool", "set", "later", "1")
        self.wait_for(lambda: self.dag("trigger", "one", status=None).returncode == 0)


if __name__ == "__main__":
    unittest.main()
