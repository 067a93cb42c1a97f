"""What is deleted when it is old, and what never is; dag db check, clean and export."""

import json
import sqlite3
import stat
import unittest
from contextlib import closing

from support import ProjectCase

DAG = """
schedule: null
tasks:
  say: {bash: "echo hello; echo '{\\"a\\": 1}' > $DAG_XCOM", outlets: [thing]}
"""
YEAR_US = 365 * 86400 * 1000000


class Retention(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dags/a.yaml", DAG)
        for date in ("2026-01-01", "2026-01-02"):
            self.dag("run", "a", "--logical-date", date)

    def sql(self, text):
        with closing(sqlite3.connect(self.folder / ".dag" / "dag.db", timeout=30)) as db:
            rows = db.execute(text).fetchall()
            db.commit()
            return rows

    def age(self, date="2026-01-01"):
        """Makes a run one that ended a year ago."""
        self.sql(f"update run set ended_us = ended_us - {YEAR_US} where run_id like '%{date}%'")
        self.sql(f"update request set at_us = at_us - {YEAR_US} where request like '%{date}%'")
        self.sql(f"update asset_event set at_us = at_us - {YEAR_US} where run_id like '%{date}%'")

    def count(self, table):
        return self.sql(f"select count(*) from {table}")[0][0]

    def check_cleaned(self):
        self.assertEqual(self.count("run"), 2)
        self.assertEqual(self.count("task_instance"), 2)
        self.assertEqual(self.count("attempt"), 1)
        self.assertEqual(self.count("asset_event"), 1)
        self.assertEqual(len(list((self.folder / ".dag" / "logs").rglob("*.log"))), 1)
        self.assertEqual([run["state"] for run in self.json("status", "a")], ["success"] * 2)
        self.assertIn("out hello", self.dag("logs", "a", "2026-01-02", "say").stdout)
        self.dag("logs", "a", "2026-01-01", "say", status=3)

    def test_by_hand_first_as_a_preview(self):
        self.age()
        before = self.json("db", "clean", "--dry-run")[0]
        self.assertEqual((before["runs"], before["attempts"], before["asset_events"]), (1, 1, 1))
        self.assertEqual(self.count("attempt"), 2)
        self.assertEqual(len(list((self.folder / ".dag" / "logs").rglob("*.log"))), 2)
        self.assertEqual(dict(self.json("db", "clean")[0], dry_run=True), before)
        self.check_cleaned()
        self.assertEqual(self.json("db", "clean")[0]["runs"], 0)

    def test_by_the_daemon_at_its_start(self):
        self.age()
        self.up()
        self.wait_for(lambda: "retention: of 1 runs" in self.log())
        self.check_cleaned()
        self.assertIn("dag down", self.dag("db", "clean", status=4).stderr)
        self.dag("db", "clean", "--dry-run")

    def test_a_cleaned_run_is_refused_a_second_time_and_can_be_cleared(self):
        self.age()
        self.dag("db", "clean")
        self.dag("run", "a", "--logical-date", "2026-01-01", status=1)
        self.dag("clear", "a", "2026-01-01")
        self.dag("run", "a", "--logical-date", "2026-01-01")
        self.assertIn("out hello", self.dag("logs", "a", "2026-01-01", "say").stdout)
        self.assertEqual(self.json("logs", "a", "2026-01-01", "say")[0]["number"], 2)

    def test_a_date_may_be_named_and_the_newest_event_stays(self):
        self.dag("db", "clean", "--before", "2100-01-01")
        self.assertEqual((self.count("run"), self.count("attempt")), (2, 0))
        self.assertEqual(self.sql("select id from asset_event"), [(2,)])

    def test_what_may_still_commit_is_kept(self):
        self.age()
        self.sql("update task_instance set unsettled = 1 where run = 1")
        self.assertEqual(self.json("db", "clean")[0]["runs"], 0)
        self.assertEqual(self.count("attempt"), 2)


class Metadata(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dags/a.yaml", DAG)
        self.dag("run", "a", "--logical-date", "2026-01-01")
        self.path = self.folder / ".dag" / "dag.db"

    def test_sound_metadata_and_damaged(self):
        facts = {row["what"]: row for row in self.json("db", "check")}
        self.assertEqual(facts["integrity"]["found"], "ok")
        self.assertEqual(facts["rows of run"]["found"], "1")
        with closing(sqlite3.connect(self.path)) as db:
            db.execute("pragma foreign_keys = off")
            db.execute("delete from run")
            db.commit()
        done = self.dag("db", "check", status=1)
        self.assertIn("DAMAGED relations: ", done.stdout)
        self.assertIn("backup", done.stderr)
        self.path.write_bytes(b"no database, whatever its name says " * 100)
        self.assertIn("not a database", self.dag("db", "check", status=1).stdout)

    def test_an_export_holds_all_but_the_settings_values(self):
        self.dag("var", "set", "greeting", "a-value-not-to-be-seen")
        to = self.folder / "state.db"
        self.dag("db", "export", str(to))
        self.assertEqual(stat.S_IMODE(to.stat().st_mode), 0o600)
        self.assertNotIn(b"not-to-be-seen", to.read_bytes())
        with closing(sqlite3.connect(to)) as db:
            self.assertEqual(db.execute("select count(*) from attempt").fetchone()[0], 1)
            self.assertEqual(db.execute("select count(*) from setting").fetchone()[0], 1)
        self.assertIn("there already", self.dag("db", "export", str(to), status=None).stderr)

    def test_an_export_masks_what_names_call_a_secret(self):
        self.write("dags/keyed.yaml", "schedule: null\ntasks:\n  a: {bash: 'true'}\n")
        conf = {"api_token": "not-to-be-seen-1", "deep": [{"password": ["not-to-be-seen-2"]}],
                "day": "2026-01-05"}
        self.dag("run", "keyed", "--logical-date", "2026-01-05", "--conf", json.dumps(conf))
        to = self.folder / "state.db"
        self.dag("db", "export", str(to))
        self.assertFalse(b"not-to-be-seen" in to.read_bytes())  # not printed: it is large
        with closing(sqlite3.connect(to)) as db:
            rows = db.execute("select conf from run where dag_id = 'keyed'").fetchall()
            empty = db.execute("select conf from run where dag_id <> 'keyed'").fetchone()[0]
        self.assertEqual([json.loads(row[0]) for row in rows],
                         [{"api_token": "***", "deep": [{"password": "***"}], "day": "2026-01-05"}])
        self.assertEqual(empty, "{}")
        self.assertIn("not-to-be-seen-1", self.dag("status", "keyed", "--json").stdout)

    def test_wrong_use_is_told(self):
        self.assertIn("export FILE", self.dag("db", "export", status=2).stderr)
        self.dag("db", "clean", "--before", "yesterdayish", status=2)


if __name__ == "__main__":
    unittest.main()
