"""The daemon through its commands: up, down, trigger, backfill, status, logs, clear, mark, cancel,
pause; changed, broken and removed files; kill -9."""

import os
import re
import signal
import sqlite3
import struct
import unittest
import urllib.request
from contextlib import closing

from support import ProjectCase

ONE = """dag_id: {name}
schedule: "@daily"
start_date: 2026-01-01
end_date: 2026-01-31
catchup: none
tasks:
  first: {{bash: 'echo "{text} {{{{ ds }}}}"'}}
  second: {{bash: "{second}", depends_on: first}}
"""


def one(name="one", text="day", second="true"):
    return ONE.format(name=name, text=text, second=second)


class Daemon(ProjectCase):
    def test_without_a_daemon_the_remedy_is_named(self):
        self.write("dags/one.yaml", one())
        for words in (("trigger", "one"), ("reload",), ("down",), ("queue",)):
            done = self.dag(*words, status=4)
            self.assertIn("dag up", done.stderr)
        self.assertFalse((self.folder / ".dag" / "dag.db").exists())

    def test_a_trigger_runs_and_is_refused_a_second_time(self):
        self.write("dags/one.yaml", one())
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05", "--wait")
        self.assertEqual(self.states("one", "2026-01-05"),
                         {"first": "success", "second": "success"})
        run = self.json("status", "one")[0]
        self.assertEqual(run["run_id"], "manual__2026-01-05T00:00:00+00:00")
        self.assertIn("day 2026-01-05", self.dag("logs", "one", "2026-01-05", "first").stdout)
        again = self.dag("trigger", "one", "--logical-date", "2026-01-05", status=1)
        self.assertIn("dag clear one", again.stderr)
        self.dag("down")
        self.assertEqual(self.daemon.wait(30), 0, self.log())

    def test_a_failed_task_tells_why_and_goes_on_after_a_clear(self):
        self.write("dags/one.yaml", one(second="exit 3"))
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05", "--wait", status=1)
        self.assertEqual(self.states("one", "failed"), {"first": "success", "second": "failed"})
        self.assertIn("exit", self.dag("status", "one", "2026-01-05").stdout)
        self.dag("status", "one", "2026-01-05", "--exit-status", status=1)
        self.write("dags/one.yaml", one(second="echo mended"))
        self.wait_for(lambda: "replaces the last" in self.log())
        self.dag("clear", "one", "2026-01-05", "second")
        self.wait_for(lambda: self.json("status", "one")[0]["state"] == "success")
        self.assertIn("mended", self.dag("logs", "one", "2026-01-05", "second").stdout)
        self.assertIn("exit", self.dag("logs", "one", "2026-01-05", "second", "--try", "1").stdout)

    def test_a_backfill_previews_runs_and_never_repeats_a_date(self):
        self.write("dags/one.yaml", one())
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-03", "--wait")
        preview = self.dag("backfill", "one", "--from", "2026-01-01", "--to", "2026-01-05",
                           "--dry-run").stdout
        self.assertIn("2026-01-01", preview)
        self.assertEqual(len(self.json("status", "one")), 1)
        self.dag("backfill", "one", "--from", "2026-01-01", "--to", "2026-01-05", "--wait")
        runs = self.json("status", "one")
        self.assertEqual([run["logical_date"][:10] for run in runs],
                         [f"2026-01-0{day}" for day in (5, 4, 3, 2, 1)])
        self.assertEqual([run["run_type"] for run in runs],
                         ["backfill", "backfill", "manual", "backfill", "backfill"])

    def test_dates_that_catchup_none_left_out_are_shown_as_missed(self):
        self.write("dags/one.yaml", one())
        self.up()
        self.dag("backfill", "one", "--from", "2026-01-01", "--to", "2026-01-29", "--wait")
        shown = self.dag("status", "one").stdout
        self.assertIn("missed: 2 dates between 2026-01-30 and 2026-01-31", shown)
        self.assertIn("dag backfill one --from '2026-01-30' --to '2026-01-31'", shown)

    def test_cancel_ends_what_runs_and_skips_the_rest(self):
        self.write("dags/one.yaml", one().replace("echo", "sleep 1000; echo"))
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05")
        self.wait_for(lambda: self.states("one").get("first") == "running")
        self.dag("cancel", "one", "2026-01-05")
        self.wait_for(lambda: self.json("status", "one")[0]["state"] == "failed")
        self.assertEqual(self.states("one"), {"first": "failed", "second": "skipped"})

    def test_mark_pause_and_unpause(self):
        self.write("dags/one.yaml", one(second="exit 3"))
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05", "--wait", status=1)
        self.dag("mark", "one", "2026-01-05", "second", "success", "--note", "by hand")
        self.wait_for(lambda: self.json("status", "one")[0]["state"] == "success")
        self.dag("pause", "one")
        self.dag("unpause", "one")
        self.assertIn("no DAG", self.dag("pause", "nothing", status=3).stderr)

    def test_a_range_of_dates_done_elsewhere_is_marked(self):
        self.write("dags/one.yaml", one())
        self.dag("run", "one", "--logical-date", "2026-01-03")
        words = ("mark", "one", "--from", "2026-01-02", "--to", "2026-01-05", "success", "--yes")
        self.assertIn("8 tasks", self.dag(*words, "--dry-run").stdout)
        self.assertEqual(len(self.json("status", "one")), 1)
        self.dag(*words)
        runs = self.json("status", "one")
        self.assertEqual([run["logical_date"][:10] for run in runs],
                         ["2026-01-05", "2026-01-04", "2026-01-03", "2026-01-02"])
        self.assertEqual({run["state"] for run in runs}, {"success"})
        self.assertEqual(self.states("one", "2026-01-04"),
                         {"first": "success", "second": "success"})
        self.dag("run", "one", "--logical-date", "2026-01-04", status=1)  # it has a run

    def test_acts_without_a_daemon_are_carried_out_at_its_next_start(self):
        self.write("dags/one.yaml", one(second="exit 3"))
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05", "--wait", status=1)
        self.dag("down")
        self.write("dags/one.yaml", one(second="true"))
        self.assertIn("dag up", self.dag("clear", "one", "2026-01-05", "second").stderr)
        self.assertNotEqual(self.json("status", "one")[0]["state"], "success")
        self.up()
        self.wait_for(lambda: self.json("status", "one")[0]["state"] == "success")


