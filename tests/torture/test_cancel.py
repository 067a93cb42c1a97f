"""A task that is ended on request is gone before anything that follows begins, whoever asked: a
person, a timeout, a clear, the daemon's end. For SQL and for processes alike, through `dag`."""

import os
import signal
import unittest

from server import DatabaseCase

DAG_FILE = """dag_id: one
start_date: 2026-01-01
schedule: "@daily"
catchup: none
default_args: {{connection: db, retry_delay: 1s}}
tasks:
  work:
    {work}
  after:
    depends_on: work
    trigger_rule: all_done
    {after}
"""

# Waits until it is let go.  A process heeds no SIGTERM, and what it starts hides in a session of
# its own; the SQL swallows the cancel, as PL/Python does while it computes.
BASH = r"""bash: |
      trap '' TERM
      echo $$ >> pids
      setsid bash -c 'trap "" TERM; echo $$ >> pids; while [ ! -e go ]; do sleep 0.02; done' &
      while [ ! -e go ]; do sleep 0.02; done
    kill_grace: 1s"""
BASH_AFTER = "bash: 'for p in $(cat pids); do kill -0 $p && echo $p >> overlap; done; echo >> seen'"
SQL = """sql: |
      insert into work values (1);
      do $$ begin
        while not exists (select 1 from go) loop
          begin perform pg_sleep(0.02); exception when query_canceled then null; end;
        end loop;
      end $$"""
# Read committed: each look at `go` has to see what was committed since.
SQL_AFTER = """sql: |
      insert into seen select count(*) from pg_stat_activity
       where query like '%perform pg_sleep%' and datname = current_database()
         and pid <> pg_backend_pid()"""


class Process:
    work, after, name = BASH, BASH_AFTER, "bash"

    def __init__(self, case):
        self.case = case
        self.seen = 0

    def pids(self):
        path = self.case.folder / "pids"
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def living(self):
        def lives(pid):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return False
            return True
        return [pid for pid in self.pids() if lives(pid)]

    def wait_until_running(self):
        """Two more numbers than when it was last asked."""
        self.case.wait_for(lambda: len(self.pids()) >= self.seen + 2)
        self.seen += 2

    def let_go(self):
        (self.case.folder / "go").touch()

    def check_after(self):
        self.case.assertTrue((self.case.folder / "seen").exists())
        self.case.assertFalse((self.case.folder / "overlap").exists())

    said = ["SIGTERM to process group", "SIGKILL"]


class Sql:
    work, after, name = SQL, SQL_AFTER, "sql"
    at_work = ("from pg_stat_activity where query like '%perform pg_sleep%' and state = 'active'"
               " and datname = current_database() and pid <> pg_backend_pid()")

    def __init__(self, case):
        self.case = case
        self.seen = set()
        case.sql("create table work (n int); create table go (n int); create table seen (n int)")

    def living(self):
        return self.case.sql(f"select pid {self.at_work}").split()

    def wait_until_running(self):
        """An attempt that was not there when it was last asked."""
        def another():
            names = set(self.case.sql(f"select application_name {self.at_work}").split())
            new = names - self.seen
            self.seen |= names
            return new
        self.case.wait_for(another)

    def let_go(self):
        self.case.sql("insert into go values (1)")

    def check_after(self):
        self.case.assertEqual(self.case.sql("select string_agg(n::text, ',') from seen"), "0")

    said = ["PQcancel to backend", "pg_terminate_backend(", "the backend is gone"]


class Cancel(DatabaseCase):
    DAY = "2026-01-05"

    def begin(self, kind, more="", grace="kill_grace: 1s"):
        """Such a task runs."""
        self.kind = kind(self)
        work = self.kind.work.replace("kill_grace: 1s", grace) + more
        self.write("dags/one.yaml", DAG_FILE.format(work=work, after=self.kind.after))
        self.up()
        self.dag("trigger", "one", "--logical-date", self.DAY)
        self.kind.wait_until_running()

    def state(self, task="work"):
        return self.states("one", self.DAY)[task]

    def attempt_log(self, number=1):
        return self.dag("logs", "one", self.DAY, "work", "--try", str(number)).stdout

    def wait_for_end(self):
        self.wait_for(lambda: self.json("status", "one")[0]["state"] in ("success", "failed"))

    def check_gone(self, cause):
        self.assertEqual(self.kind.living(), [])
        log = self.attempt_log()
        for piece in [f"cancel: {cause}", *self.kind.said, "end: "]:
            self.assertIn(piece, log)

    def of_a_task(self, kind):
        self.begin(kind)
        self.dag("cancel", "one", self.DAY, "work")
        self.wait_for_end()
        self.check_gone("")
        self.assertEqual(self.state(), "failed")
        self.kind.check_after()
        if kind is Sql:
            self.assertEqual(self.sql("select count(*) from work"), "0")

    def of_a_run(self, kind):
        self.begin(kind)
        self.dag("cancel", "one", self.DAY)
        self.wait_for_end()
        self.check_gone("")
        self.assertEqual(self.states("one", self.DAY), {"work": "failed", "after": "skipped"})

    def by_a_timeout(self, kind):
        self.begin(kind, "\n    execution_timeout: 1s")
        self.wait_for_end()
        self.check_gone("execution_timeout was reached")
        self.assertEqual(self.state(), "failed")
        self.kind.check_after()

    def by_a_clear(self, kind):
        self.begin(kind)
        before = self.kind.living()
        self.dag("clear", "one", self.DAY, "work")
        self.kind.wait_until_running()
        self.assertEqual(set(self.kind.living()) & set(before), set())
        self.assertIn("cancel: ", self.attempt_log(1))
        self.kind.let_go()
        self.wait_for_end()
        self.assertEqual(self.state(), "success")
        self.kind.check_after()
        if kind is Sql:
            self.assertEqual(self.sql("select count(*) from work"), "1")

    def by_the_daemons_end(self, kind):
        self.begin(kind)
        before = self.kind.living()
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.wait(60), 0, self.log())
        self.assertEqual(self.kind.living(), before if kind is Process else [])
        self.up()
        if kind is Sql:  # again; a process went on
            self.kind.wait_until_running()
        self.kind.let_go()
        self.wait_for_end()
        self.assertEqual(self.state(), "success")
        row = self.json("status", "one", self.DAY)[0]
        self.assertEqual(row["try_number"], 1, "a stop costs no retry")
        self.kind.check_after()
        if kind is Sql:
            self.assertEqual(self.sql("select count(*) from work"), "1")

    def by_force(self, kind):
        self.begin(kind, grace="kill_grace: 10m")
        self.dag("cancel", "one", self.DAY, "work", "--force")
        self.wait_for_end()
        self.assertEqual(self.state(), "failed")
        log = self.attempt_log()
        self.assertIn("killing everything of it" if kind is Process
                      else "COMMIT had not been sent, so it cannot commit", log)
        if kind is Process:
            self.assertEqual(self.kind.living(), [])
        else:  # it may run on for a while, but never commit
            self.kind.let_go()
            self.wait_for(lambda: self.kind.living() == [])
            self.assertEqual(self.sql("select count(*) from work"), "0")


def add_tests():
    """test_<what>_<kind> for both kinds."""
    for what in ("of_a_task", "of_a_run", "by_a_timeout", "by_a_clear", "by_the_daemons_end",
                 "by_force"):
        for kind in (Process, Sql):
            def test(self, what=what, kind=kind):
                getattr(self, what)(kind)
            setattr(Cancel, f"test_{what}_{kind.name}", test)


add_tests()

if __name__ == "__main__":
    unittest.main()
