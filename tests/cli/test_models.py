"""dag model: the registry of models that the pipelines ship with, on a real PostgreSQL."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "torture"))

from server import ROOT, ProjectCase, Server  # noqa: E402  (found by the line above)

PROJECT = """\
web: {{listen: '127.0.0.1:0'}}
connections:
  greenplum: {{uri: '{uri}', settings: {{search_path: 'geolife, public'}}}}
models:
  connection: greenplum
  scored: >
    select 'rf_walk' as name, model_version as version, count(*) as scored,
    max(tdate)::text as newest from walk_prediction_results group by 2
"""
# 2007-04-01 was never good, of May and June the newer one scores, July is not trained.
ROWS = """
truncate models.registry, models.evaluation;
insert into models.registry (name, version, mdate, kind, place, metrics, features, dag_id, run_id,
    rows_train, rows_test, in_service, reason, decided_by, decided_at, trained_at)
select 'rf_walk', d, d::date, 'madlib_forest', 'geolife.rf_' || to_char(d::date, 'YYYYMMDD'),
    json_build_object('auc', auc, 'threshold', 0.5, 'confusion', 'words')::jsonb, 'speed',
    'geolife_model_training', 'scheduled__' || d, rows, rows / 4, coalesce(auc >= 0.75, false),
    why, 'rule', timestamptz '2007-08-01 12:00+00',
    timestamptz '2007-08-01 11:00+00'
from (values ('2007-04-01', 0.6, 80, 'AUC 0.6000 is below 0.75'),
    ('2007-05-01', 0.9, 80, 'AUC 0.9'),
    ('2007-06-01', 0.95, 80, 'AUC 0.95'), ('2007-07-01', null, 0, 'not trained')) as m
    (d, auc, rows, why);
insert into models.registry (name, version, mdate, kind, place)
values ('credit_card', '2007-05-01', '2007-05-01', 'keras', '/models/credit_card.keras');
insert into models.evaluation (name, version, part, n, series, label, y) values
    ('rf_walk', '2007-06-01', 'confusion', 1, 'other', 'other', 30),
    ('rf_walk', '2007-06-01', 'confusion', 2, 'other', 'walk', 2),
    ('rf_walk', '2007-06-01', 'confusion', 3, 'walk', 'other', 1),
    ('rf_walk', '2007-06-01', 'confusion', 4, 'walk', 'walk', 40);
"""
PREDICTED = """
create table geolife.walk_prediction_results_1_prt_p20070601
    partition of geolife.walk_prediction_results for values in ('2007-06-01');
insert into geolife.walk_prediction_results values
    ('a', true, '2007-06-01', '2007-05-01'), ('b', true, '2007-06-01', '2007-06-01'),
    ('c', true, '2007-06-01', '2007-06-01')
