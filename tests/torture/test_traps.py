"""The traps of PostgreSQL that a scheduler falls into, each through `dag` on a real server."""

import os
import re
import signal
import subprocess
import threading
import unittest

from proxy import Proxy
from server import DAG, DatabaseCase

DATE = "2026-01-05"
DAG_FILE = """dag_id: one
schedule: null
default_args: {connection: db, retry_delay: 1s}
tasks:
"""


class TrapCase(DatabaseCase):
    """A project whose connection goes through a proxy."""

    def setUp(self):
        super().setUp()
        self.proxy = Proxy((self.server.host, self.server.port))
        self.addCleanup(self.proxy.close)
        self.connect("")
        self.sql("create table kept (n int)")
        self.make_ledger()

    def make_ledger(self):
        """So that the first COMMIT of a test is an attempt's."""
        self.write("dags/one.yaml", DAG_FILE + "  work: {sql: select 1}\n")
        self.dag("run", "one", "--logical-date", "2026-01-01")
        self.sql("truncate dag.claim, dag.result")

    def connect(self, more):
        """The project's file; `more` are further keys of the connection."""
        uri = self.uri.replace(f":{self.server.port}/", f":{self.proxy.port}/")
        self.write("dag.yaml", f"connections:\n  db: {{uri: '{uri}?sslmode=disable'{more}}}\n"
                   "web: {listen: '127.0.0.1:0'}\n")

    def tasks(self, **texts):
        """A DAG of SQL tasks, one after the other: name → text, or (text, further keys)."""
        lines, before = [DAG_FILE], None
        for name, text in texts.items():
            text, more = (text, "") if isinstance(text, str) else text
            self.write(f"templates/{name}.sql", text)
            after = f", depends_on: {before}" if before else ""
            lines.append(f"  {name}: {{sql: {name}.sql{after}{more}}}\n")
            before = name
        self.write("dags/one.yaml", "".join(lines))

    def trigger(self, *more, status=0):
        return self.dag("trigger", "one", "--logical-date", DATE, *more, status=status)

    def row(self, task="work"):
        return next(row for row in self.json("status", "one", DATE) if row["task_id"] == task)

    def log_of(self, task="work", *more):
        return self.dag("logs", "one", DATE, task, *more).stdout

    def count(self, where="true"):
        return int(self.sql(f"select count(*) from kept where {where}"))

    def ends(self, state, limit_s=120):
        self.wait_for(lambda: self.json("status", "one")[0]["state"] in ("success", "failed"),
                      limit_s)
        self.assertEqual(self.json("status", "one")[0]["state"], state, self.log_of())

    def claims(self):
        return self.sql("select count(*) filter (where not void), count(*) filter (where void)"
                        " from dag.claim")

    def role(self, setting):
        """For sessions of the tests' role from now on."""
        self.server.sql(f"alter role current_user set {setting}", "postgres")
        self.addCleanup(self.server.sql, f"alter role current_user reset {setting.split()[0]}",
                        "postgres")


