"""How `dag lint` prints what it found."""

import json
import unittest

from support import ProjectCase

BROKEN = """start_date: 2026-01-01
tasks:
  first: {bash: "echo 1"}
  second: {bash: "echo 2", depends_on: frist}
  third: {latest_only: {}, depends_on: first}
"""


class Formats(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dags/a b.yaml", "dag_id: ab\n" + BROKEN)

    def lint(self, name):
        return self.dag("lint", "--format", name, status=1).stdout

    def test_text_names_the_code_that_would_suppress_a_finding(self):
        self.assertIn("[unknown-reference]", self.lint("text").splitlines()[0])

    def test_github_escapes_what_its_commands_end_with(self):
        self.write("dags/a b.yaml", "dag_id: ab\ntasks:\n  a: {bash: x, depends_on: '100%, b:c'}\n")
        line = self.lint("github").splitlines()[0]
        self.assertTrue(line.startswith("::error file=dags/a b.yaml,line=3,col="), line)
        self.assertIn("100%25", line)

    def test_sarif_is_one_run_whose_results_name_its_rules(self):
        report = json.loads(self.lint("sarif"))
        self.assertEqual(report["version"], "2.1.0")
        run, = report["runs"]
        rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
        self.assertEqual(rules["unknown-reference"]["defaultConfiguration"]["level"], "error")
        result = run["results"][0]
        self.assertEqual((result["ruleId"], result["level"]), ("unknown-reference", "error"))
        self.assertIn(result["ruleId"], rules)
        self.assertIn("first", result["message"]["text"])
        place = result["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"]["uri"], "dags/a%20b.yaml")
        self.assertEqual(place["region"]["startLine"], 5)

    def test_gitlab_gets_a_report_whose_fingerprints_stay_when_lines_move(self):
        before = json.loads(self.lint("gitlab"))[0]
        self.assertEqual((before["check_name"], before["severity"]), ("unknown-reference", "major"))
        self.assertEqual(before["location"], {"path": "dags/a b.yaml", "lines": {"begin": 5}})
        self.write("dags/a b.yaml", "# a line more\ndag_id: ab\n" + BROKEN)
        after = json.loads(self.lint("gitlab"))[0]
        self.assertEqual(after["location"]["lines"]["begin"], 6)
        self.assertEqual(after["fingerprint"], before["fingerprint"])

    def test_a_project_without_findings_is_an_empty_report(self):
        self.write("dags/a b.yaml", "dag_id: ab\ntasks:\n  first: {bash: \"echo 1\"}\n")
        self.assertEqual(json.loads(self.dag("lint", "--format", "gitlab").stdout), [])
        self.assertEqual(json.loads(self.dag("lint", "--format", "sarif").stdout)
                         ["runs"][0]["results"], [])

    def test_without_a_project_and_a_path_nothing_was_checked(self):
        (self.folder / "dag.yaml").unlink()
        self.assertIn("there is no dag.yaml", self.dag("lint", status=3).stderr)
        self.dag("lint", "dags/a b.yaml", status=1)

    def test_a_format_that_there_is_not(self):
        self.assertIn("text, json, github, gitlab, sarif",
                      self.dag("lint", "--format", "xml", status=2).stderr)


class Copy(ProjectCase):
    """COPY with the client needs a file of the task's."""

    def lint(self, sql, more=""):
        self.write("dag.yaml", "connections: {db: {uri: 'postgresql://localhost/x'}}\n")
        self.write("templates/a.sql", sql)
        self.write("dags/a.yaml", f"tasks:\n  a: {{sql: a.sql{more}}}\n")
        done = self.dag("lint", "--format", "json", status=None)
        return [(f["code"], f["line"]) for f in map(json.loads, done.stdout.splitlines())
                if f.get("code", "").startswith("copy-")]

    def test_one_file_for_each(self):
        self.assertEqual(self.lint("copy t from stdin;\ncopy t to stdout",
                                   ", copy_from: a.csv, copy_to: ['{{ ds }}.csv']"), [])
        self.assertEqual(self.lint("select 1;\ncopy t from stdin"), [("copy-file", 2)])
        self.assertEqual(self.lint("copy t from stdin;\ncopy t from stdin", ", copy_from: a"),
                         [("copy-file", 2)])
        self.assertEqual(self.lint("copy t from '/x'", ", copy_to: [a]"), [("copy-file", 1)])

    def test_rows_do_not_stand_within_the_text(self):
        self.assertEqual(self.lint("copy t from stdin;\n1\n\\.\n", ", copy_from: a"),
                         [("copy-inline", 2)])


