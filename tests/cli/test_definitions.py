"""Commands that need no server: init, lint, list, show, next, render, simulate, config, version."""

import json
import unittest

from support import ROOT, ProjectCase

TWO = """dag_id: two
schedule: "@daily"
start_date: 2026-01-01
end_date: 2026-01-31
tasks:
  first:
    bash: echo "{{ ds }}"
  second:
    bash: echo done
    depends_on: first
"""


class Help(ProjectCase):
    def test_every_command_has_help_with_examples(self):
        listed = self.dag("help").stdout
        names = [line.split()[0] for line in listed.splitlines() if line.startswith("  ")]
        self.assertGreater(len(names), 20)
        for name in names:
            text = self.dag(name, "-h").stdout
            self.assertIn("Examples:\n  dag ", text, name)
            self.assertIn("--json", text, name)

    def test_a_mistyped_command_and_option_get_a_suggestion(self):
        done = self.dag("trigerr", status=2)
        self.assertIn("did you mean `dag trigger`?", done.stderr)
        done = self.dag("list", "--jsn", status=2)
        self.assertIn("did you mean `--json`?", done.stderr)

    def test_too_few_and_too_many_words_are_wrong_use(self):
        self.assertIn("usage: dag show DAG", self.dag("show", status=2).stderr)
        self.assertIn("one word too many", self.dag("show", "a", "b", status=2).stderr)

    def test_the_version_is_told(self):
        self.assertRegex(self.dag("version").stdout, r"^dag \d+\.\d+\.\d+\n$")
        self.assertEqual(self.json("version")[0]["dag"], self.dag("version").stdout.split()[1])

    def test_outside_of_a_project_the_remedy_is_named(self):
        done = self.dag("list", status=None, cwd="/")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("dag init", done.stderr)


class Init(ProjectCase):
    def test_the_example_project_is_right_and_nothing_is_overwritten(self):
        self.dag("init", "new")
        folder = self.folder / "new"
        self.dag("lint", "--strict", cwd=folder)
        self.assertIn("hello", self.dag("list", cwd=folder).stdout)
        done = self.dag("render", "daily_report", "summarise", "--logical-date", "2026-01-02",
                        cwd=folder)
        self.assertIn("where day = '2026-01-02'", done.stdout)
        before = (folder / "dag.yaml").read_text()
        self.assertIn("already", self.dag("init", "new", status=1).stderr)
        self.assertEqual((folder / "dag.yaml").read_text(), before)

    def test_the_example_runs(self):
        self.dag("init", "new")
        folder = self.folder / "new"
        done = self.dag("run", "hello", "--logical-date", "2026-01-02", cwd=folder)
        self.assertIn("success", done.stdout)
        log = self.dag("logs", "hello", "2026-01-02", "greet", cwd=folder).stdout
        self.assertIn("Hello, 2026-01-02!", log)
        again = self.dag("run", "hello", "--logical-date", "2026-01-02", status=1, cwd=folder)
        self.assertIn("dag clear hello", again.stderr)