class TransactionControl(TrapCase):
    def refused(self, text, sqlstate):
        """It fails, for good, and leaves nothing."""
        self.tasks(work=(text, ", retries: 1"))
        self.dag("run", "one", "--logical-date", DATE, status=1)
        self.assertEqual((self.row()["state"], self.row()["sqlstate"]), ("failed", sqlstate))
        self.assertEqual((self.count(), self.claims()), (0, "0|0"))

    def test_a_commit_is_refused(self):
        self.tasks(work="insert into kept values (1);\ncommit;\ninsert into kept values (2);\n")
        self.dag("run", "one", "--logical-date", DATE, status=1)
        self.assertEqual(self.row()["sqlstate"], "2D000")
        self.assertIn("nothing was sent", self.log_of())
        self.assertEqual(self.count(), 0)

    def test_a_commit_and_chain_is_refused(self):
        self.tasks(work="insert into kept values (1);\ncommit and chain;\n")
        self.dag("run", "one", "--logical-date", DATE, status=1)
        self.assertEqual(self.row()["sqlstate"], "2D000")
        self.assertEqual(self.count(), 0)

    def test_a_commit_in_a_block_is_refused_by_the_server(self):
        self.refused("insert into kept values (1);\ndo $$ begin commit; end $$;\n", "2D000")

    def test_a_commit_in_a_procedure_is_refused_by_the_server(self):
        self.sql("create procedure commits() language plpgsql as $$ begin"
                 " insert into kept values (2); commit; end $$")
        self.refused("insert into kept values (1);\ncall commits();\n", "2D000")

    def test_a_commit_in_pl_python_is_refused_by_the_server(self):
        self.sql("create procedure commits() language plpython3u as $$ plpy.commit() $$")
        self.refused("insert into kept values (1);\ncall commits();\n", "2D000")

    def commits_once_after_an_error(self, said):
        self.tasks(work=("insert into kept values (1);\n", ", retries: 1"))
        trap = self.proxy.arm("after_an_error")
        self.dag("run", "one", "--logical-date", DATE)
        self.assertTrue(trap.hit.is_set())
        self.assertIn(said, self.log_of("work", "--try", "1"))
        self.assertEqual((self.row()["attempts"], self.count()), (2, 1))

    def test_a_commit_of_an_aborted_transaction_is_no_success(self):
        self.commits_once_after_an_error("current transaction is aborted")
        self.assertEqual(self.claims(), "1|0")

    def test_a_commit_that_the_server_answers_with_rollback_is_no_success(self):
        self.connect(", ledger: false")
        self.commits_once_after_an_error("rolled the transaction back at COMMIT")

    def test_a_ledger_whose_making_is_rolled_back_is_not_there(self):
        self.tasks(work=("insert into kept values (1);\n", ", retries: 1"))
        self.sql("drop schema dag cascade")
        self.proxy.arm("after_an_error")
        self.dag("run", "one", "--logical-date", DATE)
        self.assertIn("COMMIT was answered by ROLLBACK", self.log_of("work", "--try", "1"))
        self.assertEqual((self.row()["attempts"], self.count(), self.claims()), (2, 1, "1|0"))

    def test_an_isolation_level_in_the_sql_is_refused_and_as_a_key_it_holds(self):
        self.refused("set transaction isolation level serializable;\n", "25001")
        self.tasks(work=("do $$ begin assert current_setting('transaction_isolation') ="
                         " 'serializable'; end $$;\ninsert into kept values (1);\n",
                         ", isolation: serializable"))
        self.dag("run", "one", "--logical-date", "2026-01-06")
        self.assertEqual(self.count(), 1)

    def test_deferred_constraints_fail_before_the_commit(self):
        self.sql("alter table kept add unique (n) deferrable initially deferred")
        self.refused("insert into kept values (1);\ninsert into kept values (1);\n", "23505")
        self.assertIn("deferred constraints", self.log_of())
        self.assertNotIn("COMMIT", self.log_of())


