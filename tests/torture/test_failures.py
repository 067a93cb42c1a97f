"""What goes wrong in the database is shown where a person looks, in `dag status`, `dag logs` and on
the page: the message, the SQLSTATE where there is one, and the template's file, line and text."""

import html
import subprocess
import unittest

from server import DatabaseCase

DAG_FILE = """dag_id: one
start_date: 2026-01-01
schedule: "@daily"
catchup: none
default_args: {connection: db, retry_delay: 1s}
tasks:
  work:
    sql: work.sql
"""


class Failures(DatabaseCase):
    def shown(self, template, wanted, line, text, sqlstate):
        """Runs the template, which must fail and be shown with all of this."""
        self.write("dags/one.yaml", DAG_FILE)
        self.write("templates/work.sql", template)
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05", "--wait", status=1)
        place = f"templates/work.sql:{line}:"
        status = self.dag("status", "one", "2026-01-05").stdout
        log = self.dag("logs", "one", "2026-01-05", "work").stdout
        page = html.unescape(self.page("/dags/one/runs/2026-01-05/tasks/work"))
        for name, screen in (("status", status), ("logs", log), ("page", page)):
            for piece in (wanted, place, text, sqlstate):
                if piece:
                    self.assertIn(piece, screen, f"{name}: {piece}\n{screen}")
        row = self.json("status", "one", "2026-01-05")[0]
        self.assertEqual(row["state"], "failed")
        self.assertEqual(row["sqlstate"], sqlstate)
        self.assertTrue(row["place"].startswith(place), row["place"])

    def test_a_syntax_error_in_a_template(self):
        self.shown("select 1;\nselect {{ ds }\nfrom x;\n", "expected", 2, "select {{ ds }", None)

    def test_a_syntax_error_in_sql(self):
        self.shown("select 1;\n\nselect '{{ ds }}' form nowhere_at_all x;\n", "syntax error", 3,
                  "select '{{ ds }}' form nowhere_at_all x;", "42601")

    def test_an_undefined_variable(self):
        self.shown("select 1;\nselect '{{ nothing.here }}';\n", "'nothing' is undefined", 2,
                  "select '{{ nothing.here }}';", None)

    def test_a_missing_table(self):
        self.shown("select 1;\nselect *\n  from missing_table\n where d = '{{ ds }}';\n",
                  'relation "missing_table" does not exist', 3, "  from missing_table", "42P01")

    def test_a_bad_row_inside_plpython(self):
        self.sql("create function check_row(latitude float8) returns float8 language plpython3u as"
                 " $$\nif latitude > 90:\n    raise ValueError('bad latitude %s' % latitude)\n"
                 "return latitude\n$$")
        self.shown("create table point as select 140.0::float8 as latitude;\n"
                  "select check_row(latitude)\nfrom point;\n", "bad latitude 140.0", 2,
                  "select check_row(latitude)", "38000")

    def test_a_commit_in_a_task(self):
        self.sql("create table kept (n int)")
        self.shown("insert into kept values (1);\ncommit;\ninsert into kept values (2);\n",
                  "COMMIT", 2, "commit;", "2D000")
        self.assertEqual(self.sql("select count(*) from kept"), "0")

    def test_a_lost_connection(self):
        self.shown("create table kept (n int);\n"
                  "select pg_terminate_backend(pg_backend_pid());\n", "connection", 2,
                  "select pg_terminate_backend(pg_backend_pid());", "57P01")
        self.assertEqual(self.sql("select count(*) from pg_class where relname = 'kept'"), "0")


