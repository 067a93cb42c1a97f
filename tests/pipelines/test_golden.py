"""Each task's text and each migration, for every dialect, is the reviewed one in golden/.

DAG_UPDATE_GOLDEN=1 writes the files instead: read the difference before it is committed.
"""

import os
import unittest
from pathlib import Path

import support

GOLDEN = Path(__file__).parent / "golden"
CASES = [("geolife", task, "2007-04-30") for task in support.DAYS]
CASES += [("geolife_model_training", task, "2007-05-01") for task in support.TRAINING]
CASES += [("credit_card_training", "register_model", "2013-10-01"),
          ("credit_card_scoring", "score_transactions", "2013-10-01")]
# Templates that no shipped DAG uses, for Greenplum only.
GREENPLUM = ("greenplum6", "greenplum7")
EXTERNAL = ("load_trajectory_landing_external", "load_label_landing_external")


class Golden(unittest.TestCase):
    maxDiff = None

    def check(self, dialect, name, text):
        path = GOLDEN / dialect / name
        if os.environ.get("DAG_UPDATE_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.assertEqual(path.read_text(encoding="utf-8"), text)

    def test_tasks(self):
        for dialect in support.DIALECTS:
            for dag, task, day in CASES:
                with self.subTest(dialect=dialect, dag=dag, task=task):
                    text = support.render_task(dag, task, day, dialect)
                    self.check(dialect, f"{dag}.{task}.sql", text)

    def test_migrations(self):
        for dialect in support.DIALECTS:
            for path in support.MIGRATIONS:
                with self.subTest(dialect=dialect, migration=path.name):
                    text = support.render_migration(path, dialect)
                    self.check(dialect, f"migrations/{path.name}", text)

    def test_external_tables(self):
        variables = {"var": {"value": {"geolife_release_url": "http://files.example/geolife"}}}
        for name in EXTERNAL:
            path = support.ROOT / "templates" / "geolife" / f"{name}.sql"
            for dialect in GREENPLUM:
                with self.subTest(dialect=dialect, template=name):
                    self.check(dialect, f"{name}.sql", support.render_file(path, variables))

    def test_every_golden_file_is_checked(self):
        expected = {f"{dag}.{task}.sql" for dag, task, _ in CASES}
        expected |= {f"migrations/{path.name}" for path in support.MIGRATIONS}
        for dialect in support.DIALECTS:
            folder = GOLDEN / dialect
            external = {f"{name}.sql" for name in EXTERNAL} if dialect in GREENPLUM else set()
            found = {str(path.relative_to(folder)) for path in folder.rglob("*.sql")}
            self.assertEqual(expected | external, found, dialect)


class Rules(unittest.TestCase):
    """What must hold for every task's text, whatever it says."""

    def texts(self, dialect):
        for dag, task, day in CASES:
            yield f"{dag}.{task}", support.render_task(dag, task, day, dialect)
        for path in support.MIGRATIONS:
            yield path.name, support.render_migration(path, dialect)

    def test_greenplum_6_has_no_declarative_partitions(self):
        for name, text in self.texts("greenplum6"):
            for words in ("partition of", "add column if not exists", "on conflict", "plpython3u"):
                self.assertNotIn(words, text.lower(), name)

    def test_postgresql_has_no_clauses_of_greenplum(self):
        for name, text in self.texts("postgresql"):
            for words in ("distributed", "add partition", "gp_segment_id", "plpythonu"):
                self.assertNotIn(words, text.lower(), name)

    def test_every_task_of_the_files_is_covered(self):
        for dag, tasks in (("geolife", support.DAYS), ("geolife_model_training", support.TRAINING)):
            lines = (support.ROOT / "dags" / f"{dag}.yaml").read_text(encoding="utf-8").splitlines()
            named = [line.split("/", 1)[1][:-len(".sql")]
                     for line in lines if "sql: geolife/" in line]
            self.assertEqual(sorted(tasks), sorted(named))


if __name__ == "__main__":
    unittest.main()