class Crashes(TrapCase):
    def test_what_is_acknowledged_survives_a_crash_though_the_role_does_not_wait_for_the_disk(self):
        self.server.sql("alter system set wal_writer_delay = '10s'", "postgres")
        self.server.sql("alter system set wal_writer_flush_after = '1GB'", "postgres")
        self.server.sql("select pg_reload_conf()", "postgres")
        self.role("synchronous_commit = off")
        self.tasks(work="insert into kept values (1);\nset local synchronous_commit = off;\n")
        self.dag("run", "one", "--logical-date", DATE)
        self.sql("insert into kept values (2)")  # which nobody waits for: it is lost
        self.server.restart("immediate")
        self.assertEqual((self.count("n = 1"), self.count("n = 2"), self.claims()), (1, 0, "1|0"))

    def test_an_old_leader_cannot_commit_behind_the_back_of_the_next(self):
        self.tasks(work="insert into kept values (1);\n")
        trap = self.proxy.arm("waits_for_word")
        self.up()
        self.trigger()
        self.assertTrue(trap.hit.wait(60))
        self.kill()
        self.up()
        self.ends("success")
        self.proxy.deliver()
        self.assertEqual((self.count(), self.claims()), (1, "1|0"))
        self.assertIn("pg_terminate_backend", self.log_of("work", "--try", "1"))

    def test_a_commit_that_arrives_late_counts_once(self):
        self.tasks(work="insert into kept values (1);\n")
        trap = self.proxy.arm("arrives_later")
        self.up()
        self.trigger("--wait")
        self.assertTrue(trap.hit.is_set())
        self.assertEqual((self.count(), self.claims()), (1, "1|0"))

    def test_while_the_server_is_away_the_task_is_in_doubt_and_says_when_it_is_asked_again(self):
        self.tasks(work=("insert into kept values (1);\n", ", retries: 0"))
        trap = self.proxy.arm("silence")
        self.up()
        self.trigger()
        self.assertTrue(trap.hit.wait(60))
        self.wait_for(lambda: self.claims() == "1|0")
        self.proxy.refuse(True)
        self.proxy.cut_all()
        self.wait_for(lambda: "asked again at" in self.row()["reason"])
        self.assertRegex(self.row()["reason"],
                         "^in doubt: .*`db`.*; asked again at [-0-9]{10}T[0-9:.]{8,15}[+]00:00$")
        self.assertEqual(self.json("status", "one")[0]["state"], "running")
        self.proxy.refuse(False)
        self.ends("success")
        self.assertEqual((self.count(), self.claims()), (1, "1|0"))

    def test_a_client_that_stalls_is_not_cut_off_by_the_roles_idle_timeout(self):
        self.role("idle_in_transaction_session_timeout = '100ms'")
        self.tasks(work="insert into kept values (1);\nselect pg_advisory_xact_lock(9);\n"
                        "insert into kept values (2);\n")
        holder = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", self.uri], text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holder.stdin.write("select 'held' from (select pg_advisory_lock(9)) l;\n")
        holder.stdin.flush()
        self.assertEqual(holder.stdout.readline(), "held\n")
        self.up()
        self.trigger()
        self.wait_for(lambda: self.sql("select count(*) from pg_locks where not granted") == "1")
        self.daemon.send_signal(signal.SIGSTOP)
        holder.communicate()
        idle = ("select count(*) from pg_stat_activity where datname = current_database()"
                " and state = 'idle in transaction' and state_change < now() - interval '500 ms'")
        self.wait_for(lambda: self.sql(idle) == "1")  # five times the timeout, and still there
        self.daemon.send_signal(signal.SIGCONT)
        self.ends("success")
        self.assertEqual((self.count(), self.row()["attempts"]), (2, 1))

    def test_a_writer_that_stopped_in_the_metadata_holds_up_and_loses_nothing(self):
        self.tasks(work="insert into kept values (1);\n", after="insert into kept values (2);\n")
        self.up()
        held = threading.Event()
        writer = subprocess.Popen(
            ["/usr/bin/python3", "-c", "import sqlite3, sys\n"
             "db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)\n"
             "db.execute('begin immediate')\nprint('held', flush=True)\nsys.stdin.read()\n",
             str(self.folder / ".dag" / "dag.db")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(writer.stdout.close)
        self.assertEqual(writer.stdout.readline(), "held\n")
        writer.send_signal(signal.SIGSTOP)
        asked = threading.Thread(target=lambda: (self.trigger(status=None), held.set()))
        asked.start()
        self.wait_for(lambda: "metadata" in self.log())
        writer.send_signal(signal.SIGCONT)
        writer.stdin.close()
        writer.wait(60)
        asked.join(120)
        self.wait_for(lambda: self.dag("queue", status=None).returncode == 0)
        self.trigger("--wait", status=None)  # once more, should the first have been refused
        self.ends("success")
        self.assertEqual(self.count(), 2)


class Prepared(TrapCase):
    """A transaction that holds the claim and has no backend."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.sql("alter system set max_prepared_transactions = 5", "postgres")
        cls.server.restart()

    def prepare(self):
        """The attempt's transaction, prepared in the middle as Greenplum does by itself."""
        self.tasks(work="insert into kept values (1);\n")
        self.up()
        self.trigger("--wait")
        claim = self.sql("select metadata_id, dag_id from dag.claim").split("|")
        self.sql(
            "begin; insert into dag.claim select metadata_id, dag_id,"
            " '2026-01-06 00:00:00+00', task_id, map_index, generation,"
            " '11111111-1111-4111-8111-111111111111', 7, false, now() from dag.claim;"
            " insert into dag.result select metadata_id, dag_id, '2026-01-06 00:00:00+00', task_id,"
            " map_index, generation, '11111111-1111-4111-8111-111111111111', 7, body, now()"
            " from dag.result; insert into kept values (2); prepare transaction 'old'")
        self.assertEqual(claim[1], "one")
        self.dag("trigger", "one", "--logical-date", "2026-01-06")
        self.wait_for(lambda: "a prepared transaction?" in
                      self.dag("logs", "one", "2026-01-06", "work").stdout)
        self.assertEqual(self.json("status", "one", "2026-01-06")[0]["state"], "running")

    def test_its_rollback_lets_the_attempt_go_on(self):
        self.prepare()
        self.sql("rollback prepared 'old'")
        self.ends("success")
        self.assertEqual((self.count("n = 1"), self.count("n = 2"), self.claims()), (2, 0, "2|0"))

    def test_its_commit_is_the_tasks_success(self):
        self.prepare()
        self.sql("commit prepared 'old'")
        self.ends("success")
        self.assertEqual((self.count("n = 1"), self.count("n = 2"), self.claims()), (1, 1, "2|0"))
        self.assertIn("committed by attempt 11111111",
                      self.dag("logs", "one", "2026-01-06", "work").stdout)


class Sessions(TrapCase):
    def test_a_late_cancel_does_not_hit_the_next_task(self):
        self.connect(", max_connections: 1")
        self.tasks(work="select pg_sleep(1);\n")
        self.write("templates/next.sql", "select pg_sleep(2);\ninsert into kept values (1);\n")
        self.write("dags/next.yaml", DAG_FILE.replace("one", "next") +
                   "  work: {sql: next.sql, session: reuse}\n")
        self.up()
        self.proxy.pass_cancels(False)
        self.trigger()
        self.wait_for(lambda: self.row()["state"] == "running")
        self.dag("cancel", "one", DATE)
        self.dag("trigger", "next", "--logical-date", DATE)
        self.wait_for(lambda: self.json("status", "next", DATE)[0]["state"] == "running")
        self.proxy.pass_cancels(True)
        self.wait_for(lambda: self.json("status", "next")[0]["state"] == "success")
        self.assertEqual(self.count(), 1)
        self.assertEqual(self.json("status", "next", DATE)[0]["attempts"], 1)
        self.assertEqual(self.row()["state"], "failed")

    def test_a_role_taken_on_does_not_reach_the_ledger_nor_the_next_task(self):
        self.sql("create role other; grant insert on kept to other")
        self.addCleanup(self.server.sql, "drop role other", "postgres")
        self.addCleanup(self.sql, "drop owned by other")
        self.connect(", max_connections: 1")
        self.tasks(work=("set role other;\ninsert into kept values (1);\n", ", session: reuse"),
                   after=("do $$ begin assert current_user = session_user; end $$;\n",
                          ", session: reuse"))
        self.dag("run", "one", "--logical-date", DATE)
        self.assertEqual((self.count(), self.claims()), (1, "2|0"))

    def test_what_a_task_leaves_in_its_session_does_not_reach_the_next(self):
        self.connect(", max_connections: 1")
        self.sql("create table used (pid int); create schema elsewhere")
        usual = self.sql("show search_path").replace("'", "''")
        reuse = ", session: reuse"
        self.tasks(
            first=("insert into used select pg_backend_pid();\nlisten torture;\n"
                   "create temp table left_over (n int);\ncreate temp table kept (n int);\n"
                   "select pg_advisory_lock(7);\nprepare left_over as select 1;\n"
                   "set search_path = elsewhere;\nset statement_timeout = '1min';\n"
                   "declare left_over cursor with hold for select 1;\n", reuse),
            second=("insert into used select pg_backend_pid();\n"
                    "do $$ begin\n"
                    "  assert (select count(*) from pg_listening_channels()) = 0, 'listen';\n"
                    "  assert to_regclass('pg_temp.left_over') is null, 'temporary table';\n"
                    "  assert (select count(*) from pg_locks where locktype = 'advisory') = 0,"
                    " 'advisory lock';\n"
                    "  assert (select count(*) from pg_prepared_statements) = 0, 'prepared';\n"
                    "  assert (select count(*) from pg_cursors where name = 'left_over') = 0,"
                    " 'cursor';\n"
                    f"  assert current_setting('search_path') = '{usual}', 'search_path '"
                    " || current_setting('search_path');\n"
                    "  assert current_setting('statement_timeout') = '0', 'timeout';\nend $$;\n"
                    "insert into kept values (1);\n", reuse))
        self.dag("run", "one", "--logical-date", DATE)
        self.assertEqual(self.count(), 1)
        self.assertEqual(self.sql("select count(*), count(distinct pid) from used"), "2|1")

    def test_sockets_whose_numbers_are_used_again_are_heard(self):
        ends = "select pg_terminate_backend(pid) from pg_stat_activity" \
               " where datname = current_database() and pid <> pg_backend_pid()" \
               " and application_name = 'dag'"
        lines = [DAG_FILE.replace("connection: db", "connection: db, retries: 20")]
        for n in range(30):
            self.write(f"templates/t{n}.sql", f"insert into kept values ({n});\n{ends};\n")
            session = ("auto", "fresh", "reuse")[n % 3]
            lines.append(f"  t{n}: {{sql: t{n}.sql, session: {session}}}\n")
        self.write("dags/one.yaml", "".join(lines))
        self.dag("run", "one", "--logical-date", DATE)
        self.assertEqual(self.sql("select count(*), count(distinct n) from kept"), "30|30")

    def test_a_million_rows_that_nobody_wants_take_no_memory(self):
        self.tasks(few="select 1;\n", many="select n, repeat('x', 90) from"
                   " generate_series(1, 1000000) n;\n")
        before = self.peak_kb("few")
        self.assertLess(self.peak_kb("many") - before, 40 * 1024)
        self.assertIn("SELECT 1000000", self.log_of("many"))

    def peak_kb(self, upto):
        """The most memory that a daemon of its own held while it ran the DAG up to that task."""
        # The sanitizer keeps what was freed for a while; that is not what is measured here.
        os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=1"
        self.addCleanup(os.environ.pop, "ASAN_OPTIONS", None)
        self.up()
        day = "2026-01-04" if upto == "few" else DATE
        if upto == "few":
            self.write("dags/one.yaml", (self.folder / "dags/one.yaml").read_text().replace(
                "sql: many.sql", "sql: few.sql"))
            self.wait_for(lambda: "replaces the last" in self.log())
        self.dag("trigger", "one", "--logical-date", day, "--wait")
        status = open(f"/proc/{self.daemon.pid}/status", encoding="utf-8").read()
        self.dag("down")
        self.daemon.wait(60)
        if upto == "few":
            self.write("dags/one.yaml", (self.folder / "dags/one.yaml").read_text().replace(
                "many: {sql: few.sql", "many: {sql: many.sql"))
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1))


