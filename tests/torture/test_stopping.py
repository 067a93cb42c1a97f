"""What becomes of SQL tasks when the daemon is told to stop: waited for, cancelled, left."""

import signal
import unittest

from server import DatabaseCase

WAITS = """
schedule: null
tasks:
  # Holds until the row is there: what is waited for is an event of the test's.
  wait:
    connection: db
    sql: |
      create table if not exists went (n int);
      do $$ begin
        loop
          exit when exists (select from pg_class where relname = 'go');
          perform pg_sleep(0.05);
        end loop;
      end $$;
      insert into went values (1)
"""


class Stopping(DatabaseCase):
    def begin(self, settings=""):
        with open(self.folder / "dag.yaml", "a", encoding="utf-8") as project:
            project.write(settings)
        self.write("dags/a.yaml", WAITS)
        self.up()
        self.dag("trigger", "a")
        self.wait_for(self.holds)

    def holds(self):
        return self.sql("select count(*) from pg_stat_activity where query like 'do $$%'") == "1"

    def go(self):
        self.sql("create table go ()")

    def ends_well(self):
        self.wait_for(lambda: self.json("status", "a")[0]["state"] == "success")
        self.assertEqual(self.json("status", "a", "latest")[0]["try_number"], 1)
        self.assertEqual(self.sql("select count(*) from went"), "1")

    def test_within_the_grace_a_task_ends_by_itself(self):
        self.begin("shutdown_grace: 10m\n")
        self.daemon.send_signal(signal.SIGTERM)
        self.wait_for(lambda: "waiting for the SQL tasks" in self.log())
        self.assertIn("stopping", self.dag("trigger", "a", status=4).stderr)
        self.go()
        self.assertEqual(self.daemon.wait(60), 0, self.log())
        self.ends_well()

    def test_after_the_grace_it_is_cancelled_which_costs_no_retry(self):
        self.begin("shutdown_grace: 300ms\n")
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.wait(60), 0, self.log())
        self.assertIn("shutdown_grace is over", self.log())
        self.assertFalse(self.holds())
        self.go()
        self.up()
        self.ends_well()

    def test_without_a_grace_it_is_cancelled_at_once(self):
        self.begin()
        self.dag("down")
        self.assertEqual(self.daemon.wait(60), 0, self.log())
        self.assertFalse(self.holds())

    def test_a_daemon_that_waits_can_be_told_to_cancel(self):
        self.begin()
        waiting = self.start("down", "--wait")
        self.wait_for(lambda: "waiting for the SQL tasks" in self.log())
        self.dag("down", "--cancel")
        self.assertEqual(waiting.wait(60), 0)
        self.assertEqual(self.daemon.wait(60), 0, self.log())
        self.assertFalse(self.holds())

    def test_a_second_signal_ends_it_at_once_and_nothing_is_done_twice(self):
        self.begin("shutdown_grace: 10m\n")
        self.daemon.send_signal(signal.SIGINT)
        self.wait_for(lambda: "waiting for the SQL tasks" in self.log())
        self.daemon.send_signal(signal.SIGINT)
        self.assertEqual(self.daemon.wait(60), 1, self.log())
        self.up()
        self.go()
        self.ends_well()


if __name__ == "__main__":
    unittest.main()
