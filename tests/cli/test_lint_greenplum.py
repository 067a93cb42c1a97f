"""`dag lint` of the forms that Greenplum and MADlib document (greenplum_forms.txt, one a line): no
false error, and little that is not checked."""

import json
import unittest
from pathlib import Path

from support import ROOT, ProjectCase

FORMS = (Path(__file__).parent / "greenplum_forms.txt").read_text().splitlines()

# What PostgreSQL's grammar does not have, and nobody blanks: told as not checked.
NOT_CHECKED_MAX = 8


class Forms(ProjectCase):
    def test_forms_of_greenplum_and_madlib_give_no_error(self):
        self.write("dag.yaml", "connections: {gp: {dialect: greenplum6}}\n")
        tasks = "".join(f"  t{i}: {{sql: {json.dumps(form)}}}\n" for i, form in enumerate(FORMS))
        self.write("dags/a.yaml", "default_args: {connection: gp}\ntasks:\n" + tasks)
        found = [json.loads(line) for line in self.dag("lint", "--json", status=None)
                 .stdout.splitlines()]
        errors = [(FORMS[f["line"] - 3], f) for f in found if f["severity"] == "error"]
        self.assertEqual(errors, [])
        unknown = [FORMS[f["line"] - 3] for f in found if f["code"] == "sql-not-checked"]
        self.assertLessEqual(len(unknown), NOT_CHECKED_MAX, "\n".join(unknown))

    def test_statements_of_the_shipped_pipelines_are_all_checked(self):
        self.assertEqual([f for f in self.shipped() if f["code"] == "sql-not-checked"], [])

    def shipped(self):
        done = self.dag("lint", "--json", cwd=ROOT)
        return [json.loads(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    unittest.main()