# Statements that take no parameters, with a bound value in each.
UNBOUND = """
do $$ begin insert into kept values ({{ params.n | bind }}); end $$;
alter table kept add column m int default {{ params.n | bind }};
create table parted (n int) partition by list (n);
create table parted_7 partition of parted for values in ({{ params.n | bind }});
create view seen as select n from kept where n = {{ params.n | bind }};
copy (select n from kept where n = {{ params.n | bind }}) to stdout;
set local work_mem = {{ params.memory | bind }};
create table copied as select n from kept where n = {{ params.n | bind }};
insert into kept (n) select {{ params.n | bind }} + 1;
"""


class Parameters(TrapCase):
    def test_bound_values_stand_where_no_parameter_is_taken(self):
        self.write("templates/work.sql", UNBOUND)
        self.write("dags/one.yaml", DAG_FILE.replace("schedule: null\n", "schedule: null\n"
                   "params: {n: 7, memory: 8MB}\n")
                   + "  work: {sql: work.sql, copy_to: kept.txt}\n")
        self.dag("run", "one", "--logical-date", DATE)
        self.assertEqual(self.sql("select string_agg(n || ' ' || m, ', ' order by n) from kept"),
                         "7 7, 8 7")
        self.assertEqual(self.sql("insert into parted values (7) returning n"), "7")
        self.assertEqual((self.folder / "kept.txt").read_text(encoding="utf-8"), "7\n")
        self.assertEqual(self.sql("select n from seen"), "7")
        self.assertEqual(self.sql("select n from copied"), "7")


if __name__ == "__main__":
    unittest.main()