class Definitions(ProjectCase):
    def test_list_and_show(self):
        self.write("dags/two.yaml", TWO)
        listed = self.json("list")
        self.assertEqual([row["dag_id"] for row in listed], ["two"])
        self.assertEqual(listed[0]["tasks"], 2)
        shown = self.json("show", "two")[0]
        self.assertEqual([task["task_id"] for task in shown["tasks"]], ["first", "second"])
        self.assertEqual(shown["tasks"][1]["upstream"], ["first"])
        self.assertIn("second", self.dag("show", "two").stdout)

    def test_an_unknown_dag_gets_a_suggestion_and_exit_3(self):
        self.write("dags/two.yaml", TWO)
        self.assertIn("did you mean `two`?", self.dag("show", "tow", status=3).stderr)

    def test_all_mistakes_of_a_file_come_at_once_with_their_places(self):
        self.write("dags/bad.yaml", TWO.replace("depends_on: first", "depends_on: frist")
                   .replace('bash: echo "', 'retrys: 2\n    bash: echo "')
                   .replace("start_date: 2026-01-01", "start_date: someday"))
        text = self.dag("lint", status=1).stdout
        for place in ("dags/bad.yaml:3:", "dags/bad.yaml:7:", "dags/bad.yaml:11:"):
            self.assertIn(place, text)
        self.assertIn("`first`", text)
        self.assertIn("retries", text)
        self.assertIn("^", text)

    def test_lint_speaks_json_and_annotations(self):
        self.write("dags/bad.yaml", TWO.replace("depends_on: first", "depends_on: frist"))
        finding = self.json("lint", status=1)[0]
        self.assertEqual(finding["severity"], "error")
        self.assertEqual(finding["file"], "dags/bad.yaml")
        self.assertEqual(finding["line"], 10)
        annotation = self.dag("lint", "--format", "github", status=1).stdout
        self.assertTrue(annotation.startswith("::error file=dags/bad.yaml,line=10,"), annotation)

    def test_a_bad_template_is_found_by_lint(self):
        self.write("dags/two.yaml", TWO.replace("{{ ds }}", "{{ ds }"))
        text = self.dag("lint", status=1).stdout
        self.assertIn("dags/two.yaml:7:", text)

    def test_a_value_from_outside_that_is_pasted_into_sql_is_a_warning(self):
        self.write("dag.yaml", "connections: {gp: {}}\n")
        self.write("dags/in.yaml", "params: {name: x}\ntasks:\n"
                   "  a: {sql: a.sql, connection: gp}\n")
        self.write("templates/a.sql", "select 1,\n  '{{ params.name }}'\n")
        finding = self.json("lint")[0]
        self.assertEqual((finding["severity"], finding["code"]), ("warning", "untrusted-value"))
        self.assertEqual((finding["file"], finding["line"], finding["column"]),
                         ("templates/a.sql", 2, 7))
        self.dag("lint", "--strict", status=1)
        self.write("templates/a.sql", "select 1,\n  {{ params.name | literal }}\n")
        self.dag("lint", "--strict")

    def test_a_bind_that_binds_nothing_and_a_literal_in_quotes_are_told(self):
        self.write("dag.yaml", "connections: {gp: {}}\n")
        self.write("dags/in.yaml", "tasks:\n  a: {sql: a.sql, connection: gp}\n")
        self.write("templates/a.sql", "select 1;\ncreate table t as select {{ ds | bind }};\n")
        finding = self.json("lint")[0]
        self.assertEqual((finding["severity"], finding["code"]), ("info", "bind-literal"))
        self.assertEqual((finding["file"], finding["line"], finding["column"]),
                         ("templates/a.sql", 2, 29))
        self.dag("lint", "--strict")
        self.write("templates/a.sql", "select '{{ ds | literal }}'\n")
        self.assertIn("stands inside of quotes", self.dag("lint", "--strict", status=1).stdout)

    def test_a_name_set_in_a_branch_is_no_mistake_there(self):
        self.write("dags/two.yaml", TWO.replace(
            "{{ ds }}", "{% if ds %}{% set part = ds %}{{ part }}{% endif %}"))
        self.dag("lint", "--strict")

    def test_global_options_may_stand_before_the_command(self):
        self.write("dag.other.yaml", "timezone: Asia/Tokyo\n")
        self.assertEqual(self.dag("--env", "other", "config", "timezone").stdout,
                         "timezone: Asia/Tokyo\n")

    def test_keys_of_later_versions_are_refused_not_ignored(self):
        self.write("dags/two.yaml", TWO + "    on_failure: [x]\n")
        self.assertIn("not supported yet", self.dag("lint", status=1).stdout)