class SharedTables(ProjectCase):
    """A table that one DAG fills and another reads."""

    READ = ("schedule: '@daily'\nstart_date: 2024-01-01\ndefault_args: {connection: db}\ntasks:\n"
            "  read: {sql: insert into s.u select * from s.t}\n")

    def setUp(self):
        super().setUp()
        self.write("dag.yaml", "connections: {db: {}}\n")
        self.write("dags/load.yaml", "schedule: '@daily'\nstart_date: 2024-01-01\ntasks:\n"
                   "  fill: {connection: db, sql: 'truncate s.t; insert into s.t select 1'}\n")

    def lint(self):
        done = self.dag("lint", "--json", "--strict", status=None)
        return [(f["code"], f["file"], f["line"]) for f in map(json.loads, done.stdout.splitlines())
                if f["code"] not in ("not-repeatable", "sql-not-checked")]

    def test_the_reader_waits_or_lint_says_so(self):
        self.write("dags/use.yaml", self.READ)
        self.assertEqual(self.lint(), [("read-across-dags", "dags/use.yaml", 5)])
        self.write("dags/use.yaml", self.READ + "  loaded: {wait_for: {task: {dag: load}}}\n")
        self.assertEqual(self.lint(), [])
        self.write("dags/use.yaml", self.READ.replace(
            "  read", "  # dag: ignore read-across-dags: yesterday's will do\n  read"))
        self.assertEqual(self.lint(), [])


class Dates(ProjectCase):
    """Templates that take another way on some days."""

    def test_a_fault_of_the_leap_day_is_told_with_its_date(self):
        self.write("dag.yaml", "connections: {db: {}}\n")
        self.write("dags/a.yaml", "schedule: '@daily'\nstart_date: 2023-01-01\n"
                   "tasks: {a: {connection: db, sql: a.sql}}\n")
        self.write("templates/a.sql", "select 1\n"
                   "{% if ds_nodash[4:] == '0229' %}form t{% endif %} where true;\n")
        line, = self.dag("lint", "--json", status=1).stdout.splitlines()
        found = json.loads(line)
        self.assertEqual((found["code"], found["line"]), ("sql-syntax", 2))
        self.assertIn("(in the run of 2024-02-29)", found["message"])