class Alone(ProjectCase):
    def test_a_file_runs_without_a_project_and_can_be_looked_at(self):
        folder = self.folder / "elsewhere"
        path = self.write("elsewhere/lone.yaml", "tasks:\n  t: {bash: echo hi}\n")
        (self.folder / "dag.yaml").unlink()
        self.dag("run", str(path), cwd=folder)
        self.assertIn("success", self.dag("status", "lone", "latest", cwd=folder).stdout)
        self.assertIn("hi", self.dag("logs", "lone", "latest", "t", cwd=folder).stdout)


class Files(ProjectCase):
    def test_a_broken_file_is_told_and_its_last_good_version_runs_on(self):
        self.write("dags/one.yaml", one())
        self.up()
        self.write("dags/one.yaml", one().replace("depends_on: first", "depends_on: frist")
                   .replace("schedule:", "shedule:"))
        self.wait_for(lambda: "last good version" in self.log())
        self.assertIn("frist", self.log())
        self.assertIn("shedule", self.log())
        self.dag("trigger", "one", "--logical-date", "2026-01-05", "--wait")
        shown = self.dag("status")
        self.assertIn("dags/one.yaml:", shown.stdout + shown.stderr)
        self.assertIn("shedule", self.mistake("one"))
        self.write("dags/one.yaml", one())
        self.wait_for(lambda: self.mistake("one") is None)

    def mistake(self, dag_id):
        """Why the DAG's file does not load, as the metadata has it."""
        with closing(sqlite3.connect(self.folder / ".dag" / "dag.db")) as metadata:
            return metadata.execute("select broken from dag where dag_id = ?",
                                    (dag_id,)).fetchone()[0]

    def test_a_removed_file_stops_scheduling(self):
        self.write("dags/one.yaml", one())
        self.up()
        os.unlink(self.folder / "dags/one.yaml")
        self.wait_for(lambda: "not scheduled any more" in self.log())
        self.assertNotEqual(self.dag("trigger", "one", status=None).returncode, 0)

    def test_a_removed_file_that_is_back_at_the_next_start_is_scheduled_again(self):
        self.write("dags/one.yaml", one())
        self.up()
        os.unlink(self.folder / "dags/one.yaml")
        self.wait_for(lambda: "not scheduled any more" in self.log())
        self.dag("down")
        self.write("dags/one.yaml", one())
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05", "--wait")

    def test_a_new_file_is_found_while_it_runs(self):
        self.up()
        self.write("dags/deep/er.yaml", one("deep"))
        self.wait_for(lambda: "`deep`" in self.log())
        self.dag("trigger", "deep", "--logical-date", "2026-01-02", "--wait")