class Next(ProjectCase):
    def test_a_schedule_gives_its_intervals(self):
        rows = self.json("next", "@daily", "--from", "2026-01-01", "--count", "2")
        self.assertEqual(rows[1], {"run_after": "2026-01-03T00:00:00+00:00",
                                   "data_interval_start": "2026-01-02T00:00:00+00:00",
                                   "data_interval_end": "2026-01-03T00:00:00+00:00",
                                   "logical_date": "2026-01-02T00:00:00+00:00"})

    def test_a_dag_gives_its_own(self):
        self.write("dags/two.yaml", TWO)
        rows = self.json("next", "two", "--from", "2026-01-30", "--count", "9")
        self.assertEqual([row["logical_date"][:10] for row in rows], ["2026-01-30", "2026-01-31"])

    def test_an_impossible_schedule_is_an_error(self):
        self.assertNotEqual(self.dag("next", "0 0 30 2 *", status=None).returncode, 0)

    def first_days(self, schedule, count=3):
        """The logical days of a DAG with that schedule."""
        self.write("dags/x.yaml", f"schedule: {schedule}\ntasks: {{a: {{empty: }}}}\n")
        rows = self.json("next", "x", "--from", "2026-12-24", "--count", str(count))
        for before, after in zip(rows, rows[1:]):
            if before["data_interval_start"] != before["data_interval_end"]:
                self.assertEqual(before["data_interval_end"], after["data_interval_start"])
        return [row["logical_date"][5:16] for row in rows]

    def test_a_calendar_leaves_out_or_moves_runs(self):
        self.write("dags/holidays.txt", "2026-12-25  # Christmas\n2026-12-26\n")
        form = '{cron: "0 9 * * *", calendar: holidays.txt, on_holiday: %s, interval: false}'
        self.assertEqual(self.first_days(form % "skip"),
                         ["12-24T09:00", "12-27T09:00", "12-28T09:00"])
        weekly = '{cron: "0 9 * * FRI", calendar: holidays.txt, on_holiday: %s}'
        self.assertEqual(self.first_days(weekly % "skip"),
                         ["01-01T09:00", "01-08T09:00", "01-15T09:00"])
        self.assertEqual(self.first_days(weekly % "next"),
                         ["12-27T09:00", "01-01T09:00", "01-08T09:00"])
        self.assertEqual(self.first_days(weekly % "previous"),
                         ["12-24T09:00", "01-01T09:00", "01-08T09:00"])

    def test_the_other_forms_of_a_schedule(self):
        self.assertEqual(self.first_days('["0 9 * * FRI", "30 7 * * MON"]'),
                         ["12-25T09:00", "12-28T07:30", "01-01T09:00"])
        self.assertEqual(self.first_days('{dates: [2026-12-31, "2026-12-30T06:00"]}'),
                         ["12-30T06:00", "12-31T00:00"])
        dates = "timezone: Europe/Berlin\nstart_date: 2026-10-24\nend_date: 2026-10-26\n"
        form = '{cron: "30 2 * * *", dst: {overlap: both}}'
        self.write("dags/x.yaml", f"schedule: {form}\n{dates}tasks: {{a: {{empty: }}}}\n")
        rows = self.json("next", "x", "--from", "2026-10-24", "--count", "9")
        self.assertEqual([row["logical_date"][5:16] for row in rows],
                         ["10-24T00:30", "10-25T00:30", "10-25T01:30", "10-26T01:30"])

    def test_a_schedule_that_its_calendar_or_dates_leave_nothing_of_is_an_error(self):
        self.write("dags/x.yaml",
                   'schedule: {cron: "0 9 * * *", calendar: [2026-12-25]}\n'
                   "start_date: 2026-12-25\nend_date: 2026-12-25\ntasks: {a: {empty: }}\n")
        self.assertIn("can never run", self.dag("next", "x", status=2).stderr)
        self.assertIn("never runs", self.dag("lint", status=1).stdout)

    def test_a_continuous_schedule_says_when_it_runs(self):
        done = self.dag("next", "@continuous", "--json")
        self.assertEqual(done.stdout, "")
        self.assertIn("as soon as", done.stderr)

    def test_every_timetable_vector_holds_through_the_command(self):
        path = ROOT / "tests/vectors/timetables/vectors.json"
        vectors = json.loads(path.read_text())["vectors"]
        tried = 0
        for vector in vectors[::5]:
            if vector["class"] == "overlap":
                continue
            words = ["next", vector["schedule"], "--timezone", vector["timezone"], "--from",
                     vector["from"], "--count", str(vector["count"]), "--json"]
            if vector["timetable"] == "trigger":
                words.append("--trigger")
            done = self.dag(*words, status=None)
            if vector["error"]:
                self.assertNotEqual(done.returncode, 0, vector)
                self.assertTrue(done.stderr)
            else:
                self.assertEqual([json.loads(line) for line in done.stdout.splitlines()],
                                 vector["runs"], vector)
            tried += 1
        self.assertGreater(tried, 40)


