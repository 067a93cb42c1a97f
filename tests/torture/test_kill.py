"""kill -9 of the daemon in the middle of a backfill, at random moments: after `dag up` again it
completes, and every partition has exactly the rows of an undisturbed run."""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(os.environ.get("DAG_SOURCE_DIR") or Path(__file__).resolve().parents[2])
DAG = os.environ.get("DAG_BINARY") or str(ROOT / "build" / "dev" / "dag")
KILLS = 20 if os.environ.get("DAG_LONG") == "1" else 3
SEED = int(os.environ.get("DAG_SEED") or time.time())
FIRST, TRAINED, LAST = "2007-04-27", "2007-05-01", "2007-05-03"
DAY_TABLES = ("geolife_trajectory", "geolife_label", "geolife_trajectory_clean",
              "geolife_label_clean", "geolife_trajectory_label_clean",
              "geolife_trajectory_label_speed", "geolife_trajectory_speed_walk",
              "ts_features_walk", "ts_features_walk_pvt", "tsfresh_model_features",
              "tsfresh_predict_features")
LIMIT_S = 900


class Site:
    """A database with the release loaded, and a project with a state of its own."""

    def __init__(self, server_uri, folder, name):
        self.database = name
        self.state = Path(folder) / name
        parts = urlsplit(server_uri)
        self.uri = urlunsplit(parts._replace(path="/" + name))
        self.maintenance = urlunsplit(parts._replace(path="/postgres"))
        self.env = dict(os.environ, DAG_PROJECT=str(ROOT), DAG_STATE=str(self.state),
                        GREENPLUM_URI=self.uri, DAG_VAR_GEOLIFE_RELEASE=f"{folder}/release",
                        DAG_WEB_LISTEN="127.0.0.1:0")
        self.daemon = None
        self.psql(f"create database {name} template geolife_template", self.maintenance)
        self.dag("migrate")

    def psql(self, sql, uri=None):
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d",
                               uri or self.uri, "-c", sql],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def dag(self, *words, check=True):
        done = subprocess.run([DAG, *words], env=self.env, cwd=ROOT, capture_output=True, text=True,
                              check=False)
        if check and done.returncode:
            raise AssertionError(f"dag {' '.join(words)}: {done.stdout}{done.stderr}{self.log()}")
        return done

    def log(self):
        path = self.state.with_suffix(".log")
        return path.read_text()[-4000:] if path.exists() else ""

    def up(self):
        with open(self.state.with_suffix(".log"), "a", encoding="utf-8") as log:
            self.daemon = subprocess.Popen([DAG, "up"], env=self.env, cwd=ROOT, stdout=log,
                                           stderr=log)
        self.wait_for(lambda: self.dag("reload", check=False).returncode == 0, 60)

    def wait_for(self, condition, limit_s):
        deadline = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"not within {limit_s} s\n{self.dag('status', check=False).stdout}{self.log()}")
            time.sleep(0.1)

    def kill(self):
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def down(self):
        if self.daemon and self.daemon.poll() is None:
            self.dag("down", check=False)
            self.daemon.wait(60)

    def run_all(self, disturb=None):
        """Load, days, training, days; `disturb` is called while the days run."""
        self.up()
        self.dag("trigger", "initial_load", "--wait")
        self.backfill(FIRST, "2007-04-30", disturb)
        self.dag("trigger", "geolife_model_training", "--logical-date", TRAINED, "--wait")
        self.backfill(TRAINED, LAST, disturb)
        self.down()

    def backfill(self, first, last, disturb):
        words = ("backfill", "geolife", "--from", first, "--to", last)
        if not disturb:
            self.dag(*words, "--wait")
            return
        self.dag(*words)
        disturb(self, lambda: self.finished(first, last))
        self.wait_for(lambda: self.finished(first, last), LIMIT_S)

    def finished(self, first, last):
        days = int(last[-2:]) - int(first[-2:]) + 1
        done = self.psql("select 1")  # the server is there
        assert done == "1"
        states = [line for line in self.dag("status", "geolife", "--json").stdout.splitlines()
                  if f'"logical_date":"{first[:8]}' in line.replace(" ", "")]
        return len(states) >= days and all('"success"' in line for line in states)

    def contents(self):
        """Every day table's rows by day, keys in a fixed order; of predictions the ids."""
        found = {}
        for table in DAY_TABLES:
            day = "start_date" if "label" in table and "trajectory" not in table else "tdate"
            found[table] = self.psql(
                f"select day, count(*), md5(string_agg(r, '|' order by r)) from"
                f" (select {day} as day, to_jsonb(t)::text as r from geolife.{table} t) s"
                f" group by 1 order by 1")
        found["walk_prediction_results"] = self.psql(
            "select tdate, count(*), md5(string_agg(id, '|' order by id))"
            " from geolife.walk_prediction_results group by 1 order by 1")
        found["models"] = self.psql(
            "select mdate, rows_train, rows_test from geolife.models_metadata order by 1")
        return found


class Kill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="dag-kill-")
        cls.sandbox = [str(ROOT / "sandbox" / "sandbox")]
        cls.dir = ["--dir", f"{cls.folder}/server"]
        subprocess.run(cls.sandbox + ["start", "--fast"] + cls.dir, check=True,
                       capture_output=True)
        cls.uri = subprocess.run(cls.sandbox + ["uri"] + cls.dir, check=True, text=True,
                                 capture_output=True).stdout.strip()
        subprocess.run([str(ROOT / "sandbox" / "geolife_generate"), "--out",
                        f"{cls.folder}/release", "--from", FIRST, "--to", LAST], check=True,
                       capture_output=True)

    @classmethod
    def tearDownClass(cls):
        subprocess.run(cls.sandbox + ["destroy"] + cls.dir, check=False, capture_output=True)
        shutil.rmtree(cls.folder, ignore_errors=True)

    def test_a_killed_daemon_leaves_the_rows_of_an_undisturbed_run(self):
        chance = random.Random(SEED)
        kills = []

        def disturb(site, finished):
            """Kills and starts the daemon, up to half of the kills for each backfill."""
            for _ in range((KILLS + 1) // 2):
                time.sleep(chance.uniform(0.2, 4.0))
                if finished():
                    break
                site.kill()
                kills.append(1)
                site.up()

        quiet = Site(self.uri, self.folder, "quiet")
        hit = Site(self.uri, self.folder, "hit")
        try:
            quiet.run_all()
            hit.run_all(disturb)
            self.assertGreaterEqual(len(kills), KILLS // 2, f"seed {SEED}: too few kills hit")
            wanted, found = quiet.contents(), hit.contents()
            for table, rows in wanted.items():
                self.assertEqual(rows, found[table], f"{table}, seed {SEED}")
                self.assertNotEqual(rows, "", table)
            ledger = hit.psql(
                "select count(*) from (select dag_id, logical_date, task_id, map_index, generation"
                " from dag.result group by 1, 2, 3, 4, 5 having count(*) > 1) twice")
            self.assertEqual(ledger, "0")
        finally:
            quiet.down()
            hit.down()
        print(f"killed {len(kills)} times, seed {SEED}")


if __name__ == "__main__":
    unittest.main()
