"""`dag lint` of texts that are made to hurt it: it ends, with a report and without a crash."""

import json
import unittest

from support import ProjectCase

LONG = 100_000


class Hostile(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dag.yaml", "connections: {db: {}}\n")
        self.write("dags/a.yaml", "tasks: {a: {connection: db, sql: a.sql}}\n")

    def lint(self, text):
        (self.folder / "templates" / "a.sql").write_bytes(text)
        done = self.dag("lint", "--json", status=None)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_expressions_of_a_hundred_thousand_terms(self):
        for text in (b"select 1" + b" + 1" * LONG, b"select 1" + b" or a = 1" * LONG,
                     b"values (1)" + b", (1)" * LONG):
            self.assertEqual(self.lint(text), [], text[:40])

    def test_deep_nesting(self):
        for opened, closed in ((b"f(", b")"), (b"(select ", b")"), (b"array[", b"]"),
                               (b"case when ", b" then 1 end"), (b"not ", b"")):
            for depth in (4000, LONG):
                found = self.lint(b"select " + opened * depth + b"1" + closed * depth)
                self.assertLessEqual({f["code"] for f in found}, {"sql-not-checked"}, opened)

    def test_megabytes(self):
        row = b"insert into t select * from u where x = 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy';\n"
        for text in (b"truncate t;\n" + row * 10_000, b"-- " + b"x" * (900 << 10) + b"\nselect 1",
                     b"select '" + b"x" * (900 << 10) + b"'"):
            self.lint(text)

    def test_bytes_that_are_no_text(self):
        for text in (b"select 1\0; select 2", b"select '\xff\xfe'", b"select \xc3\x28 from \xa0",
                     b"\xef\xbb\xbfselect 1", b"select $a$ $b$", b"/* /* */", b"do $$ begin",
                     b"do $$ begin execute 'a' || end $$", b"\xed\xa0\x80 -- dag: ignore \xff"):
            self.lint(text)

    def test_blocks_within_blocks(self):
        self.lint(b"do $$ begin " + b"if true then " * 5000 + b"null; " + b"end if;" * 5000
                  + b" end $$")
        self.lint(b"do $$ begin execute " + b"'a' || b || " * 20_000 + b"'c'; end $$")
        self.lint(b"do $$ begin " + b"perform f((select 1 from t));" * 5000 + b" end $$")


if __name__ == "__main__":
    unittest.main()
