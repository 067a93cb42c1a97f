"""`dag list`: what it keeps of files that have not changed is what they say."""

import json

from support import ProjectCase

ONE = """\
schedule: "@daily"
start_date: 2026-01-01
owner: anna
tags: [a, b]
tasks:
  first: {sql: first.sql, connection: db}
"""
CALENDAR = "2026-01-01\n2026-12-25\n"

SCHEDULES = {
    "cron": "schedule: '30 2 * * 1-5'\ntimezone: Europe/Zurich\n",
    "several": "schedule: ['0 6 * * *', '0 18 * * *']\n",
    "ticks": "schedule: {cron: '15 3 * * *', interval: false}\n",
    "dst": "schedule: {cron: '30 2 * * *', dst: {gap: skip, overlap: both}}\n"
           "timezone: America/New_York\n",
    "calendar": "schedule: {cron: '0 5 * * *', calendar: days.txt, on_holiday: next}\n",
    "dates": "schedule: {dates: [2025-01-02, '2999-03-04T05:06']}\n",
    "over": "schedule: '@daily'\nstart_date: 2020-01-01\nend_date: 2020-02-01\n",
    "later": "schedule: 90m\nstart_date: 2999-01-01\n",
    "once": "schedule: '@once'\nstart_date: 2999-01-01\n",
    "zone": "schedule: '@hourly'\ntimezone: Australia/Lord_Howe\n",
    "idle": "schedule: '@continuous'\nmax_active_runs: 1\n",
    "hand": "schedule: null\n",
}


class List(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dag.yaml", "connections: {db: {uri: postgresql://localhost/x}}\n")
        self.write("templates/first.sql", "select 1\n")
        self.write("dags/one.yaml", ONE)
        (self.folder / ".dag").mkdir()

    def rows(self):
        """The table's rows, by the DAG's name; what is kept must say the same."""
        first, again = self.dag("list"), self.dag("list")
        self.assertEqual((again.stdout, again.stderr), (first.stdout, first.stderr))
        return {line.split()[0]: line for line in first.stdout.splitlines()[1:]}

    def test_it_is_kept_only_where_there_is_a_place_for_it(self):
        self.rows()
        self.assertTrue((self.folder / ".dag/list.json").exists())
        (self.folder / ".dag/list.json").unlink()
        (self.folder / ".dag").rmdir()
        self.rows()
        self.assertFalse((self.folder / ".dag").exists())

    def test_what_is_kept_follows_the_files(self):
        version = self.json("list")[0]["version"]
        self.assertEqual(self.json("list")[0]["version"], version)
        self.write("templates/first.sql", "select 2\n")
        self.assertNotEqual(self.json("list")[0]["version"], version)
        self.write("dags/first.sql", "select 3\n")  # found before the other from now on
        self.assertNotEqual(self.json("list")[0]["version"], version)
        self.write("dags/one.yaml", ONE.replace("anna", "berta").replace("daily", "weekly"))
        self.assertIn("berta", self.rows()["one"])
        self.assertIn("@weekly", self.rows()["one"])
        self.assertEqual(self.json("list")[0]["tags"], ["a", "b"])
        self.write("dags/two.yaml", ONE)
        self.assertEqual(list(self.rows()), ["one", "two"])
        (self.folder / "dags/one.yaml").unlink()
        self.assertEqual(list(self.rows()), ["two"])

    def test_it_follows_the_settings(self):
        self.assertEqual(self.json("list")[0]["timezone"], "UTC")
        self.write("dag.yaml", "timezone: Europe/Zurich\n"
                               "connections: {db: {uri: postgresql://localhost/x}}\n")
        self.assertEqual(self.json("list")[0]["timezone"], "Europe/Zurich")
        self.write("dag.yaml", "connections: {other: {uri: postgresql://localhost/x}}\n")
        done = self.dag("list")
        self.assertNotIn("one", done.stdout)
        self.assertIn("there is no connection `db`", done.stderr)

    def test_mistakes_are_told_each_time_and_warnings_are_lint_s(self):
        self.write("dags/bad.yaml", ONE.replace("owner", "ownr"))
        self.write("dags/two.yaml", ONE.replace("first.sql", "\"select '{{ var.value.none }}'\""))
        for _ in range(2):
            done = self.dag("list")
            self.assertIn("dags/bad.yaml:3:1: error:", done.stderr)
            self.assertNotIn("two.yaml", done.stderr)
            self.assertEqual(len(done.stdout.splitlines()), 3)

    def test_of_two_files_with_one_id_the_first_has_it(self):
        self.rows()
        self.write("dags/two.yaml", "dag_id: one\n" + ONE)
        done = self.dag("list")
        self.assertIn("dags/one.yaml", done.stdout)
        self.assertEqual(len(done.stdout.splitlines()), 2)
        self.assertIn("the DAG `one` is in dags/one.yaml already", done.stderr)

    def test_the_next_run_is_that_of_the_schedule(self):
        self.write("dags/days.txt", CALENDAR)
        for name, schedule in SCHEDULES.items():
            start = "" if "start_date" in schedule else "start_date: 2026-01-01\n"
            self.write(f"dags/{name}.yaml", schedule + start + "tasks: {a: {empty: }}\n")
        self.dag("list")
        for name in SCHEDULES:
            with self.subTest(schedule=name):
                self.assertEqual(*self.next_runs(name))

    def next_runs(self, name):
        """The coming run as the list has it, and as `dag next` does; asked again when a run came in
        between."""
        words = ("next", name, "--count", "1", "--json")
        while True:
            before = self.dag(*words, status=None).stdout
            listed = self.dag("list").stdout
            self.assertEqual(self.dag("list").stdout, listed)
            if self.dag(*words, status=None).stdout == before:
                break
        head, *lines = listed.splitlines()
        row = next(line for line in lines if line.split()[0] == name)
        shown = row[head.index("NEXT RUN"):head.index("OWNER")].strip()
        runs = [json.loads(line)["run_after"] for line in before.splitlines()]
        if not runs or name == "idle":  # when the last has ended: that is no time
            return shown, ""
        return shown, runs[0][:19].replace("T", " ").removesuffix(" 00:00:00")

    def test_what_is_no_list_is_as_none(self):
        shown = self.rows()
        kept = (self.folder / ".dag/list.json").read_text(encoding="utf-8")
        for text in ("", "{}", "[1]\n", kept[:200], kept.replace('"dag_id"', '"id"'),
                     kept.replace('"files":[0', '"files":[99'), "\0" * 50, kept[:-10]):
            self.write(".dag/list.json", text)
            self.assertEqual(self.rows(), shown)