"""
ME = pwd.getpwuid(os.geteuid()).pw_name


class ModelCase(ProjectCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.uri = cls.server.create("models")

    def setUp(self):
        super().setUp()
        shutil.copytree(ROOT / "migrations", self.folder / "migrations")
        self.write("dag.yaml", PROJECT.format(uri=self.uri))
        self.dag("migrate")
        self.sql(ROWS)

    def sql(self, text):
        return self.server.sql(text, "models")

    def services(self, name="rf_walk"):
        """version → whether it is in service, by the table itself."""
        rows = self.sql(f"select version, in_service from models.registry where name = '{name}'")
        return {row.split("|")[0]: row.endswith("t") for row in rows.splitlines()}


class Reading(ModelCase):
    def test_versions_are_listed_newest_first_with_what_they_scored(self):
        self.sql(PREDICTED)
        self.addCleanup(self.sql, "drop table geolife.walk_prediction_results_1_prt_p20070601")
        lines = self.dag("model", "list").stdout.splitlines()
        words = [line.split()[:2] for line in lines]
        self.assertEqual(words, [["MODEL", "VERSION"], ["credit_card", "2007-05-01"],
                                 ["rf_walk", "2007-07-01"], ["rf_walk", "2007-06-01"],
                                 ["rf_walk", "2007-05-01"], ["rf_walk", "2007-04-01"]])
        self.assertRegex(lines[3], r"in service +auc 0\.95, threshold 0\.5 +2 +AUC 0\.95$")
        self.assertRegex(lines[4], r"until 2007-06-01 +auc 0\.9, threshold 0\.5 +1 +AUC 0\.9$")
        self.assertRegex(lines[5], r"2007-04-01 +auc 0\.6, threshold 0\.5 +0 +AUC 0\.6000 is below")
        rows = self.json("model", "list", "rf_walk")
        self.assertEqual([row["version"][5:7] for row in rows], ["07", "06", "05", "04"])
        self.assertEqual([row["current"] for row in rows], [False, True, False, False])
        self.assertEqual([row["in_service"] for row in rows], [False, True, True, False])
        self.assertEqual([row["until"] for row in rows], [None, None, "2007-06-01", None])
        self.assertEqual([row["scored"] for row in rows], [0, 2, 1, 0])
        self.assertEqual(rows[1]["scored_newest"], "2007-06-01")
        self.assertEqual(rows[1]["metrics"], {"auc": 0.95, "threshold": 0.5, "confusion": "words"})
        self.assertEqual(rows[1]["decided_at"], "2007-08-01T12:00:00+00:00")

    def test_one_version_is_shown_with_its_confusion_matrix(self):
        told = self.dag("model", "show", "rf_walk", "2007-06-01").stdout
        for text in ("rf_walk 2007-06-01\n", "in service\n", "by rule, 2007-08-01 12:00:00 UTC\n",
                     "80 to train, 20 to test\n", "geolife_model_training scheduled__2007-06-01\n",
                     "observed other: 30 as other, 2 as walk\n",
                     "observed walk: 1 as other, 40 as walk\n"):
            self.assertIn(text, told)
        self.assertIn("out of service", self.dag("model", "show", "rf_walk").stdout)  # the newest
        row, = self.json("model", "show", "rf_walk", "2007-06-01")
        self.assertEqual([point["y"] for point in row["evaluation"]], [30, 2, 1, 40])

    def test_what_is_not_there_is_named_with_the_nearest(self):
        for words, message, hint in (
                (("show", "rf_wlk"), "no model `rf_wlk`", "did you mean `rf_walk`?"),
                (("list", "rf_wlk"), "no model `rf_wlk`", "did you mean `rf_walk`?"),
                (("show", "zebra"), "no model `zebra`", "`dag model list`"),
                (("show", "rf_walk", "2007-06-02"), "no version of `rf_walk`: `2007-06-02`",
                 "did you mean `2007-0"),
                (("promote", "rf_wlk", "2007-05-01"), "no model `rf_wlk`", "`rf_walk`?"),
                (("retire", "credit_card", "x"), "no version of `credit_card`: `x`",
                 "`dag model list credit_card`")):
            told = self.dag("model", *words, status=3).stderr
            self.assertIn(message, told)
            self.assertIn(hint, told)

    def test_what_it_scored_failing_does_not_hide_the_versions(self):
        self.write("dag.yaml", PROJECT.format(uri=self.uri).replace("walk_prediction", "no_such"))
        done = self.dag("model", "list")
        self.assertIn("2007-06-01", done.stdout)
        self.assertIn("`models.scored` failed", done.stderr)
        self.assertIn("no_such_results", done.stderr)

    def test_wrong_words(self):
        for words in (("list", "a", "b"), ("show",), ("promote", "rf_walk"), ("drop", "x"), ()):
            self.assertIn("dag model -h", self.dag("model", *words, status=2).stderr)


class Changing(ModelCase):
    def test_promoting_takes_newer_ones_out_and_records_who_and_why(self):
        told = self.dag("model", "promote", "rf_walk", "2007-05-01", "--note", "it's buses").stdout
        self.assertEqual(told, "rf_walk 2007-06-01: retired\nrf_walk 2007-05-01: is in service\n")
        self.assertEqual(self.services(), {"2007-04-01": False, "2007-05-01": True,
                                           "2007-06-01": False, "2007-07-01": False})
        june, may = self.json("model", "list", "rf_walk")[1:3]
        self.assertEqual(june["reason"], "retired by hand: 2007-05-01 was promoted: it's buses")
        self.assertEqual(may["reason"], "promoted by hand: it's buses")
        self.assertEqual([may["decided_by"], june["decided_by"]], [ME, ME])
        self.assertGreater(may["decided_at"], "2026")
        told = self.dag("model", "promote", "rf_walk", "2007-05-01", status=1).stderr
        self.assertIn("version 2007-05-01 of `rf_walk` is in service already", told)

    def test_one_that_was_out_of_service_can_be_put_in(self):
        row, = self.json("model", "promote", "rf_walk", "2007-04-01")
        self.assertEqual(row, {"name": "rf_walk", "version": "2007-04-01", "current": "2007-04-01",
                               "retired": ["2007-06-01", "2007-05-01"], "dry_run": False})
        self.assertEqual([v for v, serves in self.services().items() if serves], ["2007-04-01"])
        self.assertEqual(self.services("credit_card"), {"2007-05-01": False})  # another's

    def test_retiring_leaves_the_one_before(self):
        told = self.dag("model", "retire", "rf_walk", "2007-06-01").stdout
        self.assertEqual(told, "rf_walk 2007-06-01: retired\nrf_walk 2007-05-01: is in service\n")
        told = self.dag("model", "retire", "rf_walk", "2007-06-01", status=1).stderr
        self.assertIn("version 2007-06-01 of `rf_walk` is not in service", told)
        told = self.dag("model", "retire", "rf_walk", "2007-05-01").stdout
        self.assertIn("rf_walk: no version is in service\n", told)

    def test_one_that_was_never_trained_stays_out(self):
        told = self.dag("model", "promote", "rf_walk", "2007-07-01", status=1).stderr
        self.assertIn("was never trained: not trained", told)

    def test_a_dry_run_changes_nothing(self):
        before = self.services()
        told = self.dag("model", "promote", "rf_walk", "2007-05-01", "--dry-run").stdout
        self.assertIn("rf_walk 2007-06-01: would be retired\n", told)
        self.assertEqual(self.services(), before)

    def test_an_interrupted_promotion_did_nothing(self):
        holder = self.start_psql("begin; lock table models.registry; select 'held'; \\! cat")
        self.wait_for(lambda: self.sql(
            "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted"
            " and relation = 'models.registry'::regclass") == "1")
        before = self.start("model", "promote", "rf_walk", "2007-05-01")
        self.wait_for(lambda: self.sql(
            "select count(*) from pg_locks where not granted"
            " and relation = 'models.registry'::regclass") == "1")
        before.send_signal(signal.SIGINT)
        self.assertNotEqual(before.wait(60), 0)
        holder.stdin.close()
        holder.wait(60)
        self.wait_for(lambda: self.sql(
            "select count(*) from pg_stat_activity where application_name = 'dag model'") == "0")
        self.assertEqual(self.services(), {"2007-04-01": False, "2007-05-01": True,
                                           "2007-06-01": True, "2007-07-01": False})

    def start_psql(self, text):
        process = subprocess.Popen(
            ["psql", "-X", "-q", "-d", self.uri], stdin=subprocess.PIPE, text=True,
            stdout=subprocess.DEVNULL)
        self.addCleanup(self.finish_psql, process)
        process.stdin.write(text.replace("; ", ";\n") + "\n")
        process.stdin.flush()
        return process

    @staticmethod
    def finish_psql(process):
        if process.poll() is None:
            process.kill()
        process.wait()


class Elsewhere(ModelCase):
    def test_without_a_registry_it_says_where_to_declare_one(self):
        self.write("dag.yaml", "connections: {}\n")
        told = self.dag("model", "list", status=3).stderr
        self.assertIn("the project has no registry of models", told)
        self.assertIn("`models: {connection: NAME}`", told)

    def test_a_database_that_is_away(self):
        self.write("dag.yaml", PROJECT.format(uri="postgresql://127.0.0.1:1/none"))
        told = self.dag("model", "list", status=4).stderr
        self.assertIn("cannot connect to `greenplum`: nothing listens", told)

    def test_a_table_that_is_missing_asks_for_the_migrations(self):
        uri = self.server.create("bare")
        self.addCleanup(self.server.sql, "drop database bare", "postgres")
        self.write("dag.yaml", PROJECT.format(uri=uri))
        for words in (("list",), ("promote", "rf_walk", "2007-05-01")):
            told = self.dag("model", *words, status=1).stderr
            self.assertIn("models", told)
            self.assertIn("`dag migrate` makes", told)

    def test_the_tables_can_have_other_names(self):
        self.sql("create schema \"My Models\"; "
                 "create table \"My Models\".all_of_them as select * from models.registry")
        self.addCleanup(self.sql, "drop schema \"My Models\" cascade")
        self.write("dag.yaml", PROJECT.format(uri=self.uri)
                   + "  table: '\"My Models\".all_of_them'\n")
        self.dag("model", "promote", "rf_walk", "2007-04-01")
        self.assertEqual(self.services()["2007-04-01"], False)
        self.assertEqual(self.sql("select in_service from \"My Models\".all_of_them"
                                  " where version = '2007-04-01'"), "t")

    def test_mistakes_of_the_settings_are_shown_at_their_place(self):
        for models, message in (
                ("{connection: gp}", "`models` asks `gp`, which is no connection"),
                ("{table: a b}", "dag.yaml:3:17: error: `a b` is not the name of a table"),
                ("{scored: delete from t}", "`scored` only reads"),
                ("{scored: scored.sql}", "there is no file `templates/scored.sql`"),
                ("{tabel: t}", "did you mean `table`?")):
            self.write("dag.yaml", "connections:\n  greenplum: {}\n" + f"models: {models}\n")
            done = self.dag("lint", status=None)
            self.assertNotEqual(done.returncode, 0, models)
            self.assertIn(message, done.stdout + done.stderr)


class Shipped(ModelCase):
    def environment(self):
        return dict(super().environment(), DAG_CONN_GREENPLUM=self.uri)

    def test_the_registry_of_the_project_that_ships(self):
        for name in ("dags", "templates"):
            shutil.copytree(ROOT / name, self.folder / name, dirs_exist_ok=True)
        shutil.copy(ROOT / "dag.yaml", self.folder)
        done = self.dag("model", "list")
        self.assertIn("rf_walk", done.stdout)
        self.assertEqual(done.stderr, "")  # what was scored is known too


if __name__ == "__main__":
    unittest.main()
