"""Versions of DAGs over restarts: a broken file, a changed graph, clear --same-version."""

import unittest

from support import ProjectCase

SHOUT = """
schedule: null
tasks:
  say: {{bash: "echo said {word} >> said.txt"}}
"""


class Versions(ProjectCase):
    def restart(self):
        self.dag("down")
        self.assertEqual(self.daemon.wait(timeout=60), 0)
        self.up()

    def test_a_file_that_is_broken_at_a_restart_keeps_its_last_good_version(self):
        self.write("dags/a.yaml", SHOUT.format(word="one"))
        self.up()
        self.dag("down")
        self.daemon.wait(timeout=60)
        self.write("dags/a.yaml", "tasks: {say: {bsh: 'echo two'}}\n")
        self.up()
        self.assertIn("its last good version", self.log())
        self.dag("trigger", "a", "--wait")
        self.assertEqual((self.folder / "said.txt").read_text(), "said one\n")
        self.write("dags/a.yaml", SHOUT.format(word="three"))
        self.dag("reload")  # which does not wait for files to be quiet
        self.assertIn("dags/a.yaml: its mistakes are gone", self.log())
        self.dag("trigger", "a", "--logical-date", "2020-01-01", "--wait")
        self.assertEqual((self.folder / "said.txt").read_text(), "said one\nsaid three\n")

    def test_a_live_run_keeps_its_graph_over_a_restart(self):
        self.write("dags/a.yaml", """
schedule: null
tasks:
  first: {bash: "while [ ! -e go ]; do sleep 0.05; done"}
  second: {bash: "echo second >> said.txt", depends_on: first}
""")
        self.up()
        self.dag("trigger", "a")
        self.wait_for(lambda: self.states("a")["first"] == "running")
        self.dag("down")
        self.daemon.wait(timeout=60)
        self.write("dags/a.yaml", """
schedule: null
tasks:
  first: {bash: "true"}
  other: {bash: "echo other >> said.txt", depends_on: first}
""")
        self.up()
        self.write("go", "")
        self.wait_for(lambda: self.json("status", "a")[0]["state"] == "success")
        self.assertEqual(self.states("a"), {"first": "success", "second": "success"})
        self.assertEqual((self.folder / "said.txt").read_text(), "second\n")

    def test_clear_with_the_same_version_finds_it_after_a_restart(self):
        self.write("dags/a.yaml", SHOUT.format(word="one"))
        self.up()
        self.dag("trigger", "a", "--wait")
        self.dag("down")
        self.daemon.wait(timeout=60)
        self.write("dags/a.yaml", SHOUT.format(word="two") + "  more: {empty: {}}\n")
        self.up()
        self.dag("clear", "a", "latest", "--same-version")
        self.wait_for(lambda: self.json("status", "a")[0]["state"] == "success")
        self.assertEqual((self.folder / "said.txt").read_text(), "said one\nsaid one\n")
        self.restart()
        self.dag("clear", "a", "latest")
        self.wait_for(lambda: self.states("a").get("more") == "success")
        self.assertEqual((self.folder / "said.txt").read_text(), "said one\nsaid one\nsaid two\n")

    def test_a_cleared_run_keeps_its_version_though_the_daemon_is_restarted_meanwhile(self):
        self.write("dags/a.yaml", """
schedule: null
tasks:
  wait: {bash: "[ -e late ] || exit 0; while [ ! -e go ]; do sleep 0.05; done"}
  say: {bash: "echo said one >> said.txt", depends_on: wait}
""")
        self.up()
        self.dag("trigger", "a", "--wait")
        self.write("dags/a.yaml", """
schedule: null
tasks:
  wait: {bash: "true"}
  say: {bash: "echo said two >> said.txt", depends_on: wait}
""")
        self.dag("reload")
        self.assertIn("replaces the last", self.log())
        self.write("late", "")
        self.dag("clear", "a", "latest", "--same-version")
        self.wait_for(lambda: self.states("a")["wait"] == "running")
        self.restart()
        self.write("go", "")
        self.wait_for(lambda: self.json("status", "a")[0]["state"] == "success")
        self.assertEqual((self.folder / "said.txt").read_text(), "said one\nsaid one\n")


if __name__ == "__main__":
    unittest.main()