class Render(ProjectCase):
    def test_a_task_for_a_date(self):
        self.write("dags/two.yaml", TWO)
        done = self.dag("render", "two", "first", "--logical-date", "2026-01-05")
        self.assertEqual(done.stdout, 'echo "2026-01-05"\n')

    def test_a_process_shows_its_arguments(self):
        self.write("dags/two.yaml",
                   TWO.replace('bash: echo "{{ ds }}"', 'exec: [echo, "{{ ds }}"]'))
        done = self.dag("render", "two", "first", "--logical-date", "2026-01-05")
        self.assertEqual(done.stdout, "echo\n2026-01-05\n")

    def test_the_source_map_of_a_task(self):
        self.write("dag.yaml", "connections: {gp: {uri: 'postgresql://u:geheim@localhost/x'}}\n")
        self.write("dags/map.yaml", "params: {name: n}\ntasks: {a: {sql: a.sql, connection: gp}}\n")
        self.write("templates/a.sql", "select '{{ ds }}',\n"
                   "  é{{ params.name | bind }}{% include 'b.sql' %}{{ params.name }}\n")
        self.write("templates/b.sql", "{{ conn.gp.password }}\nx\n")
        words = ["render", "map", "a", "--logical-date", "2026-01-05", "--map"]
        self.assertEqual(self.dag(*words).stdout,
                         "1:1-8\ttemplates/a.sql:1:1\ttext\n"
                         "1:9-18\ttemplates/a.sql:1:12\tvalue\n"
                         "1:19-2:3\ttemplates/a.sql:1:17\ttext\n"
                         "2:4-6\ttemplates/a.sql:2:7\tvalue bound\n"
                         "2:7-9\ttemplates/b.sql:1:4\tvalue secret\n"
                         "2:10-3:1\ttemplates/b.sql:1:23\ttext\n"
                         "3:2-2\ttemplates/a.sql:2:52\tvalue untrusted\n")
        rows = self.json(*words)
        text = self.dag(*words[:-1]).stdout.encode()
        self.assertEqual(sum(row["length"] for row in rows), len(text) - 1)
        bound = [row for row in rows if row["marks"] == ["bound"]]
        self.assertEqual([text[row["offset"]:][:row["length"]] for row in bound], [b"'n'"])
        self.assertEqual((bound[0]["line"], bound[0]["column"], bound[0]["end_column"]), (2, 4, 6))

    def test_secrets_are_masked_in_what_is_shown(self):
        self.write("dag.yaml", "connections: {gp: {uri: 'postgresql://u:geheim@localhost/x'}}\n"
                   "variables: {api_token: hunter2}\n")
        self.write("dags/s.yaml", "tasks:\n"
                   "  a: {sql: a.sql, connection: gp, parameters: ['{{ conn.gp.password }}']}\n"
                   "  b: {bash: 'echo {{ conn.gp.uri }} {{ var.value.api_token | upper }}',"
                   " env: {P: '<{{ conn.gp.password }}>'}}\n"
                   "  c: {sql: \"select {{ {}[conn.gp.password] }}\", connection: gp}\n"
                   "  d: {bash: \"echo {{ var.value.api_token | int + conn.gp.password }}\"}\n"
                   "  e: {bash: \"{{ [1][var.value.api_token] }}\"}\n")
        self.write("templates/a.sql", "select $1, '{{ conn.gp.password[:3] }}';\n")
        self.assertEqual(self.dag("render", "s", "a").stdout, "select $1, '***';\n")
        shown = [self.dag("render", "s", task, *words, status=status)
                 for task, status in (("a", 0), ("b", 0), ("c", 1), ("d", 1), ("e", 1))
                 for words in ([], ["--all"], ["--json"], ["--map"], ["--all", "--json"])]
        shown.append(self.dag("lint", status=1))
        for done in shown:
            for secret in ("geheim", "hunter2", "HUNTER2", "geh'"):
                self.assertNotIn(secret, done.stdout + done.stderr)
        self.assertEqual(self.dag("render", "s", "b").stdout, "echo *** ***\n")
        self.assertIn("<***>", self.dag("render", "s", "b", "--all").stdout)
        self.assertIn("'***'", self.dag("render", "s", "c", status=1).stderr)

    def test_the_source_map_of_a_template_alone(self):
        self.write("a.sql", "{% macro m(x) %}<{{ x }}>{% endmacro %}a\n{{ m(1) }}\n")
        self.assertEqual(self.dag("render", "--template", "a.sql", "--map").stdout,
                         "1:1-2\ta.sql:1:40\ttext\n2:1-1\ta.sql:1:17\ttext\n"
                         "2:2-2\ta.sql:1:21\tvalue\n2:3-3\ta.sql:1:25\ttext\n")

    def test_what_changed_since_a_run_rendered(self):
        lines = [f"select {i};\n" for i in range(1, 21)]
        # Nobody listens there: what was rendered is kept all the same.
        self.write("dag.yaml", "connections: {gp: {uri: 'postgresql://u:geheim@127.0.0.1:1/x'}}\n")
        self.write("dags/old.yaml", "params: {name: n}\ntasks:\n  b: {bash: 'true'}\n"
                   "  a: {sql: a.sql, connection: gp, retries: 0}\n")
        head = "select '{{ ds }} {{ params.name }} {{ conn.gp.password }} {{ run_id }}';\n"
        self.write("templates/a.sql", head + "".join(lines))
        self.dag("render", "old", "a", "--diff", "latest", status=3)
        self.dag("run", "old", "--logical-date", "2026-01-05", "--conf", '{"name": "conf"}',
                 status=None)
        same = self.dag("render", "old", "a", "--diff", "2026-01-05").stdout
        self.assertEqual(same, "no difference\n")
        lines[2:3] = ["select 'new';\n", "select 'newer';\n"]
        lines[-1] = "select 20;"
        self.write("templates/a.sql", head + "".join(lines[1:]) + " -- {{ conn.gp.password }}")
        text = self.dag("render", "old", "a", "--diff", "latest").stdout
        self.assertNotIn("geheim", text)
        first, text = text.split("\n", 1)
        self.assertRegex(first, r"^--- manual__2026-01-05T00:00:00\+00:00.*, attempt 1$")
        at = text.index("@@")
        body = text[at:]
        self.assertEqual(text[:at], "+++ now\n")
        self.assertRegex(body.splitlines()[1], r"^ select '2026-01-05 conf \*\*\* manual__")
        body = "\n".join(line for line in body.split("\n") if "manual__" not in line)
        self.assertEqual(body, "@@ -1,7 +1,7 @@\n-select 1;\n select 2;\n-select 3;\n"
                         "+select 'new';\n+select 'newer';\n select 4;\n select 5;\n select 6;\n"
                         "@@ -18,4 +18,4 @@\n select 17;\n select 18;\n select 19;\n"
                         "-select 20;\n\\ No newline at end of file\n"
                         "+select 20; -- ***\n\\ No newline at end of file\n")
        self.assertIn("no SQL task", self.dag("render", "old", "b", "--diff", "latest",
                                              status=2).stderr)
        self.dag("render", "old", "a", "--diff", "2020-01-01", status=3)
        self.assertIn("`a[3]` has not been started in manual__2026-01-05",
                      self.dag("render", "old", "a[3]", "--diff", "latest", status=3).stderr)
        self.assertIn("not a task", self.dag("render", "old", "a[x]", status=2).stderr)

    def test_every_template_vector_holds_through_the_command(self):
        cases = json.loads((ROOT / "tests/vectors/templates/sql_cases.json").read_text())
        cases = cases["cases"] if isinstance(cases, dict) else cases
        self.assertGreater(len(cases), 80)
        for case in cases:
            folder = self.folder / case["id"]
            for name, text in case["files"].items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text.encode())
            context = self.write(f"{case['id']}/context.json", json.dumps(case["context"]))
            words = ["render", "--template", str(folder / case["main"]), "--context", str(context),
                     "--searchpath", str(folder)]
            if case["strict"]:
                words.append("--strict")
            if case["keep_trailing_newline"]:
                words.append("--keep-trailing-newline")
            done = self.dag(*words, status=0 if case["status"] == "ok" else 1)
            if case["status"] == "ok":
                self.assertEqual(done.stdout, case["output"], case["id"])
            else:
                self.assertIn(f"{case['error_file']}:{case['error_line']}:", done.stderr,
                              case["id"])


