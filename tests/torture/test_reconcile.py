"""dag doctor --reconcile: what the metadata and the target's ledger tell differently is found, each
with the command that mends it."""

import json
import shlex
import shutil
import sqlite3
import subprocess
import unittest

from server import DatabaseCase

DAG_FILE = """dag_id: one
start_date: 2026-01-01
schedule: "@daily"
catchup: none
default_args: {connection: db}
tasks:
  look: {branch: {sql: "select 'load'"}}
  load: {sql: "insert into kept values ('{{ ds }}')", depends_on: look}
  part: {sql: "insert into kept values ('{{ mapped.n }}')", expand: {n: [1, 2]}, depends_on: load}
  idle: {bash: 'true'}
"""


class Reconcile(DatabaseCase):
    def setUp(self):
        super().setUp()
        self.sql("create table kept (what text)")
        self.write("dags/one.yaml", DAG_FILE)
        self.dag("run", "one", "--logical-date", "2026-01-05")
        self.path = self.folder / ".dag" / "dag.db"

    def metadata(self, text):
        with sqlite3.connect(self.path) as db:
            return db.execute(text).fetchall()

    def keep(self):
        """A backup of the metadata, and putting it back."""
        sqlite3.connect(self.path).execute("pragma wal_checkpoint(truncate)")
        shutil.copy(self.path, self.folder / "backup.db")

    def put_back(self):
        for name in ("dag.db-wal", "dag.db-shm"):
            (self.path.parent / name).unlink(missing_ok=True)
        shutil.copy(self.folder / "backup.db", self.path)

    def look(self, status=0):
        text = self.dag("doctor", "--reconcile", "--json", status=status).stdout
        rows = [json.loads(line) for line in text.splitlines()]
        return [row for row in rows if row["what"] != "project"]

    def only(self, verdict, kind, task_id):
        """The one difference there is."""
        rows = self.look(status=1 if verdict == "bad" else 0)
        self.assertEqual([(row["verdict"], row["kind"], row["task_id"]) for row in rows],
                         [(verdict, kind, task_id)], rows)
        self.assertIn(rows[0]["found"], self.dag("doctor", "--reconcile", status=None).stdout)
        return rows[0]

    def carry_out(self, row):
        """Runs the command that stands at the remedy's end."""
        words = shlex.split(row["remedy"].split(": ", 1)[1])
        self.assertEqual(words[0], "dag")
        return self.dag(*words[1:])

    def well(self, count):
        rows = self.look()
        self.assertEqual([(row["verdict"], row["found"]) for row in rows],
                         [("ok", f"{count} results, all as the metadata says")])

    def test_what_agrees(self):
        self.well(3)
        self.assertIn("ok    ledger of `db`: 3 results", self.dag("doctor", "--reconcile").stdout)

    def test_a_success_whose_row_is_gone_is_run_again(self):
        self.sql("delete from dag.result where map_index = 1; delete from dag.claim where"
                 " map_index = 1; delete from kept where what = '2'")
        row = self.only("bad", "no-result", "part")
        self.assertEqual((row["map_index"], row["dag_id"], row["connection"]), (1, "one", "db"))
        self.carry_out(row)
        self.dag("run", "one", "--logical-date", "2026-01-05")
        self.well(3)
        self.assertEqual(self.sql("select count(*) from kept where what = '2'"), "1")

    def test_a_void_and_a_claim_alone_are_no_success(self):
        self.sql("delete from dag.result where task_id = 'load'")
        self.assertIn("its claim alone", self.only("bad", "no-result", "load")["found"])
        self.sql("update dag.claim set void = true where task_id = 'load'")
        self.assertIn("it is void", self.only("bad", "no-result", "load")["found"])

    def test_a_commit_that_the_metadata_calls_failed_is_marked(self):
        self.metadata("update task_instance set state = 'failed', reason = 'retries_used_up'"
                      " where task_id = 'load'")
        self.carry_out(self.only("bad", "not-success", "load"))
        self.well(3)

    def test_what_was_marked_by_hand_is_as_somebody_wants_it(self):
        self.dag("mark", "one", "2026-01-05", "load", "failed")
        self.well(3)

    def test_a_run_that_a_backup_of_the_metadata_does_not_know(self):
        self.keep()
        self.dag("run", "one", "--logical-date", "2026-01-06")
        self.put_back()
        row = self.only("warn", "no-run", None)
        self.assertTrue(row["found"].startswith("one 2026-01-06: 3 results"), row)
        self.carry_out(row)
        self.well(4)  # of a mapped task that is marked the indexes are not looked at

    def test_a_cleared_run_that_a_backup_does_not_know_would_run_again(self):
        self.keep()
        self.dag("run", "one", "--logical-date", "2026-01-06")
        self.dag("clear", "one", "2026-01-06", "load")
        self.dag("run", "one", "--logical-date", "2026-01-06")
        self.put_back()
        self.only("bad", "no-run", None)

    def test_a_generation_that_a_backup_does_not_know(self):
        self.keep()
        self.dag("clear", "one", "2026-01-05", "load")
        self.dag("run", "one", "--logical-date", "2026-01-05")
        self.put_back()
        row = self.only("warn", "unknown-generation", "load")
        self.assertIsNone(row["remedy"])
        self.metadata("update task_instance set state = 'failed' where task_id = 'load'")
        rows = self.look(status=1)
        self.assertEqual({row["kind"] for row in rows}, {"unknown-generation", "not-success"})
        self.assertTrue(all(row["verdict"] == "bad" for row in rows), rows)

    def test_a_ledger_that_no_connection_leads_to(self):
        self.sql("update dag.ledger set id = '0a0a0a0a-1111-4222-8333-444444444444'")
        rows = {row["kind"]: row for row in self.look(status=1) if "kind" in row}
        self.assertEqual(set(rows), {"other-ledger"})
        self.assertIn("3 successes are in ledger", rows["other-ledger"]["found"])

    def test_a_session_of_an_attempt_that_is_over(self):
        attempt = self.metadata("select id from attempt where task_id = 'load'")[0][0]
        other = subprocess.Popen(
            ["psql", "-X", "-q", "-A", "-t", "-d", self.uri], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(other.wait)
        self.addCleanup(other.stdin.close)
        self.addCleanup(other.stdout.close)
        other.stdin.write(f"set application_name = '{attempt}'; select pg_backend_pid();\n")
        other.stdin.flush()
        pid = other.stdout.readline().strip()
        row = self.only("bad", "session", "load")
        self.sql(row["remedy"].split(": ", 1)[1])
        self.assertEqual(row["found"].split()[4], pid, row)
        self.wait_for(lambda: self.look(status=None)[0]["verdict"] == "ok")

    def test_a_server_that_does_not_answer(self):
        self.write("dag.yaml", f"connections:\n  db: {{uri: '{self.uri}'}}\n"
                   "  away: {uri: 'postgresql://127.0.0.1:1/x'}\n"
                   f"  same: {{uri: '{self.uri}'}}\n  none: {{uri: '{self.uri}', ledger: false}}\n")
        rows = {row["what"]: row for row in self.look(status=1)}
        self.assertEqual(rows["ledger of `away`"]["verdict"], "bad")
        self.assertTrue(rows["ledger of `away`"]["remedy"])
        self.assertEqual(rows["ledger of `same`"]["found"], "it is the one of another connection")
        self.assertEqual(rows["ledger of `db`"]["verdict"], "ok")
        self.assertNotIn("ledger of `none`", rows)

    def test_a_project_that_has_run_nothing(self):
        shutil.rmtree(self.folder / ".dag")
        self.assertEqual([row["found"] for row in self.look()], ["none yet"])


if __name__ == "__main__":
    unittest.main()