class Contention(DatabaseCase):
    """What the server undoes because of another session is tried again, and is done once."""

    def setUp(self):
        super().setUp()
        self.sql("create table a (n int); create table b (n int); insert into a values (1);"
                 " insert into b values (1)")
        self.write("dags/one.yaml", DAG_FILE.replace(
            "retry_delay", "retries: 3, isolation: serializable, retry_delay"))

    def session(self, first):
        """Another session, which has run `first`."""
        other = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", self.uri], text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL)
        self.addCleanup(other.wait)
        self.addCleanup(other.stdin.close)
        self.addCleanup(other.stdout.close)
        self.say(other, first)
        return other

    def say(self, other, text):
        other.stdin.write(text + "; select 'said';\n")
        other.stdin.flush()
        while other.stdout.readline().strip() != "said":
            self.assertIsNone(other.poll())

    def waits(self, event):
        return self.sql("select count(*) from pg_stat_activity where datname = current_database()"
                        f" and wait_event = '{event}' and query not like '%wait_event%'") != "0"

    def start(self, text):
        self.write("templates/work.sql", text)
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05")

    def check_retried(self, sqlstate):
        self.wait_for(lambda: self.json("status", "one")[0]["state"] == "success")
        self.assertEqual(self.json("status", "one", "2026-01-05")[0]["attempts"], 2)
        self.assertIn(sqlstate, self.dag("logs", "one", "2026-01-05", "work", "--try", "1").stdout)
        self.assertEqual(self.sql("select count(*) from a where n = 7"), "1")

    def test_a_serialization_failure_is_retried(self):
        holder = self.session("select pg_advisory_lock(7)")
        self.start("select sum(n) from b;\nselect pg_advisory_xact_lock_shared(7);\n"
                   "insert into a values (7);\n")
        self.wait_for(lambda: self.waits("advisory"))
        self.sql("begin isolation level serializable; select sum(n) from a;"
                 " insert into b values (2); commit")
        self.say(holder, "select pg_advisory_unlock(7)")
        self.check_retried("40001")

    def test_a_deadlock_is_retried(self):
        holder = self.session("select pg_advisory_lock(7)")
        other = self.session("set deadlock_timeout = '1h'; begin; update b set n = n")
        self.write("dags/one.yaml", DAG_FILE.replace("retry_delay", "retries: 3, retry_delay"))
        self.start("insert into a values (7);\nlock table a in share row exclusive mode;\n"
                   "select pg_advisory_xact_lock_shared(7);\nupdate b set n = n;\n")
        self.wait_for(lambda: self.waits("advisory"))
        other.stdin.write("insert into a values (2); commit; select 'said';\n")
        other.stdin.flush()
        self.wait_for(lambda: self.waits("relation"))
        self.say(holder, "select pg_advisory_unlock(7)")
        self.check_retried("40P01")


class Once(DatabaseCase):
    def test_a_retry_after_a_lost_connection_leaves_one_effect(self):
        self.sql("create table kept (n int); create sequence tries")
        self.write("dags/one.yaml", DAG_FILE.replace("retry_delay", "retries: 2, retry_delay"))
        self.write("templates/work.sql",
                   "insert into kept values (1);\n"
                   "select case when nextval('tries') = 1"
                   " then pg_terminate_backend(pg_backend_pid()) end;\n")
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05", "--wait")
        self.assertEqual(self.sql("select count(*) from kept"), "1")
        self.assertEqual(self.json("status", "one", "2026-01-05")[0]["attempts"], 2)

    def test_a_clear_runs_again_under_a_new_generation(self):
        self.sql("create table kept (n int)")
        self.write("dags/one.yaml", DAG_FILE)
        self.write("templates/work.sql", "insert into kept values (1);\n")
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05", "--wait")
        self.dag("clear", "one", "2026-01-05")
        self.wait_for(lambda: self.sql("select count(*) from kept") == "2")
        self.wait_for(lambda: self.json("status", "one")[0]["state"] == "success")
        self.assertEqual(self.sql("select count(distinct generation) from dag.result"), "2")

    def test_a_cancelled_query_is_gone_before_the_task_is(self):
        self.write("dags/one.yaml", DAG_FILE)
        self.write("templates/work.sql", "select pg_sleep(1000);\n")
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05")
        busy = ("select count(*) from pg_stat_activity where query like 'select pg_sleep(1000)%'"
                " and state = 'active'")
        self.wait_for(lambda: self.sql(busy) == "1")
        self.dag("cancel", "one", "2026-01-05")
        self.wait_for(lambda: self.json("status", "one")[0]["state"] == "failed")
        self.assertEqual(self.sql(busy), "0")

    def test_a_database_that_goes_away_and_comes_back(self):
        self.sql("create table kept (n int)")
        self.write("dags/one.yaml", DAG_FILE.replace("retry_delay", "retries: 5, retry_delay"))
        self.write("templates/work.sql", "insert into kept values (1);\nselect pg_sleep(1);\n")
        self.up()
        self.dag("trigger", "one", "--logical-date", "2026-01-05")
        self.wait_for(lambda: self.states("one")["work"] == "running")
        self.sql("select pg_terminate_backend(pid) from pg_stat_activity"
                 " where datname = current_database() and pid <> pg_backend_pid()")
        self.wait_for(lambda: self.json("status", "one")[0]["state"] == "success")
        self.assertEqual(self.sql("select count(*) from kept"), "1")


if __name__ == "__main__":
    unittest.main()