class Simulate(ProjectCase):
    def test_outcomes_decide_the_states(self):
        path = self.write("dags/two.yaml", TWO)
        self.write("out.json", '{"first": "failed"}')
        row = self.json("simulate", str(path), "--outcomes", "out.json")[0]
        self.assertEqual(row, {"run_state": "failed",
                               "tasks": {"first": "failed", "second": "upstream_failed"}})

    def test_trigger_rule_vectors_hold_through_the_command(self):
        cases = json.loads((ROOT / "tests/vectors/trigger_rules/cases.json").read_text())["cases"]
        tried = 0
        for case in cases[::8]:
            if case["class"] == "timing" or case["class"] == "setup-teardown-timing":
                continue
            path = self.write("case.yaml", case["yaml"])
            self.write("out.json", json.dumps(case["outcomes"]))
            row = self.json("simulate", str(path), "--outcomes", "out.json")[0]
            self.assertEqual(row, {"run_state": case["run_state"], "tasks": case["tasks"]},
                             case["id"])
            tried += 1
        self.assertGreater(tried, 35)


    def test_a_whole_project_is_played_over_a_period(self):
        self.write("dag.yaml", "pools: {default_pool: 1}\n")
        self.write("dags/two.yaml", "schedule: '@daily'\nstart_date: 2026-01-01\n"
                   "tasks:\n  first: {bash: 'true'}\n"
                   "  second: {bash: 'true', depends_on: first}\n")
        self.write("dags/other.yaml", "schedule: '@hourly'\nstart_date: 2026-01-01\n"
                   "tasks:\n  only: {bash: 'true'}\n")
        self.write("durations.json", '{"two": {"first": "2h"}, "other": {"only": "30s"}}')
        words = ("simulate", "--from", "2026-01-04T23:30", "--to", "2026-01-05T01:00",
                 "--durations", "durations.json")
        rows = self.json(*words)
        runs = {(row["dag_id"], row["logical_date"]): row for row in rows if "dag_id" in row}
        self.assertEqual(len(runs), 3)
        two = runs["two", "2026-01-04T00:00:00+00:00"]
        self.assertEqual(two["run_after"], "2026-01-05T00:00:00+00:00")
        self.assertEqual(two["run_state"], "success")
        self.assertGreaterEqual(two["end_date"], "2026-01-05T02:01:00+00:00")
        pool = next(row for row in rows if row.get("slots_of") == "pool")
        self.assertEqual((pool["total"], pool["most_used"]), (1, 1))
        self.assertGreaterEqual(pool["most_waiting"], 1)
        text = self.dag(*words).stdout
        self.assertIn("pool default_pool", text)
        self.assertIn("2026-01-04", text)

    def test_a_period_needs_both_ends_and_durations_their_tasks(self):
        self.write("dags/two.yaml", TWO)
        said = self.dag("simulate", "--from", "2026-01-01", status=2).stderr
        self.assertIn("--from and --to", said)
        said = self.dag("simulate", "--from", "2026-01-02", "--to", "2026-01-01", status=2).stderr
        self.assertIn("ends before it starts", said)
        period = ("simulate", "--from", "2026-01-01", "--to", "2026-01-02", "--durations")
        self.write("wrong.json", '{"two": {"frist": "5m"}}')
        self.assertIn("no task `frist`", self.dag(*period, "wrong.json", status=3).stderr)
        self.write("wrong.json", '{"two": {"first": 300}}')
        self.assertIn("5m", self.dag(*period, "wrong.json", status=2).stderr)


class Config(ProjectCase):
    def test_values_come_with_their_origin_and_secrets_are_masked(self):
        self.write("dag.yaml", "timezone: Europe/Berlin\nconnections:\n"
                   "  db: {uri: 'postgresql://me:hush@localhost/x'}\n")
        text = self.dag("config", "--origin").stdout
        self.assertIn("Europe/Berlin", text)
        self.assertIn("dag.yaml:1", text)
        self.assertNotIn("hush", text)
        self.assertIn("***", text)


if __name__ == "__main__":
    unittest.main()