class Crash(ProjectCase):
    def test_a_killed_daemon_neither_kills_nor_repeats_a_process(self):
        count = self.folder / "count"
        go = self.folder / "go"
        self.write("dags/one.yaml", one().replace(
            "echo \"day {{ ds }}\"",
            f"echo x >> {count}; until test -e {go}; do sleep 0.05; done; echo over"))
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05")
        self.wait_for(count.exists)
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()
        self.up()
        self.wait_for(lambda: self.states("one")["first"] == "running")
        go.touch()
        self.wait_for(lambda: self.json("status", "one")[0]["state"] == "success")
        self.assertEqual(count.read_text(), "x\n")
        self.assertIn("over", self.dag("logs", "one", "latest", "first").stdout)

    def crash_at_work_on(self, dag_id):
        """Ends the daemon as an abort in the middle of an event of that DAG would."""
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()
        with open(self.folder / ".dag" / "applying", "r+b") as noted:
            noted.seek(8)  # struct scheduler_note, behind the magic number
            noted.write(struct.pack("=?3xi", True, 0) + dag_id.encode() + b"\0")

    def test_a_dag_that_aborts_the_scheduler_twice_is_quarantined(self):
        self.write("dags/one.yaml", one())
        self.write("dags/other.yaml", one("other"))
        for _ in range(2):
            self.up()
            self.assertNotIn("quarantined", self.log())
            self.crash_at_work_on("one")
        self.up()
        self.assertIn("DAG `one` is quarantined", self.log())
        self.dag("trigger", "other", "--logical-date", "2026-01-05", "--wait")
        refused = self.dag("trigger", "one", "--logical-date", "2026-01-05", status=4)
        self.assertIn("dag unpause one", refused.stderr)
        self.assertIn("paused", self.dag("list").stdout)
        address = re.findall(r"status page: (http://\S+)", self.log())[-1]
        with urllib.request.urlopen(address) as page:
            self.assertIn("quarantined", page.read().decode())
        self.dag("down")
        self.up()  # it stays so
        self.dag("trigger", "one", "--logical-date", "2026-01-05", status=4)
        self.dag("unpause", "one")
        self.dag("trigger", "one", "--logical-date", "2026-01-05", "--wait")

    def test_a_broken_project_file_does_not_keep_the_daemon_from_being_stopped(self):
        self.write("dags/one.yaml", one())
        self.up()
        self.write("dag.yaml", "bogus: 1\n")
        done = self.dag("down")
        self.assertIn("dag.yaml:1", done.stderr)
        self.assertEqual(self.daemon.wait(30), 0, self.log())

    def test_a_second_leader_is_refused(self):
        self.write("dags/one.yaml", one())
        self.up()
        self.assertIn("dag down", self.dag("up", status=4).stderr)

    def test_ctrl_c_ends_it_in_order(self):
        self.write("dags/one.yaml", one())
        self.up()
        self.daemon.send_signal(signal.SIGINT)
        self.assertEqual(self.daemon.wait(30), 0, self.log())
        self.assertFalse((self.folder / ".dag" / "socket").exists())


if __name__ == "__main__":
    unittest.main()