class Unchanged(ProjectCase):
    """What was found is kept in the state folder, and holds as long as nothing has changed."""

    def setUp(self):
        super().setUp()
        (self.folder / ".dag").mkdir()
        self.write("dag.yaml", "connections: {db: {}}\nvariables: {n: 1}\n")
        self.write("dags/a.yaml", "tasks: {a: {connection: db, sql: a.sql}}\n")
        self.write("templates/a.sql", "select {{ var.value.n }},\n")

    def lint(self, status=1):
        done = self.dag("lint", "--json", status=status)
        return [json.loads(line)["code"] for line in done.stdout.splitlines()]

    def test_it_is_told_again(self):
        self.assertEqual(self.lint(), ["sql-syntax"])
        before = (self.folder / ".dag" / "lint.json").stat().st_ino
        self.assertEqual(self.lint(), ["sql-syntax"])
        self.assertEqual((self.folder / ".dag" / "lint.json").stat().st_ino, before)

    def test_a_changed_file_counts(self):
        self.assertEqual(self.lint(), ["sql-syntax"])
        self.write("templates/a.sql", "select {{ var.value.n }};\n")
        self.assertEqual(self.lint(0), [])
        self.write("templates/a.sql", "{% import 'm.sql' as m %}select {{ m.x() }};\n")
        self.assertEqual(self.lint(), ["template-not-found"])
        self.write("dags/m.sql", "{% macro x() %}1{% endmacro %}\n")
        self.assertEqual(self.lint(0), [])

    def test_a_new_file_and_another_setting_count(self):
        self.write("templates/a.sql", "select {{ var.value.n }};\n")
        self.assertEqual(self.lint(0), [])
        self.write("dags/b.yaml", "tasks: {}\n")
        self.assertEqual(self.lint(0), ["no-tasks"])
        (self.folder / "dags" / "b.yaml").unlink()
        self.write("dag.yaml", "connections: {db: {}}\n")
        self.assertEqual(self.lint(0), ["unknown-variable"])

    def mark(self):
        """Puts a finding that nobody makes into each kept unit, and breaks the whole report."""
        path = self.folder / ".dag" / "lint.json"
        head, *units = [json.loads(x) for x in path.read_text(encoding="utf-8").splitlines()]
        head["files"][1] = "changed"
        for unit in units:
            unit["findings"] = [{"severity": "info", "code": "no-tasks", "status": 0,
                                 "message": "kept", "file": unit["file"], "line": 1}]
        path.write_text("".join(json.dumps(x) + "\n" for x in [head, *units]), encoding="utf-8")

    def test_after_a_change_only_the_files_that_it_concerns_are_looked_at(self):
        self.write("dags/b.yml", "tasks: {b: {connection: db, sql: \"{% include 'm.sql' %}\"}}\n")
        self.write("dags/c.yaml", "tasks: {c: {connection: db, sql: select 1}}\n")
        self.write("templates/a.sql", "select 1;\n")
        self.write("templates/m.sql", "select 2;\n")
        files = ["dags/a.yaml", "dags/b.yml", "dags/c.yaml"]
        for changed, text, again in (
                ("templates/a.sql", "select 3;\n", "dags/a.yaml"),
                ("templates/m.sql", "select 3;\n", "dags/b.yml"),
                ("dags/m.sql", "select 4;\n", "dags/b.yml"),
                ("dags/c.yaml", "tasks: {c: {connection: db, sql: select 2}}\n", "dags/c.yaml")):
            (self.folder / ".dag" / "lint.json").unlink(missing_ok=True)
            self.assertEqual(self.lint(0), [])
            self.mark()
            self.write(changed, text)
            with self.subTest(changed=changed):
                lines = self.dag("lint", "--json").stdout.splitlines()
                self.assertEqual([json.loads(line)["file"] for line in lines],
                                 [file for file in files if file != again])
        self.mark()
        self.write("dag.yaml", "connections: {db: {}}\nvariables: {n: 2}\n")
        self.assertEqual(self.lint(0), [])

    def test_what_all_dags_together_show_is_found_with_kept_files_too(self):
        self.write("templates/a.sql", "select 1;\n")
        self.write("dags/b.yaml", "tasks: {b: {wait_for: {task: {dag: a, task: a}}}}\n"
                   "schedule: {assets: {all: [made]}}\n")
        self.assertEqual(self.lint(0), ["unknown-asset"])
        self.write("dags/a.yaml", "tasks: {n: {connection: db, sql: a.sql, outlets: [made]}}\n")
        self.assertEqual(self.lint(0), ["unknown-wait"])
        self.write("dags/c.yaml", "dag_id: b\ntasks: {c: {trigger_dag: {dag_id: nobody}}}\n")
        self.assertEqual(self.lint(), ["duplicate"])
        (self.folder / "dags" / "b.yaml").unlink()
        self.assertEqual(self.lint(), ["unknown-trigger"])
        (self.folder / "dags" / "c.yaml").unlink()
        self.assertEqual(self.lint(0), [])

    def test_a_file_that_a_computed_name_asks_for_is_missed_until_it_is_there(self):
        self.write("templates/a.sql", "{% include 'x' ~ ds[:0] ~ '.sql' %}\n")
        self.assertEqual(self.lint(), ["template-error"])
        self.write("templates/x.sql", "select 1,\n")
        self.assertEqual(self.lint(), ["sql-syntax"])
        self.write("dags/x.sql", "select 1\n")
        self.assertEqual(self.lint(0), [])

    def test_a_file_by_itself_is_seen_among_the_others(self):
        self.write("templates/a.sql", "select 1;\n")
        self.write("dags/b.yaml", "tasks: {b: {wait_for: {task: {dag: aa}}}}\n")
        self.write("dags/c.yaml", "tasks: {c: {wait_for: {task: {dag: aa}}}}\n")
        for _ in range(2):
            lines = self.dag("lint", "--json", "dags/b.yaml").stdout.splitlines()
            self.assertEqual([(f["code"], f["file"]) for f in map(json.loads, lines)],
                             [("unknown-wait", "dags/b.yaml")])
        self.assertEqual(self.dag("lint", "--json", "dags/a.yaml").stdout, "")
        self.assertEqual(len(self.dag("lint", "--json", "dags").stdout.splitlines()), 2)
        self.assertEqual(self.lint(0), ["unknown-wait", "unknown-wait"])

    def test_what_is_no_report_of_ours_is_passed_over(self):
        (self.folder / ".dag" / "lint.json").write_text("{")
        self.assertEqual(self.lint(), ["sql-syntax"])


if __name__ == "__main__":
    unittest.main()
