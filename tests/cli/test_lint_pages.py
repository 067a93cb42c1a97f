"""The pages of docs/lint: one for each code, whose examples give what they say."""

import json
import re
import unittest

from support import ROOT, ProjectCase

PAGES = ROOT / "docs" / "lint"
FENCE = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROJECT = 'connections:\n  warehouse: {uri: "${WAREHOUSE_URI:-postgresql://localhost/x}"}\n'


def section(text, title):
    """The files of the examples below a heading, by name."""
    part = text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    return {name: body for _, name, body in FENCE.findall(part)}


class Pages(ProjectCase):
    def codes(self):
        lines = self.dag("lint", "--codes", "--json").stdout.splitlines()
        return {row["code"]: row for row in map(json.loads, lines)}

    def findings(self, files):
        folder = self.folder / "project"
        self.dag("version")
        for name, text in {"dag.yaml": PROJECT, **files}.items():
            self.write(f"project/{name}", text)
        (folder / "templates").mkdir(exist_ok=True)
        done = self.dag("lint", "--json", status=None, cwd=folder)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        for name in files:
            (folder / name).unlink()
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_each_code_has_a_page_and_each_page_a_code(self):
        pages = {page.stem for page in PAGES.glob("*.md")} - {"README"}
        self.assertEqual(pages, set(self.codes()))

    def test_a_page_begins_with_its_code_severity_and_meaning(self):
        for code, row in self.codes().items():
            text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
            self.assertTrue(text.startswith(
                f"# `{code}`\n\n{row['severity'].capitalize()}: {row['meaning']}.\n"), code)

    def test_bad_examples_give_their_code_alone_and_good_ones_nothing(self):
        for code in set(self.codes()) - {"database"}:  # tests/testing/test_lint_database.py
            text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
            with self.subTest(code=code):
                found = self.findings(section(text, "Found"))
                self.assertEqual([finding["code"] for finding in found], [code], found)
                self.assertTrue(all(finding["line"] for finding in found), found)
                self.assertEqual(self.findings(section(text, "Not found")), [])


if __name__ == "__main__":
    unittest.main()
