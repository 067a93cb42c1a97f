"""`dag diff`: what a changed definition would change."""

import shutil
import subprocess
import unittest

from support import DAG as DAG_PROGRAM, ProjectCase

DAG = """dag_id: report
schedule: "@daily"
start_date: 2020-01-01
default_args: {retries: 1}
tasks:
  load: {bash: "echo {{ ds }}"}
  sum: {bash: "echo sum", depends_on: load}
  old: {bash: "true", depends_on: load}
"""
CHANGED = """dag_id: report
schedule: "@daily"
start_date: 2020-01-01
default_args: {retries: 1}
max_active_runs: 2
tasks:
  load: {bash: "echo {{ ds }} # new"}
  sum: {bash: "echo sum", retries: 3}
  new: {bash: "true", depends_on: sum}
"""


class Diff(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dags/report.yaml", DAG)
        self.write("dags/same.yaml", "tasks: {a: {empty: {}}}\n")

    def git(self, *words):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *words],
                       cwd=self.folder, check=True, capture_output=True)

    def commit(self):
        self.write(".gitignore", ".dag/\nbefore/\n")
        if not (self.folder / ".git").exists():
            self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")

    def keep(self):
        """The project as it is, in the folder `before`."""
        shutil.copytree(self.folder, self.folder / "before",
                        ignore=shutil.ignore_patterns(".dag", "before"))

    def test_tasks_keys_edges_and_text(self):
        self.keep()
        self.write("dags/report.yaml", CHANGED)
        shown = self.dag("diff", "before").stdout
        for line in ("~ report (dags/report.yaml)", "  ~ max_active_runs", "  + task new",
                     "  - task old", "  ~ task load: bash", "  ~ task sum: retries, depends_on",
                     "    its text is another on 7 of 7 dates; on ", "  + edge sum → new",
                     "  - edge load → sum", "  - edge load → old", "      --- before",
                     "      +++ the working folder"):
            self.assertIn(line, shown)
        self.assertRegex(shown, r"(?m)^      -echo \d{4}-\d\d-\d\d$")
        self.assertRegex(shown, r"(?m)^      \+echo \d{4}-\d\d-\d\d # new$")
        self.assertNotIn("same", shown)
        row, = self.json("diff", "before", "--days", "3")
        load = next(task for task in row["tasks"] if task["task_id"] == "load")
        self.assertEqual((load["dates_changed"], load["dates_rendered"]), (3, 3))

    def test_two_folders_and_no_difference(self):
        self.keep()
        self.assertIn("no difference", self.dag("diff", "before", "--exit-status").stdout)
        self.write("dags/report.yaml", CHANGED)
        self.assertIn("no difference", self.dag("diff", "before", "before").stdout)
        self.assertIn("are different", self.dag("diff", "before", "--exit-status", status=1).stderr)
        self.dag("diff", "before")

    def test_revisions_of_git(self):
        self.commit()
        self.write("dags/report.yaml", CHANGED)
        self.write("dags/more.yaml", "tasks: {a: {empty: {}}}\n")
        (self.folder / "dags/same.yaml").unlink()
        shown = self.dag("diff", "HEAD").stdout
        self.assertIn("+ more (dags/more.yaml) added, with 1 tasks", shown)
        self.assertIn("- same (dags/same.yaml) removed, with 1 tasks", shown)
        self.assertIn("~ task load: bash", shown)
        self.commit()
        self.assertEqual(self.dag("diff", "HEAD~1", "HEAD").stdout.splitlines()[0],
                         shown.splitlines()[0])
        self.assertIn("no difference", self.dag("diff", "HEAD").stdout)
        self.assertIn("neither a project's folder nor a git revision",
                      self.dag("diff", "nothing", status=3).stderr)
        self.dag("diff", "--", "--output=x", status=3)

    def test_a_template_that_it_includes(self):
        self.write("dag.yaml", "connections: {db: {}}\n")
        self.write("templates/a.sql", "{% include 'b.sql' %} where day = '{{ ds }}'\n")
        self.write("templates/b.sql", "select 1\n")
        self.write("dags/sql.yaml", "schedule: '@daily'\nstart_date: 2020-01-01\n"
                   "tasks: {a: {sql: a.sql, connection: db}}\n")
        self.keep()
        self.write("templates/b.sql", "select 2\n")
        row, = self.json("diff", "before")
        task, = row["tasks"]
        self.assertNotIn("keys", task)
        self.assertIn("-select 1 where", task["diff"])
        self.assertIn("+select 2 where", task["diff"])

    def test_groups_and_default_args(self):
        self.write("dags/g.yaml", "default_args: {retries: 1}\n"
                   "groups: {g: {default_args: {pool_slots: 1}, tasks: {a: {empty: {}}}}}\n")
        self.keep()
        self.write("dags/g.yaml", "default_args: {retries: 2}\n"
                   "groups: {g: {default_args: {pool_slots: 2}, tasks: {a: {empty: {}}}}}\n")
        row, = self.json("diff", "before")
        self.assertEqual(row["tasks"], [{"task_id": "g.a", "keys": ["retries", "pool_slots"]}])

    def test_dates_that_come_and_go(self):
        self.keep()
        self.write("dags/report.yaml", DAG.replace("@daily", "0 0 * * MON"))
        row, = self.json("diff", "before", "--days", "7")
        self.assertEqual(row["keys"], ["schedule"])
        self.assertNotIn("ticks_added", row)
        self.assertIn(len(row["ticks_removed"]), (11, 12))
        self.assertRegex(self.dag("diff", "before").stdout, r"(?m)^  - 1[12] dates: .* more$")

    def test_what_goes_stale_and_how_to_run_it_again(self):
        self.commit()
        for day in ("2030-01-01", "2030-01-02", "2030-01-03"):
            self.dag("run", "report", "--logical-date", day)
        self.assertIn("no difference", self.dag("diff", "HEAD").stdout)
        self.write("dags/report.yaml", DAG.replace(
            'load: {bash: "echo {{ ds }}"}',
            "load: {bash: \"echo {{ ds }}{{ '!' if ds > '2030-01-01' }}\"}"))
        shown = self.dag("diff", "HEAD").stdout
        self.assertIn("  ! 2 runs succeeded with other text; to run again:\n"
                      "      dag clear report --from 2030-01-02 --to 2030-01-03 load --downstream",
                      shown)
        command = shown.splitlines()[-1].split()[1:]
        self.dag(*command, "--yes", "--dry-run")
        row, = self.json("diff", "HEAD")
        self.assertEqual(row["stale"][0]["runs"], 2)

    def test_a_run_keeps_its_interval_and_conf(self):
        text = ('schedule: "@daily"\nstart_date: 2030-01-01\nparams: {who: a}\ntasks:\n'
                '  load: {bash: "echo {{ data_interval_end }} {{ params.who }}"}\n')
        self.write("dags/kept.yaml", text)
        self.commit()
        self.dag("run", "kept", "--logical-date", "2030-01-01", "--conf", '{"who": "b"}')
        weekly = text.replace("@daily", "0 0 * * 1").replace("who: a", "who: c")
        self.write("dags/kept.yaml", weekly)
        row, = self.json("diff", "HEAD")
        self.assertNotIn("stale", row)
        self.dag("run", "kept", "--logical-date", "2030-02-01")
        self.write("dags/kept.yaml", text.replace("who: a", "who: d"))
        stale, = [row["stale"] for row in self.json("diff", "HEAD") if "stale" in row]
        self.assertEqual(stale[0]["runs"], 1)
        self.assertIn("2030-02-01", stale[0]["command"])

    def test_broken_files_and_wrong_use(self):
        self.keep()
        self.write("dags/report.yaml", "tasks: [\n")
        done = self.dag("diff", "before")
        self.assertIn("dags/report.yaml:", done.stderr)
        self.assertIn("- report", done.stdout)
        self.dag("diff", "before", "--days", "0", status=2)
        self.dag("diff", status=2)

    def test_no_folder_is_left_behind(self):
        self.commit()
        (self.folder / "tmp").mkdir()
        subprocess.run([DAG_PROGRAM, "diff", "HEAD", "HEAD"], cwd=self.folder, check=True,
                       env=dict(self.environment(), TMPDIR=str(self.folder / "tmp")),
                       capture_output=True)
        self.assertEqual(list((self.folder / "tmp").iterdir()), [])


if __name__ == "__main__":
    unittest.main()
